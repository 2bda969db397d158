"""Weather onto quarter-hours. Pure: means are held over the time they are of, values of an instant are interpolated."""

import numpy as np

from luna.timeline import SLOT, FloatArray, InstantArray, Timeline


def hold_means(ends: InstantArray, means: FloatArray, step: np.timedelta64, timeline: Timeline) -> FloatArray:
    """Return means over the ``step`` before each of ``ends`` on quarter-hours, NaN where there is none.

    Invariants: the mean over each step stays.
    """
    parts = int(step / np.timedelta64(SLOT))
    starts = (ends - step)[:, np.newaxis] + np.arange(parts) * np.timedelta64(SLOT)
    slots = ((starts.reshape(-1) - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    inside = (slots >= 0) & (slots < timeline.count)
    held = np.full(timeline.count, np.nan)
    held[slots[inside]] = np.repeat(means, parts)[inside]
    return held


def interpolate(instants: InstantArray, values: FloatArray, step: np.timedelta64, timeline: Timeline) -> FloatArray:
    """Return values of instants at the middle of each quarter-hour, NaN outside of them and where neighbours are more than ``step`` apart.

    Args:
        instants: ascending, ``datetime64[s]``.
    """
    known = np.isfinite(values)
    at, value = instants[known], values[known]
    if not at.size:
        return np.full(timeline.count, np.nan)
    middles = timeline.starts + np.timedelta64(SLOT // 2)
    middles = middles.astype(at.dtype)
    after = np.searchsorted(at, middles)
    inside = (after > 0) & (after < at.size)
    gaps = at[np.minimum(after, at.size - 1)] - at[np.maximum(after - 1, 0)]
    between = np.interp(middles.astype(np.float64), at.astype(np.float64), value)
    return np.where(inside & (gaps <= step), between, np.nan)
