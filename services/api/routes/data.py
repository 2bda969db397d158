"""Read stored series; take files that hold some."""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError

from luna.contracts.data import Kind, LoadFileRequest
from luna.contracts.job import Job
from luna.database import sites
from luna.database.engine import unit_of_work
from luna.errors import InvalidInputError, LunaError
from luna.history import SeriesAnswer
from luna.queue.jobs import submit_job
from luna.site import invalid_input
from services.api.gateway import CurrentGateway, Gateway
from services.api.history_pages import MEDIA_TYPES, DataQuestion, Pages, open_pages, write_arrow, write_csv, write_json
from services.api.identity.caller import Caller, CurrentCaller
from services.api.json_body import CheckedRoute
from services.api.routes.jobs import JobReply
from services.api.uploads import Upload, receive_upload

router = APIRouter(route_class=CheckedRoute, prefix="/data", tags=["data"])

# The past may be repaired at any time, so a stored answer is asked about before it is used again.
CACHE_CONTROL = "private, no-cache"


class DataReply(BaseModel):
    """A series. Rows have a ``start``, a ``value`` (null: unknown) and the ``known`` share; readings as received an ``instant`` and a ``value``."""

    site: str
    series: str
    resolution: str | None
    aggregate: str | None
    timezone: str
    rows: list[dict[str, Any]]
    cursor: str | None


FORMS: dict[int | str, dict[str, Any]] = {
    200: {"model": DataReply, "content": {kind: {} for name, kind in MEDIA_TYPES.items() if name != "json"}, "description": "The rows asked for"},
    304: {"description": "As it was, by If-None-Match"},
}


# The fields that may be repeated, each with an example.
LISTS = {"columns": "load_kwh=verbrauch", "ignore": "note", "units": "load_kwh=Wh"}
FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "site", "kind"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "CSV, JSON lines, a JSON array or Parquet; all but Parquet also as gzip"},
                    "site": {"type": "string"},
                    "kind": {"type": "string", "enum": list(get_args(Kind))},
                    "timezone": {"type": "string", "description": "where the clock of times without offset stands, such as Europe/Berlin"},
                    "columns": {"type": "array", "items": {"type": "string"}, "description": "Luna's name of a column and the file's: load_kwh=verbrauch"},
                    "ignore": {"type": "array", "items": {"type": "string"}, "description": "columns of the file to leave out"},
                    "units": {"type": "array", "items": {"type": "string"}, "description": "a column's unit in the file: load_kwh=Wh, soc=%"},
                },
            }
        }
    },
}


@router.get("/query", responses=FORMS, response_class=Response, summary="Read a stored series")
def query_data(question: Annotated[DataQuestion, Query()], gateway: CurrentGateway, request: Request) -> Response:
    """Return a series as JSON, CSV or an Arrow stream; what is unknown is null, never zero. `Link` names the next page where there is one."""
    with unit_of_work(gateway.database) as connection:
        pages = open_pages(connection, question)
    answers = pages.read(gateway.database)
    # The first page is read before the answer begins, so that what is wrong with the question leaves as a problem document.
    answer = next(answers)
    one_page = question.format == "json" or question.limit is not None or answer.following is None
    headers = {"Cache-Control": CACHE_CONTROL} | (_link(pages, answer, request) if one_page else {})
    if one_page:
        return _respond(b"".join(_write(pages, iter([answer]))), headers, request)
    return StreamingResponse(_write(pages, chain([answer], answers)), headers=headers, media_type=MEDIA_TYPES[question.format])


def _write(pages: Pages, answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    if pages.question.format == "csv":
        return write_csv(answers)
    if pages.question.format == "arrow":
        return write_arrow(answers)
    return (write_json(answer, _frame(pages, answer)) for answer in answers)


def _frame(pages: Pages, answer: SeriesAnswer) -> dict[str, Any]:
    return {
        "site": pages.question.site,
        "series": pages.question.series,
        "resolution": answer.resolution,
        "aggregate": answer.aggregate,
        "timezone": pages.timezone,
        "cursor": pages.cursor(answer),
    }


def _link(pages: Pages, answer: SeriesAnswer, request: Request) -> dict[str, str]:
    cursor = pages.cursor(answer)
    return {} if cursor is None else {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}


def _respond(body: bytes, headers: dict[str, str], request: Request) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers |= {"ETag": tag}
    known = [entry.strip().removeprefix("W/") for entry in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    kind = MEDIA_TYPES[request.query_params.get("format", "json")]
    return Response(body, headers=headers, media_type=kind)


@router.post("/load", status_code=202, response_model=JobReply, openapi_extra={"requestBody": FORM}, summary="Load a file")
async def load_data(request: Request, gateway: CurrentGateway, response: Response, caller: CurrentCaller) -> Job:
    """Take a file of any length and load it as a job, whose reply says what became of its rows; the same file again changes nothing."""
    objects = await run_in_threadpool(lambda: gateway.objects)
    upload = await receive_upload(request, objects, limiter=gateway.uploading)
    job = await run_in_threadpool(_submit, gateway, upload, caller)
    response.headers["Location"] = f"/jobs/{job.job_id}"
    return job


def _submit(gateway: Gateway, upload: Upload, caller: Caller) -> Job:
    try:
        message = _compose(upload)
        caller.require_site(message.site_id)
        with unit_of_work(gateway.database) as connection:
            sites.key_of(connection, message.site_id)
        # The same file for the same site in the same way is the same work, whatever it is called.
        key = hashlib.sha256(message.model_copy(update={"object_key": upload.sha256, "file_name": ""}).model_dump_json().encode()).hexdigest()
        job = submit_job(gateway.database, gateway.queue, message, key=key)
    except LunaError:
        gateway.objects.remove(upload.key)
        raise
    if job.request["object_key"] != upload.key:
        gateway.objects.remove(upload.key)
    return job


def _compose(upload: Upload) -> LoadFileRequest:
    strangers = sorted(set(upload.fields) - {"site", "kind", "timezone", *LISTS})
    if strangers:
        raise InvalidInputError("no such field", field=strangers[0], remedy="Known are site, kind, timezone, columns, ignore, units and file.")
    if "site" not in upload.fields:
        raise InvalidInputError("the form names no site", field="site", remedy="Add --form site=home.")
    single = {name: values[-1] for name, values in upload.fields.items() if name in {"kind", "timezone"}}
    document = single | {
        "site_id": upload.fields["site"][-1],
        "object_key": upload.key,
        "file_name": upload.name,
        "columns": _pairs(upload, "columns"),
        "units": _pairs(upload, "units"),
        "ignore": upload.fields.get("ignore", []),
    }
    try:
        return LoadFileRequest.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


def _pairs(upload: Upload, field: str) -> dict[str, str]:
    pairs = [(text, *text.partition("=")) for text in upload.fields.get(field, [])]
    for text, ours, _, theirs in pairs:
        if not ours or not theirs:
            raise InvalidInputError("two names are needed", field=field, value=text, remedy=f"Write Luna's name, =, the file's: {LISTS[field]}.")
    return {ours: theirs for _, ours, _, theirs in pairs}
