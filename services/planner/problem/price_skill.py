"""Compare a source's price forecasts with Luna's own expectations, by settled prices.

Luna's own are the last settled day repeated, or the typical prices of month and hour where these
were nearer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray, InstantArray, Timeline, to_instant

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

OwnPrices = Literal["repeated", "typical"]


@dataclass(frozen=True, slots=True)
class BandSkill:
    """The mean errors of a source's forecasts and of Luna's own prices, currency/kWh.

    Attributes:
        begin: the shortest lead time of the band.
        source_error: of the source.
        own_error: of Luna's own prices.
        own: which of these: of the same time of the last settled day, or typical ones.
        compared: how long the compared slots are together.
    """

    begin: timedelta
    source_error: float
    own_error: float
    own: OwnPrices
    compared: timedelta

    @property
    def is_proven(self) -> bool:
        """Whether enough slots are compared to say which was better."""
        return self.compared >= _LEAST_COMPARED

    @property
    def is_outdone(self) -> bool:
        """Whether Luna's own prices were better, by enough slots to say so."""
        return self.is_proven and self.own_error < self.source_error

    @property
    def is_better(self) -> bool:
        """Whether the source was better, by enough slots to say so."""
        return self.is_proven and self.source_error < self.own_error

    @property
    def own_probability(self) -> float:
        """The probability of Luna's own prices beside the source's, by squares of errors.

        Source: Bates and Granger (1969), weights of two forecasts with uncorrelated errors.
        """
        squares = self.source_error**2 + self.own_error**2
        return self.source_error**2 / squares if squares else 0.5


@dataclass(frozen=True, slots=True)
class ComparedPrices:
    """A source's forecasts compared with Luna's own prices.

    Attributes:
        own: Luna's own prices of the slots ahead, NaN in the past and where there are none.
        is_typical: where these are typical ones.
        replaced: which slots are planned with them, because the source's were worse.
        outdone: the band from which on they were; None: in none.
        better: the farthest band in which the source was better; None: in none.
    """

    own: FloatArray
    is_typical: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    outdone: BandSkill | None = None
    better: BandSkill | None = None

    @classmethod
    def nothing(cls, slots: int) -> "ComparedPrices":
        """Return what is said of a source that has nothing to prove."""
        nowhere = np.zeros(slots, dtype=bool)
        return cls(np.full(slots, np.nan), nowhere, nowhere)


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
        moment = to_instant(now)
        return self._pick((self.published_at >= ends) & (self.published_at <= moment))

    def forecast(self, lead: timedelta) -> FloatArray:
        """Return what was published so long before each slot, ``(slots,)``, NaN where nothing."""
        latest = self.timeline.starts[self.slot] - np.timedelta64(lead)
        return self._pick(self.published_at <= latest)

    def measure_skill(self, now: datetime, typical: FloatArray | None) -> list[BandSkill]:
        """Return the skill of each band of lead times on the settled slots.

        ``typical``: the typical price of each slot; None where a market has none.
        """
        settled = self.settle(now)
        skills = []
        for begin, lead in _BANDS:
            source = np.abs(self.forecast(lead) - settled)
            repeated = np.abs(self.repeat_settled(settled, lead) - settled)
            both = np.isfinite(source) & np.isfinite(repeated)
            compared = int(both.sum())
            if not compared:
                continue
            own: OwnPrices = "repeated"
            own_error = float(repeated[both].mean())
            if typical is not None:
                typical_error = float(np.abs(typical - settled)[both].mean())
                if typical_error < own_error:
                    own = "typical"
                    own_error = typical_error
            length = compared * self.timeline.step
            skills.append(BandSkill(begin, float(source[both].mean()), own_error, own, length))
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


def find_better(skills: Sequence[BandSkill]) -> BandSkill | None:
    """Return the farthest band in which the source was better, or None."""
    better = [skill for skill in skills if skill.is_better]
    return better[-1] if better else None


def compare_prices(
    published: SourcePrices, now: datetime, typical: FloatArray | None
) -> ComparedPrices:
    """Return what settled prices say of a source's forecasts; ``typical`` as in the skill."""
    skills = published.measure_skill(now, typical)
    outdone = find_outdone(skills)
    settled = published.settle(now)
    starts = published.timeline.starts
    own = np.full(starts.size, np.nan)
    # The last settled day may be yesterday or the day before.
    for days in (2, 1):
        repeated = published.repeat_settled(settled, days * DAY)
        own = np.where(np.isfinite(repeated), repeated, own)
    is_typical = np.zeros(starts.size, dtype=bool)
    for skill in skills:
        is_typical[starts >= to_instant(now + skill.begin)] = skill.own == "typical"
    if typical is not None:
        own = np.where(is_typical, typical, own)
    is_ahead = starts >= to_instant(now)
    own[~is_ahead] = np.nan
    replaced = np.zeros(starts.size, dtype=bool)
    if outdone is not None:
        replaced = (starts >= to_instant(now + outdone.begin)) & np.isfinite(own)
    return ComparedPrices(own, is_typical & is_ahead, replaced, outdone, find_better(skills))
