"""Plan by the mixed-integer model.

Set-points follow its flows (``flow_solver``) and are re-simulated; each battery then gets its value
function given the others' flows.
"""

from dataclasses import replace

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import BatteryLimits
from luna.energy.physics.mode import Mode, SetPoint
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
from services.planner.milp.battery_constraints import list_constraints
from services.planner.milp.directions import PlannedFlows
from services.planner.milp.flow_solver import OutOfTimeError, solve_flows
from services.planner.milp.inverters import take_direct_first
from services.planner.milp.owner_rows import decide_pins, tell_pins
from services.planner.milp.slack import price_missing
from services.planner.milp.solver import Solver
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem, StorageBounds, TerminalRule

_SAME_KWH = 1e-7


def follow_flows(
    flows: PlannedFlows,
    batteries: list[Battery],
    *,
    net_load_kwh: FloatArray,
    pv_limit_kw: FloatArray,
    hours: FloatArray,
) -> SetPoint:
    """Return set-points that reproduce planned flows.

    Every bound is the planned state of charge at the end of the slot.

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
    metered_kwh = flows.charge_kwh
    if flows.direct_kwh.size:
        metered_kwh = metered_kwh - flows.direct_kwh
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
    charge_mode = np.where(bought > _SAME_KWH, Mode.CHARGE, Mode.SAVE)
    discharge_mode = np.where(sold > _SAME_KWH, Mode.EXPORT, Mode.SUPPLY)
    mode = np.full(end_soc.shape, Mode.HOLD)
    mode = np.where(charging, charge_mode, mode)
    mode = np.where(discharging, discharge_mode, mode)
    charge_kw = np.array([battery.charge_limit_kw for battery in batteries]).reshape(-1, 1)
    discharge_kw = np.array([battery.discharge_limit_kw for battery in batteries]).reshape(-1, 1)
    min_soc = np.array([battery.min_soc for battery in batteries]).reshape(-1, 1)
    max_soc = np.array([battery.max_soc for battery in batteries]).reshape(-1, 1)
    limit_kw = np.where(charging, charge_kw, discharge_kw)
    # The safety layer clips targets to the limits: on the way back to them, power bounds the slot's
    # energy instead.
    outside = (end_soc < min_soc) | (end_soc > max_soc)
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=np.where(outside, (bought + sold) / hours, limit_kw),
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
    """Return each battery's energy exchanged with the grid.

    The house serves those that may not trade first, then the others in order.
    """
    order = np.argsort(may_trade, kind="stable")
    total = np.cumsum(energy_kwh[order], axis=0)
    beyond = np.empty_like(energy_kwh)
    beyond[order] = np.clip(total - house_kwh, 0.0, energy_kwh[order])
    return beyond


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
    """Return each battery's value function with the others at their planned flows.

    Their charging counts as load, their discharging as PV. It leaves out least powers, tapering
    and the depth of cycles, so a policy from it is compared with the planned flows. Empty where it
    would be wrong.
    """
    if problem.tariff.charges:
        return ()
    if any(constraint.valued != "roughly" for _, constraint in list_constraints(problem)):
        return ()
    values = []
    decided = decide_pins(problem, flows)
    if decided.manual is not None and decided.manual.ends:
        return ()  # a deadline to be full by has no value per slot
    for index, battery in enumerate(problem.site.batteries):
        alone = _leave_alone(decided, flows, index)
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
        value = value_battery(alone, segments, direction)
        values.append(replace(value, exact=not battery.wear_by_depth))
    return tuple(values)


def _leave_alone(problem: Problem, flows: PlannedFlows, index: int) -> Problem:
    """Return the problem of one battery with the others at their planned flows."""
    battery = problem.site.batteries[index]
    own = slice(index, index + 1)
    others = np.arange(len(problem.site.batteries)) != index
    load_kwh = problem.outlook.load_kwh + flows.charge_kwh[others].sum(axis=0)
    if flows.direct_kwh.size:
        load_kwh = load_kwh - flows.direct_kwh[others].sum(axis=0)
    site_pv_kwh = problem.outlook.pv_kwh
    pv_kwh = site_pv_kwh + flows.discharge_kwh[others].sum(axis=0)
    inverters = problem.limits.inverters
    if inverters is not None:
        # Inverter shares are of the site's own PV; ``pv_kwh`` includes the others' discharge.
        share = np.divide(site_pv_kwh, pv_kwh, out=np.zeros_like(site_pv_kwh), where=pv_kwh > 0)
        inverters = inverters.only(index, share)
    rules = {name: getattr(problem.terminal, name)[own] for name in TerminalRule.__slots__}
    alone = Problem(
        problem.site.model_copy(update={"batteries": [_wear_evenly(battery)]}),
        replace(problem.outlook, load_kwh=load_kwh, pv_kwh=pv_kwh),
        problem.stored_kwh[own],
        TerminalRule(**rules),
        replace(problem.limits, batteries=BatteryLimits.of([battery]), inverters=inverters),
        manual=None if problem.manual is None else problem.manual.of_battery(index),
    )
    if problem.storage.reserve_kwh is None:
        return alone
    return replace(alone, storage=StorageBounds(problem.storage.reserve_kwh[own]))


def _wear_evenly(battery: Battery) -> Battery:
    """Return a battery with wear by depth replaced by its mean.

    Half of it is per kWh charged, half per kWh discharged.
    """
    if not battery.wear_by_depth:
        return battery
    depths = np.array([0.0, *(segment.to_depth for segment in battery.wear_by_depth)])
    prices = np.array([segment.price for segment in battery.wear_by_depth])
    mean = float(np.diff(depths) @ prices) / float(depths[-1])
    changes = {"wear_price": battery.wear_price + mean / 2, "wear_by_depth": ()}
    return battery.model_copy(update=changes)


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
    """Return the plan simulated from the start with these set-points.

    Limits are widened to the model's flows where it is elastic.
    """
    settled = problem
    if flows.elastic:
        limits = widen_limits(problem, flows.import_kwh, flows.export_kwh)
        settled = replace(problem, limits=limits)
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
