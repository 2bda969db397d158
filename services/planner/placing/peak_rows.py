"""Capacity tariffs in the mixed-integer model: the mean of a month's highest import intervals is paid for, above what was incurred already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.site import PeakPrice
from luna.timeline import FloatArray, Timeline, local_offsets
from services.planner.solver import Indices, ModelBuilder


@dataclass(frozen=True, slots=True)
class MonthPeak:
    """One local month's share of the horizon: its slots, the tariff's interval each lies in, and the column of the level that is paid for."""

    slots: NDArray[np.int64]
    interval: NDArray[np.int64]
    level: Indices

    def limit_import(self, import_kwh: FloatArray, level_kw: float, hours: FloatArray) -> FloatArray:
        """Return what each of the month's slots may import so that no interval rises above what is planned, shape ``(month's slots,)``.

        Up to the level every slot is free; an interval with a slot above it keeps to its plan.
        """
        planned, level = import_kwh[self.slots], level_kw * hours[self.slots]
        above = np.bincount(self.interval, weights=planned > level + 1e-9) > 0
        return np.where(above[self.interval], planned, level)


def add_peaks(
    builder: ModelBuilder, bought: Indices, timeline: Timeline, *, peak: PeakPrice, zone: ZoneInfo, incurred_kw: Sequence[float]
) -> tuple[MonthPeak, ...]:
    """Price the ``highest`` intervals of each local month; the peaks incurred so far belong to the first month.

    Source: Rockafellar and Uryasev (2000): the sum of the n largest is the least n·θ + Σ max(x − θ, 0).
    """
    ticks = timeline.starts.astype(np.int64) // int(timedelta(minutes=peak.interval_minutes).total_seconds())
    months = (timeline.starts + local_offsets(timeline.starts, zone)).astype("datetime64[M]").astype(np.int64)
    found = []
    for month in np.unique(months):
        slots = np.flatnonzero(months == month)
        interval = np.unique(ticks[slots], return_inverse=True)[1]
        before = sorted(incurred_kw, reverse=True)[: peak.highest] if month == months[0] else []
        level = _price_level(builder, peak, interval, bought[slots], before=before)
        found.append(MonthPeak(slots, interval, level))
    return tuple(found)


def _price_level(builder: ModelBuilder, peak: PeakPrice, interval: NDArray[np.int64], bought: Indices, *, before: list[float]) -> Indices:
    count, share = int(interval[-1]) + 1, peak.price_per_kw_month / peak.highest
    most_above = np.inf if peak.highest > 1 else 0.0
    level = builder.add_columns(1, cost=peak.price_per_kw_month, upper=np.inf)
    above, old = (builder.add_columns(size, cost=share, upper=most_above) for size in (count, len(before)))
    rows = builder.add_rows(np.full(count, -np.inf), np.zeros(count), [(np.repeat(level, count), -1.0), (above, -1.0)])
    builder.add_entries(rows[interval], bought, 60 / peak.interval_minutes)
    if before:
        builder.add_rows(np.array(before), np.full(len(before), np.inf), [(np.repeat(level, len(before)), 1.0), (old, 1.0)])
    return level
