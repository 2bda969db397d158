"""Plans by the mixed-integer model; with the way of every slot fixed, each battery still gets its value function."""

from dataclasses import replace

import numpy as np

from luna.physics import BatteryLimits, InverterLimits, SetPoint
from luna.schedule import Committed
from luna.simulator import Actuals, simulate
from luna.site import Battery
from luna.timeline import FloatArray
from services.planner.model.inverters import take_direct_first
from services.planner.model.manual_rows import decide_pins, tell_pins
from services.planner.model.model_flows import solve_flows
from services.planner.model.reserve_rows import price_missing
from services.planner.model.slack import widen_limits
from services.planner.model.solver import Solver
from services.planner.model.ways import PlannedFlows
from services.planner.plan import BatteryValue, Plan, PlanMismatchError, check_plan, count_excess, objective
from services.planner.posing.problem import Problem, TerminalRule
from services.planner.value.modes import follow_flows
from services.planner.value.offers import problem_segments
from services.planner.value.segments import Direction
from services.planner.value_plan import value_battery

# How far a plan and its re-simulation may be apart, kWh per slot.
_TOLERANCE_KWH = 1e-6
_NOTHING_KWH = 1e-9
# How far the cost of a plan and of its re-simulation may be apart, relative.
_TOLERANCE_COST = 1e-6


def plan_by_model(problem: Problem, solver: Solver) -> Plan:
    """Plan by the mixed-integer model; each battery also gets its value, given the ways the model chose.

    What physics does not confirm is what the set-points come to, slot by slot, and no proven optimum any more.

    Raises:
        SolverError: no solution within the time limit.
    """
    within = problem.inside
    flows = solve_flows(within, solver)
    if problem.conversion is not None:
        flows = take_direct_first(flows, problem.conversion)
    planned = _plan_by_flows(problem, flows)
    return replace(planned, values=_value_each(within, flows), method="model")


def _value_each(problem: Problem, flows: PlannedFlows) -> tuple[BatteryValue, ...]:
    """Return the value of each battery while the others do what is planned: their charging counts as load, their discharging as PV.

    Least powers, tapering and the depth of cycles no value function knows: it is that of a battery without them, and the plan's policy is judged beside its
    flows. Empty where not even that is to be had.
    """
    if problem.blocks is not None:
        return ()
    values, decided = [], decide_pins(problem, flows).manual
    if decided is not None and decided.ends:
        return ()  # what being full in time is worth, no value of a slot says
    for index, battery in enumerate(problem.site.batteries):
        others = np.arange(len(problem.site.batteries)) != index
        load = problem.outlook.load_kwh + flows.charge_kwh[others].sum(axis=0)
        pv = problem.outlook.pv_kwh + flows.discharge_kwh[others].sum(axis=0)
        load = load - flows.direct_kwh[others].sum(axis=0) if flows.direct_kwh.size else load
        site = problem.site.model_copy(update={"batteries": [_wear_evenly(battery)]})
        terminal = TerminalRule(*(getattr(problem.terminal, name)[index : index + 1] for name in TerminalRule.__slots__))
        outlook = replace(problem.outlook, load_kwh=load, pv_kwh=pv)
        limits = replace(problem.limits, batteries=BatteryLimits.of([battery]), inverters=_inverter_of(problem, pv, index))
        manual = None if decided is None else decided.of_battery(index)
        alone = Problem(site, outlook, problem.stored_kwh[index : index + 1], terminal, limits, manual=manual)
        alone = alone if problem.reserve_kwh is None else replace(alone, reserve_kwh=problem.reserve_kwh[index : index + 1])
        direction = _chosen_direction(alone, flows, index)
        segments = problem_segments(alone, direction)
        if not segments.convex.all():
            return ()
        values.append(replace(value_battery(alone, segments, direction), exact=not battery.wear_by_depth))
    return tuple(values)


def _wear_evenly(battery: Battery) -> Battery:
    """Return a battery whose cycles of any depth wear by their mean: half of it where energy goes in, half where it goes out."""
    if not battery.wear_by_depth:
        return battery
    depths = np.array([0.0, *(segment.to_depth for segment in battery.wear_by_depth)])
    mean = float(np.diff(depths) @ np.array([segment.price for segment in battery.wear_by_depth])) / float(depths[-1])
    return battery.model_copy(update={"wear_price": battery.wear_price + mean / 2, "wear_by_depth": ()})


