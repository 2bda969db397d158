"""Store jobs, a row each, and lock a job while a worker runs it.

A row holds request, status and reply.

All instants are the database's own, because the clocks of gateway, workers and reconciler differ.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Text,
    Update,
    and_,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from luna.contracts.job import Job, JobFilter, JobSummary
from luna.energy.errors import ConflictError, LunaError
from luna.energy.refusals import refuse
from luna.platform.database.engine import own_session
from luna.platform.database.schema.work import OPEN, jobs
from luna.platform.database.stored_rows import read_each, read_page

# First resend of a silent job; the interval then doubles up to the longest, so that a full queue
# does not fill with duplicates.
RESEND_AFTER = timedelta(minutes=2)
LONGEST_SILENCE = timedelta(minutes=15)
# The lock of a holder that just ended is released a moment later.
LOCK_PATIENCE = timedelta(seconds=1)
RESEND_AT_MOST = 500
# Final states without a reply.
ENDED_BADLY = ("failed", "dead", "cancelled")
# Final states with the normal retention; dead jobs are kept longer, for investigation.
ENDED = ("done", "failed", "cancelled")
# Longer than any task may run: an attempt cancelled earlier than that has ended.
LONGEST_ATTEMPT = timedelta(hours=3)
FORGET_AT_MOST = 50_000

_NOW = func.clock_timestamp()
# pg_locks shows an advisory lock with a 64-bit key as two halves, with objsubid 1.
_IS_ITS_LOCK = (
    "locktype = 'advisory' AND granted AND objsubid = 1 AND database = (SELECT oid FROM "
    "pg_database WHERE datname = current_database())"
    " AND (CAST(classid AS bigint) << 32 | CAST(objid AS bigint)) = hashtextextended({job_id}, 0)"
)
_IS_LOCKED = f"EXISTS (SELECT FROM pg_locks WHERE {_IS_ITS_LOCK.format(job_id='jobs.job_id')})"
_LOCK_IS_FREE = text(f"NOT {_IS_LOCKED}")
# Prefix of the application name of sessions that hold a job's lock; no other session is ever
# terminated.
_HOLDER = "luna-job "
_IS_OUR_LOCK = (
    f"{_IS_ITS_LOCK.format(job_id=':job_id')} AND usename = current_user AND "
    f"starts_with(application_name, '{_HOLDER}')"
)
_ITS_HOLDER = text(
    f"""
    SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE {_IS_OUR_LOCK}
    """  # noqa: S608 - a constant
)


class SupersededError(ConflictError):
    """The attempt may commit nothing: another one has begun, or the job has ended."""


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Numbers of jobs by status, and the age of the oldest open one."""

    queued: float
    running: float
    dead: float
    oldest_open_seconds: float


def accept(connection: Connection, *, task: str, key: str, request: str, trace_id: str) -> Job:
    """Return the open job of this task and key, or a new one.

    Raises:
        InvalidInputError: the database cannot store the request.
    """
    row = {
        "job_id": secrets.token_hex(8),
        "task": task,
        "key": key,
        "request": _jsonb(request),
        "trace_id": trace_id,
    }
    write = insert(jobs).values(row)
    # A no-op update makes one statement return either row.
    write = write.on_conflict_do_update(
        index_elements=["task", "key"], index_where=text(OPEN), set_={"key": write.excluded.key}
    )
    try:
        return _job(connection.execute(write.returning(jobs)).mappings().one())
    except DataError as exc:
        raise refuse("text-unusable", field="request") from exc


def load(connection: Connection, job_id: str) -> Job:
    """Return a job.

    Raises:
        NotFoundError: no job of that id.
    """
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
    if row is None:
        raise refuse(
            "not-found",
            field="job_id",
            value=job_id,
            thing="job",
            source="the answer that accepted it: job_id",
        )
    return _job(row)


