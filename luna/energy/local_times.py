"""Local clock, weekday, month and date of many instants."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.clock_window import ClockWindow
from luna.energy.timeline import FloatArray, InstantArray, Timeline, local_offsets

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_SATURDAY = 5
_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Instants on the local clock; every array has their shape.

    Attributes:
        minute: minutes since local midnight by the clock.
        weekday: 0 (Monday) to 6 (Sunday).
        month: 1 to 12.
        date: days since 1970.
        year: of the calendar.
    """

    minute: IntArray
    weekday: IntArray
    month: IntArray
    date: IntArray
    year: IntArray

    @classmethod
    def of(cls, instants: InstantArray, zone: ZoneInfo) -> "LocalTimes":
        """Return the local times of instants (UTC)."""
        utc = instants.astype("datetime64[s]")
        seconds = utc.astype(np.int64) + local_offsets(utc, zone).astype(np.int64)
        date = seconds // _DAY_S
        # A year has 35,040 quarter-hours and 366 days: the calendar is read by the day.
        first = int(date.min()) if date.size else 0
        last = int(date.max()) if date.size else 0
        days = np.arange(first, last + 1)
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        place = date - first
        return cls(
            minute=(seconds - date * _DAY_S) // 60,
            weekday=((days + 3) % 7)[place],
            month=(months % 12 + 1)[place],
            date=date,
            year=(months // 12 + 1970)[place],
        )

    def within(self, begin: str, end: str) -> BoolArray:
        """Return which instants lie between two clock times; over midnight if ``end`` is first."""
        first = clock_minutes(begin)
        last = clock_minutes(end)
        if first < last:
            return np.asarray((self.minute >= first) & (self.minute < last))
        return np.asarray((self.minute >= first) | (self.minute < last))


# A tariff's components, and several steps of a plan, read the same slots.
@lru_cache(maxsize=64)
def slot_times(timeline: Timeline, zone: ZoneInfo) -> LocalTimes:
    """Return the local times at which the slots of a timeline begin."""
    # Only a first slot that has begun needs more than whole seconds.
    begins = timeline.starts if timeline.first_step is None else timeline.edges[:-1]
    return LocalTimes.of(begins, zone)


def clock_minutes(clock: str) -> int:
    """Return the minutes from midnight to a clock time such as ``06:30``."""
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def window_holds(window: ClockWindow, starts: InstantArray, zone: ZoneInfo) -> BoolArray:
    """Return which instants (UTC) lie in a local time window, shape of ``starts``.

    A window that ends at or before its begin runs over midnight.
    """
    times = LocalTimes.of(starts, zone)
    inside = times.within(window.from_, window.to)
    if window.days == "weekday":
        inside &= times.weekday < _SATURDAY
    elif window.days == "weekend":
        inside &= times.weekday >= _SATURDAY
    return inside


def mean_by_interval(
    values: FloatArray, timeline: Timeline, zone: ZoneInfo, *, minutes: int
) -> FloatArray:
    """Return each slot's mean over its interval of the local clock, shape ``(slots,)``.

    Intervals that the timeline cuts off are averaged over the slots it has; NaN where a slot is.
    """
    length = np.timedelta64(minutes, "m")
    if np.timedelta64(timeline.step) >= length:
        return values
    # Counted in UTC, the repeated hour in autumn stays two hours.
    offset = local_offsets(timeline.starts, zone).astype(np.int64)
    seconds = timeline.starts.astype("datetime64[s]").astype(np.int64) + offset % (60 * minutes)
    tick = seconds // (60 * minutes)
    interval = tick - tick[0]
    total = np.bincount(interval, weights=values)
    return np.asarray((total / np.bincount(interval))[interval])
