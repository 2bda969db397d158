"""Where a plan follows what was learned: what the planner's own value of stored energy would do instead, and what that would cost or save."""

from dataclasses import dataclass

import numpy as np

from luna.energy.physics.mode import BoolArray, Mode
from luna.energy.physics.simulation import SlotActuals
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, settle, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.following import value_policy
from services.planner.reply.slot_flows import NOTHING_KWH

# Less is not told: it would read as nothing.
_LEAST_MONEY = 0.005


@dataclass(frozen=True, slots=True)
class PlannersChoice:
    """What the planner would do in each slot from where the battery is, ``(batteries, slots)``; figures to be left out are NaN.

    ``cost`` is what following what was learned costs more by the planner's value, ``gain`` what it costs less.
    """

    differs: BoolArray
    takes: FloatArray
    gives: FloatArray
    cost: FloatArray
    gain: FloatArray


def read_planners_choice(plan: Plan) -> PlannersChoice:
    """Return what the planner would do; nothing differs where a plan is its own, or where the value of stored energy is incomplete."""
    shape = plan.flows.charge_kwh.shape
    if plan.followed != "learned" or plan.value is None:
        unknown = np.full(shape, np.nan)
        return PlannersChoice(np.zeros(shape, dtype=bool), unknown, unknown, unknown, unknown)
    problem, outlook = plan.problem, plan.problem.outlook
    mode_before = (problem.following.modes or (None,))[0]
    first = np.array([[Mode.SELF_CONSUMPTION if mode_before is None else mode_before]], dtype=np.int8)
    before = np.concatenate([first, plan.setpoints.mode[:, :-1]], axis=1)
    policy = value_policy(plan)
    setpoints = policy.read(slice(None), plan.start_kwh / problem.limits.batteries.capacity_kwh, before)
    _, flows = settle(setpoints, plan.start_kwh, SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours), limits=plan.limits)
    differs = np.abs(flows.stored_kwh - plan.flows.stored_kwh) > NOTHING_KWH
    lowest, function = problem.limits.batteries.min_kwh[0, 0], plan.value.function
    levels = flows.stored_kwh[0] - lowest, plan.flows.stored_kwh[0] - lowest
    more = weigh_flows(problem, plan.flows).total - weigh_flows(problem, flows).total - function.integral(*levels)
    # What only a limit makes priceless is no money.
    is_money = np.abs(more) < FORBIDDEN_VALUE / 2
    return PlannersChoice(
        differs,
        takes=np.where(flows.charge_kwh > NOTHING_KWH, flows.charge_kwh, np.nan),
        gives=np.where(flows.discharge_kwh > NOTHING_KWH, flows.discharge_kwh, np.nan),
        cost=np.where(is_money & (more >= _LEAST_MONEY), more, np.nan)[None, :],
        gain=np.where(is_money & (-more >= _LEAST_MONEY), -more, np.nan)[None, :],
    )
