"""What is wanted of an appliance over the horizon, as values on the plan's slots."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import LoadState
from luna.site import DeferrableLoad
from luna.timeline import FloatArray, Timeline, local_midnight

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayNeed:
    """What an appliance has to use within slots ``first`` to ``end`` (exclusive) of one local day."""

    first: int
    end: int
    need_kwh: float


@dataclass(frozen=True, slots=True)
class LoadWish:
    """An appliance over the horizon: its needs by local day, and for how long it has been off at the start."""

    load: DeferrableLoad
    needs: tuple[DayNeed, ...]
    off_hours: float

    def missing_kwh(self, used_kwh: FloatArray) -> FloatArray:
        """Return what each need lacks when so much is used per slot, shape ``(needs,)``."""
        return np.array([max(need.need_kwh - float(used_kwh[need.first : need.end].sum()), 0.0) for need in self.needs])


def read_load(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> LoadWish:
    """Return what an appliance wants over a timeline, local day by local day."""
    first_day, needs = timeline.start.astimezone(zone).date(), []
    day = first_day
    while (midnight := local_midnight(day, zone)) < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = (min(following, timeline.end) - max(midnight, timeline.start)) / (following - midnight)
        need = load.energy_kwh_per_day * ahead
        if day == first_day and state.energy_today_kwh is not None:
            left = max(load.energy_kwh_per_day - state.energy_today_kwh, 0.0)
            need = left if following <= timeline.end else min(left, need)
        first, end = (min(max(-((timeline.start - instant) // timeline.step), 0), timeline.count) for instant in (midnight, following))
        if end > first:
            needs.append(DayNeed(first, end, need))
        day += DAY
    return LoadWish(load, tuple(needs), state.off_hours)
