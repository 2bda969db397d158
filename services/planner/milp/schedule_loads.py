"""When what is placed runs or charges: the mixed-integer model decides it together with batteries and peaks, and hands the rest back.

What is placed counts as load from then on, and a peak as a limit of the connection: the battery then follows the value of its stored energy.
"""

from dataclasses import replace

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import BinarySlots, FlowDirections, PlannedFlows, find_complementarity_violations, find_nonconvex_slots
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.long_pins import settle_pins
from services.planner.milp.rounding import round_relaxation
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import Problem

# The share of the time left for what batteries cannot do beside what is placed already: they are planned once more.
_BATTERIES_SHARE = 0.4
# Times what rounding took: with less left a search improves on nothing, and ends late at that.
_SEARCH_ROUNDINGS = 5
# The share of it for demands that are not settled yet: afterwards all is placed once more around what they are then.
_ROUGH_SHARE = 0.5


def schedule_loads(problem: Problem, solver: Solver | None = None) -> LoadSchedule:
    """Return the least-cost placement, together with the batteries; contradicting limits are broken at a price.

    Solves are made by solvers of the kind of ``solver``.

    Raises:
        SolverError: none was found within the time limit.
    """
    kind = solver or Solver()
    problem = settle_pins(problem.begun(), kind)
    hours = problem.outlook.timeline.hours
    if all(demand.is_settled(hours) for demand in problem.demands):
        return _place_either(problem, kind)
    rough = _place_either(problem.due(problem.deadline.share(_ROUGH_SHARE)), kind)
    # Before they are settled it costs least; what that makes of them stands, and the rest is placed around it.
    settled = tuple(each.demand if each.demand.is_settled(hours) else each.demand.settle(each.use_kwh, hours) for each in rough.loads)
    placement = _place_either(replace(problem, demands=settled), kind)
    if rough.gap is None or placement.gap is None:
        return replace(placement, gap=None, proven=False)
    bound, cost = rough.objective - rough.gap * abs(rough.objective), placement.objective
    gap = max(cost - bound, 0.0) / max(abs(cost), 1e-9)
    return replace(placement, gap=gap, proven=gap <= problem.search.mip_gap)


def _place_either(problem: Problem, solver: Solver) -> LoadSchedule:
    try:
        return _place(problem, solver, elastic=False)
    except InfeasibleError:
        return _place(problem, solver, elastic=True)


def _place(problem: Problem, solver: Solver, *, elastic: bool) -> LoadSchedule:
    ways = FlowDirections.of(problem)
    choices: BinarySlots | None = None
    placed: LoadSchedule | None = None
    while True:
        built = formulate(problem, ways, choices=choices, elastic=elastic)
        try:
            solution = _solve(built, problem if placed is None else problem.due(problem.deadline.share(_BATTERIES_SHARE)), solver)
        except SolverError:
            if placed is None:
                raise
            return placed
        flows = built.flows(solution, ways)
        violations = find_complementarity_violations(problem, flows)
        if not violations.any():
            return _read(problem, built, solution, flows)
        # What is placed is so whatever batteries do: out of time that is what counts, though nothing is proven of it.
        placed = replace(_read(problem, built, solution, flows), gap=None, proven=False)
        choices = violations.joined(find_nonconvex_slots(problem)) if choices is None else choices.joined(violations)


def _solve(built: Formulation, problem: Problem, solver: Solver) -> Solution:
    """Return a solution within the gap: one near the relaxed one where that is good enough, else what a search finds from there."""
    begun = problem.deadline.left_s
    near = round_relaxation(built.model, built.placed.blocks, gap=problem.search.mip_gap, solver=solver.renew(problem.deadline))
    if near and (near.proven or problem.deadline.left_s < _SEARCH_ROUNDINGS * (begun - problem.deadline.left_s)):
        return near
    return solver.renew().solve(built.model, mip_gap=problem.search.mip_gap, time_limit_s=problem.left_s, start=near.column if near else None)


def _read(problem: Problem, built: Formulation, solution: Solution, flows: PlannedFlows) -> LoadSchedule:
    slots, column = problem.outlook.timeline.count, solution.column
    loads = tuple(each.place(column) for each in built.placed.loads)
    stored, used = [each.storage for each in loads if each.storage], sum((each.use_kwh for each in loads), np.zeros(slots))
    net = problem.outlook.load_kwh + used - sum((each.give_kwh for each in stored), np.zeros(slots)) - problem.ac_pv_kwh
    from_surplus, spared = (np.any([np.zeros(slots, dtype=bool), *each], axis=0) for each in ([s.from_surplus for s in stored], [s.spared for s in stored]))
    return LoadSchedule(
        demands=problem.demands,
        loads=loads,
        import_limit_kwh=np.minimum(_limit_import(problem, built, solution, flows.import_kwh), np.where(from_surplus, np.maximum(net, 0.0), np.inf)),
        give_limit_kwh=np.where(spared, 0.0, np.inf) if spared.any() and problem.site.batteries else None,
        beside_cost=float(built.model.cost[built.placed.span] @ column[built.placed.span]),
        objective=solution.objective,
        gap=solution.gap,
        proven=solution.proven,
    )


def _limit_import(problem: Problem, built: Formulation, solution: Solution, import_kwh: FloatArray) -> FloatArray:
    """Return the connection's limit per slot, narrowed to what keeps every month's peaks."""
    limit, hours = np.array(problem.import_limit_kwh), problem.outlook.timeline.hours
    for peak in built.peaks:
        slots = peak.share.slots
        limit[slots] = np.minimum(limit[slots], peak.limit_import(import_kwh, solution.column, hours))
    return limit
