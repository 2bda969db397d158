"""The planner: from a problem to a schedule that physics has checked.

One battery follows the value of its stored energy: the dynamic programme is exact where a slot's cost is convex, and branching makes it so
elsewhere. Everything else goes through the mixed-integer model; with the way of every slot fixed, each battery still gets its value function.
"""

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from luna.economics import Costs, slot_costs
from luna.errors import LunaError
from luna.physics import BatteryLimits, BoolArray, Curtailment, Flows, IntArray, SetPoint, clamp, settle
from luna.schedule import Committed
from luna.simulator import Actuals, balance_residual_kwh, simulate
from luna.timeline import FloatArray
from services.planner.branching import choose_ways
from services.planner.energy_value import Thresholds, ValueFunction, follow, solve_value
from services.planner.formulation import PlannedFlows, solve_flows
from services.planner.mean_value import MeanValue, average_value
from services.planner.modes import follow_flows, read_modes
from services.planner.placing.placement import Placement, place
from services.planner.problem import Problem, TerminalRule
from services.planner.segments import FIRST_OUT, FORBIDDEN_VALUE, SERVE, SERVE_FORCED, Direction, Segments, slot_segments
from services.planner.solver import Solver

# How far a plan and its re-simulation may be apart, kWh per slot.
_TOLERANCE_KWH = 1e-6
_NOTHING_KWH = 1e-9
# How far the cost of a plan and of its re-simulation may be apart, relative.
_TOLERANCE_COST = 1e-6


class PlanMismatchError(LunaError):
    """A plan that physics does not confirm: it is never answered."""

    title, code = "The plan failed its own check", "plan-mismatch"


@dataclass(frozen=True, slots=True)
class BatteryValue:
    """What the plan knows about a battery: V′, the thresholds read from it, the slots' segments, and the ways that were chosen for them."""

    function: ValueFunction
    thresholds: Thresholds
    segments: Segments
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """What a plan made of the courses that load and PV may take: how many it weighed, how many had to be left out, and codes of why.

    ``premium`` is what the plan costs more on the expected course than the best plan for that course alone.
    """

    courses: int
    left_out: int
    premium: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan. Where something was placed, ``problem`` is what was left for the batteries, and ``placement`` what was placed.

    ``start_kwh`` is the stored energy at the start of each slot, ``energy_value`` what one more stored kWh is worth at its end; both
    ``(batteries, slots)``. ``values`` holds what is known of each battery; it is empty where a battery starts outside its limits, or ways
    of slots stay open.
    """

    problem: Problem
    setpoints: SetPoint
    flows: Flows
    costs: Costs
    start_kwh: FloatArray
    energy_value: FloatArray
    values: tuple[BatteryValue, ...]
    gap: float
    proven: bool
    build_ms: float
    solve_ms: float
    placement: Placement | None = None
    spread: Spread | None = None

    @property
    def value(self) -> BatteryValue | None:
        """What is known of the only battery; None where there are several."""
        return self.values[0] if len(self.values) == 1 else None


def make_plan(problem: Problem, solver: Solver) -> Plan:
    """Return the least-cost plan: what may be placed first, then what is left for the batteries.

    Where limits contradict each other it is the least-cost compromise.

    Raises:
        SolverError: no plan within the time limit.
        PlanMismatchError: physics does not confirm the plan; a bug, never an answer.
    """
    if problem.places:
        return _plan_around(problem, solver)
    begun = perf_counter()
    segments = _segments(problem) if _is_single(problem) else None
    built = perf_counter()
    plan = _plan_single(problem, segments) if segments is not None and _starts_inside(problem) else None
    plan = plan or _plan_by_model(problem, solver)
    if problem.courses is not None and plan.spread is None:
        reason = "no_value_function" if len(problem.site.batteries) == 1 else "several_batteries"
        plan = replace(plan, spread=Spread(1, problem.courses.weight.size, reasons=(reason,)))
    return replace(plan, build_ms=(built - begun) * 1e3, solve_ms=(perf_counter() - built) * 1e3)


def _plan_around(problem: Problem, solver: Solver) -> Plan:
    """Place what may be placed, then plan the batteries around it."""
    begun = perf_counter()
    placement = place(problem)
    plan = make_plan(placement.remaining(problem), solver)
    placed = replace(plan, placement=placement, gap=placement.gap, proven=placement.proven and plan.proven)
    return replace(placed, solve_ms=(perf_counter() - begun) * 1e3 - plan.build_ms)


def _is_single(problem: Problem) -> bool:
    """Return whether the site has one battery whose power depends on nothing but the slot."""
    batteries = problem.site.batteries
    return len(batteries) == 1 and batteries[0].min_charge_kw == 0 and (batteries[0].taper_from_soc == 1 or batteries[0].taper_to_share == 1)


def _starts_inside(problem: Problem) -> bool:
    battery = problem.limits.batteries
    return bool(((battery.min_kwh[:, 0] <= problem.stored_kwh) & (problem.stored_kwh <= battery.max_kwh[:, 0])).all())


def _segments(problem: Problem, direction: Direction | None = None) -> Segments:
    outlook = problem.outlook
    return slot_segments(
        problem.site,
        load_kwh=outlook.load_kwh,
        pv_kwh=outlook.pv_kwh,
        prices=(outlook.import_price, outlook.export_price),
        hours=outlook.timeline.hours,
        direction=direction,
        import_limit_kwh=problem.import_limit_kwh,
    )


def _plan_single(problem: Problem, segments: Segments) -> Plan | None:
    """Plan one battery by its value; None where the ways of its slots are beyond the search, or limits contradict each other."""
    if not segments.covered.all():
        return None
    curtailment, direction = problem.curtailment, None
    if not segments.convex.all():
        direction = choose_ways(problem, segments, terminal_segments(problem))
        if direction is None:
            return None
        segments, curtailment = _segments(problem, direction), hold_back(problem, exports=~direction.may_import)
    value = _value_battery(problem, segments, direction)
    plan = _plan_by_value(problem, value, curtailment=curtailment)
    if plan.flows.excess_kwh.any():
        return None
    return plan if problem.courses is None else _plan_by_mean(plan, value, curtailment=curtailment)


def _plan_by_mean(plan: Plan, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Plan one battery by its mean value over the problem's courses; where that breaks a limit on the expected one, the plan stays as it is."""
    problem, slots = plan.problem, plan.problem.outlook.timeline.count
    weighed_value, mean = weigh_courses(problem, value, slots=slots)
    weighed = _plan_by_value(problem, weighed_value, curtailment=curtailment)
    if weighed.flows.excess_kwh.any() or _misses_end(weighed):
        return replace(plan, spread=Spread(1, mean.courses + mean.left_out - 1, reasons=("limits_on_the_expected_course",)))
    reasons = ("courses_beyond_limits",) if mean.left_out else ()
    return replace(weighed, spread=Spread(mean.courses, mean.left_out, objective(weighed) - objective(plan), reasons))


