"""Make, judge and store the agent's shadow plan from the inputs of a planner's plan.

A failure becomes a verdict in the row, a log line and a count; it never affects the planner's plan,
which was issued before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter

import numpy as np
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import Connection, Engine

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import GateCode, GateVerdict, ShadowPlanReply, ShadowPlanRequest
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.columns import PlanColumns
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.clock import Clock
from luna.platform.database import agent_gates, agent_plans, plans, sites
from luna.platform.database.agent_plans import ShadowPlan
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.task_metrics import TaskCounter, TaskHistogram
from services.agent.gatekeeper import PlanJudgement, judge_plan
from services.agent.policy import ExplainsValue, TrainedAgent
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.reply import answer_columns, digest
from services.planner.service.inputs import PRICE_MEMORY, read_prices

SHADOW_PLANS = TaskCounter(
    "luna_agent_shadow_plans_total",
    "Plans of the agent beside the planner's, by the gatekeeper's verdict.",
    ["code"],
)
SHADOW_SECONDS = TaskHistogram(
    "luna_agent_shadow_plan_seconds",
    "Time from a plan of the planner being picked up to the agent's being judged.",
)
log = structlog.get_logger("luna.agent")

# Returns a site's agent by its policy's name, trained on data from before an instant; None where
# none was accepted.
LoadAgent = Callable[[Connection, Site, str, datetime], TrainedAgent | None]


class AgentPlanError(LunaError):
    """An agent's plan has no policy, other slots, or values that are not finite."""

    title = "The agent made no plan"
    code = "agent-plan"


@dataclass(frozen=True, slots=True)
class _Basis:
    """The planner's plan, its complete request, and the stored site as it is now."""

    plan: PlanReply
    inputs: PlanRequest
    site: Site

    @classmethod
    def read(cls, connection: Connection, plan_id: str) -> "_Basis":
        inputs = plans.load_inputs(connection, plan_id)
        if inputs.site is None:
            raise refuse("plan-of-no-site", field="plan_id", value=plan_id)
        plan = plans.load(connection, plan_id)
        return cls(plan, inputs, sites.load(connection, inputs.site.name))

    @property
    def policy(self) -> str:
        """The name of the site's shadow policy."""
        return SHADOW_POLICIES[self.site.antares.shadow_policy_type]

    def report(self, verdict: GateVerdict, now: datetime) -> ShadowPlan:
        """Return a row without a plan."""
        last = self.plan.slots[-1].start + timedelta(minutes=self.plan.slot_minutes)
        return ShadowPlan(
            based_on=self.plan.plan_id,
            policy=self.policy,
            issued_at=now,
            starts_at=self.plan.slots[0].start,
            ends_at=last,
            verdict=verdict,
        )


def plan_beside(
    engine: Engine, request: ShadowPlanRequest, load: LoadAgent, *, clock: Clock
) -> ShadowPlanReply:
    """Make and store the agent's plan beside a planner's plan, or return the existing one.

    Args:
        engine: of the database; reading and storing are separate transactions.
        request: with the planner's plan.
        load: loads the site's agent.
        clock: of the instant of issue.

    Raises:
        NotFoundError: no such plan of a stored site.
    """
    begun = perf_counter()
    with unit_of_work(engine) as connection:
        basis = _Basis.read(connection, request.plan_id)
        existing = agent_plans.find(connection, request.plan_id, basis.policy)
    if existing is not None and existing.plan_id is not None:
        return _reply(existing)
    shadow_plan, plan = _attempt(engine, basis, load, clock)
    took_ms = (perf_counter() - begun) * 1e3
    shadow_plan = replace(shadow_plan, metrics={**shadow_plan.metrics, "milliseconds": took_ms})
    SHADOW_PLANS.labels(shadow_plan.verdict.code).inc()
    SHADOW_SECONDS.observe(took_ms / 1e3)
    with unit_of_work(engine) as connection:
        agent_plans.save(connection, basis.site.name, shadow_plan, plan)
    return _reply(shadow_plan)


