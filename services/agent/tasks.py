"""The agent's tasks: decode, call, encode."""

from datetime import timedelta

from luna.contracts.agent import AgentCardRequest, TrainAgentReply, TrainAgentRequest
from luna.contracts.forecast_versions import CardReply
from luna.errors import UnavailableError
from luna.queue import RetryableError, TaskContext, task
from services.agent import training

NEEDS = ("database", "redis", "objects")


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
