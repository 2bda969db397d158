"""How a site's own forecasts erred lately, as whole courses: what is expected now may err in the same way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from luna.timeline import FloatArray, Timeline, repeat_last
from services.planner.knowledge import DAY, ForecastBook, Foresight
from services.planner.posing.courses import COURSE_DIGITS, Courses, blend, shift_days

# The oldest forecast that counts was issued so many days ago. Source: docs/decisions/0020.
DAYS = 16
# A forecast this old still counts as issued at the same time of day; so long one may drive the planner.
NEAR = timedelta(hours=6)
# Fewer days say too little of how forecasts err.
LEAST_DAYS = 3
# Of a day's load; with less known, the day says nothing.
KNOWN_SHARE = 0.5
# A bias counts where the last days' sums are this many standard errors, and this share, beside what was expected; no forecast is so far off for
# a week by chance. Source: docs/decisions/0033
BIAS_DAYS, BIAS_DEVIATIONS, BIAS_SHARE = 7, 3.0, 0.15
# Beyond these a correction would follow a broken meter.
_LEAST_FACTOR, _MOST_FACTOR = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class PastErrors:
    """Forecasts as issued, and what happened. ``happened`` may hold the future: nothing at or after the instant asked about is read.

    Invariants: neither forecasts issued nor energies measured from ``now`` on change what is said of ``now``.
    """

    forecasts: ForecastBook
    happened: Foresight

    def factors(self, now: datetime) -> tuple[float, float]:
        """Return by what load and PV expected at ``now`` have to be multiplied because forecasts of the last days were all too low, or all too high.

        Of each day counts what was expected for it a day ahead. 1: nothing speaks for a bias.
        """
        ahead = Timeline(now, self.happened.timeline.step, DAY // self.happened.timeline.step)
        days = self._read_days(now, ahead, range(1, BIAS_DAYS + 1))
        if days.shape[0] < LEAST_DAYS:
            return 1.0, 1.0
        # A gap tells of no error: what was expected there is left out as well.
        seen, expected = (np.where(np.isfinite(days[:, 0]), days[:, side], 0.0).sum(axis=-1) for side in (0, 1))
        load, pv = (_find_bias(seen[:, series], expected[:, series]) for series in (0, 1))
        return load, pv

    def courses(self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]) -> list[Courses]:
        """Return ``expected`` load and PV plus each day's errors, and plus the same errors independent from slot to slot; nothing for too few days."""
        load, pv = self.read(now, timeline)
        if load.shape[0] < LEAST_DAYS:
            return []
        alike = np.ones(load.shape[0])
        kinds = ((load, pv), (shift_days(load), shift_days(pv)))
        return [Courses(alike, *(np.maximum(base + error, 0.0) for base, error in zip(expected, errors, strict=True))) for errors in kinds]

    def days_of_errors(self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]) -> Courses | None:
        """Return ``expected`` load and PV plus whole days of errors, which what is followed has to gain on, as messages carry them; None for too few days."""
        kinds = self.courses(now, timeline, expected)[:1]
        if not kinds:
            return None
        alone = blend(kinds)
        return Courses(alone.weight, np.round(alone.load_kwh, COURSE_DIGITS), np.round(alone.pv_kwh, COURSE_DIGITS))

    def read(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return what happened less what was expected, load and PV of shape ``(days, slots)``, of forecasts whose whole horizon has passed at ``now``.

        What is expected now without a bias is held against what would have been expected without it.
        """
        first = -(-(timeline.end - now) // DAY)
        days = self._read_days(now, timeline, range(max(first, 1), DAYS + 1))
        factors = np.array(self.factors(now)).reshape(2, 1)
        # A gap tells of no error: what is expected stands.
        errors = np.nan_to_num(days[:, 0] - days[:, 1] * factors)
        return errors[:, 0], errors[:, 1]

    def _read_days(self, now: datetime, timeline: Timeline, back: range) -> FloatArray:
        """Return what happened and what was expected of load and PV, shape ``(days, 2, 2, slots)``, so many days before; days that hardly tell are left out."""
        found = [self._of_day(now - days * DAY, timeline) for days in back]
        known = [each for each in found if each is not None and np.isfinite(each[0, 0]).mean() >= KNOWN_SHARE]
        return np.array(known).reshape(-1, 2, 2, timeline.count)

    def _of_day(self, then: datetime, timeline: Timeline) -> FloatArray | None:
        forecast = self.forecasts.find(then, within=NEAR)
        slot = (then - self.happened.timeline.start) // timeline.step
        if forecast is None or not 0 <= slot <= self.happened.timeline.count - timeline.count:
            return None
        first = (then - forecast.timeline.start) // timeline.step
        place = repeat_last(np.arange(first, first + timeline.count), forecast.timeline.count, period=DAY // timeline.step)
        seen = slice(slot, slot + timeline.count)
        happened = self.happened.load_kwh[seen], self.happened.pv_kwh[seen]
        return np.array([happened, (forecast.load_kwh.expected[place], forecast.pv_kwh.expected[place])])


def _find_bias(seen_kwh: FloatArray, expected_kwh: FloatArray) -> float:
    """Return what happened over what was expected where that speaks for a bias, 1 elsewhere; sums by day, ``(days,)``."""
    if not expected_kwh.sum() > 0 or not seen_kwh.sum() > 0:
        return 1.0
    factor, missed = float(seen_kwh.sum() / expected_kwh.sum()), seen_kwh - expected_kwh
    certain = abs(float(missed.mean())) > BIAS_DEVIATIONS * float(missed.std(ddof=1)) / np.sqrt(missed.size)
    return float(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR)) if certain and abs(factor - 1.0) > BIAS_SHARE else 1.0
