"""The planner's own choice beside a plan that follows what was learned."""

from dataclasses import dataclass

import numpy as np

from luna.energy.physics.mode import BoolArray, Mode
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import BatteryValue, Plan, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.following import value_policy
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.settlement import settle

# Less is not shown: it would read as nothing.
_LEAST_MONEY = 0.005


@dataclass(frozen=True, slots=True)
class PlannersChoice:
    """The planner's own choice in each slot, ``(batteries, slots)``; NaN: to be left out.

    ``cost`` is what following what was learned costs more by the planner's value, ``gain`` what it
    costs less.
    """

    differs: BoolArray
    takes: FloatArray
    gives: FloatArray
    cost: FloatArray
    gain: FloatArray


def read_planners_choice(plan: Plan) -> PlannersChoice:
    """Return the planner's choice.

    Nothing differs where a plan is its own, or where the value of stored energy is incomplete.
    """
    if plan.followed != "learned" or plan.value is None:
        shape = plan.flows.charge_kwh.shape
        unknown = np.full(shape, np.nan)
        return PlannersChoice(np.zeros(shape, dtype=bool), unknown, unknown, unknown, unknown)
    flows = _follow_value(plan)
    more = _price_difference(plan, plan.value, flows)
    # Differences beyond any price come from limits and are no money.
    is_money = np.abs(more) < FORBIDDEN_VALUE / 2
    costs_more = is_money & (more >= _LEAST_MONEY)
    costs_less = is_money & (-more >= _LEAST_MONEY)
    return PlannersChoice(
        differs=np.abs(flows.stored_kwh - plan.flows.stored_kwh) > NOTHING_KWH,
        takes=np.where(flows.charge_kwh > NOTHING_KWH, flows.charge_kwh, np.nan),
        gives=np.where(flows.discharge_kwh > NOTHING_KWH, flows.discharge_kwh, np.nan),
        cost=np.where(costs_more, more, np.nan)[None, :],
        gain=np.where(costs_less, -more, np.nan)[None, :],
    )


def _follow_value(plan: Plan) -> Flows:
    """Return the flows of the planner's own policy, each slot from its planned start."""
    problem = plan.problem
    mode_before = Mode.SELF_CONSUMPTION
    if problem.following.modes and problem.following.modes[0] is not None:
        mode_before = problem.following.modes[0]
    first = np.array([[mode_before]], dtype=np.int8)
    before = np.concatenate([first, plan.setpoints.mode[:, :-1]], axis=1)
    start_soc = plan.start_kwh / problem.limits.batteries.capacity_kwh
    setpoints = value_policy(plan).read(slice(None), start_soc, before)
    outlook = problem.outlook
    actuals = SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours)
    _, flows = settle(setpoints, plan.start_kwh, actuals, limits=plan.limits)
    return flows


def _price_difference(plan: Plan, value: BatteryValue, flows: Flows) -> FloatArray:
    """Return each slot's extra cost over other flows, by the planner's value of stored energy."""
    lowest_kwh = plan.problem.limits.batteries.min_kwh[0, 0]
    worth = value.function.integral(
        flows.stored_kwh[0] - lowest_kwh, plan.flows.stored_kwh[0] - lowest_kwh
    )
    planned = weigh_flows(plan.problem, plan.flows).total
    other = weigh_flows(plan.problem, flows).total
    return np.asarray(planned - other - worth)
