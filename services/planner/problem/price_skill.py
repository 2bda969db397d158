"""Compare a source's price forecasts with repeated days, by settled prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, InstantArray, Timeline

DAY = timedelta(days=1)
# Begins of the bands of lead times that are compared, and the lead at which each is: one forecast
# is good for the next hours and bad for tomorrow.
_BANDS = (
    (timedelta(0), timedelta(hours=3)),
    (timedelta(hours=6), timedelta(hours=9)),
    (timedelta(hours=12), timedelta(hours=18)),
    (timedelta(hours=24), timedelta(hours=36)),
)
# So many settled hours are compared at least: two days.
_LEAST_COMPARED = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class BandSkill:
    """The mean errors of a source's forecasts and of repeated prices, currency/kWh.

    Attributes:
        begin: the shortest lead time of the band.
        source_error: of the source.
        own_error: of the price of the same time of the last settled day.
        compared: how long the compared slots are together.
    """

    begin: timedelta
    source_error: float
    own_error: float
    compared: timedelta

    @property
    def is_outdone(self) -> bool:
        """Whether repeated prices were better, by enough slots to say so."""
        return self.compared >= _LEAST_COMPARED and self.own_error < self.source_error


@dataclass(frozen=True, slots=True)
class SourcePrices:
    """Every revision of a source's prices, in order of slot and publication.

    ``slot`` (position on ``timeline``), ``published_at`` and ``price`` have one value each.
    """

    timeline: Timeline
    slot: NDArray[np.int64]
    published_at: InstantArray
    price: FloatArray

    def settle(self, now: datetime) -> FloatArray:
        """Return what was published after each slot by ``now``, ``(slots,)``, NaN where nothing."""
        ends = self.timeline.starts[self.slot] + np.timedelta64(self.timeline.step)
        moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None))
        return self._pick((self.published_at >= ends) & (self.published_at <= moment))

    def forecast(self, lead: timedelta) -> FloatArray:
        """Return what was published so long before each slot, ``(slots,)``, NaN where nothing."""
        latest = self.timeline.starts[self.slot] - np.timedelta64(lead)
        return self._pick(self.published_at <= latest)

    def measure_skill(self, now: datetime) -> list[BandSkill]:
        """Return the skill of each band of lead times on the settled slots."""
        settled = self.settle(now)
        skills = []
        for begin, lead in _BANDS:
            source = np.abs(self.forecast(lead) - settled)
            own = np.abs(self.repeat_settled(settled, lead) - settled)
            both = np.isfinite(source) & np.isfinite(own)
            compared = int(both.sum())
            if compared:
                means = float(source[both].mean()), float(own[both].mean())
                skills.append(BandSkill(begin, *means, compared * self.timeline.step))
        return skills

    def repeat_settled(self, settled: FloatArray, lead: timedelta) -> FloatArray:
        """Return the settled price of each slot's time on the last day before its lead."""
        days = -(-lead // DAY) or 1
        shift = days * (DAY // self.timeline.step)
        repeated = np.full(settled.size, np.nan)
        repeated[shift:] = settled[: max(settled.size - shift, 0)]
        return repeated

    def _pick(self, counts: NDArray[np.bool_]) -> FloatArray:
        price = np.full(self.timeline.count, np.nan)
        # Of a slot's revisions, which are in order, the last one stays.
        price[self.slot[counts]] = self.price[counts]
        return price


def find_outdone(skills: Sequence[BandSkill]) -> BandSkill | None:
    """Return the band from which on repeated prices were better, or None."""
    outdone = None
    for skill in reversed(skills):
        if not skill.is_outdone:
            break
        outdone = skill
    return outdone


def replace_outdone(published: SourcePrices, now: datetime) -> tuple[FloatArray, BandSkill | None]:
    """Return prices in place of a source's worse ones, and the band that proves it.

    The prices have shape ``(slots,)``, NaN where the source's stay.
    """
    outdone = find_outdone(published.measure_skill(now))
    own = np.full(published.timeline.count, np.nan)
    if outdone is None:
        return own, None
    settled = published.settle(now)
    earliest = np.datetime64((now + outdone.begin).astimezone(UTC).replace(tzinfo=None))
    is_ahead = published.timeline.starts >= earliest
    # The last settled day may be yesterday or the day before.
    for days in (2, 1):
        repeated = published.repeat_settled(settled, days * DAY)
        own = np.where(is_ahead & np.isfinite(repeated), repeated, own)
    return own, outdone
