"""Work that a worker does where one is live, and the command itself where none is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from luna.contracts.message import Message, Request
from luna.errors import LunaError
from services.cli.console import follow_progress

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from luna.queue import Client, TaskContext

ReplyT = TypeVar("ReplyT", bound=Message)
RequestT = TypeVar("RequestT", bound=Request)


def carry_out(pool: "Engine", client: "Client", request: RequestT, body: "Callable[[RequestT, TaskContext], ReplyT]", *, quiet: bool) -> ReplyT:
    """Return the reply to a request: of a job where a worker serves its queue, else of ``body``; standard error says how far it is.

    Raises:
        LunaError: what the work raised; the job failed or was cancelled.
        UnavailableError: database or queue are away.
    """
    if any(request.queue() in sign.queues for sign in client.heartbeats.nodes().values()):
        reply: ReplyT = _leave_to_workers(pool, client, request, quiet=quiet)  # type: ignore[assignment]  # the request's own reply
        return reply
    from luna.queue import Progress, TaskContext
    from luna.settings import load_settings

    with follow_progress(request.task, quiet=quiet) as progress:

        def report(far: Progress) -> None:
            progress(far.done, far.total, far.label)

        with TaskContext(load_settings(), lambda: pool, report=report, queue=lambda: client) as work:
            return body(request, work)


def _leave_to_workers(pool: "Engine", client: "Client", request: Request, *, quiet: bool) -> Message:
    from luna.queue.jobs import submit_job
    from services.cli.jobs import await_end

    with follow_progress(request.task, quiet=quiet) as progress:
        job = await_end(pool, client, submit_job(pool, client, request).job_id, progress)
    if job.status != "done":
        said = (job.error or {}).get("detail", "it came to no end")
        raise LunaError(f"{request.task} {job.status}: {said}", field="job_id", value=job.job_id, remedy=f"See why: luna jobs show {job.job_id}.")
    return request.reply.model_validate(job.reply)