def _reply(row: ShadowPlan) -> ShadowPlanReply:
    took = row.metrics.get("milliseconds", 0.0)
    return ShadowPlanReply(
        plan_id=row.plan_id,
        based_on=row.based_on,
        policy=row.policy,
        run_id=row.run_id,
        verdict=row.verdict,
        milliseconds=took,
    )


def _attempt(
    engine: Engine, basis: _Basis, load: LoadAgent, clock: Clock
) -> tuple[ShadowPlan, PlanColumns | None]:
    """Return the agent's plan, or a row with the reason why there is none.

    Failures of the trained policy end here.
    """
    now = clock.now()
    try:
        with unit_of_work(engine) as connection:
            agent = load(connection, basis.site, basis.policy, basis.plan.issued_at)
            if agent is None:
                return basis.report(_nothing("no_artefact"), now), None
            problem = build_problem(basis.inputs)
            start = problem.outlook.timeline.start - PRICE_MEMORY
            slots = PRICE_MEMORY // SLOT + problem.outlook.timeline.count
            prices = read_prices(connection, problem.site, Timeline(start, SLOT, slots))
            planned = decide(problem, Solver())
            plan = _check(agent.policy.plan(problem, prices, planned=planned), problem)
            fingerprint = digest(f"{basis.plan.plan_id} {agent.name} {agent.run_id}".encode())
            reply = answer_columns(
                plan, request=basis.inputs, issued_at=now, inputs_digest=fingerprint
            )
            judged = _judge(connection, basis, planned, reply.head)
            row = basis.report(judged.verdict, now)
            metrics = dict(judged.metrics)
            if isinstance(agent.policy, ExplainsValue):
                metrics |= agent.policy.list_figures(plan, problem, prices, planned=planned)
            row = replace(row, run_id=agent.run_id, metrics=metrics, plan_id=reply.head.plan_id)
            return row, reply
    except SoftTimeLimitExceeded:
        log.warning(
            "the agent took too long to plan", plan_id=basis.plan.plan_id, policy=basis.policy
        )
    except Exception:
        log.warning(
            "the agent could not plan",
            plan_id=basis.plan.plan_id,
            policy=basis.policy,
            exc_info=True,
        )
    return basis.report(_nothing("plan_failed"), now), None


def _nothing(code: GateCode) -> GateVerdict:
    return GateVerdict(code=code, follow="nothing")


def _check(plan: Plan, problem: Problem) -> Plan:
    """Return the plan if its policy has finite thresholds for every slot and battery.

    Raises:
        AgentPlanError: it has not.
    """
    policy = plan.policy
    if policy is None or len(policy.batteries) != len(problem.site.batteries):
        raise AgentPlanError("it says nothing of the site's batteries", field="plan.policy")
    shape = (problem.outlook.timeline.count,)
    for battery in policy.batteries:
        thresholds = []
        for level in (battery.keep, battery.begin):
            thresholds += [getattr(level, name) for name in type(level).__slots__]
        thresholds += [battery.charge_kw, battery.discharge_kw]
        for series in thresholds:
            if np.shape(series) != shape or not np.isfinite(series).all():
                raise AgentPlanError(
                    "its thresholds are not a number for each slot",
                    field=f"plan.policy.{battery.battery.name}",
                )
    return plan


def _judge(connection: Connection, basis: _Basis, planned: Plan, reply: PlanReply) -> PlanJudgement:
    """Return the gatekeeper's judgement of the thresholds in the two replies.

    Devices follow those, not the exact ones of the plans.
    """
    effective = agent_gates.read_effective_mode(connection, basis.site)
    site = planned.problem.site
    names = {battery.name for battery in site.batteries}
    if planned.policy is None or set(basis.plan.thresholds) != names:
        # A planner's plan without a policy is set-points alone, which the gatekeeper cannot
        # compare.
        return PlanJudgement(_nothing("not_cheaper"), {})
    # Curtailment stays the planner's: the agent does not decide it.
    pair = []
    for plan in (basis.plan, reply):
        batteries = [plan.thresholds[battery.name].policy(battery) for battery in site.batteries]
        pair.append(replace(planned.policy, batteries=batteries))
    return judge_plan(planned.problem, pair[0], pair[1], effective)
