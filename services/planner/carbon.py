"""The grid's carbon intensity ahead, as it could be known: forecast, measured, or as it was the day before."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray, InstantArray, Timeline


@dataclass(frozen=True, slots=True)
class CarbonBook:
    """Every value of a place's carbon intensity on a timeline that begins days before the first instant asked for.

    ``slot`` (position on the timeline), ``issued_at`` (``datetime64``, UTC) and ``g_per_kwh`` have one value per issue, in order of slot and issue.
    """

    timeline: Timeline
    slot: NDArray[np.int64]
    issued_at: InstantArray
    g_per_kwh: FloatArray

    def ahead(self, now: datetime, timeline: Timeline) -> FloatArray | None:
        """Return the intensity of ``timeline`` as known at ``now``; None where nothing was."""
        seen = self.issued_at <= np.datetime64(now.replace(tzinfo=None))
        known = np.full(self.timeline.count, np.nan)
        known[self.slot[seen]] = self.g_per_kwh[seen]
        first = self.timeline.index_of(timeline.start)
        return carry_days(known[: first + timeline.count], self.timeline)[-timeline.count :] if np.isfinite(known).any() else None


def carry_days(series: FloatArray, timeline: Timeline) -> FloatArray:
    """Return a series whose gaps take the value of the same slot on the last day that has one, and the mean where none has."""
    day = round(24 / float(timeline.hours[-1]))
    filled = np.append(series, np.full(-series.size % day, np.nan)).reshape(-1, day)
    for before, after in pairwise(filled):
        after[:] = np.where(np.isfinite(after), after, before)
    flat = filled.ravel()[: series.size]
    return np.where(np.isfinite(flat), flat, np.nanmean(series))
