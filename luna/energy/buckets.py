"""Aggregation of quarter-hours into hours and days, and thinning of curves.

Buckets are UTC hours or local days. Unknown values stay NaN, never zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.refusals import refuse
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    IndexArray,
    InstantArray,
    Timeline,
    floor_to,
    local_midnight,
)

RESOLUTIONS = {
    "15m": SLOT,
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
AGGREGATES = ("sum", "mean", "min", "max")
EXTREMES: dict[str, Callable[[FloatArray, NDArray[np.intp]], FloatArray]] = {
    "min": np.fmin.reduceat,
    "max": np.fmax.reduceat,
}
MOST_BUCKETS = 100_000
# A stretch of a thinned series keeps its lowest value, its highest, and its first gap.
KEPT_PER_STRETCH = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """Partial sums over one or more consecutive quarter-hours each, in order of time.

    Args:
        sums: of the known values, zero where none is, shape ``(parts,)``.
        known: number of known values.
        slots: number of quarter-hours.
    """

    sums: FloatArray
    known: IndexArray
    slots: IndexArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return one part per quarter-hour; NaN is unknown."""
        known = ~np.isnan(values)
        return cls(
            np.where(known, values, 0.0),
            known.astype(np.int64),
            np.ones(values.size, dtype=np.int64),
        )


def find_buckets(starts: InstantArray, length: timedelta, zone: ZoneInfo) -> NDArray[np.intp]:
    """Return the index of the first slot of each bucket.

    A bucket is a local day, or ``length`` counted in UTC.
    """
    if length >= RESOLUTIONS["1d"]:
        first = _local_date(starts[0], zone)
        last = _local_date(starts[-1], zone)
        midnights = []
        for day in range(1, (last - first).days + 1):
            midnight = local_midnight(first + timedelta(days=day), zone)
            midnights.append(midnight.replace(tzinfo=None))
        begins = np.searchsorted(starts, np.array(midnights, dtype=starts.dtype))
        return np.array([0, *begins], dtype=np.intp)
    bucket = starts.astype("datetime64[s]").astype(np.int64) // int(length.total_seconds())
    return np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))


def _local_date(start: np.datetime64, zone: ZoneInfo) -> date:
    instant: datetime = start.astype(datetime)
    return instant.replace(tzinfo=UTC).astimezone(zone).date()


def reduce_buckets(
    values: FloatArray, begins: NDArray[np.intp], aggregate: str
) -> tuple[FloatArray, FloatArray]:
    """Return one value per bucket and the known share of the bucket.

    A partial sum would be too low: it is NaN unless all values are known. Mean, lowest and highest
    use the known values.
    """
    if aggregate not in EXTREMES:
        return reduce_parts(Parts.of(values), begins, aggregate)
    there = np.add.reduceat(~np.isnan(values), begins, dtype=np.int64)
    return EXTREMES[aggregate](values, begins), there / np.diff(begins, append=values.size)


def reduce_parts(
    parts: Parts, begins: NDArray[np.intp], aggregate: str
) -> tuple[FloatArray, FloatArray]:
    """Return the sum or mean per bucket and its known share, as ``reduce_buckets`` does.

    Every bucket begins with a part.
    """
    sums = np.add.reduceat(parts.sums, begins)
    known = np.add.reduceat(parts.known, begins)
    slots = np.add.reduceat(parts.slots, begins)
    if aggregate == "mean":
        return np.where(known > 0, sums / np.maximum(known, 1), np.nan), known / slots
    return np.where(known == slots, sums, np.nan), known / slots


def share_per_bucket(
    chosen: NDArray[np.bool_], slots: InstantArray, starts: InstantArray
) -> FloatArray:
    """Return the share of slots of each bucket that are ``chosen``.

    Args:
        chosen: by slot.
        slots: slot starts, ascending.
        starts: bucket starts, each of them one of ``slots``; the last bucket ends with the last
            slot.
    """
    begins = np.searchsorted(slots, starts)
    return np.asarray(
        np.add.reduceat(chosen, begins, dtype=np.int64) / np.diff(begins, append=slots.size)
    )


def find_width(timeline: Timeline, resolution: str, zone: ZoneInfo) -> timedelta | None:
    """Return the longest UTC step, hour or day, that the buckets on ``timeline`` consist of.

    None where they need quarter-hours.
    """
    length = RESOLUTIONS[resolution]
    if timeline.count * timeline.step / length > MOST_BUCKETS:
        return None
    edges: list[datetime] = []
    if length >= RESOLUTIONS["1d"]:
        edges = cut(timeline.start, timeline.end, resolution, zone)[1:-1]
    for width in (RESOLUTIONS["1d"], RESOLUTIONS["1h"]):
        whole = floor_to(timeline.end, width) - floor_to(timeline.start + width - SLOT, width)
        on_edges = all(floor_to(edge, width) == edge for edge in edges)
        if width <= length and whole >= width and on_edges:
            return width
    return None


def thin(values: FloatArray, points: int) -> IndexArray:
    """Return at most ``points`` indices that keep extremes and gaps, ascending.

    Each of ``points // 3`` stretches keeps its lowest value, its highest and its first unknown one.

    Invariants: contains the lowest and the highest value of all, and every value where there are no
    more than ``points``.

    Raises:
        InvalidInputError: fewer than three points.
    """
    if points < KEPT_PER_STRETCH:
        raise refuse("too-few-points", field="points", value=points, least=KEPT_PER_STRETCH)
    if values.size <= points:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, points // KEPT_PER_STRETCH + 1).astype(np.int64)
    kept: list[int] = []
    for first, end in pairwise(edges):
        kept += [first + place for place in _extremes(values[first:end])]
    return np.unique(np.array(kept, dtype=np.int64))


def cut(first: datetime, end: datetime, resolution: str, zone: ZoneInfo) -> list[datetime]:
    """Return the bucket borders from ``first`` to ``end``.

    Beside these two they are every local midnight or multiple of the resolution in between.

    Raises:
        InvalidInputError: more than 100,000 buckets.
    """
    step = RESOLUTIONS[resolution]
    if (end - first) / step > MOST_BUCKETS:
        raise refuse("too-many-buckets", field="resolution", value=resolution, most=MOST_BUCKETS)
    if step >= RESOLUTIONS["1d"]:
        day = first.astimezone(zone).date()
        last = end.astimezone(zone).date()
        days = [day + timedelta(days=count) for count in range((last - day).days + 1)]
        inner = [local_midnight(day, zone) for day in days]
    else:
        whole = floor_to(first, step)
        inner = [whole + count * step for count in range((end - first) // step + 2)]
    return [first, *(edge for edge in inner if first < edge < end), end]


def end_of_page(
    first: datetime, end: datetime, resolution: str, *, zone: ZoneInfo, most: int
) -> datetime:
    """Return the end of a page of at most ``most`` buckets from ``first`` on.

    It is the end of a bucket, or of the window.
    """
    step = RESOLUTIONS[resolution]
    if (end - first) / step < most - 1:
        return end
    if step >= RESOLUTIONS["1d"]:
        last_day = first.astimezone(zone).date() + timedelta(days=most)
        return min(end, local_midnight(last_day, zone))
    return min(end, floor_to(first, step) + most * step)


def _extremes(stretch: FloatArray) -> list[int]:
    unknown = np.isnan(stretch)
    gap = [int(unknown.argmax())] if unknown.any() else []
    if unknown.all():
        return gap
    return [int(np.nanargmin(stretch)), int(np.nanargmax(stretch)), *gap]
