"""Plans and policies of one battery, by the value of its stored energy.

The policy holds from any state of charge.
"""

from dataclasses import replace
from itertools import starmap
from operator import attrgetter

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.economics.costs import BreakEven
from luna.energy.physics.mode import (
    CHARGE,
    EXPORT,
    HOLD,
    SAVE,
    SELF_CONSUMPTION,
    SERVES,
    STORES,
    SUPPLY,
    BoolArray,
    Curtailment,
    IntArray,
    Mode,
    SetPoint,
)
from luna.energy.policy import (
    HIGHEST_SOC,
    LITTLE_SOC,
    LOWEST_SOC,
    SAME_SOC,
    BatteryPolicy,
    SocThresholds,
)
from luna.energy.timeline import FloatArray, bound
from services.planner.dp import kernels
from services.planner.dp.nonconvex import choose_directions
from services.planner.dp.plan import BatteryValue, Plan, Spread, check_plan, objective
from services.planner.dp.segments import (
    FIRST_OUT,
    FORBIDDEN_VALUE,
    KINDS,
    SECOND_OUT,
    SERVE,
    SERVE_FORCED,
    Segments,
    problem_segments,
)
from services.planner.dp.value import (
    MeanValue,
    Thresholds,
    ValueFunction,
    average_value,
    follow,
    solve_value,
)
from services.planner.problem.directions import Direction
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.problem import Margin, Problem

_read_levels = attrgetter(*SocThresholds.__slots__)
# Stored energies this close are the same.
_SAME_KWH = 1e-7


def read_modes(
    thresholds: Thresholds,
    stored_kwh: FloatArray,
    battery: Battery,
    *,
    curtailment: IntArray,
    pv_limit_kw: FloatArray | float = np.inf,
) -> SetPoint:
    """Return the set-points of one battery whose slots begin with ``stored_kwh``.

    Between the thresholds, a full battery counts as storing and an empty one as serving: the mode
    then follows the house instead of flickering with the last watt-hour.

    Args:
        thresholds: of the same slots, kWh above the reserve.
        stored_kwh: at the start of each slot, kWh above the reserve, shape ``(slots,)``.
        battery: of the site.
        curtailment: of PV, shape ``(slots,)``.
        pv_limit_kw: limit of PV power where the plan lets the battery displace it.
    """
    usable_kwh = (battery.max_soc - battery.min_soc) * battery.capacity_kwh
    stores_to_full = thresholds.store_kwh >= usable_kwh - _SAME_KWH
    stores = (stored_kwh < thresholds.store_kwh - _SAME_KWH) | stores_to_full
    serves_to_empty = thresholds.serve_kwh <= _SAME_KWH
    serves = (stored_kwh > thresholds.serve_kwh + _SAME_KWH) | serves_to_empty
    serving = np.where(stores, SELF_CONSUMPTION, SUPPLY)
    resting = np.where(stores, SAVE, HOLD)
    mode = np.where(serves, serving, resting)
    charges = stored_kwh < thresholds.buy_kwh - _SAME_KWH
    exports = stored_kwh > thresholds.sell_kwh + _SAME_KWH
    mode = np.where(charges, CHARGE, np.where(exports, EXPORT, mode))
    target_kwh = np.where(charges, thresholds.buy_kwh, thresholds.sell_kwh)
    levels_kwh = np.array(
        [target_kwh, thresholds.serve_kwh, thresholds.store_kwh, thresholds.spill_kwh]
    )
    levels_soc = battery.min_soc + levels_kwh / battery.capacity_kwh
    target, floor, ceiling, spill = bound(levels_soc, battery.min_soc, battery.max_soc)
    power_kw = np.where(charges, battery.charge_limit_kw, battery.discharge_limit_kw)
    return SetPoint(
        mode=mode.astype(np.int8)[None, :],
        power_kw=power_kw[None, :],
        target_soc=target[None, :],
        floor_soc=floor[None, :],
        ceiling_soc=ceiling[None, :],
        spill_soc=spill[None, :],
        curtailment=curtailment,
        pv_limit_kw=np.broadcast_to(np.asarray(pv_limit_kw, dtype=float), curtailment.shape),
    )