def _misses_end(plan: Plan) -> bool:
    """Return whether less or more is left at the horizon than is asked for."""
    terminal, last = plan.problem.terminal, plan.flows.stored_kwh[:, -1]
    return bool(((last < terminal.least_kwh - _TOLERANCE_KWH * 10) | (last > terminal.most_kwh + _TOLERANCE_KWH * 10)).any())


def _usable_kwh(problem: Problem) -> float:
    battery = problem.limits.batteries
    return float(battery.max_kwh[0, 0] - battery.min_kwh[0, 0])


def _plan_by_value(problem: Problem, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Plan one battery by the value of its stored energy."""
    segments, lowest = value.segments, problem.limits.batteries.min_kwh[0, 0]
    start = float(problem.stored_kwh[0] - lowest)
    path = follow(value.thresholds, segments, start, _usable_kwh(problem))
    starts = np.concatenate([[start], path[:-1]])
    limit = _displaced_pv_limit_kw(problem, segments, starts - path)
    setpoints = read_modes(value.thresholds, starts, problem.site.batteries[0], curtailment=curtailment, pv_limit_kw=limit)
    left, right = value.function.marginal(path)
    # What a slot took out lay to the right of where it ends, what it put in or keeps to the left; at a hard bound the finite side counts.
    takes_out = path < starts
    near, far = np.where(takes_out, right, left), np.where(takes_out, left, right)
    worth = np.where(np.abs(near) < FORBIDDEN_VALUE / 2, near, far)
    return _check(problem, setpoints, (starts[None, :] + lowest, path[None, :] + lowest), energy_value=worth[None, :], values=(value,))


def _value_battery(problem: Problem, segments: Segments, direction: Direction | None) -> BatteryValue:
    function = solve_value(segments, capacity_kwh=_usable_kwh(problem), terminal=terminal_segments(problem))
    return BatteryValue(function, function.thresholds(segments.levels), segments, direction)


def weigh_courses(problem: Problem, value: BatteryValue, *, slots: int) -> tuple[BatteryValue, MeanValue]:
    """Return what is known of the only battery over the problem's courses in the first ``slots``, instead of ``value`` on the expected one."""
    mean = average_value(problem, direction=value.direction, terminal=terminal_segments(problem), slots=slots)
    segments = value.segments.pick(slice(0, slots))
    return BatteryValue(mean.function, mean.function.thresholds(segments.levels), segments, value.direction), mean


def _displaced_pv_limit_kw(problem: Problem, segments: Segments, taken_kwh: FloatArray) -> FloatArray:
    """Return what PV may produce where the battery empties in its place, given the stored energy each slot takes out; elsewhere no limit."""
    outlook, length = problem.outlook, segments.length_kwh
    out = np.maximum(taken_kwh - length[:, SERVE_FORCED] - length[:, SERVE], 0.0)
    displaced = np.where(segments.displaces_first, np.minimum(out, length[:, FIRST_OUT]), np.maximum(out - length[:, FIRST_OUT], 0.0))
    displaced *= problem.site.batteries[0].discharge_efficiency
    exported = np.where(outlook.export_price > 0, np.maximum(outlook.pv_kwh - outlook.load_kwh, 0.0), 0.0)
    in_use = np.minimum(outlook.pv_kwh, outlook.load_kwh) + np.minimum(exported, problem.site.grid.export_limit_kw * outlook.timeline.hours)
    return np.where(displaced > _NOTHING_KWH, np.maximum(in_use - displaced, 0.0) / outlook.timeline.hours, np.inf)


def terminal_segments(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return V′ of the one battery at the horizon: bounds are steps too high to be traded away."""
    battery, terminal = problem.limits.batteries, problem.terminal
    lowest, highest = battery.min_kwh[0, 0], battery.max_kwh[0, 0]
    least, most = (float(np.clip(level[0], lowest, highest)) for level in (terminal.least_kwh, terminal.most_kwh))
    lengths = np.array([least - lowest, most - least, highest - most])
    values = np.array([FORBIDDEN_VALUE, float(terminal.value[0]), -FORBIDDEN_VALUE])
    return lengths[lengths > 0], values[lengths > 0]


def _plan_by_model(problem: Problem, solver: Solver) -> Plan:
    """Plan by the mixed-integer model; each battery also gets its value, given the ways the model chose."""
    flows = solve_flows(problem, solver)
    planned = _plan_by_flows(problem, flows)
    return replace(planned, values=_value_each(problem, flows)) if _starts_inside(problem) else planned


def _value_each(problem: Problem, flows: PlannedFlows) -> tuple[BatteryValue, ...]:
    """Return the value of each battery while the others do what is planned: their charging counts as load, their discharging as PV."""
    values = []
    for index, battery in enumerate(problem.site.batteries):
        others = np.arange(len(problem.site.batteries)) != index
        load = problem.outlook.load_kwh + flows.charge_kwh[others].sum(axis=0)
        pv = problem.outlook.pv_kwh + flows.discharge_kwh[others].sum(axis=0)
        site = problem.site.model_copy(update={"batteries": [battery]})
        terminal = TerminalRule(*(getattr(problem.terminal, name)[index : index + 1] for name in TerminalRule.__slots__))
        outlook = replace(problem.outlook, load_kwh=load, pv_kwh=pv)
        limits = replace(problem.limits, batteries=BatteryLimits.of([battery]))
        alone = Problem(site, outlook, problem.stored_kwh[index : index + 1], terminal, limits)
        direction = _chosen_direction(alone, flows, index)
        segments = _segments(alone, direction)
        if not segments.convex.all():
            return ()
        values.append(_value_battery(alone, segments, direction))
    return tuple(values)


def objective(plan: Plan) -> float:
    """Return the cost of a plan less what is left in the batteries at the terminal value."""
    return float(plan.costs.total.sum() - (plan.problem.terminal.value * plan.flows.stored_kwh[:, -1]).sum())


def _chosen_direction(problem: Problem, flows: PlannedFlows, index: int) -> Direction:
    """Return the way each slot goes in a solved model; slots whose cost is convex anyway stay free."""
    free = _segments(problem).convex
    imports = flows.export_kwh <= _TOLERANCE_KWH
    discharges = flows.discharge_kwh[index] > _TOLERANCE_KWH
    return Direction(free | imports, free | ~imports, free | ~discharges, free | discharges)


def hold_back(problem: Problem, *, exports: BoolArray) -> IntArray:
    """Return how PV is held back when ways are chosen: where importing and selling both pay, it is off unless the slot exports."""
    outlook, batteries = problem.outlook, problem.site.batteries
    both_pay = (outlook.import_price < 0) & (outlook.export_price > 0) & problem.site.curtailable & all(each.charge_from_grid for each in batteries)
    return np.where(both_pay & ~exports, Curtailment.ALL, problem.curtailment).astype(np.int8)


def _plan_by_flows(problem: Problem, flows: PlannedFlows) -> Plan:
    """Plan by following a solved model slot for slot."""
    outlook = problem.outlook
    # What sells for nothing the model may as well hold back; a limit made of it would take PV from a load that turns out higher.
    idle = (outlook.export_price == 0) & (outlook.import_price >= 0) & (flows.import_kwh <= _NOTHING_KWH)
    held_back = np.where(idle, 0.0, flows.held_back_kwh)
    used = outlook.pv_kwh - held_back
    limit = np.where(held_back > _NOTHING_KWH, used / outlook.timeline.hours, np.inf)
    setpoints = follow_flows(flows, problem.site.batteries, net_load_kwh=outlook.load_kwh - used, pv_limit_kw=limit, hours=outlook.timeline.hours)
    # Where limits are broken, physics decides which: the schedule is then what its set-points come to.
    stored = _simulate(problem, setpoints) if flows.elastic else flows.stored_kwh
    starts = np.concatenate([problem.stored_kwh[:, None], stored[:, :-1]], axis=1)
    plan = _check(problem, setpoints, (starts, stored), energy_value=flows.energy_value, values=())
    apart = abs(objective(plan) - flows.objective)
    if apart > _TOLERANCE_COST * (1.0 + abs(flows.objective)) and not flows.elastic:
        raise PlanMismatchError(f"settled again it costs {apart:.3g} {problem.site.currency} more or less than planned", field="cost.total")
    return replace(plan, gap=flows.gap, proven=flows.proven)


def _simulate(problem: Problem, setpoints: SetPoint) -> FloatArray:
    """Return the stored energy at the end of each slot when the set-points are followed from the start, shape ``(batteries, slots)``."""
    outlook = problem.outlook
    actuals = Actuals(outlook.timeline, outlook.load_kwh, outlook.pv_kwh)
    return simulate(Committed(setpoints), actuals, limits=problem.limits, stored_kwh=problem.stored_kwh[:, None]).flows.stored_kwh[:, 0]


def _check(problem: Problem, setpoints: SetPoint, path: tuple[FloatArray, FloatArray], *, energy_value: FloatArray, values: tuple[BatteryValue, ...]) -> Plan:
    """Settle every slot from the stored energy the plan claims at its start; what comes out must be what it claims at the end.

    By induction over the slots this re-simulates the whole plan, all slots side by side.
    """
    start_kwh, end_kwh = path
    outlook, limits = problem.outlook, problem.limits
    safe = clamp(setpoints, start_kwh, limits)
    flows = settle(safe, start_kwh, load_kwh=outlook.load_kwh, pv_kwh=outlook.pv_kwh, limits=limits, hours=outlook.timeline.hours)
    apart = np.abs(flows.stored_kwh - end_kwh).max(axis=0, initial=0.0)
    residual = balance_residual_kwh(flows, outlook.load_kwh, outlook.pv_kwh)
    wrong = np.flatnonzero((apart > _TOLERANCE_KWH * 10) | (residual > _TOLERANCE_KWH))
    if wrong.size:
        slot = int(wrong[0])
        raise PlanMismatchError(f"stored energy is {apart[slot]:.3g} kWh off, the balance {residual[slot]:.3g} kWh", field=f"slots[{slot}]")
    costs = price_flows(problem, flows)
    return Plan(problem, safe, flows, costs, start_kwh, energy_value, values, gap=0.0, proven=True, build_ms=0.0, solve_ms=0.0)


def price_flows(problem: Problem, flows: Flows) -> Costs:
    """Return what flows cost under the problem's prices, per slot."""
    return slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=problem.outlook.import_price,
        export_price=problem.outlook.export_price,
        wear_price=problem.wear_price,
    )
