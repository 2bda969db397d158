"""Plans of one battery: it follows the value of its stored energy."""

from dataclasses import replace

import numpy as np

from luna.energy.physics import BoolArray, Curtailment, IntArray
from luna.energy.timeline import FloatArray
from services.planner.dp.nonconvex import choose_directions
from services.planner.dp.plan import BatteryValue, Plan, Spread, check_plan, objective
from services.planner.dp.policy import read_modes, serve_island, serve_nowhere
from services.planner.dp.segments import FIRST_OUT, FORBIDDEN_VALUE, SECOND_OUT, SERVE, SERVE_FORCED, Segments, problem_segments
from services.planner.dp.value import MeanValue, ValueFunction, average_value, follow, solve_value
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem

# By which share of PV the connection is taken to carry less, the most cautious first. A roof of 8 kW at limits of 2.5, 3 and 4 kW, four weeks each, sun
# forecast to 20 % and load to 30 %: 29.3 kWh beyond the limits became 11.7, and the bills 0.13 less.
_SHARES = (0.5, 0.3, 0.15, 0.05)


# How far a plan and its re-simulation may be apart, kWh per slot.
_TOLERANCE_KWH = 1e-6
_NOTHING_KWH = 1e-9
# What another plan may cost more and still count as costing the same, currency.
_TOLERANCE_COST = 1e-7


def plan_single(problem: Problem, segments: Segments) -> Plan | None:
    """Plan one battery by its value; None where the ways of its slots are beyond the search, or limits contradict each other."""
    if not segments.covered.all():
        return None
    free, curtailment, direction = segments, problem.curtailment, problem.direction
    if not segments.convex.all():
        chosen = choose_directions(problem, segments, terminal_segments(problem))
        if chosen is None:
            return None
        direction = chosen.direction
        segments, curtailment = problem_segments(problem, direction), choose_curtailment(problem, exports=~direction.may_import)
    value = replace(value_battery(problem, segments, direction), free=free)
    plan = _plan_by_value(problem, value, curtailment=curtailment)
    if not problem.site.curtailable:
        plan = _keep_room(plan, value, curtailment=curtailment)
    if plan.flows.excess_kwh.any():
        return None
    return plan if problem.uncertainty.courses is None else _plan_by_mean(plan, value, curtailment=curtailment)