def serve_island(manual: Manual, setpoints: SetPoint, battery: Battery) -> SetPoint:
    """Return set-points that serve the house where its owner lets nothing be imported."""
    mode = setpoints.mode
    serves = manual.no_import & ~SERVES[mode] & manual.may_discharge & (mode < Mode.CHARGE)
    serving = np.where(STORES[mode], Mode.SELF_CONSUMPTION, Mode.SUPPLY)
    mode = np.where(serves, serving, mode)
    return replace(
        setpoints,
        mode=mode.astype(np.int8),
        floor_soc=np.where(serves, battery.min_soc, setpoints.floor_soc),
    )


def serve_nowhere(setpoint: SetPoint, where: BoolArray) -> SetPoint:
    """Return set-points under which no battery serves in the slots ``where``.

    An inverter controls by the meter and knows no charger: what it discharges for the house goes
    into the car as soon as the house takes less.
    """
    resting = np.where(STORES[setpoint.mode], Mode.SAVE, Mode.HOLD)
    mode = np.where(where & SERVES[setpoint.mode], resting, setpoint.mode)
    return replace(setpoint, mode=mode.astype(np.int8))


# Where buying and selling cost the same, storing and serving win exact ties alone. Source:
# docs/decisions/0004.
_EVEN_TIE = 1e-6
# An action begins that moves so large a share of the capacity, or gains so many margins against
# switching (docs/decisions/0033).
_LEAST_MOVE_SOC = 0.05
_CLEAR_GAIN = 3.0
# Only polar nights are longer: a longer stretch without PV is a gap in the forecast.
_LONGEST_NIGHT_HOURS = 20.0


def read_policy(
    value: BatteryValue,
    battery: Battery,
    *,
    night: BoolArray,
    margin: Margin,
    switching_price: float,
) -> BatteryPolicy:
    """Return the policy of a battery by the value of its stored energy.

    Args:
        value: of this battery alone.
        battery: of the site.
        night: slots without sun, shape ``(slots,)``.
        margin: per stored kWh, for self-consumption and against a change of mode.
        switching_price: least gain of a change of mode, per stored kWh.
    """
    levels = value.segments.levels
    even = value.segments.even
    house_margin = margin.self_consumption_margin
    house = np.where(even, min(_EVEN_TIE, house_margin), house_margin)
    hysteresis = np.where(even, 0.0, margin.hysteresis)
    stick = np.maximum(hysteresis, switching_price)
    # The gain per stored kWh that an action needs to go on, to begin, and to begin however little
    # it moves.
    gains = np.array([-stick, stick, stick + (_CLEAR_GAIN - 1.0) * hysteresis])
    # Without hysteresis an action begins where it goes on: one set of thresholds.
    gains = gains if stick.any() else gains[:1]
    break_even = BreakEven(
        buy=levels.buy + gains,
        store=levels.store + gains,
        spill=np.broadcast_to(levels.spill, gains.shape),
        serve=levels.serve - gains,
        sell=levels.sell - gains,
        displace=np.broadcast_to(levels.displace, gains.shape),
    )
    thresholds = value.function.thresholds(break_even, self_consumption_margin=house)
    soc_levels = to_soc(thresholds, battery, value.function.capacity_kwh)
    keep, *begins = starmap(SocThresholds, zip(*_read_levels(soc_levels), strict=True))
    keep = begin = keep.rounded()
    if begins:
        # Actions begin that move enough, or whose gain is clear.
        enough, clear = begins
        begin = SocThresholds(
            buy=np.maximum(enough.buy - _LEAST_MOVE_SOC, clear.buy),
            store=np.maximum(enough.store - _LEAST_MOVE_SOC, clear.store),
            spill=enough.spill,
            serve=np.minimum(enough.serve + _LEAST_MOVE_SOC, clear.serve),
            sell=np.minimum(enough.sell + _LEAST_MOVE_SOC, clear.sell),
        ).rounded()
    slots = value.segments.charge_kwh.size
    charge_kw = np.full(slots, battery.charge_limit_kw)
    discharge_kw = np.full(slots, battery.discharge_limit_kw)
    return BatteryPolicy(battery, keep, begin, night[:slots], charge_kw, discharge_kw)


