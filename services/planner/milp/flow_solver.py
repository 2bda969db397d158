"""Solve the mixed-integer model of a problem for its least-cost flows.

The linear relaxation comes first; binaries are added only where its flows violate complementarity.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.linear.model import InfeasibleError, LinearModel
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    PlannedFlows,
    choose_most,
    choose_rest,
    find_complementarity_violations,
    find_nonconvex_slots,
    find_single_directions,
    fix_directions,
)
from services.planner.milp.formulation import formulate
from services.planner.milp.infeasibility import naming_failing_rows
from services.planner.milp.long_pins import guide_pins
from services.planner.milp.owner_rows import decide_pins
from services.planner.milp.pieces import AHEAD, PIECE, solve_in_pieces
from services.planner.milp.solver import (
    MORE_TIME,
    Solution,
    Solver,
    SolverError,
    lower_bound,
    relative_gap,
)
from services.planner.problem.problem import Deadline, Problem

# Relative difference below which costs count as equal.
_SAME_COST = 1e-7
# Shares of the time left. For a search: its choice is solved once more.
_SEARCH_SHARE = 0.75
# For a search without a start that keeps all limits; and for solving piece by piece.
_STRICT_SHARE = 0.4
_PIECES_SHARE = 0.85
# A start whose relative gap to the relaxed model is below this needs no better one.
_GOOD_START = 0.01
# A compromise of a larger gap is worse than flows that are near a plan within all limits.
_POOR_COMPROMISE = 0.9
# In multiples of the relaxed model's time: with less left, no search over a long horizon improves
# on a start, and it overruns.
_SEARCH_SOLVES = 60
# For the binaries of pins while directions are open.
_FIRST_SHARE = 0.15
# For deciding how much of the pins can be met: the plan is solved once more given that.
_PIN_SHARE = 0.75


class OutOfTimeError(SolverError):
    """The time limit passed before a plan without complementarity violations was found.

    ``flows`` are the nearest to one.
    """

    def __init__(self, flows: PlannedFlows) -> None:
        super().__init__("time was up before a plan was found", remedy=MORE_TIME)
        self.flows = flows


def solve_flows(problem: Problem, solver: Solver) -> PlannedFlows:
    """Return the least-cost flows, or the least-cost compromise of contradicting limits.

    Binaries, over a long horizon the relaxed model, first decide how much of the owner's pins can
    be met; given that, the model is linear again.
    """
    problem = problem.begun()
    if problem.manual is None or not problem.manual.pins:
        return _solve_or_compromise(problem, solver)
    # Pins that the relaxed model meets within all limits may still break one with whole charges.
    for elastic in ((False, True), (True,)):
        guided = guide_pins(problem, solver, elastic=elastic)
        if guided is None:
            break
        settled, flows = guided
        try:
            return replace(_solve_or_compromise(settled, solver), proven=False)
        except InfeasibleError:
            continue
        except OutOfTimeError:
            raise
        except SolverError:
            raise OutOfTimeError(flows) from None
    timed = problem.due(problem.deadline.share(_PIN_SHARE))
    chosen = _solve_or_compromise(timed, solver.renew())
    try:
        flows = _solve_or_compromise(decide_pins(problem, chosen), solver, feasible=chosen)
    except (InfeasibleError, SolverError):
        # The chosen binaries fulfil the pins; with its own rounded energies fixed, the plan may
        # break a limit by a hair.
        return chosen
    return replace(flows, gap=chosen.gap, proven=chosen.proven)


def _solve_or_compromise(
    problem: Problem, solver: Solver, *, feasible: PlannedFlows | None = None
) -> PlannedFlows:
    """Return the least-cost flows, or the least-cost compromise.

    ``feasible`` are flows without complementarity violations.

    Raises:
        OutOfTimeError: neither was found in time.
        SolverError: not even the linear model was solved in time.
    """
    try:
        return _solve(problem, solver, elastic=False, feasible=feasible)
    except OutOfTimeError as late:
        # The elastic model may still find a plan in time; its penalties keep it from breaking
        # limits without need.
        with suppress(InfeasibleError, SolverError):
            compromise = _solve(problem, solver, elastic=True, feasible=feasible)
            if compromise.gap < _POOR_COMPROMISE:
                return replace(compromise, elastic=True)
        raise late from None
    except (InfeasibleError, SolverError):
        with naming_failing_rows():
            compromise = _solve(problem, solver, elastic=True, feasible=feasible)
        return replace(compromise, elastic=True)


def solve_full(problem: Problem, solver: Solver) -> PlannedFlows:
    """Return the same flows, slowly, from the model with every binary.

    It is the reference for tests and benchmarks.
    """
    problem = problem.begun()
    batteries = problem.site.batteries
    slots = problem.outlook.timeline.count
    everywhere = np.ones((len(batteries), slots), dtype=bool)
    has_least = np.array([battery.min_charge_kw > 0 for battery in batteries], dtype=bool)
    choices = BinarySlots(
        grid=np.ones(slots, dtype=bool),
        battery=everywhere,
        least=has_least.reshape(-1, 1) & everywhere,
    )
    return _solve_choices(problem, solver, choices, elastic=False)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Flows without binaries for directions, and a lower bound on the cost.

    ``search`` ends a search for binaries; with less than ``least_search_s`` left none is begun.
    """

    flows: PlannedFlows
    bound: float
    search: Deadline
    least_search_s: float


