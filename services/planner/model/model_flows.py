"""Flows from the mixed-integer model: linear first, binaries only where its answer does what physics forbids."""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from luna.physics import BoolArray
from luna.timeline import FloatArray
from services.planner.model.formulation import formulate
from services.planner.model.manual_rows import decide_pins
from services.planner.model.single_ways import SingleWays, find_single_ways
from services.planner.model.solver import InfeasibleError, Solver, SolverError
from services.planner.model.ways import Choices, PlannedFlows, Ways, choose_most, choose_rest, find_forbidden, find_tempting, fix_ways
from services.planner.posing.problem import Problem

# Costs this close, relative, are the same.
_SAME_COST = 1e-7
# The share of the time limit for all that is solved: what is followed, and why, takes time as well.
_SEARCH_SHARE = 0.75
# Gaps of plans that cost less than this are relative to it, currency.
_LEAST_COST = 1e-9


def solve_flows(problem: Problem, solver: Solver) -> PlannedFlows:
    """Return the least-cost flows; where limits contradict each other, the least-cost compromise through priced slack.

    How much of what the owner pins is to be had, binaries decide first; given that, the model is linear again.
    """
    if problem.manual is None or not problem.manual.pins:
        return _solve_or_compromise(problem, solver)
    chosen = _solve_or_compromise(problem, Solver())
    return replace(_solve_or_compromise(decide_pins(problem, chosen), solver), gap=chosen.gap, proven=chosen.proven)


def _solve_or_compromise(problem: Problem, solver: Solver) -> PlannedFlows:
    try:
        return _solve(problem, solver, elastic=False)
    except InfeasibleError:
        return replace(_solve(problem, solver, elastic=True), elastic=True)


def solve_full(problem: Problem, solver: Solver) -> PlannedFlows:
    """Return the same answer from the model with every binary in place: the slow way, for tests and benches."""
    batteries, slots = len(problem.site.batteries), problem.outlook.timeline.count
    everywhere = np.ones((batteries, slots), dtype=bool)
    least = np.array([[battery.min_charge_kw > 0] for battery in problem.site.batteries]).reshape(-1, 1) & everywhere
    return _solve_choices(problem, solver, Choices(np.ones(slots, dtype=bool), everywhere, least), elastic=False)


def _solve(problem: Problem, solver: Solver, *, elastic: bool) -> PlannedFlows:
    begun, ways = perf_counter(), Ways.of(problem)
    built = formulate(problem, ways, elastic=elastic)
    flows = built.flows(solver.solve(built.model, time_limit_s=problem.time_limit_s), ways)
    linear_s, bound, found = perf_counter() - begun, flows.objective, find_forbidden(problem, flows)
    single = find_single_ways(problem) if found.any() and not elastic else None
    if single is not None and (exact := _follow_ways(problem, solver, single)) is not None:
        return exact
    # Once binaries are needed at all, slots whose prices tempt get theirs at once: one round instead of many.
    choices = found.joined(find_tempting(problem)) if found.any() else found
    while found.any():
        rounded = _round_choices(problem, solver, choices, flows, bound=bound, elastic=elastic)
        # What was chosen is solved once more.
        left = max(_SEARCH_SHARE * problem.time_limit_s - (perf_counter() - begun) - linear_s, 0.0)
        flows = _solve_choices(replace(problem, time_limit_s=left), solver, choices, elastic=elastic, start=rounded)
        found = find_forbidden(problem, flows)
        choices = choices.joined(found)
    return flows


def _follow_ways(problem: Problem, solver: Solver, single: SingleWays) -> PlannedFlows | None:
    """Return the flows of the ways of a single battery's slots; None where they do not come to what these were said to cost."""
    built = formulate(problem, single.ways)
    try:
        flows = built.flows(solver.solve(built.model, time_limit_s=problem.time_limit_s), single.ways)
    except InfeasibleError:
        return None
    apart = abs(flows.objective - single.objective)
    return flows if apart <= _SAME_COST * (1.0 + abs(flows.objective)) and not find_forbidden(problem, flows).any() else None


@dataclass(frozen=True, slots=True)
class _Rounded:
    """A plan that physics allows, found without a search: its flows, its columns, and which way each choice goes."""

    flows: PlannedFlows
    column: FloatArray
    chosen: list[BoolArray]


def _round_choices(problem: Problem, solver: Solver, choices: Choices, flows: PlannedFlows, *, bound: float, elastic: bool) -> _Rounded | None:
    """Return the best plan whose slots go the way that flows mostly go, or else rest; None where neither is possible. No plan costs less than ``bound``."""
    ways = Ways.of(problem)
    for chosen in (choose_most(problem, choices, flows), choose_rest(problem, choices)):
        fixed = fix_ways(ways, choices, chosen)
        built = formulate(problem, fixed, elastic=elastic)
        try:
            solution = solver.solve(built.model, time_limit_s=problem.time_limit_s)
        except (InfeasibleError, SolverError):
            continue
        gap = abs(solution.objective - bound) / max(abs(solution.objective), _LEAST_COST)
        return _Rounded(replace(built.flows(solution, fixed), gap=gap, proven=gap <= problem.mip_gap), solution.column, chosen)
    return None


def _solve_choices(problem: Problem, solver: Solver, choices: Choices, *, elastic: bool, start: _Rounded | None = None) -> PlannedFlows:
    """Let binaries choose in the time that is left, then solve the linear model of what they chose: exact flows, and duals.

    Raises:
        SolverError: there is no ``start``, and in time nothing was found.
    """
    ways = Ways.of(problem)
    built = formulate(problem, ways, choices=choices, elastic=elastic)
    # Binaries are the last columns.
    known = None if start is None else np.concatenate([start.column, *(each.astype(float) for each in start.chosen)])
    try:
        chosen = Solver().solve(built.model, mip_gap=problem.mip_gap, time_limit_s=problem.time_limit_s, start=known)
    except SolverError:
        if start is None:
            raise
        return start.flows
    fixed = fix_ways(ways, choices, [chosen.column[columns] > 0.5 for columns in built.choices])
    exact = formulate(problem, fixed, elastic=elastic)
    flows = exact.flows(solver.solve(exact.model), fixed)
    # Out of time the solver knows less of how good its plan may be than the linear model.
    return replace(flows, gap=chosen.gap if start is None else min(chosen.gap, start.flows.gap), proven=chosen.proven)
