"""The planner's tasks: decode, call, encode."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog

from luna.contracts import PlanRequest, ReplayReply, ReplayRequest
from luna.contracts.agent_control import ShadowPlanRequest
from luna.contracts.alternative import WhyNotReply, WhyNotRequest
from luna.contracts.charging_sessions import FollowSessionsReply, FollowSessionsRequest
from luna.contracts.fleet import (
    FollowChangesReply,
    FollowChangesRequest,
    PlanSitesReply,
    PlanSitesRequest,
    RefreshPlansReply,
    RefreshPlansRequest,
)
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.job import Job
from luna.contracts.plan_improvement import SearchPlansReply, SearchPlansRequest
from luna.contracts.plan_questions import (
    CheckPlansReply,
    CheckPlansRequest,
    ParetoReply,
    ParetoRequest,
    PlanChangesReply,
    PlanChangesRequest,
)
from luna.contracts.replay import ReplaySitesReply, ReplaySitesRequest
from luna.contracts.variant import (
    PlanVariantReply,
    PlanVariantRequest,
    WhatIfVariantReply,
    WhatIfVariantRequest,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import TaskContext, task
from luna.platform.queue.jobs import accept_job, await_job, send_job, submit_job
from luna.platform.queue.task_context import isolate
from services.planner.compiled import load_common_kernels, load_kernels
from services.planner.milp.solver import Solver
from services.planner.service import (
    alternative,
    fleet,
    pareto,
    plan_check,
    plan_diff,
    plan_search,
    plans,
    variant,
)
from services.planner.service import replay as replays
from services.planner.service.replay import Store

NEEDS = ("database", "redis")
# By when the agent's plan has to be there: later it would miss the slot in which the planner's
# comes into force.
SHADOW_TIMEOUT = timedelta(minutes=5)
# By when a batch of changed sites is planned; then it is asked for again.
CHANGES_TIMEOUT = timedelta(minutes=1)

log = structlog.get_logger("luna.planner")


def prepare() -> None:
    """Load the compiled loops before the worker forks its processes.

    Each process would otherwise wait a second for them.
    """
    load_common_kernels()


def precompile() -> None:
    """Compile all loops, so that an image holds them."""
    load_kernels()


@task(PlanRequest)
def solve(request: PlanRequest, work: TaskContext) -> str:
    """Plan and store; the reply is written once, for the row and the caller."""
    plan = plans.issue_plan(request, lambda: work.connection, now=work.clock.now(), solver=Solver())
    if request.site_id is not None:
        work.on_commit(partial(ask_for_shadows, work, [plan.head.plan_id]))
        is_for_now = request.start is None
        if is_for_now and plan_search.has_open_gap(plan.head):
            search_later(work, [plan.head.plan_id])
    return plan.answer()


@task(PlanSitesRequest)
def plan_sites(request: PlanSitesRequest, work: TaskContext) -> PlanSitesReply:
    """Plan many sites and store their plans."""
    reply = fleet.plan_sites(work.connection, request, now=work.clock.now())
    work.on_commit(partial(ask_for_shadows, work, list(reply.plans.values())))
    if reply.open_gaps:
        search_later(work, reply.open_gaps)
    return reply


def search_later(work: TaskContext, plan_ids: list[str]) -> None:
    """Submit a job that searches further for plans, in the transaction that stores them."""
    if work.settings.plan_search_limit:
        job = accept_job(work.connection, SearchPlansRequest(plan_ids=plan_ids))
        work.on_commit(partial(send_job, work.database(), work.client, job))


@task(SearchPlansRequest, soft_limit=timedelta(minutes=30))
def search_plans(request: SearchPlansRequest, work: TaskContext) -> SearchPlansReply:
    """Search further for plans with an open gap."""
    outcomes, new_ids = plan_search.search_plans(
        work.database(),
        request.plan_ids,
        limit=work.settings.plan_search_limit,
        now=work.clock.now,
    )
    work.on_commit(partial(ask_for_shadows, work, new_ids))
    return SearchPlansReply(outcomes=outcomes)


@task(RefreshPlansRequest)
def refresh_plans(_: RefreshPlansRequest, work: TaskContext) -> RefreshPlansReply:
    """Have sites planned whose plans grow old."""

    def ask(request: PlanSitesRequest, key: str) -> Job:
        return submit_job(work.database(), work.client, request, key=key)

    return fleet.refresh_plans(work.database(), work.settings, ask=ask, now=work.clock.now())


@task(FollowChangesRequest)
def follow_changes(_: FollowChangesRequest, work: TaskContext) -> FollowChangesReply:
    """Have sites planned of which something has changed, where no job stands in the way."""

    def ask(request: PlanSitesRequest | RefreshForecastsRequest) -> None:
        work.client.begin(request, timeout=CHANGES_TIMEOUT)

    return fleet.follow_changes(work.database(), work.settings, ask=ask, now=work.clock.now())


@task(FollowSessionsRequest)
def follow_sessions(_: FollowSessionsRequest, work: TaskContext) -> FollowSessionsReply:
    """Note which devices say something else than plans have."""
    return fleet.follow_sessions(work.database(), work.settings, now=work.clock.now())


def ask_for_shadows(work: TaskContext, plan_ids: Sequence[str]) -> None:
    """Request the agent's shadow plans of stored plans, where an agent runs.

    Without waiting, and ignoring failures.
    """

    def ask() -> None:
        # In the queue of requests with a waiting user, so that no training blocks it.
        if work.client.is_served(ShadowPlanRequest, interactive=True):
            for plan_id in plan_ids:
                work.client.begin(ShadowPlanRequest(plan_id=plan_id), timeout=SHADOW_TIMEOUT)

    isolate(
        ask,
        lambda error: log.warning(
            "the agent was not asked for plans", plan_ids=list(plan_ids)[:1], error=str(error)
        ),
    )


@task(ParetoRequest)
def trace_pareto(request: ParetoRequest, work: TaskContext) -> ParetoReply:
    """Plan along what two aims cost each other."""
    return pareto.trace_pareto(
        request,
        lambda: work.connection,
        now=work.clock.now(),
        solver=Solver(),
        progress=work.progress,
    )


@task(ReplayRequest, soft_limit=timedelta(hours=1))
def replay(request: ReplayRequest, work: TaskContext) -> ReplayReply:
    """Replay recorded days and store their scores, each day in a transaction of its own.

    Forecasts that were not issued then are issued first.
    """
    with unit_of_work(work.database()) as connection:
        missing = replays.find_missing(connection, request)
    # Without forecasts the replay says what it lacks.
    if missing is not None and work.client.is_served(type(missing)):
        await_job(work.database(), work.client, missing)
    return replays.replay_on(
        Store.beside(work.database(), lambda: work.connection), request, progress=work.progress
    )


@task(ReplaySitesRequest)
def replay_sites(request: ReplaySitesRequest, work: TaskContext) -> ReplaySitesReply:
    """Ask for replays of each site."""
    now = work.clock.now()
    return replays.replay_sites(
        work.database(),
        request,
        ask=lambda job_request: submit_job(work.database(), work.client, job_request),
        now=now,
    )


@task(PlanChangesRequest)
def compare(request: PlanChangesRequest, work: TaskContext) -> PlanChangesReply:
    """Say what a plan changes beside the one before it, and which input did it."""
    return plan_diff.compare_stored(work.connection, request, solver=Solver())


@task(WhyNotRequest)
def ask_why_not(request: WhyNotRequest, work: TaskContext) -> WhyNotReply:
    """Hold to an alternative and plan the rest anew."""
    return alternative.plan_stored_alternative(work.connection, request, solver=Solver())


@task(WhatIfVariantRequest, soft_limit=timedelta(hours=2))
def replay_variant(request: WhatIfVariantRequest, work: TaskContext) -> WhatIfVariantReply:
    """Replay one variant of a question; the last one concludes it."""
    return variant.replay_variant(work.connection, request, progress=work.progress)


@task(PlanVariantRequest)
def plan_variant(request: PlanVariantRequest, work: TaskContext) -> PlanVariantReply:
    """Plan a stored plan again with something different."""
    return variant.plan_stored_variant(work.connection, request, solver=Solver())


@task(CheckPlansRequest, soft_limit=timedelta(hours=1))
def check_plans(request: CheckPlansRequest, work: TaskContext) -> CheckPlansReply:
    """Check issued plans."""
    return plan_check.check_plans(
        work.connection, request.site_id, request.first, request.end
    ).reply(request.site_id)
