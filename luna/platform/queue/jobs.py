"""Accept, cancel, retry and resend jobs: the row is written before the message is sent.

Where the message cannot be sent the job is accepted nevertheless: ``resend_due`` sends it later.
"""

from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.job import Job, JobSummary, ResendReply
from luna.contracts.message import Request
from luna.energy.errors import LunaError, UnavailableError, read_problem
from luna.energy.refusals import refuse
from luna.platform.database import jobs
from luna.platform.database.engine import after_commit, unit_of_work
from luna.platform.queue import serialization
from luna.platform.queue.client import Client
from luna.platform.queue.task import AwaitsJobError
from luna.platform.telemetry import current_trace_id

# Longer than the longest back-off of a job, so that a retry still finds the outcome it waited for.
ANSWER_HOLDS = timedelta(minutes=15)

log = structlog.get_logger("luna.queue")


def submit_job(engine: Engine, client: Client, request: Request, *, key: str | None = None) -> Job:
    """Accept ``request`` and return its job, an equal open one where there is one.

    Once this returns, the job survives any crash.

    Args:
        engine: of the database that takes the row.
        client: sends the message.
        request: an instance of a request model.
        key: idempotency key, where different requests mean the same work; default: a digest of the
            message.

    Raises:
        InvalidInputError: the request is invalid; nothing was accepted.
        UnavailableError: the database is away; nothing was accepted.
    """
    with unit_of_work(engine) as connection:
        job = accept_job(connection, request, key=key)
    if job.sent_at is None:
        after_commit(engine, partial(send_job, engine, client, job))
    return job


def accept_job(connection: Connection, request: Request, *, key: str | None = None) -> Job:
    """Store ``request`` as a job in the caller's transaction, for ``send_job`` after its commit.

    Raises:
        InvalidInputError: the request is invalid.
    """
    text = serialization.encode_request(request)
    return jobs.accept(
        connection,
        task=request.task,
        key=key or serialization.digest(request.task, text),
        request=text,
        trace_id=current_trace_id(),
    )


def await_job(engine: Engine, client: Client, request: Request) -> None:
    """Return where a job for ``request`` succeeded recently.

    Else accept one and raise, so that the caller's task is retried after it.

    Raises:
        AwaitsJobError: the job is open.
        LunaError: the job ended badly a moment ago; names the job and the reason.
        UnavailableError: the database is away.
    """
    key = serialization.digest(request.task, serialization.encode_request(request))
    with unit_of_work(engine) as connection:
        last = jobs.find_newest(connection, task=request.task, key=key, within=ANSWER_HOLDS)
    if last is None or last.finished_at is None:
        job = submit_job(engine, client, request)
        raise AwaitsJobError(
            f"{request.task} has to end first",
            field="job_id",
            value=job.job_id,
            remedy=f"See how it stands: luna jobs show {job.job_id}.",
        )
    if last.status in jobs.ENDED_BADLY:
        raise explain_end(last, work=request.task)


def explain_end(job: JobSummary, *, work: str | None = None) -> LunaError:
    """Return the error of a job without a reply, in the class that its task raised.

    Args:
        job: failed, dead or cancelled.
        work: the name of the failed work, if the caller waits for something other than the job.
    """
    remedy = f"See why: luna jobs show {job.job_id}."
    if job.error is None:
        return refuse(
            "job-without-end",
            field="job_id",
            value=job.job_id,
            work=work or job.task,
            status=job.status,
            job=job.job_id,
        )
    error = read_problem(job.error)
    if type(error) is LunaError:
        # The request is not to blame: the remedy points to the job.
        return refuse(
            "job-ended-badly",
            field="job_id",
            value=job.job_id,
            work=work or job.task,
            status=job.status,
            why=str(error),
            job=job.job_id,
        )
    if work is not None:
        error.message = f"{work} {job.status}: {error.message}"
    error.remedy = error.remedy or remedy
    return error


def cancel_job(engine: Engine, client: Client, job_id: str) -> Job:
    """Cancel an open job and return it; a cancelled one is returned unchanged.

    It never begins any more, and a running attempt commits nothing; its process is ended within
    seconds, once Redis answers.

    Raises:
        NotFoundError: no job of that id.
        ConflictError: it has ended otherwise.
        UnavailableError: the database is away; nothing was changed.
    """
    with unit_of_work(engine) as connection:
        job = jobs.cancel(connection, job_id)
    try:
        client.tasks.cancel(job_id)
    except UnavailableError as error:
        log.warning(
            "job is cancelled, its worker is told later",
            job_id=job_id,
            task_name=job.task,
            error=str(error),
        )
    return job


def retry_job(engine: Engine, client: Client, job_id: str) -> Job:
    """Open a failed, dead or cancelled job again and return it.

    Raises:
        NotFoundError: no job of that id.
        ConflictError: it is open or done, an equal job is open, or its cancelled attempt still
            runs.
        UnavailableError: the database is away; nothing was changed.
    """
    with unit_of_work(engine) as connection:
        job = jobs.retry(connection, job_id)
    after_commit(engine, partial(send_job, engine, client, job))
    return job


def resend_due(connection: Connection, client: Client) -> ResendReply:
    """Send the messages of jobs that never ran or lost their worker, and pending cancellations.

    Raises:
        UnavailableError: Redis is away; they stay due.
    """
    for job_id in jobs.list_outliving(connection):
        client.tasks.cancel(job_id)
    due_jobs = jobs.take_due(connection)
    # Before sending: where a full database refuses this, every call would send all of them again.
    jobs.mark_sent(connection, [job.job_id for job in due_jobs])
    for job in due_jobs:
        client.notify_job(job)
    reply = ResendReply(sent=len(due_jobs), begun_before=sum(job.attempts > 0 for job in due_jobs))
    if due_jobs:
        log.warning("jobs sent again", sent=reply.sent, begun_before=reply.begun_before)
    return reply


def send_job(engine: Engine, client: Client, job: Job) -> None:
    """Send a stored job's message; where Redis is away, ``resend_due`` sends it later."""
    try:
        client.notify_job(job)
        with unit_of_work(engine) as connection:
            jobs.mark_sent(connection, [job.job_id])
    except UnavailableError as error:
        log.warning(
            "job is accepted, its message is sent later",
            job_id=job.job_id,
            task_name=job.task,
            error=str(error),
        )