def _solve(
    problem: Problem, solver: Solver, *, elastic: bool, feasible: PlannedFlows | None = None
) -> PlannedFlows:
    beginning = _begin(problem, solver, elastic=elastic)
    flows = beginning.flows
    bound = beginning.bound
    search = beginning.search
    violations = find_complementarity_violations(problem, flows)
    if not violations.any():
        return flows
    # Once any binary is needed, all slots of non-convex cost get theirs: one round instead of many.
    choices = violations.joined(find_nonconvex_slots(problem))
    while violations.any():
        tried = [choose_most(problem, choices, feasible)] if feasible else []
        rounded = _round_choices(problem, solver, tried, choices, bound=bound, elastic=elastic)
        if rounded is None:
            rounded, flows = _find_start(
                problem, solver, choices, flows, bound=bound, elastic=elastic
            )
        if search.left_s < beginning.least_search_s:
            return _take_start(rounded, flows)
        # Without a start within all limits, leave time for the elastic model.
        if rounded is None and not elastic:
            search = problem.deadline.share(_STRICT_SHARE)
        try:
            flows = _solve_choices(
                problem, solver, choices, elastic=elastic, start=rounded, search=search
            )
        except SolverError:
            raise OutOfTimeError(flows) from None
        violations = find_complementarity_violations(problem, flows)
        choices = choices.joined(violations)
    return flows


def _begin(problem: Problem, solver: Solver, *, elastic: bool) -> _Beginning:
    """Solve the model without binaries for directions, or exactly for a single battery."""
    ways = FlowDirections.of(problem)
    built = formulate(problem, ways, elastic=elastic)
    begun_left_s = problem.deadline.left_s
    solution, relaxed = _solve_first(problem, built.model, solver)
    least_search_s = 0.0
    if problem.outlook.timeline.count > PIECE + AHEAD:
        least_search_s = _SEARCH_SOLVES * (begun_left_s - problem.deadline.left_s)
    flows = built.flows(solution, ways)
    bound = lower_bound(flows.objective, flows.gap)
    search = problem.deadline.share(_SEARCH_SHARE)
    if find_complementarity_violations(problem, flows).any():
        exact = None if elastic else _solve_single(problem, solver)
        if exact is not None:
            flows = exact
    elif relaxed:
        flows = built.flows(solver.solve(built.model, time_limit_s=problem.left_s), ways)
    return _Beginning(flows, bound, search, least_search_s)


def _take_start(start: "_Rounded | None", nearest: PlannedFlows) -> PlannedFlows:
    """Return the flows of a start.

    Raises:
        OutOfTimeError: there is no start.
    """
    if start is None:
        raise OutOfTimeError(nearest)
    return start.flows


def _solve_first(problem: Problem, model: LinearModel, solver: Solver) -> tuple[Solution, bool]:
    """Return the solution without binaries for directions, and whether it is all relaxed.

    The binaries of pins are relaxed too where time does not suffice for them.
    """
    if not model.integer.any():
        return solver.solve(model, time_limit_s=problem.left_s), False
    try:
        return solver.solve(model, time_limit_s=problem.deadline.share(_FIRST_SHARE).left_s), False
    except SolverError:
        return solver.solve(model.relaxed(), time_limit_s=problem.left_s), True


def _solve_single(problem: Problem, solver: Solver) -> PlannedFlows | None:
    """Return the flows of a single battery in the directions found for it.

    None where there are no such directions, or where flows miss the cost stated there or violate
    complementarity.
    """
    single = find_single_directions(problem)
    if single is None:
        return None
    built = formulate(problem, single.ways)
    try:
        flows = built.flows(solver.solve(built.model, time_limit_s=problem.left_s), single.ways)
    except InfeasibleError:
        return None
    apart = abs(flows.objective - single.objective)
    if apart > _SAME_COST * (1.0 + abs(flows.objective)):
        return None
    return None if find_complementarity_violations(problem, flows).any() else flows


