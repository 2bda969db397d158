"""Windows of local clock time and kinds of days, as tariffs name them."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.physics import BoolArray
from luna.site import ClockWindow
from luna.timeline import InstantArray, local_offsets


def window_holds(window: ClockWindow, starts: InstantArray, zone: ZoneInfo) -> BoolArray:
    """Return which instants (UTC) lie within a window by the local clock, shape of ``starts``; one whose end is not after its begin runs over midnight."""
    local = starts + local_offsets(starts, zone)
    minute = (local - local.astype("datetime64[D]")).astype("timedelta64[m]").astype(int)
    weekday = (local.astype("datetime64[D]").astype(int) + 3) % 7
    first, last = _minutes(window.from_), _minutes(window.to)
    inside = (minute >= first) & (minute < last) if first < last else (minute >= first) | (minute < last)
    return np.asarray(inside & {"all": weekday >= 0, "weekday": weekday < 5, "weekend": weekday >= 5}[window.days])


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)
