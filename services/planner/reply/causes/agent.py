"""The cause of the agent's decisions: no price explains them."""

from collections.abc import Iterator

import numpy as np

from luna.energy.physics.simulation import Flows, SlotActuals
from services.planner.dp.plan import Plan
from services.planner.following import value_policy
from services.planner.policy_simulation import first_modes
from services.planner.reply.causes.declaration import Cause
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.settlement import settle


def list_agent_causes(evidence: Evidence) -> Iterator[Cause]:
    """Yield the cause where the planner's own value of stored energy would do something else.

    There is none where a plan is the planner's own, or where that value is incomplete.
    """
    plan = evidence.plan
    if plan.followed != "learned" or plan.value is None:
        return
    own = _follow_value(plan)
    differs = np.abs(own.stored_kwh - plan.flows.stored_kwh) > NOTHING_KWH
    takes = np.where(own.charge_kwh > NOTHING_KWH, own.charge_kwh, np.nan)
    gives = np.where(own.discharge_kwh > NOTHING_KWH, own.discharge_kwh, np.nan)
    yield Cause("learned", differs, {"takes": takes, "gives": gives})


def _follow_value(plan: Plan) -> Flows:
    """Return the flows of the planner's own policy, each slot from its planned start."""
    problem = plan.problem
    before = np.concatenate([first_modes(problem), plan.setpoints.mode[:, :-1]], axis=1)
    start_soc = plan.start_kwh / problem.limits.batteries.capacity_kwh
    setpoints = value_policy(plan).read(slice(None), start_soc, before)
    outlook = problem.outlook
    actuals = SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours)
    _, flows = settle(setpoints, plan.start_kwh, actuals, limits=plan.limits)
    return flows
