"""The agent's tasks: decode, call, encode."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.agent import (
    AgentCardRequest,
    AgentReplayRequest,
    DayPictureReply,
    DayPictureRequest,
    EvaluateAgentReply,
    EvaluateAgentRequest,
    TrainAgentReply,
    TrainAgentRequest,
)
from luna.contracts.agent_control import (
    NightReply,
    NightRequest,
    ShadowPlanReply,
    ShadowPlanRequest,
)
from luna.contracts.forecast_versions import CardReply
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.replay import ReplayReply
from luna.energy.errors import UnavailableError
from luna.energy.site import Site
from luna.platform.objects import ObjectStore
from luna.platform.queue import RetryableError, TaskContext, task
from luna.platform.queue.jobs import submit_job
from services.agent import night, shadow, training
from services.agent.evaluation.evaluate import evaluate_agents
from services.agent.evaluation.picture import draw_stored_day
from services.agent.evaluation.replay import replay_agents
from services.agent.policy import TrainedAgent
from services.agent.registry import load_agents
from services.planner.compiled import load_common_kernels, load_kernels
from services.planner.service.replay import Store

NEEDS = ("database", "redis", "objects")


def prepare() -> None:
    """Load the compiled loops before the worker's processes are forked.

    Each of them would otherwise wait a second for the loops.
    """
    load_common_kernels()


def precompile() -> None:
    """Compile all loops, so that an image holds them."""
    load_kernels()


@task(TrainAgentRequest, soft_limit=timedelta(hours=1))
def train(request: TrainAgentRequest, work: TaskContext) -> TrainAgentReply:
    """Train and store; until that succeeds, the agent before stays in use."""
    try:
        return training.train_agent(
            work.connection,
            request,
            objects=work.objects,
            now=work.clock.now(),
            progress=work.progress,
        )
    except UnavailableError as error:
        raise RetryableError(
            error.message, field=error.field, value=error.value, remedy=error.remedy
        ).because(error.reason, error.parameters) from error


@task(AgentCardRequest)
def describe(request: AgentCardRequest, work: TaskContext) -> CardReply:
    """Read a training's card."""
    return training.describe_agent(work.connection, work.objects, request)


@task(AgentReplayRequest, soft_limit=timedelta(hours=1))
def replay(request: AgentReplayRequest, work: TaskContext) -> ReplayReply:
    """Replay recorded days under the agent's policies and others, and store their scores.

    Each day has a transaction of its own.
    """
    return replay_agents(_store(work), request, objects=work.objects, progress=work.progress)


@task(EvaluateAgentRequest, soft_limit=timedelta(hours=2))
def evaluate(request: EvaluateAgentRequest, work: TaskContext) -> EvaluateAgentReply:
    """Measure trained policies on unseen days.

    Trainings and days that are done stay, so that it goes on where it was interrupted.
    """
    return evaluate_agents(
        _store(work), request, objects=work.objects, now=work.clock.now(), progress=work.progress
    )


@task(DayPictureRequest)
def draw(request: DayPictureRequest, work: TaskContext) -> DayPictureReply:
    """Draw a recorded day."""
    return draw_stored_day(_store(work), request, objects=work.objects)


def _store(work: TaskContext) -> Store:
    return Store.beside(work.database(), lambda: work.connection)


@task(ShadowPlanRequest, soft_limit=timedelta(minutes=2))
def plan_shadow(request: ShadowPlanRequest, work: TaskContext) -> ShadowPlanReply:
    """Let the agent plan beside the planner."""
    return shadow.plan_beside(work.database(), request, load_from(work.objects), clock=work.clock)


@task(NightRequest, soft_limit=timedelta(hours=1))
def spend_night(request: NightRequest, work: TaskContext) -> NightReply:
    """Score and judge the agents, and submit the jobs that are due."""

    def submit(job_request: Request) -> Job:
        return submit_job(work.database(), work.client, job_request)

    return night.run_night(work.database(), request, submit, now=work.clock.now())


def load_from(objects: ObjectStore) -> shadow.LoadAgent:
    """Return a function that loads a site's trained agent from stored artefacts.

    An artefact for another site or other states is logged, and not loaded.
    """

    def load(
        connection: Connection, site: Site, name: str, before: datetime
    ) -> TrainedAgent | None:
        agents = load_agents(connection, objects, site, before=before, names=[name])
        return agents[0] if agents else None

    return load
