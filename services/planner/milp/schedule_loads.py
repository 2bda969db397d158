"""Schedule flexible loads by the mixed-integer model, together with batteries and peaks.

From then on loads count as house load and a peak as a limit of the connection; the batteries are
planned once more around them.

Rounding comes before branch and bound: an integer solution is good enough where its cost is within
the gap of a proven lower bound.
"""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.device_charges import device_slot_cost
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import DemandSchedule
from services.planner.linear.model import InfeasibleError
from services.planner.milp.device_choices import DeviceChoice, list_choices
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    PlannedFlows,
    find_complementarity_violations,
    find_nonconvex_slots,
)
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.infeasibility import naming_failing_rows
from services.planner.milp.local_search import search_schedules
from services.planner.milp.long_pins import settle_pins
from services.planner.milp.rounding import round_once, round_relaxation
from services.planner.milp.solver import Solution, Solver, SolverError, lower_bound, relative_gap
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import Problem

# The share of the time left for the first solution of demands that are not settled: all are
# scheduled once more as that settles them.
_FIRST_SHARE = 0.5


def schedule_loads(problem: Problem, solver: Solver | None = None) -> LoadSchedule:
    """Return the least-cost schedule of all demands, planned together with the batteries.

    Contradicting limits are broken at a price.

    ``solver`` is renewed for each solve.

    Raises:
        SolverError: no schedule was found within the time limit.
    """
    solver = solver or Solver()
    problem = settle_pins(problem.begun(), solver)
    hours = problem.outlook.timeline.hours
    if all(demand.is_settled(hours) for demand in problem.demands):
        return _solve_schedule(problem, solver)
    first = _solve_schedule(problem.due(problem.deadline.share(_FIRST_SHARE)), solver)
    # Unsettled demands cost least, so the first solution is the bound; its use settles them for the
    # second.
    settled = []
    for load in first.loads:
        demand = load.demand
        settled.append(demand if demand.is_settled(hours) else demand.settle(load.use_kwh, hours))
    final = _solve_schedule(replace(problem, demands=tuple(settled)), solver)
    if first.gap is None or final.gap is None:
        return replace(final, gap=None, proven=False)
    bound = lower_bound(first.objective, first.gap)
    gap = relative_gap(final.objective, bound)
    is_near = gap * abs(final.objective) <= problem.search.allow(final.objective)
    return replace(final, gap=gap, proven=is_near)


def _solve_schedule(problem: Problem, solver: Solver) -> LoadSchedule:
    try:
        return _schedule(problem, solver, elastic=False)
    except InfeasibleError:
        with naming_failing_rows():
            return _schedule(problem, solver, elastic=True)


# The share of the time left for each solve after the first: the batteries, which it serves, are
# planned once more.
_BATTERIES_SHARE = 0.4


def _schedule(problem: Problem, solver: Solver, *, elastic: bool) -> LoadSchedule:
    """Solve the model, with binaries where batteries or grid flow both ways in one slot.

    They are added until no slot has such flows.
    """
    ways = FlowDirections.of(problem)
    choices: BinarySlots | None = None
    best: LoadSchedule | None = None
    while True:
        built = formulate(problem, ways, choices=choices, elastic=elastic)
        timed = problem
        if best is not None:
            timed = problem.due(problem.deadline.share(_BATTERIES_SHARE))
        try:
            solution = _solve(built, timed, solver)
        except SolverError:
            if best is None:
                raise
            return best
        flows = built.flows(solution, ways)
        violations = find_complementarity_violations(problem, flows)
        if not violations.any():
            return _read_schedule(problem, built, solution, flows)
        # The loads' schedule is feasible whatever the batteries do: it counts when time runs out,
        # though without a proven gap.
        best = replace(_read_schedule(problem, built, solution, flows), gap=None, proven=False)
        if choices is None:
            choices = violations.joined(find_nonconvex_slots(problem))
        else:
            choices = choices.joined(violations)


