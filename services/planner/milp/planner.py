"""Plan by the mixed-integer model: the linear relaxation first, binaries only for slots whose flows
violate complementarity.

Set-points follow the flows and are re-simulated; each battery then gets its value function given
the others' flows.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import BatteryLimits
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.schedule import Committed
from luna.energy.simulator import Actuals, simulate
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import (
    BatteryValue,
    Plan,
    PlanMismatchError,
    check_plan,
    count_excess,
    objective,
    widen_limits,
)
from services.planner.dp.planner import value_battery
from services.planner.dp.segments import problem_segments
from services.planner.linear.model import InfeasibleError, LinearModel
from services.planner.milp.battery_constraints import list_constraints
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    PlannedFlows,
    SingleDirections,
    choose_most,
    choose_rest,
    find_complementarity_violations,
    find_nonconvex_slots,
    find_single_directions,
    fix_directions,
)
from services.planner.milp.formulation import formulate
from services.planner.milp.infeasibility import naming_failing_rows
from services.planner.milp.inverters import take_direct_first
from services.planner.milp.long_pins import guide_pins
from services.planner.milp.owner_rows import decide_pins, tell_pins
from services.planner.milp.pieces import AHEAD, PIECE, solve_in_pieces
from services.planner.milp.slack import price_missing
from services.planner.milp.solver import MORE_TIME, Solution, Solver, SolverError, relative_gap
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Deadline, Problem, StorageBounds, TerminalRule

_SAME_KWH = 1e-7


def follow_flows(
    flows: PlannedFlows,
    batteries: list[Battery],
    *,
    net_load_kwh: FloatArray,
    pv_limit_kw: FloatArray,
    hours: FloatArray,
) -> SetPoint:
    """Return set-points that reproduce planned flows: every bound is the planned state of charge at
    the end of the slot.

    Args:
        flows: of a solved model.
        batteries: of the site.
        net_load_kwh: load minus PV after curtailment, shape ``(slots,)``.
        pv_limit_kw: PV's power limit, shape ``(slots,)``.
        hours: length of each slot, shape ``(slots,)``.
    """
    capacity = np.array([battery.capacity_kwh for battery in batteries]).reshape(-1, 1)
    end_soc = flows.stored_kwh / capacity
    charging = flows.charge_kwh > _SAME_KWH
    discharging = flows.discharge_kwh > _SAME_KWH
    # Charging from PV on the battery's side of an inverter does not pass the house.
    metered_kwh = flows.charge_kwh - flows.direct_kwh if flows.direct_kwh.size else flows.charge_kwh
    bought = _beyond_house(
        metered_kwh,
        np.maximum(-net_load_kwh, 0.0),
        [battery.charge_from_grid for battery in batteries],
    )
    sold = _beyond_house(
        flows.discharge_kwh,
        np.maximum(net_load_kwh, 0.0),
        [battery.discharge_to_grid for battery in batteries],
    )
    mode = np.full(end_soc.shape, Mode.HOLD)
    mode = np.where(charging, np.where(bought > _SAME_KWH, Mode.CHARGE, Mode.SAVE), mode)
    mode = np.where(discharging, np.where(sold > _SAME_KWH, Mode.EXPORT, Mode.SUPPLY), mode)
    limit = np.array(
        [[battery.charge_limit_kw, battery.discharge_limit_kw] for battery in batteries]
    ).reshape(-1, 2)
    limits = np.array([[battery.min_soc, battery.max_soc] for battery in batteries]).reshape(-1, 2)
    # The safety layer clips targets to the limits: on the way back to them, power bounds the slot's
    # energy instead.
    outside = (end_soc < limits[:, :1]) | (end_soc > limits[:, 1:])
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=np.where(
            outside, (bought + sold) / hours, np.where(charging, limit[:, :1], limit[:, 1:])
        ),
        target_soc=end_soc,
        floor_soc=end_soc,
        ceiling_soc=end_soc,
        spill_soc=end_soc,
        curtailment=np.zeros(pv_limit_kw.shape, dtype=np.int8),
        pv_limit_kw=pv_limit_kw,
    )


def _beyond_house(
    energy_kwh: FloatArray, house_kwh: FloatArray, may_trade: list[bool]
) -> FloatArray:
    """Return each battery's energy exchanged with the grid: the house serves those that may not
    trade first, then in order.
    """
    order = np.argsort(may_trade, kind="stable")
    total = np.cumsum(energy_kwh[order], axis=0)
    beyond = np.empty_like(energy_kwh)
    beyond[order] = np.clip(total - house_kwh, 0.0, energy_kwh[order])
    return beyond


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
    """Return the least-cost flows.

    Where limits contradict each other, the least-cost compromise through priced slack.

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
    chosen = _solve_or_compromise(problem.due(problem.deadline.share(_PIN_SHARE)), solver.renew())
    try:
        return replace(
            _solve_or_compromise(decide_pins(problem, chosen), solver, feasible=chosen),
            gap=chosen.gap,
            proven=chosen.proven,
        )
    except (InfeasibleError, SolverError):
        # What was chosen fulfils the pins; held to its own rounded energies it may break a limit by
        # a hair.
        return chosen


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
    """Return the same flows from the model with every binary, slowly: the reference for tests and
    benchmarks.
    """
    problem, batteries, slots = (
        problem.begun(),
        len(problem.site.batteries),
        problem.outlook.timeline.count,
    )
    everywhere = np.ones((batteries, slots), dtype=bool)
    least = (
        np.array([[battery.min_charge_kw > 0] for battery in problem.site.batteries]).reshape(-1, 1)
        & everywhere
    )
    return _solve_choices(
        problem, solver, BinarySlots(np.ones(slots, dtype=bool), everywhere, least), elastic=False
    )


