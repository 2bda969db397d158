"""Aggregates of sensor readings per bucket.

These are counter increases, time-weighted means, and a downsampled curve. Between two readings a
counter is interpolated linearly; any other value holds until the next one, also NaN (the sensor
reports no value). Before a sensor's first reading and after its last, values are unknown.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, IndexArray, InstantArray

FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Runs:
    """Consecutive readings of a sensor, summed up, in order.

    A run lies within one bucket, or is a single reading outside the buckets.

    Args:
        first_at: instant of each run's first reading, shape ``(runs,)``, UTC.
        first: its value.
        last_at: instant of the last reading.
        last: its value.
        inner: the counter's increase from the first reading to the last, or the sum of value ×
            seconds.
        silent: seconds between them during which the value was NaN.
    """

    first_at: InstantArray
    first: FloatArray
    last_at: InstantArray
    last: FloatArray
    inner: FloatArray
    silent: FloatArray | float = 0.0


@dataclass(frozen=True, slots=True)
class Buckets:
    """One value per bucket, NaN where nothing is known.

    ``known`` is the share of the bucket between two readings whose value is not NaN.
    """

    starts: InstantArray
    values: FloatArray
    known: FloatArray


def increase_per_bucket(runs: Runs, edges: InstantArray) -> Buckets:
    """Return a counter's increase per bucket.

    A value below the one before is a reset to zero.

    Args:
        runs: with the counter's increase as ``inner``.
        edges: bucket borders, ascending, shape ``(buckets + 1,)``, UTC; no run crosses one.

    Invariants: without a reset, the increases between the first reading and the last add up to
        their difference.
    """
    rise = runs.first[1:] - runs.last[:-1]
    gain, known = _gain_per_bucket(runs, np.where(rise >= 0, rise, runs.first[1:]), edges)
    return Buckets(edges[:-1], gain, known)


def mean_per_bucket(runs: Runs, edges: InstantArray) -> Buckets:
    """Return the time-weighted mean per bucket, over its known part.

    A value holds until the next reading.

    Args:
        runs: with the sum of value × seconds as ``inner``.
        edges: as for ``increase_per_bucket``.

    Invariants: a mean lies between the lowest and the highest value that held in its bucket.
    """
    microseconds_between = _microseconds(runs.first_at[1:] - runs.last_at[:-1])
    value_seconds = np.nan_to_num(runs.last[:-1]) * microseconds_between / 1e6
    gain, known = _gain_per_bucket(runs, value_seconds, edges)
    seconds = known * _microseconds(np.diff(edges)) / 1e6
    return Buckets(
        edges[:-1],
        np.divide(gain, seconds, out=np.full(gain.size, np.nan), where=seconds > 0),
        known,
    )


def shape_of(instants: InstantArray, values: FloatArray, points: int) -> IndexArray:
    """Return at most ``points`` indices that keep the curve's shape.

    The method is largest triangle, three buckets (LTTB).

    Source: Steinarsson, Downsampling Time Series for Visual Representation, 2013, section 4.2.

    Invariants: contains the first reading and the last, and every reading where there are no more
    than ``points``.

    Raises:
        InvalidInputError: fewer than three points.
    """
    require_points(points)
    if values.size <= points:
        return np.arange(values.size)
    at = (instants - instants[0]).astype("timedelta64[us]").astype(np.float64)
    borders = (np.arange(points) * ((values.size - 2) / (points - 2))).astype(np.int64) + 1
    borders[-1] = values.size
    chosen = np.zeros(points, dtype=np.int64)
    chosen[-1] = values.size - 1
    for place in range(points - 2):
        bucket = slice(borders[place], borders[place + 1])
        following = slice(borders[place + 1], borders[place + 2])
        last = chosen[place]
        aside = at[last] - at[following].mean()
        above = values[following].mean() - values[last]
        heights = values[bucket] - values[last]
        distances = at[last] - at[bucket]
        double_area = np.abs(aside * heights - distances * above)
        chosen[place + 1] = borders[place] + int(double_area.argmax())
    return chosen


def require_points(points: int) -> None:
    """Check that ``points`` are enough for ``shape_of``.

    Raises:
        InvalidInputError: fewer than three points.
    """
    if points < FEWEST_POINTS:
        raise refuse("too-few-points", field="points", value=points, least=FEWEST_POINTS)


def _gain_per_bucket(
    runs: Runs, between: FloatArray, edges: InstantArray
) -> tuple[FloatArray, FloatArray]:
    """Return each bucket's gain, NaN where nothing is known, and its known share.

    ``between`` is the gain from each run to the next.
    """
    if not runs.first.size:
        return np.full(edges.size - 1, np.nan), np.zeros(edges.size - 1)
    # No edge lies within a run and the gain between runs is linear, so linear interpolation of the
    # cumulative gain is exact at every edge.
    at = _microseconds(np.column_stack([runs.first_at, runs.last_at]).ravel() - runs.first_at[0])
    steps = np.column_stack([np.append(0.0, between), runs.inner]).ravel()
    cuts = np.clip(_microseconds(edges - runs.first_at[0]), at[0], at[-1])
    known_microseconds = np.diff(np.interp(cuts, at, np.cumsum(_known_steps(runs))))
    known = known_microseconds / _microseconds(np.diff(edges))
    gain = np.diff(np.interp(cuts, at, np.cumsum(steps)))
    return np.where(known > 0, gain, np.nan), known


def _known_steps(runs: Runs) -> FloatArray:
    """Return the known microseconds before and within each run, alternating."""
    gaps = _microseconds(runs.first_at[1:] - runs.last_at[:-1])
    between = np.where(np.isnan(runs.last[:-1]), 0, gaps)
    within = _microseconds(runs.last_at - runs.first_at) - 1e6 * runs.silent
    return np.column_stack([np.append(0.0, between), within]).ravel()


def _microseconds(span: Any) -> IndexArray:
    return np.asarray(span.astype("timedelta64[us]").astype(np.int64))
