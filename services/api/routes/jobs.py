"""Accept work that nobody waits for; say how it stands."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, SkipValidation, ValidationError

from luna.contracts.job import Job, JobFilter, JobSummary
from luna.contracts.message import Message, Request
from luna.contracts.tasks import list_public
from luna.energy.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from luna.energy.site import invalid_input
from luna.platform.database import jobs, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from luna.platform.queue import Progress
from luna.platform.queue import jobs as jobs_queue
from services.api.events import sse_response
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.problems import document_errors
from services.api.routing import ResourceRouter

router = ResourceRouter("jobs")

# What a caller may ask for, by task.
PUBLIC = list_public()
# Any of their requests, as the gateway describes itself.
_ANY_REQUEST = GetPydanticSchema(lambda _source, handler: handler.generate_schema(reduce(or_, PUBLIC.values())))

_EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}

JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


class JobSubmission(BaseModel):
    """Work to be done without anybody waiting for it."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[str, Field(json_schema_extra={"enum": [*PUBLIC]})]
    # Each task has its own request; which one is known only by the task, so the route validates it.
    request: Annotated[Any, _ANY_REQUEST, SkipValidation()]
    key: Annotated[str | None, Field(min_length=1, max_length=128, pattern=r"^[\w.:/-]+$", description="names this piece of work; default: its content")] = None


class JobReply(Job):
    """A job, and how far it is where it runs."""

    progress: Progress | None = None


class JobList(Message):
    """Jobs, those accepted last first."""

    jobs: list[JobSummary]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = None


@router.operation("Accept work that nobody waits for", status_code=202, response_model=JobReply)
def accept_job(submission: JobSubmission, gateway: CurrentGateway, response: Response, caller: CurrentCaller) -> Job:
    """Accept the work and answer before it is done: it survives every crash from now on. While an equal job is open, that one is returned."""
    job = jobs_queue.submit_job(gateway.database, gateway.queue, _compose(submission), key=caller.own_key(submission.key))
    response.headers["Location"] = job_path(job)
    return job


@router.operation("List jobs")
def list_jobs(
    gateway: CurrentGateway,
    caller: CurrentCaller,
    status: Annotated[JobFilter | None, Query(description="open: queued or running")] = None,
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobList:
    """Return the jobs accepted last, without what they asked and answered."""
    after = read_instant_and_text(cursor)
    with unit_of_work(gateway.database) as connection:
        rows = jobs.list_newest(connection, status=status, limit=limit + 1, sites=caller.sites, after=after)
    page, following = cut_page(rows, limit=limit, key=lambda job: (job.submitted_at.isoformat(), job.job_id))
    return JobList(jobs=page, cursor=following)


@router.operation("Read how a job stands")
def read_job(job_id: JobId, gateway: CurrentGateway) -> JobReply:
    """Return the job: its status, how far it is, and its reply or error once it has ended."""
    with unit_of_work(gateway.database) as connection:
        job = jobs.load(connection, job_id)
    return JobReply(**dict(job), progress=_progress(gateway, job))


@router.operation(
    "Watch a job",
    response_class=Response,
    responses={
        200: {"description": "events progress, at last end, each a JobState as JSON", "content": _EVENT_STREAM},
        204: {"description": "that it has ended was told already"},
    },
)
async def watch_job(
    job_id: JobId, gateway: CurrentGateway, last_event_id: Annotated[str | None, Header(max_length=64, description="the event that was heard last")] = None
) -> Response:
    """Tell how the job stands each time that changes, as server-sent events, and end with how it ended.

    A comment comes every fifteen seconds. Who comes again with `Last-Event-ID` hears what is new; 204, at which a browser stops, where nothing will be.
    """
    states = await to_thread.run_sync(gateway.read_states, [job_id])
    if job_id not in states:
        raise NotFoundError("no such job", field="job_id", value=job_id, remedy="Take the job_id from the answer that accepted it.")
    state = states[job_id]
    if state.finished_at is not None and last_event_id == state.event().id:
        return Response(status_code=204)
    return sse_response(gateway.job_watch.follow(state, seen=last_event_id), limit=gateway.streams)


@router.operation("Cancel a job", responses=document_errors(ConflictError))
def cancel_job(job_id: JobId, gateway: CurrentGateway) -> JobReply:
    """End a queued or running job: it never begins, or is ended within seconds and leaves nothing half-written.

    Asked again, the answer is the same; 409 where it has ended otherwise.
    """
    return JobReply(**dict(jobs_queue.cancel_job(gateway.database, gateway.queue, job_id)))


@router.operation("Try a failed, dead or cancelled job again", responses=document_errors(ConflictError), status_code=202, response_model=JobReply)
def retry_job(job_id: JobId, gateway: CurrentGateway, response: Response) -> Job:
    """Open the job again, its attempts counted from nought; 409 where it is open or done."""
    job = jobs_queue.retry_job(gateway.database, gateway.queue, job_id)
    response.headers["Location"] = job_path(job)
    return job


def submit_for_site(gateway: Gateway, site_id: str, request: Request, response: Response) -> Job:
    """Accept work for a stored site and tell where its job is read.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work(gateway.database) as connection:
        sites.key_of(connection, site_id)
    job = jobs_queue.submit_job(gateway.database, gateway.queue, request)
    response.headers["Location"] = job_path(job)
    return job


def job_path(job: Job) -> str:
    """Return where a job is read."""
    return f"/v1/jobs/{job.job_id}"


def _compose(submission: JobSubmission) -> Request:
    contract = PUBLIC.get(submission.task)
    if contract is None:
        raise InvalidInputError("is no task to ask for", field="task", value=submission.task, remedy=f"Ask for one of {', '.join(PUBLIC)}.")
    document: Any = submission.request
    try:
        return contract.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="request") from exc


def _progress(gateway: Gateway, job: Job) -> Progress | None:
    if job.status != "running":
        return None
    try:
        return gateway.queue.tasks.progress(job.job_id)
    except UnavailableError:
        # The row is what counts; how far it is will be known again when Redis is back.
        return None