def _read_schedule(
    problem: Problem, built: Formulation, solution: Solution, flows: PlannedFlows
) -> LoadSchedule:
    slots = problem.outlook.timeline.count
    column = solution.column
    loads = tuple(columns.read_schedule(column) for columns in built.load_columns.loads)
    storages = [load.storage for load in loads if load.storage]
    used = sum((load.use_kwh for load in loads), np.zeros(slots))
    given = sum((storage.give_kwh for storage in storages), np.zeros(slots))
    net = problem.outlook.load_kwh + used - given - problem.ac_pv_kwh
    none = np.zeros(slots, dtype=bool)
    from_surplus = np.any([none, *(storage.from_surplus for storage in storages)], axis=0)
    spared = np.any([none, *(storage.spared for storage in storages)], axis=0)
    # Around the loads the batteries are planned without peak variables: each month's peak becomes
    # an import limit.
    limit = np.array(problem.import_limit_kwh)
    hours = problem.outlook.timeline.hours
    for peak in built.peaks:
        in_month = peak.share.slots
        peak_limit = peak.limit_import(flows.import_kwh, column, hours)
        limit[in_month] = np.minimum(limit[in_month], peak_limit)
    most_from_grid = np.where(from_surplus, np.maximum(net, 0.0), np.inf)
    give_limit_kwh = None
    if spared.any() and problem.site.batteries:
        give_limit_kwh = np.where(spared, 0.0, np.inf)
    span = built.load_columns.span
    return LoadSchedule(
        demands=problem.demands,
        loads=loads,
        import_limit_kwh=np.minimum(limit, most_from_grid),
        give_limit_kwh=give_limit_kwh,
        beside_cost=float(built.model.cost[span] @ column[span]),
        device_cost=_sum_device_cost(problem, loads),
        objective=solution.objective,
        gap=solution.gap,
        proven=solution.proven,
    )


def _sum_device_cost(problem: Problem, loads: Sequence[DemandSchedule]) -> FloatArray:
    """Return what loads cost beside the house's price, ``(slots,)``."""
    timeline = problem.outlook.timeline
    use_kwh: dict[str, FloatArray] = {}
    for load in loads:
        section = load.demand.section
        use_kwh[section] = use_kwh.get(section, np.zeros(timeline.count)) + load.use_kwh
    zone = ZoneInfo(problem.site.timezone)
    return device_slot_cost(problem.tariff.device_charges, use_kwh, timeline, zone=zone)


# A search starts with at least this many times what rounding took: with less it improves on
# nothing, and ends late at that.
_SEARCH_ROUNDINGS = 5


def _solve(built: Formulation, problem: Problem, solver: Solver) -> Solution:
    """Return a solution within the gap, by rounding or else by a search from there.

    A relaxed solution says little about devices with ranges of power: a local search finds their
    schedules, and branch and bound goes on only where a gap was asked for.
    """
    choices = list_choices(built)
    if choices:
        searched = _search_choices(built, choices, problem, solver)
        if searched and (searched.proven or not problem.search.to_gap):
            return searched
        if searched:
            return _search_on(built, problem, solver, start=searched)
    begun_left_s = problem.deadline.left_s
    rounded = round_relaxation(
        built.model,
        built.load_columns.blocks,
        search=problem.search,
        solver=solver.renew(problem.deadline),
    )
    if rounded and rounded.proven:
        return rounded
    left_s = problem.deadline.left_s
    if rounded and left_s < _SEARCH_ROUNDINGS * (begun_left_s - left_s):
        return rounded
    return _search_on(built, problem, solver, start=rounded)


def _search_choices(
    built: Formulation, choices: Sequence[DeviceChoice], problem: Problem, solver: Solver
) -> Solution | None:
    """Return the best solution of a local search, which begins with the rounded one."""
    searching = solver.renew(problem.deadline)
    relaxed = searching.solve_relaxed(built.model)
    rounded = round_once(built, relaxed, searching)
    return search_schedules(
        built, choices, searching, problem.search, relaxed=relaxed, rounded=rounded
    )


def _search_on(
    built: Formulation, problem: Problem, solver: Solver, *, start: Solution | None
) -> Solution:
    """Return the solution of branch and bound, or the start where that finds none in time."""
    search = problem.search
    searching = solver.renew()
    if start is None:
        return searching.solve(
            built.model,
            mip_gap=search.mip_gap,
            gap_cost=search.gap_cost,
            time_limit_s=problem.left_s,
        )
    try:
        return searching.improve(built.model, start, search, time_limit_s=problem.left_s)
    except SolverError:
        return start
