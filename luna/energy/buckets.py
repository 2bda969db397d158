"""Quarter-hours into buckets of local time or UTC, and into as many points as a picture has room for. What is unknown stays NaN, never zero."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, IndexArray, InstantArray, Timeline, floor_to, local_midnight

RESOLUTIONS = {"15m": SLOT, "30m": timedelta(minutes=30), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
AGGREGATES = ("sum", "mean", "min", "max")
EXTREMES: dict[str, Callable[[FloatArray, NDArray[np.intp]], FloatArray]] = {"min": np.fmin.reduceat, "max": np.fmax.reduceat}
MOST_BUCKETS = 100_000
# What one stretch of a thinned series keeps: its lowest value, its highest, and its first gap.
KEPT_PER_STRETCH = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """Quarter-hours that were summed up in stretches of one or more, in order of time.

    Args:
        sums: of the known values in each, zero where none is, shape ``(parts,)``.
        known: how many values are known in each.
        slots: how many quarter-hours each has.
    """

    sums: FloatArray
    known: IndexArray
    slots: IndexArray

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return quarter-hours, each a part of its own; NaN is unknown."""
        known = ~np.isnan(values)
        return cls(np.where(known, values, 0.0), known.astype(np.int64), np.ones(values.size, dtype=np.int64))


def find_buckets(starts: InstantArray, length: timedelta, zone: ZoneInfo) -> NDArray[np.intp]:
    """Return the place of the first slot of every bucket: a local day, or ``length`` counted in UTC."""
    if length >= RESOLUTIONS["1d"]:
        first, last = (start.astype(datetime).replace(tzinfo=UTC).astimezone(zone).date() for start in starts[[0, -1]])
        midnights = [local_midnight(first + timedelta(days=day), zone).replace(tzinfo=None) for day in range(1, (last - first).days + 1)]
        return np.array([0, *np.searchsorted(starts, np.array(midnights, dtype=starts.dtype))], dtype=np.intp)
    bucket = starts.astype("datetime64[s]").astype(np.int64) // int(length.total_seconds())
    return np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))


def reduce_buckets(values: FloatArray, begins: NDArray[np.intp], aggregate: str) -> tuple[FloatArray, FloatArray]:
    """Return one value per bucket and the share of it that is known.

    A sum of a part would be too low, so it is NaN unless all is known; mean, lowest and highest are of what is known.
    """
    if aggregate not in EXTREMES:
        return reduce_parts(Parts.of(values), begins, aggregate)
    there = np.add.reduceat(~np.isnan(values), begins, dtype=np.int64)
    return EXTREMES[aggregate](values, begins), there / np.diff(begins, append=values.size)


def reduce_parts(parts: Parts, begins: NDArray[np.intp], aggregate: str) -> tuple[FloatArray, FloatArray]:
    """Return the sum or mean per bucket and the share of it that is known, like ``reduce_buckets``; a bucket begins with a part."""
    sums, there, slots = (np.add.reduceat(values, begins) for values in (parts.sums, parts.known, parts.slots))
    if aggregate == "mean":
        return np.where(there > 0, sums / np.maximum(there, 1), np.nan), there / slots
    return np.where(there == slots, sums, np.nan), there / slots


def share_per_bucket(chosen: NDArray[np.bool_], slots: InstantArray, starts: InstantArray) -> FloatArray:
    """Return the share of each bucket that is ``chosen``.

    Args:
        chosen: by slot.
        slots: their starts, ascending.
        starts: of the buckets, each of them one of ``slots``; the last ends with these.
    """
    begins = np.searchsorted(slots, starts)
    return np.asarray(np.add.reduceat(chosen, begins, dtype=np.int64) / np.diff(begins, append=slots.size))


def find_width(timeline: Timeline, resolution: str, zone: ZoneInfo) -> timedelta | None:
    """Return the longest whole hours or days in UTC of which buckets on ``timeline`` can be put together: None where only quarter-hours will do."""
    length = RESOLUTIONS[resolution]
    if timeline.count * timeline.step / length > MOST_BUCKETS:
        return None
    edges = cut(timeline.start, timeline.end, resolution, zone)[1:-1] if length >= RESOLUTIONS["1d"] else []
    for width in (RESOLUTIONS["1d"], RESOLUTIONS["1h"]):
        whole = floor_to(timeline.end, width) - floor_to(timeline.start + width - SLOT, width)
        if width <= length and whole >= width and all(floor_to(edge, width) == edge for edge in edges):
            return width
    return None


def thin(values: FloatArray, points: int) -> IndexArray:
    """Return the places of at most ``points`` values that keep a curve's extremes and its gaps, ascending.

    Each of ``points // 3`` stretches keeps its lowest value, its highest and its first unknown one.

    Invariants: the lowest and the highest value of all are among them; all of them where there are no more than ``points``.

    Raises:
        InvalidInputError: fewer than three points.
    """
    if points < KEPT_PER_STRETCH:
        raise refuse("curve-too-few-points", field="points", value=points, least=KEPT_PER_STRETCH)
    if values.size <= points:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, points // KEPT_PER_STRETCH + 1).astype(np.int64)
    kept = [first + place for first, end in pairwise(edges) for place in _extremes(values[first:end])]
    return np.unique(np.array(kept, dtype=np.int64))


def cut(first: datetime, end: datetime, resolution: str, zone: ZoneInfo) -> list[datetime]:
    """Return where buckets from ``first`` to ``end`` begin and end: at these two, and at every local midnight or multiple of the resolution between.

    Raises:
        InvalidInputError: more than 100,000 buckets.
    """
    step = RESOLUTIONS[resolution]
    if (end - first) / step > MOST_BUCKETS:
        raise refuse("too-many-buckets", field="resolution", value=resolution, most=MOST_BUCKETS)
    if step >= RESOLUTIONS["1d"]:
        day, last = first.astimezone(zone).date(), end.astimezone(zone).date()
        inner = [local_midnight(day + timedelta(days=count), zone) for count in range((last - day).days + 1)]
    else:
        inner = [floor_to(first, step) + count * step for count in range((end - first) // step + 2)]
    return [first, *(edge for edge in inner if first < edge < end), end]


def end_of_page(first: datetime, end: datetime, resolution: str, *, zone: ZoneInfo, most: int) -> datetime:
    """Return where a page of at most ``most`` buckets from ``first`` on ends: with a bucket, or with the window."""
    step = RESOLUTIONS[resolution]
    if (end - first) / step < most - 1:
        return end
    if step >= RESOLUTIONS["1d"]:
        return min(end, local_midnight(first.astimezone(zone).date() + timedelta(days=most), zone))
    return min(end, floor_to(first, step) + most * step)


def _extremes(stretch: FloatArray) -> list[int]:
    unknown = np.isnan(stretch)
    gap = [int(unknown.argmax())] if unknown.any() else []
    return gap if unknown.all() else [int(np.nanargmin(stretch)), int(np.nanargmax(stretch)), *gap]
