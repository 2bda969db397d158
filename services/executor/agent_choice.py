"""Choose between a site's planner and agent: whose plan the batteries follow in a slot."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import FOLLOWED, ControlMode
from luna.contracts.control import ReasonCode
from luna.contracts.plan import PlanReply
from luna.energy.errors import UnreadableError
from luna.energy.policy import BatteryThresholds
from luna.energy.site import Site
from luna.platform.database import agent_gates, agent_plans
from services.executor.control_request import ControlRequest

log = structlog.get_logger("luna.executor")

# Codes of verdicts that hold in every control mode; another code was judged for a mode that is no
# longer in force.
_MODE_INDEPENDENT: dict[str, ReasonCode] = {
    "not_cheaper": "not_cheaper",
    "not_safe": "not_safe",
    "no_artefact": "no_artefact",
    "plan_failed": "plan_failed",
}


@dataclass(frozen=True, slots=True)
class AgentPlans:
    """Chooses between a site's planner and agent.

    ``follow`` returns a plan's request for the current slot.
    """

    connection: Connection
    site: Site
    follow: Callable[[PlanReply], ControlRequest]

    def choose_request(self, plan: PlanReply) -> ControlRequest:
        """Return the batteries' request by the agent's plan as far as its mode allows.

        Else it is the request of the planner's ``plan``.
        """
        planned = self.follow(plan)
        if planned.reason != "planned" or self.site.antares.control_mode == "shadow":
            return planned
        gate = agent_gates.read_effective_mode(self.connection, self.site)
        if gate.mode == "shadow":
            withdrawn = gate.code == "mode_withdrawn"
            return replace(planned, reason="mode_withdrawn" if withdrawn else "mode_not_offered")
        try:
            return self._follow_agent(planned, plan, gate.mode)
        except (ValidationError, UnreadableError, LookupError) as error:
            log.warning(
                "the agent's plan cannot be read", plan_id=plan.plan_id, error=type(error).__name__
            )
            return replace(planned, reason="plan_failed")

    def _follow_agent(
        self, planned: ControlRequest, plan: PlanReply, mode: ControlMode
    ) -> ControlRequest:
        """Return the request by the agent's plan if its verdict allows it."""
        policy = SHADOW_POLICIES[self.site.antares.shadow_policy_type]
        shadow = agent_plans.find(self.connection, plan.plan_id, policy)
        if shadow is None:
            return replace(planned, reason="no_verdict")
        if shadow.plan_id is None or shadow.verdict.follow != FOLLOWED[mode]:
            reason = _MODE_INDEPENDENT.get(shadow.verdict.code, "no_verdict")
            return replace(planned, reason=reason)
        agent = agent_plans.load(self.connection, shadow.plan_id)
        if not _matches(agent, plan):
            log.warning(
                "the agent's plan is not of the same slots and batteries", plan_id=plan.plan_id
            )
            return replace(planned, reason="plan_failed")
        if mode == "full_control":
            return replace(self.follow(agent), decided_by="agent", reason="agent_cheaper")
        return self._follow_export(planned, plan, agent)

    def _follow_export(
        self, planned: ControlRequest, plan: PlanReply, agent: PlanReply
    ) -> ControlRequest:
        """Return the planner's request with the agent's export.

        The planner's own where that changes nothing.
        """
        mixed = {}
        for battery in self.site.batteries:
            if battery.name in plan.thresholds:
                planner_policy = plan.thresholds[battery.name].policy(battery)
                agent_policy = agent.thresholds[battery.name].policy(battery)
                mixed[battery.name] = BatteryThresholds.of(planner_policy.sell_as(agent_policy))
        followed = self.follow(plan.model_copy(update={"thresholds": mixed}))
        if followed.requested == planned.requested or not (_sells(followed) or _sells(planned)):
            return planned
        return replace(followed, decided_by="agent", reason="agent_cheaper", plan_id=agent.plan_id)


def _sells(request: ControlRequest) -> bool:
    return any(setpoint.mode == "export" for setpoint in request.requested.values())


def _matches(agent: PlanReply, plan: PlanReply) -> bool:
    """Return whether both plans have thresholds for the same batteries and slots.

    ``plan`` may list only the slots that have begun.
    """
    if not plan.thresholds or set(agent.thresholds) != set(plan.thresholds):
        return False
    begun = [slot.start for slot in plan.slots]
    if [slot.start for slot in agent.slots[: len(begun)]] != begun:
        return False
    series: list[list[Any]] = []
    for thresholds in (*agent.thresholds.values(), *plan.thresholds.values()):
        series += [thresholds.no_pv, thresholds.charge_kw, thresholds.discharge_kw]
        for level in (thresholds.keep, thresholds.begin):
            series += [level.buy, level.store, level.spill, level.serve, level.sell]
    return all(len(values) == len(agent.slots) for values in series)