def _solve(
    problem: Problem, solver: Solver, *, elastic: bool, feasible: PlannedFlows | None = None
) -> PlannedFlows:
    ways = FlowDirections.of(problem)
    built = formulate(problem, ways, elastic=elastic)
    begun = problem.deadline.left_s
    solution, relaxed = _solve_first(problem, built.model, solver)
    least_search_s = (
        _SEARCH_SOLVES * (begun - problem.deadline.left_s)
        if problem.outlook.timeline.count > PIECE + AHEAD
        else 0.0
    )
    flows = built.flows(solution, ways)
    bound = flows.objective - flows.gap * abs(flows.objective)
    violations = find_complementarity_violations(problem, flows)
    search = problem.deadline.share(_SEARCH_SHARE)
    single = find_single_directions(problem) if violations.any() and not elastic else None
    if single is not None and (exact := _follow_ways(problem, solver, single)) is not None:
        return exact
    # Once any binary is needed, all slots of non-convex cost get theirs: one round instead of many.
    if relaxed and not violations.any():
        flows = built.flows(solver.solve(built.model, time_limit_s=problem.left_s), ways)
        violations = find_complementarity_violations(problem, flows)
    choices = violations.joined(find_nonconvex_slots(problem)) if violations.any() else violations
    while violations.any():
        rounded = (
            _round_choices(
                problem,
                solver,
                [choose_most(problem, choices, feasible)],
                choices,
                bound=bound,
                elastic=elastic,
            )
            if feasible
            else None
        )
        if rounded is None:
            rounded, flows = _find_start(
                problem, solver, choices, flows, bound=bound, elastic=elastic
            )
        if search.left_s < least_search_s:
            if rounded is None:
                raise OutOfTimeError(flows)
            return rounded.flows
        # Without a start within all limits, leave time for the elastic model.
        search = search if rounded or elastic else problem.deadline.share(_STRICT_SHARE)
        try:
            flows = _solve_choices(
                problem, solver, choices, elastic=elastic, start=rounded, search=search
            )
        except SolverError:
            raise OutOfTimeError(flows) from None
        violations = find_complementarity_violations(problem, flows)
        choices = choices.joined(violations)
    return flows


def _solve_first(problem: Problem, model: LinearModel, solver: Solver) -> tuple[Solution, bool]:
    """Return the solution without binaries for directions, and whether the binaries of pins were
    relaxed too, for lack of time.
    """
    if not model.integer.any():
        return solver.solve(model, time_limit_s=problem.left_s), False
    try:
        return solver.solve(model, time_limit_s=problem.deadline.share(_FIRST_SHARE).left_s), False
    except SolverError:
        return solver.solve(model.relaxed(), time_limit_s=problem.left_s), True