def list_newest(
    connection: Connection,
    *,
    status: JobFilter | None = None,
    limit: int = 50,
    sites: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
) -> list[JobSummary]:
    """Return jobs, the last accepted first.

    Args:
        connection: to the database.
        status: only these; ``open``: queued or running; None: all.
        limit: how many at most.
        sites: only jobs for these; None: all.
        after: the cursor: instant and id of the last job of the previous page.
    """
    query = _select_summaries().order_by(jobs.c.submitted_at.desc(), jobs.c.job_id)
    if status == "open":
        query = query.where(text(OPEN))
    elif status is not None:
        query = query.where(jobs.c.status == status)
    if after is not None:
        submitted_at, job_id = after
        follows = and_(jobs.c.submitted_at == submitted_at, jobs.c.job_id > job_id)
        query = query.where(or_(jobs.c.submitted_at < submitted_at, follows))
    if sites is not None:
        request = jobs.c.request
        is_for_site = request["site_id"].astext.in_(sites)
        plans_site = request["plan"]["site_id"].astext.in_(sites)
        query = query.where(or_(is_for_site, plans_site))
    return read_page(connection, query, _summary, limit=limit)


def list_of_site(
    connection: Connection, site_id: str, *, tasks: Sequence[str], limit: int = 10
) -> list[Job]:
    """Return a site's jobs of some tasks, the last accepted first."""
    of_site = jobs.c.task.in_(tasks) & (jobs.c.request["site_id"].astext == site_id)
    query = select(jobs).where(of_site).order_by(jobs.c.submitted_at.desc(), jobs.c.job_id)
    return read_page(connection, query, _job, limit=limit)


def load_summaries(connection: Connection, job_ids: Iterable[str]) -> dict[str, JobSummary]:
    """Return the jobs of these ids by id, without deleted ones."""
    query = _select_summaries().where(jobs.c.job_id.in_(list(job_ids)))
    summaries = read_each(connection.execute(query).mappings(), _summary)
    return {job.job_id: job for job in summaries}


def find_newest(
    connection: Connection, *, task: str, key: str, within: timedelta | None = None
) -> JobSummary | None:
    """Return the last accepted job of a task and key, if any.

    With ``within`` only an open job, or one that ended no longer ago than that.
    """
    query = _select_summaries().where(jobs.c.task == task, jobs.c.key == key)
    if within is not None:
        query = query.where(or_(text(OPEN), jobs.c.finished_at > _NOW - within))
    newest = query.order_by(jobs.c.submitted_at.desc()).limit(1)
    row = connection.execute(newest).mappings().first()
    return None if row is None else _summary(row)


def is_any_queued(connection: Connection, tasks: Sequence[str]) -> bool:
    """Return whether a job of one of these tasks waits for a worker."""
    waiting = select(jobs.c.job_id).where(jobs.c.task.in_(tasks), jobs.c.status == "queued")
    return bool(connection.scalar(select(waiting.exists())))


def _select_summaries() -> Select[Any]:
    return select(*(jobs.c[name] for name in JobSummary.model_fields))


def count(connection: Connection) -> JobCounts:
    """Return the numbers of jobs by status, and the age of the oldest open one."""
    counts = [
        func.count().filter(jobs.c.status == status).label(status)
        for status in ("queued", "running", "dead")
    ]
    oldest = (
        func.max(func.extract("epoch", _NOW - jobs.c.submitted_at))
        .filter(text(OPEN))
        .label("oldest")
    )
    row = connection.execute(select(*counts, oldest)).mappings().one()
    return JobCounts(row["queued"], row["running"], row["dead"], float(row["oldest"] or 0.0))


@contextmanager
def hold(
    engine: Engine, job_id: str, *, worker: str, is_alive: Callable[[str], bool]
) -> Iterator[bool]:
    """Hold the job's lock while the block runs.

    Yields False where another live worker holds it.

    The lock belongs to a database session of its own, so it is released however the worker ends.
    The server notices a vanished machine within a minute, a frozen one never: the session of a
    holder without a heartbeat is terminated by the next worker that asks.

    Args:
        engine: of the database with the rows.
        job_id: names the lock.
        worker: the name of the new holder.
        is_alive: whether the named worker has a heartbeat.

    Raises:
        UnavailableError: the database cannot be reached.
    """
    key = func.hashtextextended(job_id, 0)
    with own_session(engine) as session:
        # SQL's arguments have no names.
        name_it = func.set_config("application_name", f"{_HOLDER}{worker}", False)  # noqa: FBT003
        session.execute(select(name_it))
        is_locked = _lock(session, key)
        if not is_locked and _end_holder(session, job_id, is_alive):
            is_locked = _lock(session, key)
        try:
            yield is_locked
        finally:
            # Explicitly: the server notices a closed connection a moment later. Without a
            # connection there is no lock.
            with suppress(OperationalError):
                session.execute(select(func.pg_advisory_unlock(key)).where(literal(is_locked)))


