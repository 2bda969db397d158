"""Accept work that nobody waits for, and see to it that it runs: the row first, then the message.

A message that cannot be sent is no failure: the row is there, and ``resend_due`` sends it again.
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

# Longer than the longest pause between two tries of a job, so that it meets the answer that it waited for.
ANSWER_HOLDS = timedelta(minutes=15)

log = structlog.get_logger("luna.queue")


def submit_job(engine: Engine, client: Client, request: Request, *, key: str | None = None) -> Job:
    """Accept ``request`` and return its job; once this returns, the work survives any crash. An equal open job is returned instead of a second one.

    Args:
        engine: of the database that takes the row.
        client: sends the message.
        request: an instance of a request model.
        key: names this piece of work, where the same work may be asked for in different words; default: a digest of the message.

    Raises:
        InvalidInputError: the request is refused; nothing was accepted.
        UnavailableError: the database is away; nothing was accepted.
    """
    text = serialization.encode_request(request)
    with unit_of_work(engine) as connection:
        job = jobs.accept(connection, task=request.task, key=key or serialization.digest(request.task, text), request=text, trace_id=current_trace_id())
    if job.sent_at is None:
        after_commit(engine, partial(_ring, engine, client, job))
    return job


def await_job(engine: Engine, client: Client, request: Request) -> None:
    """Return where a job for ``request`` was done a moment ago; else accept one, for what calls this to be tried again when it has ended.

    Raises:
        AwaitsJobError: it is open.
        LunaError: it ended badly a moment ago; it says which and why.
        UnavailableError: the database is away.
    """
    key = serialization.digest(request.task, serialization.encode_request(request))
    with unit_of_work(engine) as connection:
        last = jobs.find_newest(connection, task=request.task, key=key, within=ANSWER_HOLDS)
    if last is None or last.finished_at is None:
        job = submit_job(engine, client, request)
        raise AwaitsJobError(f"{request.task} has to end first", field="job_id", value=job.job_id, remedy=f"See how it stands: luna jobs show {job.job_id}.")
    if last.status in jobs.ENDED_BADLY:
        raise explain_end(last, work=request.task)


def explain_end(job: JobSummary, *, work: str | None = None) -> LunaError:
    """Return why a job has ended badly, for who waits for it: what the work itself raised, as that.

    Args:
        job: failed, dead or cancelled.
        work: what is named as what failed, where who waits asked for something else.
    """
    remedy = f"See why: luna jobs show {job.job_id}."
    if job.error is None:
        return refuse("job-without-end", field="job_id", value=job.job_id, work=work or job.task, status=job.status, job=job.job_id)
    error = read_problem(job.error)
    if type(error) is LunaError:
        # Nothing that was asked for is to blame: the job is where to look.
        return refuse("job-ended-badly", field="job_id", value=job.job_id, work=work or job.task, status=job.status, why=str(error), job=job.job_id)
    if work is not None:
        error.message = f"{work} {job.status}: {error.message}"
    error.remedy = error.remedy or remedy
    return error


def cancel_job(engine: Engine, client: Client, job_id: str) -> Job:
    """Cancel an open job and return it; one that is cancelled already is returned as it is.

    From now on it never begins, and nothing that a running attempt does is committed; its process is ended within seconds, once Redis answers.

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
        log.warning("job is cancelled, its worker is told later", job_id=job_id, task_name=job.task, error=str(error))
    return job


def retry_job(engine: Engine, client: Client, job_id: str) -> Job:
    """Open a failed, dead or cancelled job again and return it.

    Raises:
        NotFoundError: no job of that id.
        ConflictError: it is open or done, an equal job is open, or an attempt that was cancelled is still being ended.
        UnavailableError: the database is away; nothing was changed.
    """
    with unit_of_work(engine) as connection:
        job = jobs.retry(connection, job_id)
    after_commit(engine, partial(_ring, engine, client, job))
    return job


def resend_due(connection: Connection, client: Client) -> ResendReply:
    """Send the messages again of jobs that never ran, or whose worker is gone, and say again what was cancelled and still runs.

    Raises:
        UnavailableError: Redis is away; they stay due.
    """
    for job_id in jobs.list_outliving(connection):
        client.tasks.cancel(job_id)
    due = jobs.take_due(connection)
    # First, for a database without room refuses it: each look would send them all again.
    jobs.mark_sent(connection, [job.job_id for job in due])
    for job in due:
        client.notify_job(job)
    reply = ResendReply(sent=len(due), begun_before=sum(job.attempts > 0 for job in due))
    if due:
        log.warning("jobs sent again", sent=reply.sent, begun_before=reply.begun_before)
    return reply


def _ring(engine: Engine, client: Client, job: Job) -> None:
    try:
        client.notify_job(job)
        with unit_of_work(engine) as connection:
            jobs.mark_sent(connection, [job.job_id])
    except UnavailableError as error:
        log.warning("job is accepted, its message is sent later", job_id=job.job_id, task_name=job.task, error=str(error))
