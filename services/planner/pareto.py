"""The trade-off of two figures that are to be small: points that weights lead to, found from the widest gap on.

Between two neighbours the weights are those for which both count the same; a plan that counts less lies between them, and where there is none, no
weights lead to any. Source: Cohon, Church, Sheer, "Generating multiobjective trade-offs: an algorithm for bicriterion problems" (1979).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from luna.timeline import FloatArray

Plan = TypeVar("Plan")
# What the other figure counts at the ends: enough to choose among plans that are equally good in one, too little to make that worse.
_BESIDE = 1e-6


@dataclass(frozen=True, slots=True)
class Found(Generic[Plan]):
    """A plan with its two figures."""

    plan: Plan
    first: float
    second: float


Progress = Callable[[int, int, str], None]
# Plans by what each figure counts.
Solve = Callable[[float, float], Found[Plan]]


def trace_tradeoff(solve: Solve[Plan], *, most: int, tolerance: float, progress: Progress | None = None) -> tuple[list[Found[Plan]], bool]:
    """Return plans that no other beats in both figures, the best in the first one first, and whether no weights lead to another.

    Args:
        solve: plans by what each of both figures counts, the larger of both weights being 1.
        most: number of points.
        tolerance: by what share of the figures' ranges a plan has to be better to be another one.
        progress: told points found and points wanted.
    """
    ends = [solve(1.0, _BESIDE), solve(_BESIDE, 1.0)]
    ranges = ends[1].first - ends[0].first, ends[0].second - ends[1].second
    if ranges[0] <= 0 or ranges[1] <= 0:
        return keep_best(ends), True
    found, closed = ends, set[tuple[float, float]]()
    while len(found) < most:
        if progress is not None:
            progress(len(found), most, "points")
        gaps = [pair for pair in pairwise(found) if (pair[0].first, pair[1].first) not in closed]
        if not gaps:
            return keep_best(found), True
        left, right = max(gaps, key=lambda pair: _width(pair[0], pair[1], ranges))
        between = _between(solve, left, right, tolerance=tolerance, ranges=ranges)
        if between is None:
            closed.add((left.first, right.first))
        else:
            found = sorted([*found, between], key=lambda each: (each.first, -each.second))
    return keep_best(found), False


def _width(left: Found[Plan], right: Found[Plan], ranges: tuple[float, float]) -> float:
    return max((right.first - left.first) / ranges[0], (left.second - right.second) / ranges[1])


def _between(solve: Solve[Plan], left: Found[Plan], right: Found[Plan], *, tolerance: float, ranges: tuple[float, float]) -> Found[Plan] | None:
    """Return a plan that counts less than both at the weights for which they count the same; None where there is none."""
    weights = left.second - right.second, right.first - left.first
    if min(weights) <= 0:
        return None
    largest = max(weights)
    found = solve(weights[0] / largest, weights[1] / largest)
    gain = weights[0] * (left.first - found.first) + weights[1] * (left.second - found.second)
    return found if gain > tolerance * ranges[0] * ranges[1] and left.first < found.first < right.first else None


def keep_best(found: Sequence[Found[Plan]]) -> list[Found[Plan]]:
    """Return those that none beats in one figure without losing in the other."""
    best: list[Found[Plan]] = []
    for each in sorted(found, key=lambda each: (each.first, each.second)):
        if not best or each.second < best[-1].second:
            best.append(each)
    return best


def find_knee(first: FloatArray, second: FloatArray) -> int | None:
    """Return the place of the point farthest below the line between both ends, the figures scaled to their ranges; None for fewer than three points.

    Source: Das, "On characterizing the knee of the Pareto curve based on normal-boundary intersection" (1999).
    """
    if first.size < 3:
        return None
    across, down = (np.abs(values - values[0]) / abs(values[-1] - values[0]) for values in (first, second))
    return int(np.argmax(down - across))