def begin(connection: Connection, job_id: str) -> Job:
    """Record that an attempt begins, and return the job with the attempt's number.

    The caller holds its lock.

    Raises:
        SupersededError: the job has ended meanwhile.
    """
    write = (
        update(jobs)
        .where(jobs.c.job_id == job_id, text(OPEN))
        .values(status="running", attempts=jobs.c.attempts + 1, started_at=_NOW, error=null())
    )
    row = connection.execute(write.returning(jobs)).mappings().first()
    if row is None:
        raise SupersededError("the job has ended meanwhile", field="job_id", value=job_id)
    return _job(row)


def finish(
    connection: Connection,
    job: Job,
    *,
    status: Literal["done", "failed", "dead"],
    reply: str | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Record the end of the attempt that returned ``job`` from ``begin``.

    Raises:
        SupersededError: another attempt has begun since; nothing of this one may be committed.
    """
    write = _update_own(job).values(
        status=status,
        finished_at=_NOW,
        reply=null() if reply is None else _jsonb(reply),
        error=error or null(),
    )
    if not connection.execute(write).rowcount:
        raise SupersededError(
            "another attempt of this job has begun since", field="job_id", value=job.job_id
        )


def cancel(connection: Connection, job_id: str) -> Job:
    """Cancel an open job and return it.

    A cancelled one is returned unchanged. A running attempt commits nothing any more.

    Raises:
        NotFoundError: no job of that id.
        ConflictError: it has ended otherwise.
    """
    write = (
        update(jobs)
        .where(jobs.c.job_id == job_id, text(OPEN))
        .values(status="cancelled", finished_at=_NOW, error=null())
    )
    row = connection.execute(write.returning(jobs)).mappings().first()
    job = load(connection, job_id) if row is None else _job(row)
    if job.status != "cancelled":
        raise refuse("job-not-open", field="job_id", value=job_id, status=job.status)
    return job


def list_outliving(connection: Connection) -> list[str]:
    """Return the cancelled jobs whose attempt still runs.

    Its worker has not received the cancellation.
    """
    is_recent = jobs.c.finished_at > _NOW - LONGEST_ATTEMPT
    query = select(jobs.c.job_id).where(jobs.c.status == "cancelled", is_recent, text(_IS_LOCKED))
    return list(connection.scalars(query))


def put_back(
    connection: Connection, job: Job, *, counted: bool = True, error: dict[str, Any] | None = None
) -> None:
    """Queue a job again whose attempt could not go on.

    Its caller or ``take_due`` sends it.

    Args:
        connection: to the database.
        job: with the number of the attempt.
        counted: whether this attempt counts against the job's limit.
        error: why it could not go on.
    """
    attempts = job.attempts if counted else job.attempts - 1
    connection.execute(
        _update_own(job).values(
            status="queued", sent_at=_NOW, attempts=attempts, error=error or null()
        )
    )


def mark_sent(connection: Connection, job_ids: Sequence[str]) -> None:
    """Record that the jobs' messages were sent just now."""
    connection.execute(update(jobs).where(jobs.c.job_id.in_(job_ids)).values(sent_at=_NOW))


def is_any_due(connection: Connection) -> bool:
    """Return whether a message is due again, or a cancelled job's attempt still runs."""
    if connection.scalar(select(_select_due().exists())):
        return True
    return bool(list_outliving(connection))


def take_due(connection: Connection) -> list[Job]:
    """Return the open jobs whose message has to be sent again, oldest first.

    They are locked until the end of the transaction.

    A job is due if it was never sent, or was sent longer ago than its resend interval and is queued
    or has a free lock.
    """
    rows = connection.execute(
        _select_due()
        .order_by(jobs.c.submitted_at)
        .limit(RESEND_AT_MOST)
        .with_for_update(skip_locked=True)
    )
    return [_job(row) for row in rows.mappings()]


def _select_due() -> Select[Any]:
    # The longer a job has waited, the longer until its message is sent again.
    waited = jobs.c.sent_at - jobs.c.submitted_at
    silence = func.least(func.greatest(waited, RESEND_AFTER), LONGEST_SILENCE)
    is_silent = or_(
        jobs.c.sent_at.is_(None),
        jobs.c.sent_at + silence < _NOW,
        # Sent while the clock ran ahead, which was corrected since.
        jobs.c.sent_at > _NOW,
    )
    is_idle = or_(jobs.c.status == "queued", _LOCK_IS_FREE)
    return select(jobs).where(text(OPEN), is_silent, is_idle)


def retry(connection: Connection, job_id: str) -> Job:
    """Open a failed, dead or cancelled job again, as if it were accepted now.

    Raises:
        NotFoundError: no job of that id.
        ConflictError: it is open or done, an equal job is open, or its cancelled attempt still
            runs.
    """
    anew = {"status": "queued", "attempts": 0, "submitted_at": _NOW} | dict.fromkeys(
        ("error", "sent_at", "started_at", "finished_at"), null()
    )
    # The attempt of a cancelled job may still run; a second one would find the lock taken.
    may_open = or_(
        jobs.c.status.in_(("failed", "dead")), and_(jobs.c.status == "cancelled", _LOCK_IS_FREE)
    )
    write = update(jobs).where(jobs.c.job_id == job_id, may_open).values(anew)
    try:
        row = connection.execute(write.returning(jobs)).mappings().first()
    except IntegrityError as exc:
        raise refuse("equal-job-open", field="job_id", value=job_id) from exc
    if row is None:
        raise _cannot_retry(load(connection, job_id))
    return _job(row)


def forget_ended(connection: Connection, *, after: timedelta, dead_after: timedelta) -> int:
    """Delete jobs that ended long ago and return their number.

    A dead job goes ``dead_after`` its end, any other ``after`` its end; at most ``FORGET_AT_MOST``
    per call.
    """
    age = _NOW - jobs.c.finished_at
    is_expired = or_(
        and_(jobs.c.status.in_(ENDED), age > after),
        and_(jobs.c.status == "dead", age > dead_after),
    )
    oldest = (
        select(jobs.c.job_id).where(is_expired).order_by(jobs.c.finished_at).limit(FORGET_AT_MOST)
    )
    return connection.execute(delete(jobs).where(jobs.c.job_id.in_(oldest))).rowcount


def _cannot_retry(job: Job) -> LunaError:
    if job.status == "cancelled":
        return refuse("attempt-still-ending", field="job_id", value=job.job_id)
    return refuse("job-not-ended-badly", field="job_id", value=job.job_id, status=job.status)


def _lock(session: Connection, key: ColumnElement[int]) -> bool:
    session.execute(text(f"SET lock_timeout = {int(LOCK_PATIENCE / timedelta(milliseconds=1))}"))
    try:
        session.execute(select(func.pg_advisory_lock(key)))
    except OperationalError as exc:
        if not isinstance(exc.orig, psycopg.errors.LockNotAvailable):
            raise
        return False
    return True


def _end_holder(session: Connection, job_id: str, is_alive: Callable[[str], bool]) -> bool:
    """Terminate the session with a job's lock if its worker has no heartbeat.

    Return whether it was terminated.
    """
    holder = session.execute(_ITS_HOLDER, {"job_id": job_id}).first()
    if holder is None or is_alive(holder.application_name.removeprefix(_HOLDER)):
        return False
    return bool(session.scalar(select(func.pg_terminate_backend(holder.pid))))


def _update_own(job: Job) -> Update:
    # An attempt that lost its lock with its connection must not write for its successor. A retry
    # restarts the count of attempts, so the start identifies the attempt as well.
    return update(jobs).where(
        jobs.c.job_id == job.job_id,
        text(OPEN),
        jobs.c.attempts == job.attempts,
        jobs.c.started_at == job.started_at,
    )


def _jsonb(document: str) -> ColumnElement[Any]:
    return cast(literal(document, Text), JSONB)


def _summary(row: RowMapping) -> JobSummary:
    return JobSummary.model_validate(_in_utc(row))


def _job(row: RowMapping) -> Job:
    return Job.model_validate(_in_utc(row))


def _in_utc(row: RowMapping) -> dict[str, Any]:
    values = dict(row)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    return values
