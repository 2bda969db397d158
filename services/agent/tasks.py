"""The agent's tasks: decode, call, encode."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.agent import (
    AgentCardRequest,
    NightReply,
    NightRequest,
    ShadowPlanReply,
    ShadowPlanRequest,
    TrainAgentReply,
    TrainAgentRequest,
)
from luna.contracts.forecast_versions import CardReply
from luna.errors import UnavailableError
from luna.objects import ObjectStore
from luna.queue import RetryableError, TaskContext, task
from luna.queue.jobs import submit_job
from luna.site import Site
from services.agent import night, shadow, training
from services.agent.policy import TrainedAgent
from services.agent.registry import load_agents
from services.planner.dp.value import load_kernels

NEEDS = ("database", "redis", "objects")


def prepare() -> None:
    """Load the compiled loops before the worker's processes are forked: each would otherwise wait a second for them."""
    load_kernels()


@task(TrainAgentRequest, soft_limit=timedelta(hours=1))
def train(request: TrainAgentRequest, work: TaskContext) -> TrainAgentReply:
    """Train and store; until that succeeds, the agent before stays in use."""
    try:
        return training.train_agent(work.connection, request, objects=work.objects, now=work.clock.now(), progress=work.progress)
    except UnavailableError as error:
        raise RetryableError(error.message, field=error.field, value=error.value, remedy=error.remedy) from error


@task(AgentCardRequest)
def describe(request: AgentCardRequest, work: TaskContext) -> CardReply:
    """Read a training's card."""
    return training.describe_agent(work.connection, work.objects, request)


@task(ShadowPlanRequest, soft_limit=timedelta(minutes=2))
def plan_shadow(request: ShadowPlanRequest, work: TaskContext) -> ShadowPlanReply:
    """Let the agent plan beside the planner."""
    return shadow.plan_beside(work.database(), request, load_from(work.objects), clock=work.clock)


@task(NightRequest, soft_limit=timedelta(hours=1))
def spend_night(request: NightRequest, work: TaskContext) -> NightReply:
    """Score, judge, and ask for what is due."""
    return night.run_night(work.database(), request, lambda wanted: submit_job(work.database(), work.client, wanted), now=work.clock.now())


def load_from(objects: ObjectStore) -> shadow.LoadAgent:
    """Return what finds the trained agent of a site among stored artefacts; one that is not for the site or its states is refused there, and logged."""

    def load(connection: Connection, site: Site, name: str, before: datetime) -> TrainedAgent | None:
        return next(iter(load_agents(connection, objects, site, before=before, names=[name])), None)

    return load
