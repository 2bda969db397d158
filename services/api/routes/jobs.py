"""Routes that accept jobs and report their state."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Header, Path, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    SkipValidation,
    ValidationError,
)

from luna.contracts.job import Job
from luna.contracts.tasks import list_public
from luna.energy.refusals import refuse
from luna.energy.site import invalid_input
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capability import locate
from luna.platform.queue import jobs as jobs_queue
from services.api.events import EVENT_STREAM, sse_response
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.operation import Operation
from services.api.routing import ResourceRouter

router = ResourceRouter("jobs")

# Requests that a caller may send, by task.
PUBLIC = list_public()
# Any of their requests, as the gateway describes itself.
_ANY_REQUEST = GetPydanticSchema(
    lambda _source, handler: handler.generate_schema(reduce(or_, PUBLIC.values()))
)

JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


class JobSubmission(BaseModel):
    """Work to be done without anybody waiting for it."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[str, Field(json_schema_extra={"enum": [*PUBLIC]})]
    # Each task has its own request; which one is known only by the task, so the route validates it.
    request: Annotated[Any, _ANY_REQUEST, SkipValidation()]
    key: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            pattern=r"^[\w.:/-]+$",
            description="names this piece of work; default: its content",
        ),
    ] = None


@router.operation(
    "Accept work that nobody waits for",
    Operation("POST", "/v1/jobs", "analyse", "jobs submit", solves=True),
    status_code=202,
    response_model=JobReply,
)
def accept_job(
    submission: JobSubmission, gateway: CurrentGateway, response: Response, caller: CurrentCaller
) -> Job:
    """Accept the work and answer before it is done: it survives every crash from now on.

    While an equal job is open, that one is returned.
    """
    contract = PUBLIC.get(submission.task)
    if contract is None:
        raise refuse(
            "unknown-name",
            field="task",
            value=submission.task,
            names=", ".join(PUBLIC),
            thing="task",
        )
    document: Any = submission.request
    try:
        request = contract.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="request") from exc
    job = jobs_queue.submit_job(
        gateway.database, gateway.queue, request, key=caller.own_key(submission.key)
    )
    response.headers["Location"] = locate(read_job.path, job)
    return job


@router.operation(
    "Watch a job",
    Operation("GET", "/v1/jobs/{job_id}/events", "read", "jobs watch"),
    response_class=Response,
    responses={
        200: {
            "description": "events progress, at last end, each a JobState as JSON",
            "content": EVENT_STREAM,
        },
        204: {"description": "that it has ended was told already"},
    },
)
async def watch_job(
    job_id: JobId,
    gateway: CurrentGateway,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="the event that was heard last")
    ] = None,
) -> Response:
    """Tell how the job stands at each change, as server-sent events, and how it ended.

    A comment comes every fifteen seconds. Who comes again with `Last-Event-ID` hears what is new;
    204, at which a browser stops, where nothing will be.
    """
    states = await to_thread.run_sync(gateway.read_states, [job_id])
    if job_id not in states:
        raise refuse(
            "not-found",
            field="job_id",
            value=job_id,
            thing="job",
            source="the answer that accepted it: job_id",
        )
    state = states[job_id]
    if state.finished_at is not None and last_event_id == state.event().id:
        return Response(status_code=204)
    return sse_response(
        gateway.job_watch.follow(state, last_event_id=last_event_id), limit=gateway.streams
    )