def _inverter_of(problem: Problem, pv_kwh: FloatArray, index: int) -> InverterLimits | None:
    """Return the inverters as one battery sees them where PV counts as ``pv_kwh``; None where there are none."""
    inverters, own = problem.limits.inverters, problem.outlook.pv_kwh
    return None if inverters is None else inverters.only(index, np.divide(own, pv_kwh, out=np.zeros_like(own), where=pv_kwh > 0))


def _chosen_direction(problem: Problem, flows: PlannedFlows, index: int) -> Direction:
    """Return the way each slot goes in a solved model; slots whose cost is convex anyway stay free."""
    free = problem_segments(problem).convex
    imports = flows.export_kwh <= _TOLERANCE_KWH
    discharges = flows.discharge_kwh[index] > _TOLERANCE_KWH
    return Direction(free | imports, free | ~imports, free | ~discharges, free | discharges).within(problem.direction)


def _plan_by_flows(problem: Problem, flows: PlannedFlows) -> Plan:
    """Plan by following a solved model slot for slot."""
    outlook = problem.outlook
    # What sells for nothing the model may as well hold back; a limit made of it would take PV from a load that turns out higher.
    # Where batteries give in its place they make room, or are told to, and a limit it is.
    alone = (flows.import_kwh <= _NOTHING_KWH) & (flows.discharge_kwh.sum(axis=0) <= _NOTHING_KWH)
    idle = (outlook.export_price == 0) & (outlook.import_price >= 0) & alone & (problem.limits.inverters is None)
    held_back = np.where(idle, 0.0, flows.held_back_kwh)
    used = problem.ac_pv_kwh - held_back
    limit = np.where(held_back > _NOTHING_KWH, used / outlook.timeline.hours, np.inf)
    setpoints = follow_flows(flows, problem.site.batteries, net_load_kwh=outlook.load_kwh - used, pv_limit_kw=limit, hours=outlook.timeline.hours)
    setpoints = tell_pins(problem, setpoints, flows.stored_kwh)
    # Where limits are broken, or a battery comes back to its own, physics decides: the schedule is then what its set-points come to.
    if flows.elastic or problem.inside is not problem:
        return replace(_settled(problem, setpoints, flows), gap=flows.gap, proven=flows.proven)
    try:
        starts = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
        plan = check_plan(problem, setpoints, (starts, flows.stored_kwh), energy_value=flows.energy_value, values=())
        apart = ""
    except PlanMismatchError as error:
        # Of plans that cost the same the model names one, and an inverter may come to another: that it costs the same is what counts.
        plan, apart = _settled(problem, setpoints, flows), str(error)
    beyond = objective(plan) + price_missing(problem, plan.flows.stored_kwh) - flows.objective
    if abs(beyond) <= _TOLERANCE_COST * (1.0 + abs(flows.objective)):
        return replace(plan, gap=flows.gap, proven=flows.proven)
    apart = apart or f"settled again it costs {abs(beyond):.3g} {problem.site.currency} more or less than planned"
    return replace(plan, gap=max(flows.gap, beyond / max(abs(flows.objective), 1e-9)), proven=False, disagreements=(apart,))


def _settled(problem: Problem, setpoints: SetPoint, flows: PlannedFlows) -> Plan:
    """Return the plan that set-points come to when they are followed from the start, what they exceed limits by spread as the model spread it."""
    settled = replace(problem, limits=widen_limits(problem, flows.import_kwh, flows.export_kwh)) if flows.elastic else problem
    stored = _simulate(settled, setpoints)
    starts = np.concatenate([problem.stored_kwh[:, None], stored[:, :-1]], axis=1)
    plan = check_plan(settled, setpoints, (starts, stored), energy_value=flows.energy_value, values=())
    return replace(plan, problem=problem, flows=count_excess(problem, plan.flows))


def _simulate(problem: Problem, setpoints: SetPoint) -> FloatArray:
    """Return the stored energy at the end of each slot when the set-points are followed from the start, shape ``(batteries, slots)``."""
    outlook = problem.outlook
    actuals = Actuals(outlook.timeline, outlook.load_kwh, outlook.pv_kwh)
    return simulate(Committed(setpoints), actuals, limits=problem.limits.by_slot(), stored_kwh=problem.stored_kwh[:, None]).flows.stored_kwh[:, 0]
