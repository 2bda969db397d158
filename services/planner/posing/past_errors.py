"""How a site's own forecasts erred lately, as whole courses: what is expected now may err in the same way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from luna.timeline import FloatArray, Timeline, repeat_last
from services.planner.knowledge import DAY, ForecastBook, Foresight
from services.planner.posing.courses import Courses, shift_days

# The oldest forecast that counts was issued so many days ago. Source: docs/decisions/0020.
DAYS = 16
# A forecast this old still counts as issued at the same time of day; so long one may drive the planner.
NEAR = timedelta(hours=6)
# Fewer days say too little of how forecasts err.
LEAST_DAYS = 3
# Of a day's load; with less known, the day says nothing.
KNOWN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PastErrors:
    """Forecasts as issued, and what happened. ``happened`` may hold the future: nothing at or after the instant asked about is read.

    Invariants: neither forecasts issued nor energies measured from ``now`` on change what is said of ``now``.
    """

    forecasts: ForecastBook
    happened: Foresight

    def courses(self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]) -> list[Courses]:
        """Return ``expected`` load and PV plus each day's errors, and plus the same errors independent from slot to slot; nothing for too few days."""
        load, pv = self.read(now, timeline)
        if load.shape[0] < LEAST_DAYS:
            return []
        alike = np.ones(load.shape[0])
        kinds = ((load, pv), (shift_days(load), shift_days(pv)))
        return [Courses(alike, *(np.maximum(base + error, 0.0) for base, error in zip(expected, errors, strict=True))) for errors in kinds]

    def read(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return what happened less what was expected, load and PV of shape ``(days, slots)``, of forecasts whose whole horizon has passed at ``now``."""
        first = -(-(timeline.end - now) // DAY)
        found = [self._of_day(now - back * DAY, timeline) for back in range(max(first, 1), DAYS + 1)]
        known = [each for each in found if each is not None and np.isfinite(each[0]).mean() >= KNOWN_SHARE]
        # A gap tells of no error: what is expected stands.
        errors = np.nan_to_num(np.array(known).reshape(-1, 2, timeline.count))
        return errors[:, 0], errors[:, 1]

    def _of_day(self, then: datetime, timeline: Timeline) -> FloatArray | None:
        forecast = self.forecasts.find(then, within=NEAR)
        slot = (then - self.happened.timeline.start) // timeline.step
        if forecast is None or not 0 <= slot <= self.happened.timeline.count - timeline.count:
            return None
        first = (then - forecast.timeline.start) // timeline.step
        place = repeat_last(np.arange(first, first + timeline.count), forecast.timeline.count, period=DAY // timeline.step)
        seen = slice(slot, slot + timeline.count)
        load, pv = self.happened.load_kwh[seen], self.happened.pv_kwh[seen]
        return np.stack([load - forecast.load_kwh.expected[place], pv - forecast.pv_kwh.expected[place]])
