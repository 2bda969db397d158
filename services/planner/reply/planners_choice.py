"""The planner's own choice beside a plan that follows the agent."""

from dataclasses import dataclass

import numpy as np

from luna.energy.physics.mode import BoolArray, Mode
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.following import value_policy
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.settlement import settle


@dataclass(frozen=True, slots=True)
class PlannersChoice:
    """The planner's own choice in each slot, ``(batteries, slots)``; NaN: to be left out."""

    differs: BoolArray
    takes: FloatArray
    gives: FloatArray


def read_planners_choice(plan: Plan) -> PlannersChoice:
    """Return the planner's choice.

    Nothing differs where a plan is its own, or where the value of stored energy is incomplete.
    """
    if plan.followed != "learned" or plan.value is None:
        shape = plan.flows.charge_kwh.shape
        unknown = np.full(shape, np.nan)
        return PlannersChoice(np.zeros(shape, dtype=bool), unknown, unknown)
    flows = _follow_value(plan)
    return PlannersChoice(
        differs=np.abs(flows.stored_kwh - plan.flows.stored_kwh) > NOTHING_KWH,
        takes=np.where(flows.charge_kwh > NOTHING_KWH, flows.charge_kwh, np.nan),
        gives=np.where(flows.discharge_kwh > NOTHING_KWH, flows.discharge_kwh, np.nan),
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