@dataclass(frozen=True, slots=True)
class _Rounded:
    """A feasible plan by rounding: its flows, its columns, and the value of each binary."""

    flows: PlannedFlows
    column: FloatArray
    chosen: list[BoolArray]


def _find_start(
    problem: Problem,
    solver: Solver,
    choices: BinarySlots,
    flows: PlannedFlows,
    *,
    bound: float,
    elastic: bool,
) -> tuple[_Rounded | None, PlannedFlows]:
    """Return the best plan without a search over the whole horizon, and the nearest flows.

    The plan is None where none was found. The nearest flows are ``flows``, or the solution in
    pieces. ``bound`` is a lower bound on the cost.
    """
    tried = [choose_most(problem, choices, flows), choose_rest(problem, choices)]
    is_long = problem.outlook.timeline.count > PIECE + AHEAD
    rounded: _Rounded | None = None
    # Over a long horizon, rounding least charges by themselves hardly ever keeps the limits.
    if not is_long or not choices.least.any():
        rounded = _round_choices(problem, solver, tried, choices, bound=bound, elastic=elastic)
    if not is_long or (rounded and rounded.flows.gap <= _GOOD_START):
        return rounded, flows
    begun = problem.due(problem.deadline.share(_PIECES_SHARE))
    pieces = flows
    with suppress(InfeasibleError, SolverError):
        for pieces in solve_in_pieces(begun, choices, solver, elastic=elastic):
            if pieces.objective - bound <= problem.search.allow(pieces.objective):
                break
    tried = [choose_most(problem, choices, pieces), choose_rest(problem, choices)]
    pieced = _round_choices(problem, solver, tried, choices, bound=bound, elastic=elastic)
    if rounded is None or (pieced and pieced.flows.objective < rounded.flows.objective):
        return pieced, pieces
    return rounded, pieces


def _round_choices(
    problem: Problem,
    solver: Solver,
    tried: Sequence[list[BoolArray]],
    choices: BinarySlots,
    *,
    bound: float,
    elastic: bool,
) -> _Rounded | None:
    """Return the best plan with directions fixed to the first feasible of ``tried``.

    None where none is. ``bound`` is a lower bound on the cost.
    """
    ways = FlowDirections.of(problem)
    for chosen in tried:
        fixed = fix_directions(ways, choices, chosen)
        built = formulate(problem, fixed, elastic=elastic)
        try:
            solution = solver.solve(built.model, time_limit_s=problem.left_s)
        except (InfeasibleError, SolverError):
            continue
        gap = relative_gap(solution.objective, bound)
        is_enough = solution.objective - bound <= problem.search.allow(solution.objective)
        return _Rounded(
            replace(built.flows(solution, fixed), gap=gap, proven=is_enough),
            solution.column,
            chosen,
        )
    return None


def _solve_choices(
    problem: Problem,
    solver: Solver,
    choices: BinarySlots,
    *,
    elastic: bool,
    start: _Rounded | None = None,
    search: Deadline | None = None,
) -> PlannedFlows:
    """Solve for the binaries in the time left, then the linear model with them fixed.

    The second solve gives exact flows and duals.

    Raises:
        SolverError: there is no ``start``, and nothing was found in time.
    """
    ways = FlowDirections.of(problem)
    built = formulate(problem, ways, choices=choices, elastic=elastic)
    start_columns = None
    if start is not None:
        # Binaries are the last columns.
        binaries = [chosen.astype(float) for chosen in start.chosen]
        start_columns = np.concatenate([start.column, *binaries])
    try:
        solution = solver.renew().solve(
            built.model,
            mip_gap=problem.search.mip_gap,
            gap_cost=problem.search.gap_cost,
            time_limit_s=(search or problem.deadline).left_s,
            start=start_columns,
        )
    except SolverError:
        if start is None:
            raise
        return start.flows
    is_chosen = [solution.column[columns] > 0.5 for columns in built.choices]
    fixed = fix_directions(ways, choices, is_chosen)
    exact = formulate(problem, fixed, elastic=elastic)
    try:
        flows = exact.flows(solver.solve(exact.model, time_limit_s=problem.left_s), fixed)
    except SolverError:
        # The integer solution's own flows; it has no duals, hence no value of a stored kWh.
        unknown = np.full(built.storage_rows.shape, np.nan)
        flows = replace(built.flows(solution, fixed), energy_value=unknown)
    # At the time limit the solver's bound may be weaker than the linear model's.
    gap = solution.gap if start is None else min(solution.gap, start.flows.gap)
    return replace(flows, gap=gap, proven=solution.proven)
