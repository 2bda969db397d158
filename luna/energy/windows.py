"""Occurrences of daily time windows on a timeline."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.clock_window import ClockWindow
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import Timeline, local_instant

_DAY = timedelta(days=1)
_WEEKEND = 5


def find_spans(
    window: ClockWindow, timeline: Timeline, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end (UTC) of each occurrence of a window, in order.

    Occurrences overlap the timeline from its ``begin`` on.
    """
    day = timeline.start.astimezone(zone).date() - _DAY
    last = timeline.end.astimezone(zone).date()
    over_midnight = window.to <= window.from_
    while day <= last:
        begin = local_instant(day, window.from_, zone)
        end = local_instant(day + _DAY * over_midnight, window.to, zone)
        is_weekend = day.weekday() >= _WEEKEND
        holds = window.days == "all" or is_weekend == (window.days == "weekend")
        overlaps = begin < timeline.end and end > timeline.begin
        if holds and begin < end and overlaps:
            yield begin, end
        day += _DAY


def mark_slots(
    windows: Iterable[ClockWindow], timeline: Timeline, zone: ZoneInfo, *, whole: bool
) -> BoolArray:
    """Return which slots lie in one of the windows, ``whole`` or in part.

    Of a slot its remaining part counts.

    Shape ``(slots,)``.
    """
    inside = np.zeros(timeline.count, dtype=bool)
    for window in windows:
        for begin, end in find_spans(window, timeline, zone):
            if whole:
                inside |= timeline.within(begin, end)
            else:
                inside |= timeline.overlap_hours(begin, end) > 0
    return inside
