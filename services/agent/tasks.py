"""The agent's tasks: decode, call, encode."""

from datetime import timedelta

from luna.contracts.agent import AgentReplayRequest, DayPictureReply, DayPictureRequest
from luna.contracts.replay import ReplayReply
from luna.queue import TaskContext, task
from services.agent.evaluation.picture import draw_stored_day
from services.agent.evaluation.replay import replay_learned
from services.planner.dp.value import load_kernels
from services.planner.service.replay import Store

NEEDS = ("database", "redis", "objects")


def prepare() -> None:
    """Load the compiled loops before the worker's processes are forked: each would otherwise wait a second for them."""
    load_kernels()


@task(AgentReplayRequest, soft_limit=timedelta(hours=1))
def replay(request: AgentReplayRequest, work: TaskContext) -> ReplayReply:
    """Replay recorded days under learned policies beside others and store their scores, each day in a transaction of its own."""
    store = Store.beside(work.database(), lambda: work.connection)
    return replay_learned(store, request, objects=work.objects, progress=work.progress)


@task(DayPictureRequest)
def draw(request: DayPictureRequest, work: TaskContext) -> DayPictureReply:
    """Draw a recorded day."""
    return draw_stored_day(Store.beside(work.database(), lambda: work.connection), request, objects=work.objects)