def _follow_ways(problem: Problem, solver: Solver, single: SingleDirections) -> PlannedFlows | None:
    """Return the flows in the directions found for a single battery.

    None where they miss the cost stated there or violate complementarity.
    """
    built = formulate(problem, single.ways)
    try:
        flows = built.flows(solver.solve(built.model, time_limit_s=problem.left_s), single.ways)
    except InfeasibleError:
        return None
    apart = abs(flows.objective - single.objective)
    return (
        flows
        if apart <= _SAME_COST * (1.0 + abs(flows.objective))
        and not find_complementarity_violations(problem, flows).any()
        else None
    )


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
    """Return the best plan found without a search over the whole horizon, or None, and the flows
    nearest to a plan.

    Those are ``flows``, or the solution in pieces. ``bound`` is a lower bound on the cost.
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
    found = [each for each in (rounded, pieced) if each]
    return min(found, key=lambda each: each.flows.objective, default=None), pieces


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
    """Solve for the binaries in the time left, then the linear model with them fixed, for exact
    flows and duals.

    Raises:
        SolverError: there is no ``start``, and nothing was found in time.
    """
    ways = FlowDirections.of(problem)
    built = formulate(problem, ways, choices=choices, elastic=elastic)
    # Binaries are the last columns.
    start_columns = (
        None
        if start is None
        else np.concatenate([start.column, *(each.astype(float) for each in start.chosen)])
    )
    try:
        chosen = solver.renew().solve(
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
    fixed = fix_directions(
        ways, choices, [chosen.column[columns] > 0.5 for columns in built.choices]
    )
    exact = formulate(problem, fixed, elastic=elastic)
    try:
        flows = exact.flows(solver.solve(exact.model, time_limit_s=problem.left_s), fixed)
    except SolverError:
        # The integer solution's own flows; it has no duals, hence no value of a stored kWh.
        flows = replace(
            built.flows(chosen, fixed), energy_value=np.full(built.storage_rows.shape, np.nan)
        )
    # At the time limit the solver's bound may be weaker than the linear model's.
    return replace(
        flows,
        gap=chosen.gap if start is None else min(chosen.gap, start.flows.gap),
        proven=chosen.proven,
    )


# Largest energy that counts as no flow when directions are read, kWh per slot.
_TOLERANCE_KWH = 1e-6
_NOTHING_KWH = 1e-9
# Largest relative difference between the cost of a plan and of its re-simulation.
_TOLERANCE_COST = 1e-6


def plan_by_model(problem: Problem, solver: Solver) -> Plan:
    """Plan by the mixed-integer model.

    Each battery also gets its value function, given the directions the model chose.

    Where the simulation differs from the model, or the time limit left only flows near a plan, the
    plan is the set-points' simulation, without proof.

    Raises:
        SolverError: no solution within the time limit, nor flows near one.
    """
    within = problem.begun().inside
    try:
        flows = solve_flows(within, solver)
    except OutOfTimeError as late:
        return replace(_plan_by_flows(problem, replace(late.flows, gap=np.inf)), method="model")
    if problem.conversion is not None:
        flows = take_direct_first(flows, problem.conversion)
    planned = _plan_by_flows(problem, flows)
    return replace(planned, values=_value_each(within, flows), method="model")


def _value_each(problem: Problem, flows: PlannedFlows) -> tuple[BatteryValue, ...]:
    """Return each battery's value function with the others at their planned flows: their charging
    counts as load, their discharging as PV.

    It leaves out least powers, tapering and the depth of cycles, so a policy from it is compared
    with the planned flows. Empty where it would be wrong.
    """
    if problem.tariff.charge is not None or any(
        each.valued != "roughly" for _, each in list_constraints(problem)
    ):
        return ()
    values = []
    decided = decide_pins(problem, flows).manual
    if decided is not None and decided.ends:
        return ()  # a deadline to be full by has no value per slot
    for index, battery in enumerate(problem.site.batteries):
        others = np.arange(len(problem.site.batteries)) != index
        load = problem.outlook.load_kwh + flows.charge_kwh[others].sum(axis=0)
        pv = problem.outlook.pv_kwh + flows.discharge_kwh[others].sum(axis=0)
        load = load - flows.direct_kwh[others].sum(axis=0) if flows.direct_kwh.size else load
        site = problem.site.model_copy(update={"batteries": [_wear_evenly(battery)]})
        terminal = TerminalRule(
            *(getattr(problem.terminal, name)[index : index + 1] for name in TerminalRule.__slots__)
        )
        outlook = replace(problem.outlook, load_kwh=load, pv_kwh=pv)
        inverters = problem.limits.inverters
        own = problem.outlook.pv_kwh
        # Inverter shares are of the site's own PV; ``pv`` includes the others' discharge.
        inverters = inverters and inverters.only(
            index, np.divide(own, pv, out=np.zeros_like(own), where=pv > 0)
        )
        limits = replace(problem.limits, batteries=BatteryLimits.of([battery]), inverters=inverters)
        manual = None if decided is None else decided.of_battery(index)
        alone = Problem(
            site, outlook, problem.stored_kwh[index : index + 1], terminal, limits, manual=manual
        )
        alone = (
            alone
            if problem.storage.reserve_kwh is None
            else replace(
                alone, storage=StorageBounds(problem.storage.reserve_kwh[index : index + 1])
            )
        )
        # Directions as in the model's solution; slots of convex cost stay free.
        free = problem_segments(alone).convex
        imports = flows.export_kwh <= _TOLERANCE_KWH
        discharges = flows.discharge_kwh[index] > _TOLERANCE_KWH
        direction = Direction(
            free | imports, free | ~imports, free | ~discharges, free | discharges
        ).within(alone.direction)
        segments = problem_segments(alone, direction)
        if not segments.convex.all():
            return ()
        values.append(
            replace(value_battery(alone, segments, direction), exact=not battery.wear_by_depth)
        )
    return tuple(values)


def _wear_evenly(battery: Battery) -> Battery:
    """Return a battery with wear by depth replaced by its mean: half of it per kWh charged, half
    per kWh discharged.
    """
    if not battery.wear_by_depth:
        return battery
    depths = np.array([0.0, *(segment.to_depth for segment in battery.wear_by_depth)])
    mean = float(
        np.diff(depths) @ np.array([segment.price for segment in battery.wear_by_depth])
    ) / float(depths[-1])
    return battery.model_copy(
        update={"wear_price": battery.wear_price + mean / 2, "wear_by_depth": ()}
    )


def _plan_by_flows(problem: Problem, flows: PlannedFlows) -> Plan:
    """Plan by following a solved model slot by slot."""
    outlook = problem.outlook
    # At a feed-in price of 0 the model may curtail at no cost; as a limit that would take PV from a
    # load that turns out higher. Where batteries discharge instead of PV, curtailment is intended
    # and stays a limit.
    alone = (flows.import_kwh <= _NOTHING_KWH) & (flows.discharge_kwh.sum(axis=0) <= _NOTHING_KWH)
    idle = (
        (outlook.export_price == 0)
        & (outlook.import_price >= 0)
        & alone
        & (problem.limits.inverters is None)
    )
    curtailed_kwh = np.where(idle, 0.0, flows.curtailed_kwh)
    used = problem.ac_pv_kwh - curtailed_kwh
    limit = np.where(curtailed_kwh > _NOTHING_KWH, used / outlook.timeline.hours, np.inf)
    setpoints = follow_flows(
        flows,
        problem.site.batteries,
        net_load_kwh=outlook.load_kwh - used,
        pv_limit_kw=limit,
        hours=outlook.timeline.hours,
    )
    setpoints = tell_pins(problem, setpoints, flows.stored_kwh)
    # Where limits are broken, or a battery returns to its own from outside, the plan is its
    # set-points' simulation.
    if not np.isfinite(flows.gap):
        return replace(_settled(problem, setpoints, flows), gap=None, proven=False)
    if flows.elastic or problem.inside is not problem:
        return replace(_settled(problem, setpoints, flows), gap=flows.gap, proven=flows.proven)
    try:
        starts = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
        plan = check_plan(
            problem,
            setpoints,
            (starts, flows.stored_kwh),
            energy_value=flows.energy_value,
            values=(),
        )
        apart = ""
    except PlanMismatchError as error:
        # The inverter's flows may be another optimum than the model's: only the cost has to agree.
        plan = _settled(problem, setpoints, flows)
        apart = str(error)
    beyond = objective(plan) + price_missing(problem, plan.flows.stored_kwh) - flows.objective
    if abs(beyond) <= _TOLERANCE_COST * (1.0 + abs(flows.objective)):
        return replace(plan, gap=flows.gap, proven=flows.proven)
    apart = apart or (
        f"settled again it costs {abs(beyond):.3g} {problem.site.currency} more or less "
        "than planned"
    )
    return replace(
        plan,
        gap=max(flows.gap, beyond / max(abs(flows.objective), 1e-9)),
        proven=False,
        disagreements=(apart,),
    )


def _settled(problem: Problem, setpoints: SetPoint, flows: PlannedFlows) -> Plan:
    """Return the plan simulated from the start with these set-points, under limits widened to the
    model's flows where it is elastic.
    """
    settled = (
        replace(problem, limits=widen_limits(problem, flows.import_kwh, flows.export_kwh))
        if flows.elastic
        else problem
    )
    outlook = settled.outlook
    actuals = Actuals(outlook.timeline, outlook.load_kwh, outlook.pv_kwh)
    stored = simulate(
        Committed(setpoints),
        actuals,
        limits=settled.limits.by_slot(),
        stored_kwh=settled.stored_kwh[:, None],
    ).flows.stored_kwh[:, 0]
    starts = np.concatenate([problem.stored_kwh[:, None], stored[:, :-1]], axis=1)
    plan = check_plan(
        settled, setpoints, (starts, stored), energy_value=flows.energy_value, values=()
    )
    return replace(plan, problem=problem, flows=count_excess(problem, plan.flows))
