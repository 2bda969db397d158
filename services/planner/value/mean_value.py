"""What a stored kWh is worth when load and PV are uncertain: the mean of V′ over the courses they may take.

Each course is solved by itself, as if it were certain; deciding by the mean of their V′ chose the same modes as a two-stage model over all of
them. Source: docs/decisions/0020.
"""

from dataclasses import dataclass

import numpy as np

from luna.errors import InvalidInputError
from luna.timeline import FloatArray, IndexArray
from services.planner.posing.courses import Courses, weigh_worse
from services.planner.posing.problem import Problem
from services.planner.value import kernels
from services.planner.value.energy_value import ValueFunction, run_backward_each
from services.planner.value.nonconvex import most_cost, worth
from services.planner.value.offers import offer_courses
from services.planner.value.segments import FORBIDDEN_VALUE, Direction, Segments

Terminal = tuple[FloatArray, FloatArray]
# Lengths and values of all courses' V′, and where each slot of each course begins, shape ``(courses, slots + 2)``.
Functions = tuple[FloatArray, FloatArray, IndexArray]
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class MeanValue:
    """Mean V′ of the first slots, how many courses it is made of, and how many of those given had no value function of their own."""

    function: ValueFunction
    courses: int
    left_out: int


def average_value(problem: Problem, *, direction: Direction | None, terminal: Terminal, slots: int) -> MeanValue:
    """Return mean V′ over the expected course and the problem's others, the dearer ones counting more where the problem heeds risk.

    The ways that slots go on the expected course are what is decided: all courses go them. A course that is not convex under them, or that
    connection and battery cannot carry, is left out.

    Args:
        problem: of one battery, with courses.
        direction: the way each slot goes on the expected course; without it, prices decide.
        terminal: V′ at the horizon, the same for all courses.
        slots: how many slots the mean is wanted for.
    """
    courses = _require_courses(problem)
    segments = offer_courses(problem, courses, direction)
    known = np.asarray((segments.covered & segments.convex).all(axis=1))
    known[0] = True  # how the expected course is planned has been decided
    own = max(1.0 - float(courses.weight.sum()), 0.0)
    weight = np.append(own if own > _NOTHING else 0.0, courses.weight) * known
    weight = weight / weight.sum() if weight.any() else np.eye(1, weight.size)[0]
    counted = np.flatnonzero(weight)
    segments, weight = (segments, weight) if counted.size == weight.size else (segments.pick(counted), weight[counted])
    functions = run_backward_each((segments.length_kwh, segments.value, segments.charge_kwh), terminal, problem.reserve_above_kwh)
    if problem.risk > 0:
        weight = weigh_worse(weight, _cost_each(problem, segments, functions, terminal), problem.risk)
    return MeanValue(_mean(functions, weight, slots, capacity_kwh=float(terminal[0].sum())), counted.size, int((~known).sum()))


def _require_courses(problem: Problem) -> Courses:
    if problem.courses is None:
        raise InvalidInputError("there are no courses to average over", field="courses", remedy="Add them to the problem.")
    return problem.courses


def _cost_each(problem: Problem, segments: Segments, functions: Functions, terminal: Terminal) -> FloatArray:
    """Return what the best plan costs on each course, less what is left at the horizon."""
    length, value, offsets = functions
    start, capacity = float(problem.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0]), float(terminal[0].sum())
    most, costs = most_cost(segments).sum(axis=1), np.empty(offsets.shape[0])
    for path in range(offsets.shape[0]):
        slots = (segments.length_kwh[path], segments.value[path], segments.charge_kwh[path])
        taken, gain = kernels.walk(slots, (length, value, offsets[path]), start, capacity)
        costs[path] = most[path] - gain.sum() - worth(terminal, start - float(taken.sum()))
    return costs


def _mean(functions: Functions, weight: FloatArray, slots: int, *, capacity_kwh: float) -> ValueFunction:
    """Return the mean of value functions before and after the first ``slots``; those that count nothing are left out."""
    length, value, offsets = functions
    ends = np.ascontiguousarray(offsets[weight > 0, : slots + 2])
    room = int((ends[:, -1] - ends[:, 0]).sum())
    out = (np.empty(room), np.empty(room), np.empty(slots + 2, dtype=np.int64))
    kernels.mean((length, value, ends), weight[weight > 0], FORBIDDEN_VALUE, out)
    return ValueFunction(capacity_kwh, *out)
