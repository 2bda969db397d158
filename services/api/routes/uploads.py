"""Routes that upload files of series."""

import hashlib
from typing import Any, get_args

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from luna.contracts.data import Kind, LoadFileRequest
from luna.contracts.job import Job
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import invalid_input
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capability import locate
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller
from services.api.identity.guard import CSRF_FIELD
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter, SitePath
from services.api.uploads import MAX_FILE_BYTES, Fields, ReceivedFile

router = ResourceRouter("uploads", route_class=CheckedRoute)

# The fields that may be repeated, each with an example.
LISTS = {"columns": "load_kwh=verbrauch", "ignore": "note", "units": "load_kwh=Wh"}
_PAIRS = {"type": "array", "items": {"type": "string"}}
FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "kind"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": (
                            "CSV, JSON lines, a JSON array or Parquet; all but Parquet also as gzip"
                        ),
                    },
                    "kind": {
                        "type": "string",
                        "enum": list(get_args(Kind)),
                        "description": "what its rows are",
                    },
                    "timezone": {
                        "type": "string",
                        "description": (
                            "where the clock of times without offset stands, such as "
                            "Europe/Berlin; default: the site's"
                        ),
                    },
                    "columns": _PAIRS
                    | {"description": "Luna's name of a column and the file's: load_kwh=verbrauch"},
                    "ignore": _PAIRS | {"description": "columns of the file to leave out"},
                    "units": _PAIRS
                    | {"description": "a column's unit in the file: load_kwh=Wh, soc=%"},
                },
            }
        }
    },
}


@router.operation(
    "Load a file",
    Operation(
        "POST", "/v1/sites/{site_id}/uploads", "data", "data load", most_bytes=MAX_FILE_BYTES
    ),
    status_code=202,
    response_model=JobReply,
    openapi_extra={"requestBody": FORM},
)
async def load_file(
    site_id: SitePath, request: Request, gateway: CurrentGateway, response: Response
) -> Job:
    """Take a file of any length and load it as a job that replies with its rows' outcomes.

    The same file again changes nothing.
    """
    return await take_upload(site_id, request, gateway, response)


@router.operation(
    "",
    Operation(
        "POST", "/data/load", "data", alone="the site stands in the form", most_bytes=MAX_FILE_BYTES
    ),
    status_code=202,
    response_model=JobReply,
)
async def load_data(request: Request, gateway: CurrentGateway, response: Response) -> Job:
    """Take a file for the site that the form names."""
    return await take_upload(None, request, gateway, response)


async def take_upload(
    site_id: str | None, request: Request, gateway: Gateway, response: Response
) -> Job:
    """Store a form's file and return the job that loads it.

    Without ``site_id`` the form names the site.
    """
    file, fields = await gateway.uploads.receive_one(request)
    job = await run_in_threadpool(
        _submit, gateway, file, site_id, fields=fields, caller=request.state.caller
    )
    response.headers["Location"] = locate(read_job.path, job)
    return job


def _submit(
    gateway: Gateway, file: ReceivedFile, site_id: str | None, *, fields: Fields, caller: Caller
) -> Job:
    try:
        message = _compose(file, fields, site_id)
        require_own(message.site_id, caller.sites)
        with unit_of_work(gateway.database) as connection:
            sites.key_of(connection, message.site_id)
        # The idempotency key holds the content and not the name: the same file with the same
        # options is the same job.
        # The same content is loaded once, however the file is called.
        content = message.model_copy(update={"object_key": file.sha256, "file_name": ""})
        key = hashlib.sha256(content.model_dump_json().encode()).hexdigest()
        job = submit_job(gateway.database, gateway.queue, message, key=key)
    except LunaError:
        gateway.objects.remove(file.key)
        raise
    if job.request["object_key"] != file.key:
        gateway.objects.remove(file.key)
    return job


def _compose(file: ReceivedFile, fields: Fields, site_id: str | None) -> LoadFileRequest:
    allowed = {"kind", "timezone", CSRF_FIELD, *LISTS}
    if site_id is None:
        allowed.add("site")
    unknown = sorted(set(fields) - allowed)
    if unknown:
        first = "site, " if site_id is None else ""
        raise refuse("form-no-such-field", field=unknown[0], first=first)
    if site_id is None and "site" not in fields:
        raise refuse("form-without-site", field="site")
    single = {name: values[-1] for name, values in fields.items() if name in {"kind", "timezone"}}
    document = single | {
        "site_id": site_id or fields["site"][-1],
        "object_key": file.key,
        "file_name": file.name[:200],
        "columns": _pairs(fields, "columns"),
        "units": _pairs(fields, "units"),
        "ignore": fields.get("ignore", []),
    }
    try:
        return LoadFileRequest.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


def _pairs(fields: Fields, field: str) -> dict[str, str]:
    pairs = {}
    for text in fields.get(field, []):
        if text.strip():
            name, _, file_name = text.partition("=")
            if not name or not file_name:
                raise refuse("form-two-names", field=field, value=text, example=LISTS[field])
            pairs[name] = file_name
    return pairs
