"""Choice of the batteries' plan: the planner's, or the agent's where the gatekeeper allows it for this plan.

A verdict counts for the mode of control that holds at the moment: what is withdrawn ends with the slot.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import FOLLOWED, ControlMode
from luna.contracts.control import BatteryThresholds, ReasonCode
from luna.contracts.plan import PlanReply
from luna.energy.errors import UnreadableError
from luna.energy.site import Site
from luna.platform.database import agent_gates, agent_plans
from luna.platform.database.agent_plans import ShadowPlan
from services.executor.decision import ControlRequest

log = structlog.get_logger("luna.planner.execution")

# Of a verdict these count in every mode: what was judged for another one says nothing of the one that holds by now.
_COUNTS: dict[str, ReasonCode] = {"not_cheaper": "not_cheaper", "not_safe": "not_safe", "no_artefact": "no_artefact", "plan_failed": "plan_failed"}


@dataclass(frozen=True, slots=True)
class AgentPlans:
    """Reader of the agent's plans of a stored site; ``follow`` returns a plan's request for the current slot."""

    connection: Connection
    site: Site
    follow: Callable[[PlanReply], ControlRequest]

    def ask(self, plan: PlanReply) -> ControlRequest:
        """Return the batteries' control request: by the agent's plan as far as its mode allows, else by the planner's ``plan``."""
        planned = self.follow(plan)
        if planned.reason != "planned" or self.site.antares.control_mode == "shadow":
            return planned
        gate = agent_gates.read_effective_mode(self.connection, self.site)
        if gate.mode == "shadow":
            withdrawn = gate.code == "mode_withdrawn"
            return replace(planned, reason="mode_withdrawn" if withdrawn else "mode_not_offered")
        try:
            shadow = agent_plans.find(self.connection, plan.plan_id, SHADOW_POLICIES[self.site.antares.shadow_policy_type])
            return self._judge(planned, plan, shadow, mode=gate.mode)
        except (ValidationError, UnreadableError, LookupError) as error:
            log.warning("the agent's plan cannot be read", plan_id=plan.plan_id, error=type(error).__name__)
            return replace(planned, reason="plan_failed")

    def _judge(self, planned: ControlRequest, plan: PlanReply, shadow: ShadowPlan | None, *, mode: ControlMode) -> ControlRequest:
        if shadow is None:
            return replace(planned, reason="no_verdict")
        if shadow.plan_id is None or shadow.verdict.follow != FOLLOWED[mode]:
            return replace(planned, reason=_COUNTS.get(shadow.verdict.code, "no_verdict"))
        agent = agent_plans.load(self.connection, shadow.plan_id)
        if not _fits(agent, plan):
            log.warning("the agent's plan is not of the same slots and batteries", plan_id=plan.plan_id)
            return replace(planned, reason="plan_failed")
        return self._follow_all(agent) if mode == "full_control" else self._follow_export(planned, plan, agent)

    def _follow_all(self, agent: PlanReply) -> ControlRequest:
        return replace(self.follow(agent), decided_by="agent", reason="agent_cheaper")

    def _follow_export(self, planned: ControlRequest, plan: PlanReply, agent: PlanReply) -> ControlRequest:
        """Return the planner's request with the agent's export; where both are equal it counts as the planner's."""
        batteries = [each for each in self.site.batteries if each.name in plan.thresholds]
        mixed = {each.name: plan.thresholds[each.name].policy(each).sell_as(agent.thresholds[each.name].policy(each)) for each in batteries}
        followed = self.follow(plan.model_copy(update={"thresholds": {name: BatteryThresholds.of(policy) for name, policy in mixed.items()}}))
        if followed.requested == planned.requested or not (_sells(followed) or _sells(planned)):
            return planned
        return replace(followed, decided_by="agent", reason="agent_cheaper", plan_id=agent.plan_id)


def _sells(request: ControlRequest) -> bool:
    return any(each.mode == "export" for each in request.requested.values())


def _fits(agent: PlanReply, plan: PlanReply) -> bool:
    """Return whether a plan has thresholds for the same batteries in the same slots; ``plan`` may have those of its slots alone that have begun."""
    begun = [each.start for each in plan.slots]
    if not plan.thresholds or set(agent.thresholds) != set(plan.thresholds) or [each.start for each in agent.slots[: len(begun)]] != begun:
        return False
    return all(_lengths(each) == {len(agent.slots)} for each in (*agent.thresholds.values(), *plan.thresholds.values()))


def _lengths(thresholds: BatteryThresholds) -> set[int]:
    levels: list[list[float]] = [
        series for level in (thresholds.keep, thresholds.begin) for series in (level.buy, level.store, level.spill, level.serve, level.sell)
    ]
    return {len(thresholds.no_pv), *map(len, (*levels, thresholds.charge_kw, thresholds.discharge_kw))}
