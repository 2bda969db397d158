"""Accepted work that nobody waits for: how it stands, its end, another try."""

import json
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from luna.contracts.job import Job, JobFilter, JobSummary, Progress
from luna.contracts.message import Message
from luna.energy.errors import ConflictError, UnavailableError
from luna.house.capability import CapabilityCall, TerminalForm, TextTable, capability
from luna.platform.database import jobs
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from luna.words import Numbers, say_instant

_NOUN = "jobs"
JobId = Annotated[str, Field(max_length=64, pattern=r"^[\w-]+$", description="the job's id")]
_PATH = "/v1/jobs/{job_id}"


class JobReply(Job):
    """A job, and how far it is where it runs."""

    progress: Progress | None = None


class JobList(Message):
    """Jobs, those accepted last first."""

    jobs: list[JobSummary]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = (
        None
    )


# As wide as a terminal at its narrowest: an id that is cut off is of no use.
_HEADINGS = ("job", "task", "status", "tries", "accepted")


def _show_jobs(reply: JobList, numbers: Numbers) -> Iterator[TextTable]:
    rows = [
        [
            job.job_id,
            job.task,
            job.status,
            str(job.attempts),
            say_instant(job.submitted_at, numbers.zone),
        ]
        for job in reply.jobs
    ]
    yield TextTable(_HEADINGS, rows, words=_HEADINGS, title=f"Times: {numbers.zone}")


def _key_of_job(job: JobSummary) -> tuple[str, str]:
    return job.submitted_at.isoformat(), job.job_id


@capability("GET", "/v1/jobs", noun=_NOUN, scope="read", command="jobs list", shown=_show_jobs)
def list_jobs(
    call: CapabilityCall,
    status: Annotated[JobFilter | None, Field(description="open: queued or running")] = None,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobList:
    """List jobs.

    Return the newest jobs, without requests and replies.
    """
    rows = jobs.list_newest(
        call.connection,
        status=status,
        limit=limit + 1,
        sites=call.sites,
        after=read_instant_and_text(cursor),
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_job)
    return JobList(jobs=page, cursor=following)


def _show_job(job: JobReply, numbers: Numbers) -> Iterator[str | TextTable]:
    rows = [
        ["task", job.task],
        ["key", job.key],
        ["status", job.status],
        ["attempts", str(job.attempts)],
    ]
    for name, instant in (
        ("accepted", job.submitted_at),
        ("begun", job.started_at),
        ("ended", job.finished_at),
    ):
        rows.append(
            [name, "–" if instant is None else say_instant(instant, numbers.zone, seconds=True)]
        )
    yield TextTable(("what", "value"), rows, words=("value",), title=f"Job {job.job_id}")
    for name, document in (("Asked", job.request), ("Reply", job.reply), ("Error", job.error)):
        if document is not None:
            yield f"{name}:"
            yield json.dumps(document, ensure_ascii=False, indent=2)


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="jobs show",
    also=("jobs watch",),
    shown=_show_job,
)
def read_job(call: CapabilityCall, job_id: JobId) -> JobReply:
    """Read a job.

    Return a job's status, progress, and its reply or error once it has ended.
    """
    job = jobs.load(call.connection, job_id)
    return JobReply(**dict(job), progress=_read_progress(call, job))


def _read_progress(call: CapabilityCall, job: Job) -> Progress | None:
    if job.status != "running":
        return None
    try:
        return call.queue().tasks.progress(job.job_id)
    except UnavailableError:
        # The row is what counts; how far it is will be known again when Redis is back.
        return None


@capability(
    "DELETE",
    _PATH,
    noun=_NOUN,
    scope="analyse",
    command="jobs cancel",
    shown="Job {job_id} is cancelled.",
    terminal=TerminalForm(arguments=("job_id",)),
    errors=(ConflictError,),
)
def cancel_job(call: CapabilityCall, job_id: JobId) -> JobReply:
    """Cancel a job.

    End a queued or running job within seconds; nothing is left half-written. 409 if it has ended
    otherwise. It can be repeated.
    """
    # The queue's library takes as long to import as all of a command else.
    from luna.platform.queue.jobs import cancel_job as cancel_accepted

    return JobReply(**dict(cancel_accepted(call.database(), call.queue(), job_id)))


@capability(
    "POST",
    f"{_PATH}/retry",
    noun=_NOUN,
    scope="analyse",
    command="jobs retry",
    shown="Job {job_id} is queued again.",
    terminal=TerminalForm(arguments=("job_id",)),
    status=202,
    errors=(ConflictError,),
)
def retry_job(call: CapabilityCall, job_id: JobId) -> JobReply:
    """Retry a failed, dead or cancelled job.

    Open the job again and reset its attempts. 409 if it is open or done.
    """
    from luna.platform.queue.jobs import retry_job as retry_accepted

    return JobReply(**dict(retry_accepted(call.database(), call.queue(), job_id)))


CAPABILITIES = (
    list_jobs,
    read_job,
    cancel_job,
    retry_job,
)