def correct_value(value: BatteryValue, correction: FloatArray) -> BatteryValue:
    """Return the value with V′ raised by ``correction``, currency per stored kWh, ``(slots,)``.

    V′ plus a correction reaches a break-even value where V′ alone reaches one lower by the
    correction.
    """
    levels = value.segments.levels
    lower = BreakEven(
        buy=levels.buy - correction,
        store=levels.store - correction,
        spill=levels.spill - correction,
        serve=levels.serve - correction,
        sell=levels.sell - correction,
        displace=levels.displace - correction,
    )
    return replace(value, segments=replace(value.segments, levels=lower))


def find_nights(pv_kwh: FloatArray, hours: FloatArray) -> BoolArray:
    """Return the slots without sun, shape ``(slots,)``.

    A stretch without expected PV that lasts longer than a night is none.
    """
    dark = pv_kwh <= 0
    edges = dark.copy()
    edges[1:] ^= dark[:-1]
    run = np.cumsum(edges)
    length = np.bincount(run, weights=hours)
    return np.asarray(dark & (length[run] <= _LONGEST_NIGHT_HOURS))


def to_soc(thresholds: Thresholds, battery: Battery, usable_kwh: float) -> SocThresholds:
    """Return thresholds above the lowest state of charge as states of charge.

    What never happens is out of reach.
    """
    levels_kwh = [
        thresholds.buy_kwh,
        thresholds.store_kwh,
        thresholds.spill_kwh,
        thresholds.serve_kwh,
        thresholds.sell_kwh,
    ]
    buy, store, spill, serve, sell = battery.min_soc + np.array(levels_kwh) / battery.capacity_kwh
    never_buys = thresholds.buy_kwh <= _SAME_KWH
    never_sells = thresholds.sell_kwh >= usable_kwh - _SAME_KWH
    return SocThresholds(
        np.where(never_buys, LOWEST_SOC, buy),
        store,
        spill,
        serve,
        np.where(never_sells, HIGHEST_SOC, sell),
    )


def walk_policy(
    policy: BatteryPolicy, segments: Segments, start_kwh: float, *, mode: int
) -> tuple[FloatArray, IntArray]:
    """Return a policy's stored energy at slot ends, kWh, and its modes, both ``(slots,)``.

    ``segments`` describe the scenario that it meets.
    """
    path = np.empty(segments.charge_kwh.size)
    modes = np.empty(segments.charge_kwh.size, dtype=np.int64)
    length = segments.length_kwh
    sells_second = segments.displaces_first
    if sells_second.any():
        # A policy only sells: displacing PV is left to curtailment.
        length = length.copy()
        length[sells_second, FIRST_OUT] = length[sells_second, SECOND_OUT]
    limits, state = _kernel_inputs(policy, start_kwh, mode)
    kernels.follow_policy(limits, (length, policy.no_pv.astype(float)), state, (path, modes))
    battery = policy.battery
    return path + battery.min_soc * battery.capacity_kwh, modes.astype(np.int8)


def cost_scenarios(
    policy: BatteryPolicy,
    offered: tuple[FloatArray, FloatArray],
    start_kwh: float,
    *,
    terminal: tuple[FloatArray, FloatArray],
    mode: int,
) -> FloatArray:
    """Return what a policy costs on each of many scenarios, ``(scenarios,)``.

    What every policy costs alike is left out.

    Args:
        policy: of the only battery.
        offered: lengths and values of the scenarios' segments, both ``(scenarios, slots, 7)``.
        start_kwh: stored at the start.
        terminal: V′ at the horizon.
        mode: before the first slot.
    """
    cost = np.empty(offered[0].shape[0])
    slots = (*offered, policy.no_pv.astype(float))
    limits, state = _kernel_inputs(policy, start_kwh, mode)
    kernels.follow_each(limits, slots, terminal, state, cost)
    return cost


