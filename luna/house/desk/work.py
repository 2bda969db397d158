"""Carry out requests: by a live worker, else in this process."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from luna.contracts.message import Request, queue_of
from luna.energy.errors import UnavailableError
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capability import CapabilityCall
from luna.house.desk.servers import open_engine, open_object_store
from luna.platform.clock import SystemClock

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from luna.platform.queue import Client
    from luna.platform.settings import Settings

RequestT = TypeVar("RequestT", bound=Request)
# Is given the steps done, the steps in all and the current one.
ShowProgress = Callable[[int, int, str], None]
# Shows under a title, while its block runs, how far long work is.
FollowProgress = Callable[[str], AbstractContextManager[ShowProgress]]
# Short work ends soon; long work is asked for less and less often.
FIRST_PAUSE_SECONDS = 0.05
MOST_PAUSE_SECONDS = 0.5
# A worker that is started again gives its sign of life sooner.
UNSERVED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Workplace:
    """Settings, the migrated database and a client of the queue, which work needs."""

    settings: "Settings"
    pool: "Engine"
    client: "Client"

    def work_out(self, request: Request, progress: ShowProgress = lambda *_: None) -> Any:
        """Return the reply to a request as its task makes it, in this process."""
        from luna.contracts.job import Progress
        from luna.platform.queue import TaskContext
        from luna.platform.queue.services import import_tasks
        from luna.platform.queue.task import definitions

        import_tasks([f"services.{request.queue()}.tasks"])

        def report(reached: Progress) -> None:
            progress(reached.done, reached.total, reached.label)

        with TaskContext(
            self.settings, lambda: self.pool, report=report, queue=lambda: self.client
        ) as work:
            reply = definitions()[request.task].body(request, work)
        return type(request).reply.model_validate_json(reply) if isinstance(reply, str) else reply

    def await_reply(
        self, request: Request, job_id: str, progress: ShowProgress, *, work: str | None = None
    ) -> Any:
        """Return the reply to a request once the workers' job is done.

        Raises:
            LunaError: what the work raised, with its name where it has one; the job failed or was
                cancelled.
            UnavailableError: database or queue are away, or the last worker is.
        """
        from luna.platform.queue.jobs import explain_end

        job = await_end(
            partial(_read_job, self.pool, self.client, job_id),
            progress,
            is_served=partial(self.client.is_served, type(request)),
        )
        if job.status != "done":
            raise explain_end(job, work=work)
        return request.reply.model_validate(job.reply)


def ask_worker(client: "Client", request: Request, settings: "Settings") -> Any:
    """Return a live worker's reply to a request."""
    return type(request).reply.model_validate_json(
        client.ask(request, timeout=settings.plan_timeout)
    )


def answer_request(
    request: RequestT,
    *,
    ask: "Callable[[Client, RequestT, Settings], Any]" = ask_worker,
    work: Callable[[Workplace, RequestT], Any] = Workplace.work_out,
) -> Any:
    """Return the reply to a request that somebody waits for.

    A live worker gives it where one serves such requests, else this process.

    Args:
        request: what is asked.
        ask: how a worker is asked.
        work: how it is worked out.

    Raises:
        LunaError: what the service raised.
    """
    from luna.platform.database import migrate
    from luna.platform.embedded.supervisor import running
    from luna.platform.queue import Client
    from luna.platform.settings import load_settings

    settings = load_settings()
    with running(settings) as addresses, closing(Client(addresses.redis_url)) as client:
        if client.is_served(type(request), interactive=True):
            return ask(client, request, settings)
        migrate.upgrade(addresses.database_url)
        with open_engine(addresses.database_url) as pool:
            return work(Workplace(settings, pool, client), request)


def carry_out(pool: "Engine", client: "Client", request: Request, follow: FollowProgress) -> Any:
    """Return the reply to a request for long work.

    ``follow`` shows how far it is.

    A job gives it where a worker serves its queue, else this process.

    Raises:
        LunaError: what the work raised; the job failed or was cancelled.
        UnavailableError: database or queue are away, or the last worker is.
    """
    from luna.platform.queue.jobs import submit_job
    from luna.platform.settings import load_settings

    place = Workplace(load_settings(), pool, client)
    with follow(request.task) as progress:
        if client.heartbeats.serve(request.queue()):
            return place.await_reply(request, submit_job(pool, client, request).job_id, progress)
        return place.work_out(request, progress)


def _read_job(pool: "Engine", client: "Client", job_id: str) -> JobReply:
    with CapabilityCall(
        by="",
        now=SystemClock().now(),
        database=lambda: pool,
        queue=lambda: client,
        objects=open_object_store,
    ) as call:
        job: JobReply = read_job(call, job_id=job_id)
        return job


def await_end(
    read: Callable[[], JobReply],
    progress: ShowProgress,
    *,
    is_served: Callable[[], bool] = lambda: True,
    unserved_seconds: float = UNSERVED_SECONDS,
) -> JobReply:
    """Return a job once it has ended.

    Args:
        read: returns how the job stands now.
        progress: hears how far it is.
        is_served: whether a live worker takes such a job.
        unserved_seconds: how long a job may wait without a worker.

    Raises:
        UnavailableError: the job has waited so long and nobody served it.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    served = time.monotonic()
    while (job := read()).status in ("queued", "running"):
        if job.status == "running" or is_served():
            served = time.monotonic()
        elif time.monotonic() - served > unserved_seconds:
            remedy = (
                "Start a worker for it: the job stays accepted and is done then. Wait for it: "
                f"luna jobs watch {job.job_id}."
            )
            queue = queue_of(job.task)
            raise UnavailableError(
                f"no worker serves the queue {queue} any more",
                field="job_id",
                value=job.job_id,
                remedy=remedy,
            )
        far = job.progress
        progress(*((far.done, far.total, far.label) if far else (0, 0, job.status)))
        time.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, MOST_PAUSE_SECONDS)
    return job
