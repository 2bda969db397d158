"""Replay stored sites with the agent's policies, each as it was trained before the window."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.agent import AGENT_REPLAY_POLICIES, EXPORT
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.energy.site import Site
from luna.energy.timeline import local_midnight
from luna.platform.database import recorded_span, sites
from luna.platform.database.training_runs import LEARNED_DAYS
from luna.platform.objects import ObjectStore
from services.agent.registry import load_agent
from services.forecaster.model.aurora import keep_quiet
from services.forecaster.versions.hindsight import ensure_forecasts
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import DAYS
from services.planner.replay import Progress
from services.planner.replay.policies import MakePlan, plan_by_planner
from services.planner.service.replay import ReplayAgent, Store, find_missing, replay_on

# Whole days of forecasts before a window, whose errors policies weigh in it; before those, days
# that a forecaster can learn from.
_ERROR_DAYS = timedelta(days=DAYS + 1)
_LEARNED_DAYS = timedelta(days=LEARNED_DAYS)


def replay_agents(
    store: Store, request: ReplayRequest, *, objects: ObjectStore, progress: Progress | None = None
) -> ReplayReply:
    """Return the cost of every policy, those of the agent included, over a window of a stored site.

    Forecasts that were not issued then are issued first.

    Raises:
        NotFoundError: no such site, or a policy was never trained on what was recorded before the
            window.
        InvalidInputError: observations or prices are missing, the window is upside down, a policy
            is unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        before = local_midnight(request.from_day, ZoneInfo(site.timezone))
        agents = load_replay_agents(
            connection, site, request.policies, before=before, objects=objects
        )
    issue_forecasts(store, site, request, objects=objects)
    return replay_on(store, request, agents=agents, progress=progress)


def issue_forecasts(
    store: Store,
    site: Site,
    request: ReplayRequest,
    *,
    objects: ObjectStore,
    progress: Progress = keep_quiet,
) -> None:
    """Issue the window's missing forecasts, and those of the days before it.

    The agent's policies weigh the errors of the earlier ones.
    """
    past = request.model_copy(
        update={
            "from_day": request.from_day - _ERROR_DAYS,
            "to_day": request.from_day - timedelta(days=1),
        }
    )
    with store.part() as connection:
        recorded = recorded_span.of_site(connection, site.name)
    earliest = local_midnight(past.from_day, ZoneInfo(site.timezone)) - _LEARNED_DAYS
    weighs_errors = (
        not AGENT_REPLAY_POLICIES.keys().isdisjoint(request.policies)
        and recorded is not None
        and recorded[0] <= earliest
    )
    window_requests = [past, request] if weighs_errors else [request]
    for window_request in window_requests:
        with store.part() as connection:
            missing = find_missing(connection, window_request)
            if missing is not None:
                ensure_forecasts(connection, missing, objects=objects, progress=progress)


def load_replay_agents(
    connection: Connection,
    site: Site,
    names: Collection[str],
    *,
    before: datetime,
    objects: ObjectStore,
) -> dict[str, ReplayAgent]:
    """Return the agent's policies among ``names``, by their latest training before ``before``.

    The training must have been accepted, and have read nothing from ``before`` on.

    Raises:
        NotFoundError: one has no such training; says which command trains it.
        ArtefactError: what was trained cannot be used for this site.
    """
    agents: dict[str, ReplayAgent] = {}
    for name in names:
        if name in AGENT_REPLAY_POLICIES:
            agent = load_agent(connection, objects, site, name.removesuffix(EXPORT), before=before)
            make_plan: MakePlan = agent.policy.plan
            if name.endswith(EXPORT):
                make_plan = sell_by(make_plan)
            agents[name] = ReplayAgent(make_plan, agent.run_id)
    return agents


def sell_by(plan_agent: MakePlan) -> MakePlan:
    """Return a planner whose plans sell as the agent does, and otherwise are the planner's.

    Devices follow such plans where the agent may decide about selling alone. If one of the two
    plans has no policy the planner's plan stands, as it does for the executor.
    """

    def make(problem: Problem, prices: SitePrices) -> Plan:
        planned = plan_by_planner(problem, prices)
        by_agent = plan_agent(problem, prices)
        if planned.policy is None or by_agent.policy is None:
            return planned
        return replace(planned, policy=planned.policy.sell_as(by_agent.policy))

    return make
