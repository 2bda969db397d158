"""Every error as a problem document: what was wrong, where, and what to do. Source: RFC 9457."""

from http import HTTPStatus
from typing import Any, get_args

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException

from luna.errors import LunaError, UnavailableError
from luna.site import invalid_input
from luna.telemetry import current_trace_id

MEDIA_TYPE = "application/problem+json"
_REMEDIES = {
    HTTPStatus.NOT_FOUND: "The addresses are listed at /docs.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The methods are listed at /docs.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send less at once: fewer slots, or the file in parts.",
}

_PYDANTIC_KINDS = frozenset(get_args(ErrorType))

log = structlog.get_logger("luna.api")


class Problem(BaseModel):
    """What was wrong, where, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    value: str | int | float | bool | None = None
    remedy: str | None = None
    trace_id: str


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error of ``app`` leave as a problem document."""
    app.add_exception_handler(LunaError, _on_luna_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unforeseen_error)


def problem_response(error: LunaError, **extras: Any) -> JSONResponse:
    """Return ``error`` as a response; ``extras`` are further members of the document."""
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, UnavailableError) else {}
    return JSONResponse({**error.problem(), "trace_id": current_trace_id(), **extras}, error.status, headers, MEDIA_TYPE)


async def _on_luna_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LunaError)  # noqa: S101 - registered for this class
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", error=str(error), code=error.code)
    return problem_response(error)


async def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    return problem_response(invalid_input(_as_pydantic(error), field=""))


async def _on_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    status = HTTPStatus(error.status_code)
    document = {
        "type": f"urn:luna:problem:{status.phrase.lower().replace(' ', '-')}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.detail,
        "remedy": _REMEDIES.get(status, "Correct the request."),
        "trace_id": current_trace_id(),
    }
    return JSONResponse(document, status.value, error.headers, MEDIA_TYPE)


async def _on_unforeseen_error(_request: Request, error: Exception) -> JSONResponse:
    log.error("request failed unexpectedly", exc_info=error)
    return problem_response(LunaError("the request failed unexpectedly", remedy="The gateway's log holds the reason under this trace_id."))


def _as_pydantic(error: RequestValidationError) -> ValidationError:
    faults = [InitErrorDetails(type=_kind(fault), loc=_place(fault), input=fault.get("input"), ctx=fault.get("ctx") or {}) for fault in error.errors()]
    return ValidationError.from_exception_data("request", faults)


def _kind(fault: dict[str, Any]) -> str | PydanticCustomError:
    """Return the type of a fault, one of Luna's own with its words."""
    if fault["type"] in _PYDANTIC_KINDS:
        return str(fault["type"])
    return PydanticCustomError(fault["type"], "{said}", {**(fault.get("ctx") or {}), "said": fault["msg"]})


def _place(fault: dict[str, Any]) -> tuple[str | int, ...]:
    # The first part says "body" or "path", which is the caller's word only where nothing follows; in broken JSON a position does.
    where, *path = fault["loc"]
    return tuple(path) if path and fault["type"] != "json_invalid" else (where,)