def load_kernels() -> None:
    """Load the compiled loops, or compile them the first time."""
    limits = np.zeros((5, 1))
    lengths = np.zeros((1, 1, KINDS))
    dark = np.ones(1)
    battery = np.zeros(5)
    kernels.follow_policy(
        (limits, limits), (lengths[0], dark), battery, (np.empty(1), np.empty(1, dtype=np.int64))
    )
    kernels.follow_each(
        (limits, limits), (lengths, lengths, dark), (dark, dark), battery, np.empty(1)
    )


def _kernel_inputs(
    policy: BatteryPolicy, start_kwh: float, mode: int
) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Return the thresholds ``keep`` and ``begin``, ``(5, slots)``, the state and tolerances.

    Energy is in kWh above the lowest state of charge.
    """
    battery = policy.battery
    capacity = policy.battery.capacity_kwh
    keep = np.array(_read_levels(policy.keep))
    begin = np.array(_read_levels(policy.begin))
    usable = (battery.max_soc - battery.min_soc) * capacity
    lowest = battery.min_soc * capacity
    state = np.array([start_kwh - lowest, usable, LITTLE_SOC * capacity, SAME_SOC * capacity, mode])
    return ((keep - battery.min_soc) * capacity, (begin - battery.min_soc) * capacity), state


# --- plans: the policy's thresholds from one state of charge, checked by physics ------------------

# The export limit is planned as if lower by this share of PV, the most cautious first. A roof of 8
# kW at limits of 2.5, 3 and 4 kW, four weeks each, sun forecast to 20 % and load to 30 %: 29.3 kWh
# beyond the limits became 11.7, and the bills 0.13 less.
_CAUTION_SHARES = (0.5, 0.3, 0.15, 0.05)
# How far a plan and its re-simulation may be apart, kWh per slot.
_TOLERANCE_KWH = 1e-6
_NOTHING_KWH = 1e-9
# Difference of cost up to which plans count as equal, currency.
_TOLERANCE_COST = 1e-7


def plan_single(problem: Problem, segments: Segments) -> Plan | None:
    """Plan one battery by its value function.

    None where the search finds no flow directions, or limits contradict each other.
    """
    if not segments.covered.all():
        return None
    free = segments
    curtailment = problem.curtailment
    direction = problem.direction
    if not segments.convex.all():
        chosen = choose_directions(problem, segments, terminal_segments(problem))
        if chosen is None:
            return None
        direction = chosen.direction
        segments = problem_segments(problem, direction)
        curtailment = choose_curtailment(problem, exports=~direction.may_import)
    value = replace(value_battery(problem, segments, direction), free=free)
    plan = _plan_by_value(problem, value, curtailment=curtailment)
    if not problem.site.curtailable:
        plan = _keep_room(plan, value, curtailment=curtailment)
    if plan.flows.excess_kwh.any():
        return None
    if problem.uncertainty.scenarios is None:
        return plan
    return _plan_by_mean(plan, value, curtailment=curtailment)


def _keep_room(plan: Plan, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Return a plan of equal cost with the most room in the battery for PV.

    Such PV may not be curtailed.
    """
    problem = plan.problem
    hours = problem.outlook.timeline.hours
    for share in _CAUTION_SHARES:
        limit_kwh = np.maximum(problem.export_limit_kwh - share * problem.ac_pv_kwh, 0.0)
        if not (problem.surplus_kwh > limit_kwh).any():
            continue
        limits = replace(problem.limits, export_limit_kw=limit_kwh / hours)
        narrow = replace(problem, limits=limits)
        segments = problem_segments(narrow, value.direction)
        if not (segments.covered.all() and segments.convex.all()):
            continue
        function = value_battery(narrow, segments, value.direction).function
        thresholds = function.thresholds(value.segments.levels)
        cautious_value = replace(value, function=function, thresholds=thresholds)
        cautious = _plan_by_value(problem, cautious_value, curtailment=curtailment)
        keeps_limits = not cautious.flows.excess_kwh.any() and not _misses_end(cautious)
        if keeps_limits and objective(cautious) <= objective(plan) + _TOLERANCE_COST:
            return cautious
    return plan


