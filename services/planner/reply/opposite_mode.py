"""The cost of doing the opposite of a slot's mode."""

from dataclasses import replace

import numpy as np

from luna.energy.physics.mode import Mode
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import BatteryValue, Plan, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.settlement import settle

# Behaviour without a mode: the battery rests instead of acting, or follows the house instead of
# resting.
_OPPOSITE = np.array(
    [Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8
)


def price_opposite(evidence: Evidence) -> FloatArray:
    """Return the extra cost of the opposite of each slot's mode, ``(slots,)``; NaN if impossible.

    All else is planned anew: the slot itself is settled with the other mode, and the energy that
    the battery then lacks is worth the integral of V′.
    """
    plan = evidence.plan
    if plan.value is None:
        return np.full(evidence.slots, np.nan)
    other = replace(
        plan.setpoints,
        mode=_OPPOSITE[plan.setpoints.mode],
        floor_soc=evidence.battery.min_soc,
        ceiling_soc=evidence.battery.max_soc,
    )
    actuals = SlotActuals(evidence.load_kwh, evidence.pv_kwh, evidence.hours)
    _, flows = settle(other, evidence.start_kwh, actuals, limits=evidence.limits)
    return _price_flows(plan, plan.value, flows)


def _price_flows(plan: Plan, value: BatteryValue, instead: Flows) -> FloatArray:
    """Return the extra cost of other flows over a plan's, ``(slots,)``."""
    problem = plan.problem
    planned = plan.costs
    # Without anything beside money or scheduled, what the plan costs has been worked out already.
    if plan.load_schedule is not None or problem.billed is not None:
        planned = weigh_flows(problem, plan.flows)
    costs = weigh_flows(problem, instead).total - planned.total
    lowest_kwh = problem.limits.batteries.min_kwh[0, 0]
    planned_level = plan.flows.stored_kwh[0] - lowest_kwh
    other_level = instead.stored_kwh[0] - lowest_kwh
    more = np.maximum(costs - value.function.integral(planned_level, other_level), 0.0)
    priceless = np.abs(value.function.value) > FORBIDDEN_VALUE / 2
    if priceless.any():
        forbidden = replace(value.function, value=priceless.astype(float))
        passed_kwh = np.abs(forbidden.integral(planned_level, other_level))
        more[passed_kwh > NOTHING_KWH] = np.nan
    return np.asarray(more)
