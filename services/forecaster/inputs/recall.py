"""What is remembered at an origin: the same slot on earlier days, and the last hours. Nothing here reads at or after the origin."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, IntArray, Pairs


def recall_days(values: FloatArray, pairs: Pairs, days: int, *, local_slot: IntArray | None = None, reach: int = 0) -> FloatArray:
    """Return the target's slot on the latest ``days`` days that lie wholly before the origin, shape ``(rows, days)``, newest first; NaN where unknown.

    Args:
        local_slot: local time of each slot; given, a day is a local one, so that habits follow the clock over a change of it.
        reach: slots after its own that a value was computed from (a centred mean).
    """
    back = (pairs.lead // DAY_SLOTS + 1)[:, None] + np.arange(days)
    where = pairs.target[:, None] - DAY_SLOTS * back
    if local_slot is not None:
        moved = local_slot[pairs.target][:, None] - DAY_SLOTS * back - local_slot[np.clip(where, 0, None)]
        where = where + moved
    known = (where >= 0) & (where + reach < pairs.origin[:, None])
    recalled: FloatArray = np.where(known, values[np.clip(where, 0, values.size - 1)], np.nan)
    return recalled


def quantile_days(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Return the ``share`` quantile of each row of ``ordered`` (ascending, NaN last, ``count`` known); NaN where none is known."""
    place = share * np.maximum(count - 1, 0)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    rows = np.arange(ordered.shape[0])
    below, above = ordered[rows, low], ordered[rows, high]
    quantile: FloatArray = below + (above - below) * (place - low)
    return quantile


@dataclass(frozen=True, slots=True)
class Days:
    """Statistics of recalled days, each of shape ``(rows,)``; NaN where no day is known."""

    count: IntArray
    mean: FloatArray
    ordered: FloatArray

    @classmethod
    def of(cls, recalled: FloatArray) -> Self:
        """Return the statistics of ``recalled``, shape ``(rows, days)``."""
        known = ~np.isnan(recalled)
        count = known.sum(axis=1)
        mean = np.divide(np.where(known, recalled, 0.0).sum(axis=1), count, out=np.full(count.size, np.nan), where=count > 0)
        return cls(count, mean, np.sort(recalled, axis=1))

    def quantile(self, share: float) -> FloatArray:
        """Return a quantile of the known days."""
        return quantile_days(self.ordered, self.count, share)


@dataclass(frozen=True, slots=True)
class Windows:
    """Means over any run of slots in constant time; gaps are left out."""

    totals: FloatArray
    counts: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return the windows of a series of shape ``(slots,)``."""
        known = ~np.isnan(values)
        return cls(np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))]), np.concatenate([[0.0], np.cumsum(known, dtype=np.float64)]))

    def mean(self, end: IntArray, length: int) -> FloatArray:
        """Return the mean of the ``length`` slots before each ``end``; NaN where none is known."""
        last = np.clip(end, 0, self.totals.size - 1)
        begin = np.clip(end - length, 0, self.totals.size - 1)
        count = self.counts[last] - self.counts[begin]
        mean = np.divide(self.totals[last] - self.totals[begin], count, out=np.full(count.shape, np.nan), where=count > 0)
        # Differences of running totals leave dust where all is zero, and the dust depends on where the series began.
        rounded: FloatArray = np.round(mean, 9)
        return rounded

    def centre(self, reach: int) -> FloatArray:
        """Return the centred mean over ``2·reach + 1`` slots for every slot."""
        return self.mean(np.arange(self.totals.size - 1) + reach + 1, 2 * reach + 1)


def fill_gaps(values: FloatArray, *substitutes: FloatArray | float) -> FloatArray:
    """Return ``values`` with each NaN taken from the first substitute that knows it."""
    filled = values
    for substitute in substitutes:
        filled = np.where(np.isnan(filled), substitute, filled)
    return filled