def _plan_by_mean(plan: Plan, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Plan one battery by its mean value over the problem's scenarios.

    Where that breaks a limit on the expected one, the plan stays as it is.
    """
    problem = plan.problem
    slots = plan.problem.outlook.timeline.count
    weighed_value, mean = weigh_scenarios(problem, value, slots=slots)
    weighed = _plan_by_value(problem, weighed_value, curtailment=curtailment)
    if weighed.flows.excess_kwh.any() or _misses_end(weighed):
        left_out = mean.scenarios + mean.left_out - 1
        return replace(
            plan, spread=Spread(1, left_out, reasons=("limits_on_the_expected_scenario",))
        )
    reasons = ("scenarios_beyond_limits",) if mean.left_out else ()
    premium = objective(weighed) - objective(plan)
    return replace(weighed, spread=Spread(mean.scenarios, mean.left_out, premium, reasons))


def _misses_end(plan: Plan) -> bool:
    """Return whether the stored energy at the horizon misses the terminal bounds."""
    terminal = plan.problem.terminal
    last = plan.flows.stored_kwh[:, -1]
    is_low = last < terminal.least_kwh - _TOLERANCE_KWH * 10
    is_high = last > terminal.most_kwh + _TOLERANCE_KWH * 10
    return bool((is_low | is_high).any())


def _plan_by_value(problem: Problem, value: BatteryValue, *, curtailment: IntArray) -> Plan:
    """Plan one battery by the value of its stored energy."""
    segments = value.segments
    battery = problem.site.batteries[0]
    lowest = problem.limits.batteries.min_kwh[0, 0]
    start = float(problem.stored_kwh[0] - lowest)
    path = follow(value.thresholds, segments, start, value.function.capacity_kwh)
    starts = np.concatenate([[start], path[:-1]])
    setpoints = read_modes(
        _close_exports(problem, value.thresholds, segments),
        starts,
        battery,
        curtailment=curtailment,
        pv_limit_kw=_limit_pv(problem, segments, drawn_kwh=starts - path),
    )
    if problem.storage.give_limit_kwh is not None:
        setpoints = serve_nowhere(setpoints, np.isfinite(problem.storage.give_limit_kwh))
    # The owner's block after the car's rule, as in the policy that follows: the block comes first
    # (docs/decisions/0025).
    if problem.manual is not None:
        setpoints = serve_island(problem.manual, setpoints, battery)
    worth = read_worth(value.function, starts, path)
    return check_plan(
        problem,
        setpoints,
        (starts[None, :] + lowest, path[None, :] + lowest),
        energy_value=worth[None, :],
        values=(value,),
    )


def _limit_pv(problem: Problem, segments: Segments, *, drawn_kwh: FloatArray) -> FloatArray:
    """Return the limit of PV power, kW, ``(slots,)``: infinite where the battery displaces none.

    ``drawn_kwh`` is the stored energy that each slot takes out.
    """
    outlook = problem.outlook
    length = segments.length_kwh
    out = np.maximum(drawn_kwh - length[:, SERVE_FORCED] - length[:, SERVE], 0.0)
    displaced_first = np.minimum(out, length[:, FIRST_OUT])
    displaced_second = np.maximum(out - length[:, FIRST_OUT], 0.0)
    displaced = np.where(segments.displaces_first, displaced_first, displaced_second)
    displaced *= problem.site.batteries[0].discharge_efficiency
    surplus = np.maximum(outlook.pv_kwh - outlook.load_kwh, 0.0)
    exported = np.minimum(
        np.where(outlook.export_price > 0, surplus, 0.0), problem.export_limit_kwh
    )
    in_use = np.minimum(outlook.pv_kwh, outlook.load_kwh) + exported
    limit_kw = np.maximum(in_use - displaced, 0.0) / outlook.timeline.hours
    return np.where(displaced > _NOTHING_KWH, limit_kw, np.inf)


def _close_exports(problem: Problem, thresholds: Thresholds, segments: Segments) -> Thresholds:
    """Return thresholds that sell nothing where the connection lets nothing more out."""
    # Where PV alone fills the export limit nothing can be sold, whatever room in the battery would
    # be worth.
    filled = segments.length_kwh[:, [FIRST_OUT, SECOND_OUT]].sum(axis=1) <= _NOTHING_KWH
    no_export = problem.export_limit_kwh <= 0
    sell_kwh = np.where(filled | no_export, np.inf, thresholds.sell_kwh)
    # Where nothing may be fed in, surplus is stored as long as that beats curtailing it.
    beats_curtailing_kwh = np.maximum(thresholds.store_kwh, thresholds.spill_kwh)
    store_kwh = np.where(no_export, beats_curtailing_kwh, thresholds.store_kwh)
    return replace(thresholds, store_kwh=store_kwh, sell_kwh=sell_kwh)


def read_worth(function: ValueFunction, start_kwh: FloatArray, end_kwh: FloatArray) -> FloatArray:
    """Return the value of one more stored kWh at the end of each slot, ``(slots,)``.

    Energies are above the lowest state of charge. What a slot took out lay to the right of where it
    ends, what it put in or keeps to the left; at a hard bound the finite side counts.
    """
    left, right = function.marginal(end_kwh)
    takes_out = end_kwh < start_kwh
    near = np.where(takes_out, right, left)
    far = np.where(takes_out, left, right)
    return np.where(np.abs(near) < FORBIDDEN_VALUE / 2, near, far)


def value_battery(
    problem: Problem, segments: Segments, direction: Direction | None
) -> BatteryValue:
    battery = problem.limits.batteries
    usable_kwh = float(battery.max_kwh[0, 0] - battery.min_kwh[0, 0])
    function = solve_value(
        segments,
        capacity_kwh=usable_kwh,
        terminal=terminal_segments(problem),
        reserve_kwh=problem.reserve_above_kwh,
    )
    return BatteryValue(function, function.thresholds(segments.levels), segments, direction)


def weigh_scenarios(
    problem: Problem, value: BatteryValue, *, slots: int
) -> tuple[BatteryValue, MeanValue]:
    """Return the only battery's mean value over the problem's scenarios in the first ``slots``.

    ``value`` is that on the expected scenario.
    """
    mean = average_value(
        problem, direction=value.direction, terminal=terminal_segments(problem), slots=slots
    )
    segments = value.segments.pick(slice(0, slots))
    thresholds = mean.function.thresholds(segments.levels)
    weighed = replace(value, function=mean.function, thresholds=thresholds, segments=segments)
    return weighed, mean


def terminal_segments(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return lengths and values of V′ at the horizon.

    Bounds are steps too high to trade away.
    """
    battery = problem.limits.batteries
    terminal = problem.terminal
    lowest = float(battery.min_kwh[0, 0])
    highest = float(battery.max_kwh[0, 0])
    target_kwh = terminal.least_kwh
    if problem.storage.reserve_kwh is not None:
        target_kwh = np.maximum(target_kwh, problem.storage.reserve_kwh[:, -1])
    least = min(max(float(target_kwh[0]), lowest), highest)
    most = min(max(float(terminal.most_kwh[0]), lowest), highest)
    lengths = np.array([least - lowest, most - least, highest - most])
    values = np.array([FORBIDDEN_VALUE, float(terminal.value[0]), -FORBIDDEN_VALUE])
    return lengths[lengths > 0], values[lengths > 0]


def choose_curtailment(problem: Problem, *, exports: BoolArray) -> IntArray:
    """Return the curtailment of each slot, ``(slots,)``.

    Where importing and selling both pay, PV is off unless the slot exports.
    """
    outlook = problem.outlook
    both_pay = (outlook.import_price < 0) & (outlook.export_price > 0)
    all_buy = problem.limits.batteries.charge_from_grid.all()
    if not (both_pay.any() and problem.site.curtailable and all_buy):
        return problem.curtailment
    return np.where(both_pay & ~exports, Curtailment.ALL, problem.curtailment).astype(np.int8)
