"""What is wanted of an appliance over the horizon, as values on the plan's slots."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import LoadState
from luna.site import ComfortWindow, DeferrableLoad
from luna.timeline import FloatArray, Timeline, local_midnight
from luna.windows import find_spans, mark_slots
from services.planner.placing.run_rows import RunRules, read_rules

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class DayNeed:
    """What an appliance has to use within slots ``first`` to ``end`` (exclusive): of a local day, or for its comfort by a local instant, as ``when``.

    ``most_kwh`` is what it may use there at most, None: hardly more than it needs; infinite where another need says it.
    """

    first: int
    end: int
    need_kwh: float
    when: date
    most_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class LoadWish:
    """An appliance over the horizon: its needs, for how long it has been off or on at the start, and the slots it may run in (``(slots,)``)."""

    load: DeferrableLoad
    needs: tuple[DayNeed, ...]
    off_hours: float
    on_hours: float
    allowed: FloatArray

    def rules(self, hours: FloatArray) -> RunRules:
        """Return how it may be on and off, in slots."""
        load = self.load
        gap = load.max_gap_hours if load.max_gap_hours < _DAY_HOURS and load.energy_kwh_per_day > 0 else np.inf
        return read_rules((load.min_on_minutes / 60, load.min_off_minutes / 60, gap), (self.on_hours, self.off_hours), hours)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses whatever is planned, because it has just begun, shape ``(slots,)``."""
        return self.rules(hours).bounds(np.zeros(hours.size))[0] * self.load.power_kw * hours

    def missing_kwh(self, used_kwh: FloatArray) -> FloatArray:
        """Return what each need lacks when so much is used per slot, shape ``(needs,)``."""
        return np.array([max(need.need_kwh - float(used_kwh[need.first : need.end].sum()), 0.0) for need in self.needs])


def read_load(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> LoadWish:
    """Return what an appliance wants over a timeline, local day by local day."""
    needs = [*_read_days(load, state, timeline, zone)]
    for window in load.comfort:
        needs += _read_comfort(load, window, timeline, state=state, zone=zone)
    return LoadWish(load, tuple(needs), state.off_hours, state.on_hours, read_allowed(load, timeline, zone))


def read_allowed(load: DeferrableLoad, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    """Return 1 in the slots in which the clock lets an appliance be on, 0 elsewhere, shape ``(slots,)``."""
    inside = mark_slots(load.allowed, timeline, zone, whole=True) if load.allowed else np.ones(timeline.count, dtype=bool)
    return (inside & ~mark_slots(load.forbidden, timeline, zone, whole=False)).astype(float)


def _read_days(load: DeferrableLoad, state: LoadState, timeline: Timeline, zone: ZoneInfo) -> Iterator[DayNeed]:
    first_day = day = timeline.start.astimezone(zone).date()
    while (midnight := local_midnight(day, zone)) < timeline.end:
        following = local_midnight(day + DAY, zone)
        ahead = (min(following, timeline.end) - max(midnight, timeline.begin)) / (following - midnight)
        need = load.energy_kwh_per_day * ahead
        used = state.energy_today_kwh if day == first_day else None
        if used is not None:
            left = max(load.energy_kwh_per_day - used, 0.0)
            need = left if following <= timeline.end else min(left, need)
        first, end = (timeline.first_from(instant) for instant in (midnight, following))
        if end > first:
            yield DayNeed(first, end, need, day, _most_kwh(load, used or 0.0))
        day += DAY


def _most_kwh(load: DeferrableLoad, used_kwh: float) -> float | None:
    if load.extra_value is None:
        return None
    return np.inf if load.most_kwh_per_day is None else max(load.most_kwh_per_day - used_kwh, 0.0)


def _read_comfort(load: DeferrableLoad, window: ComfortWindow, timeline: Timeline, *, state: LoadState, zone: ZoneInfo) -> Iterator[DayNeed]:
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    for begin, end in find_spans(window, timeline, zone):
        used_today = state.energy_today_kwh if begin >= midnight else None
        later_kwh = max((end - timeline.end) / HOUR, 0.0) * load.power_kw
        need = window.energy_kwh - _used_kwh(window, (begin, end), load, now=timeline.begin, used_today_kwh=used_today) - later_kwh
        first, last = timeline.first_from(begin), min(int((end - timeline.start) // timeline.step), timeline.count)
        if need > 0 and last > first:
            yield DayNeed(first, last, need, end.astimezone(zone), np.inf)


def _used_kwh(window: ComfortWindow, span: tuple[datetime, datetime], load: DeferrableLoad, *, now: datetime, used_today_kwh: float | None) -> float:
    """Return what an open window has got already: today's use as far as it can have been since, or as if it had come evenly."""
    begin, end = span
    passed = max((now - begin) / HOUR, 0.0)
    if used_today_kwh is not None:
        return min(used_today_kwh, passed * load.power_kw)
    return window.energy_kwh * passed / ((end - begin) / HOUR)
