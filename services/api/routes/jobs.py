"""Accept work that nobody waits for; say how it stands."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, SkipValidation, ValidationError

from luna.contracts.job import Job, JobFilter, JobSummary
from luna.contracts.message import Message, Request
from luna.contracts.tasks import list_public
from luna.database import jobs
from luna.database.engine import unit_of_work
from luna.errors import ConflictError, InvalidInputError, UnavailableError
from luna.queue import Progress
from luna.queue.jobs import retry_job, submit_job
from luna.site import invalid_input
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.problems import document_errors
from services.api.site_clock import SiteClockRoute

router = APIRouter(route_class=SiteClockRoute, prefix="/jobs", tags=["jobs"])

# What a caller may ask for, by task.
PUBLIC = list_public()
# Any of their requests, as the gateway describes itself.
_ANY_REQUEST = GetPydanticSchema(lambda _source, handler: handler.generate_schema(reduce(or_, PUBLIC.values())))

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


@router.post("", status_code=202, response_model=JobReply, summary="Accept work that nobody waits for")
def accept_job(submission: JobSubmission, gateway: CurrentGateway, response: Response, caller: CurrentCaller) -> Job:
    """Accept the work and answer before it is done: it survives every crash from now on. While an equal job is open, that one is returned."""
    job = submit_job(gateway.database, gateway.queue, _compose(submission), key=caller.own_key(submission.key))
    response.headers["Location"] = f"/jobs/{job.job_id}"
    return job


@router.get("", summary="List jobs")
def list_jobs(
    gateway: CurrentGateway,
    caller: CurrentCaller,
    status: Annotated[JobFilter | None, Query(description="open: queued or running")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> JobList:
    """Return the jobs accepted last, without what they asked and answered."""
    with unit_of_work(gateway.database) as connection:
        return JobList(jobs=jobs.list_newest(connection, status=status, limit=limit, sites=caller.sites))


@router.get("/{job_id}", summary="Read how a job stands")
def read_job(job_id: JobId, gateway: CurrentGateway) -> JobReply:
    """Return the job: its status, how far it is, and its reply or error once it has ended."""
    with unit_of_work(gateway.database) as connection:
        job = jobs.load(connection, job_id)
    return JobReply(**dict(job), progress=_progress(gateway, job))


@router.post("/{job_id}/retry", responses=document_errors(ConflictError), status_code=202, response_model=JobReply, summary="Try a failed or dead job again")
def try_job_again(job_id: JobId, gateway: CurrentGateway, response: Response) -> Job:
    """Open the job again, its attempts counted from nought; 409 where it is open or done."""
    job = retry_job(gateway.database, gateway.queue, job_id)
    response.headers["Location"] = f"/jobs/{job.job_id}"
    return job


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