def _keep_room(plan: Plan, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Return the plan that keeps the most room for sun that may not be held back, among those that cost no more than ``plan``."""
    problem = plan.problem
    hours, pv, surplus, carried = problem.outlook.timeline.hours, problem.ac_pv_kwh, problem.surplus_kwh, problem.export_limit_kwh
    for share in _SHARES:
        # A connection that carries less of the sun outward.
        narrowed_kwh = np.maximum(carried - share * pv, 0.0)
        if not (surplus > narrowed_kwh).any():
            continue
        narrow = replace(problem, limits=replace(problem.limits, export_limit_kw=narrowed_kwh / hours))
        segments = problem_segments(narrow, value.direction)
        if segments.covered.all() and segments.convex.all():
            function = value_battery(narrow, segments, value.direction).function
            cautious = replace(value, function=function, thresholds=function.thresholds(value.segments.levels))
            roomy = _plan_by_value(problem, cautious, curtailment=curtailment)
            if not roomy.flows.excess_kwh.any() and not _misses_end(roomy) and objective(roomy) <= objective(plan) + _TOLERANCE_COST:
                return roomy
    return plan


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
    """Return whether the stored energy at the horizon misses the terminal bounds."""
    terminal, last = plan.problem.terminal, plan.flows.stored_kwh[:, -1]
    return bool(((last < terminal.least_kwh - _TOLERANCE_KWH * 10) | (last > terminal.most_kwh + _TOLERANCE_KWH * 10)).any())


def _plan_by_value(problem: Problem, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Plan one battery by the value of its stored energy."""
    segments, lowest, thresholds = value.segments, problem.limits.batteries.min_kwh[0, 0], value.thresholds
    start = float(problem.stored_kwh[0] - lowest)
    path = follow(thresholds, segments, start, value.function.capacity_kwh)
    starts = np.concatenate([[start], path[:-1]])
    # What PV may produce where the battery empties in its place, given the stored energy each slot takes out; elsewhere no limit.
    drawn_kwh = starts - path
    outlook, length = problem.outlook, segments.length_kwh
    out = np.maximum(drawn_kwh - length[:, SERVE_FORCED] - length[:, SERVE], 0.0)
    displaced = np.where(segments.displaces_first, np.minimum(out, length[:, FIRST_OUT]), np.maximum(out - length[:, FIRST_OUT], 0.0))
    displaced *= problem.site.batteries[0].discharge_efficiency
    exported = np.where(outlook.export_price > 0, np.maximum(outlook.pv_kwh - outlook.load_kwh, 0.0), 0.0)
    in_use = np.minimum(outlook.pv_kwh, outlook.load_kwh) + np.minimum(exported, problem.export_limit_kwh)
    limit = np.where(displaced > _NOTHING_KWH, np.maximum(in_use - displaced, 0.0) / outlook.timeline.hours, np.inf)
    # Where PV alone fills the connection nothing can be sold, whatever making room for more of it would be worth.
    filled = segments.length_kwh[:, [FIRST_OUT, SECOND_OUT]].sum(axis=1) <= _NOTHING_KWH
    nowhere = problem.export_limit_kwh <= 0
    # Where nothing may be fed in, surplus is stored as long as that beats holding it back.
    store = np.where(nowhere, np.maximum(thresholds.store_kwh, thresholds.spill_kwh), thresholds.store_kwh)
    thresholds = replace(thresholds, store_kwh=store, sell_kwh=np.where(filled | nowhere, np.inf, thresholds.sell_kwh))
    setpoints = read_modes(thresholds, starts, problem.site.batteries[0], curtailment=curtailment, pv_limit_kw=limit)
    if problem.manual is not None:
        setpoints = serve_island(problem.manual, setpoints, problem.site.batteries[0])
    if problem.storage.give_limit_kwh is not None:
        setpoints = serve_nowhere(setpoints, np.isfinite(problem.storage.give_limit_kwh))
    worth = read_worth(value.function, starts, path)
    return check_plan(problem, setpoints, (starts[None, :] + lowest, path[None, :] + lowest), energy_value=worth[None, :], values=(value,))


def read_worth(function: ValueFunction, start_kwh: FloatArray, end_kwh: FloatArray) -> FloatArray:
    """Return what one more stored kWh is worth at the end of each slot of a path, ``(slots,)``; energies above the lowest state of charge.

    What a slot took out lay to the right of where it ends, what it put in or keeps to the left; at a hard bound the finite side counts.
    """
    left, right = function.marginal(end_kwh)
    takes_out = end_kwh < start_kwh
    near, far = np.where(takes_out, right, left), np.where(takes_out, left, right)
    return np.where(np.abs(near) < FORBIDDEN_VALUE / 2, near, far)


def value_battery(problem: Problem, segments: Segments, direction: Direction | None) -> BatteryValue:
    battery = problem.limits.batteries
    usable_kwh = float(battery.max_kwh[0, 0] - battery.min_kwh[0, 0])
    function = solve_value(segments, capacity_kwh=usable_kwh, terminal=terminal_segments(problem), reserve_kwh=problem.reserve_above_kwh)
    return BatteryValue(function, function.thresholds(segments.levels), segments, direction)


def weigh_courses(problem: Problem, value: BatteryValue, *, slots: int) -> tuple[BatteryValue, MeanValue]:
    """Return the only battery's value over the problem's courses in the first ``slots``, instead of ``value`` on the expected one."""
    mean = average_value(problem, direction=value.direction, terminal=terminal_segments(problem), slots=slots)
    segments = value.segments.pick(slice(0, slots))
    return replace(value, function=mean.function, thresholds=mean.function.thresholds(segments.levels), segments=segments), mean


def terminal_segments(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return V′ of the one battery at the horizon: bounds are steps too high to be traded away."""
    battery, terminal = problem.limits.batteries, problem.terminal
    lowest, highest = float(battery.min_kwh[0, 0]), float(battery.max_kwh[0, 0])
    target_kwh = terminal.least_kwh if problem.storage.reserve_kwh is None else np.maximum(terminal.least_kwh, problem.storage.reserve_kwh[:, -1])
    least, most = min(max(float(target_kwh[0]), lowest), highest), min(max(float(terminal.most_kwh[0]), lowest), highest)
    lengths = np.array([least - lowest, most - least, highest - most])
    values = np.array([FORBIDDEN_VALUE, float(terminal.value[0]), -FORBIDDEN_VALUE])
    return lengths[lengths > 0], values[lengths > 0]


def choose_curtailment(problem: Problem, *, exports: BoolArray) -> IntArray:
    """Return how PV is held back when ways are chosen: where importing and selling both pay, it is off unless the slot exports."""
    outlook, batteries = problem.outlook, problem.site.batteries
    both_pay = (outlook.import_price < 0) & (outlook.export_price > 0)
    if not both_pay.any() or not problem.site.curtailable or not all(each.charge_from_grid for each in batteries):
        return problem.curtailment
    return np.where(both_pay & ~exports, Curtailment.ALL, problem.curtailment).astype(np.int8)
