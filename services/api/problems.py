"""Error responses as problem documents: cause, field and remedy. Source: RFC 9457."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from luna.contracts.message import Request as Message
from luna.energy.errors import LunaError, find_full_disk
from luna.energy.refusals import refuse
from luna.energy.site import explain_faults
from luna.platform.memory import is_want_of_memory
from luna.platform.telemetry import current_trace_id, log_context

# Ours, and the common header of the same id: read where ours is missing, sent beside it.
TRACE_HEADERS = ("x-trace-id", "x-request-id")
MEDIA_TYPE = "application/problem+json"
# Field and remedy of the framework's own errors, by status.
_REMEDIES = {
    HTTPStatus.NOT_FOUND: ("path", "The addresses are listed at /docs."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method", "The methods are listed at /docs."),
    HTTPStatus.REQUEST_TIMEOUT: ("body", "Send the body without long pauses."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "body",
        "Send less at once: fewer slots, or the file in parts.",
    ),
}

log = structlog.get_logger("luna.api")


class Problem(BaseModel):
    """Problem document: the fault, its place, and the remedy."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    value: str | int | float | bool | None = None
    remedy: str | None = None
    reason: Annotated[
        str | None,
        Field(
            description=(
                "a stable name of why, where one is declared; pages word it in their reader's "
                "language"
            )
        ),
    ] = None
    parameters: Annotated[dict[str, Any] | None, Field(description="the figures of the reason")] = (
        None
    )
    trace_id: str


def document_errors(*errors: type[LunaError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of errors that are specific to a route."""
    return {error.status: {"description": error.title} for error in errors}


class ProblemResponse(JSONResponse):
    """A problem document; it may quote any text, also invalid Unicode."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the document; a lone surrogate becomes ``?``."""
        return json.dumps(
            content, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode("utf-8", "replace")


def add_problem_handlers(app: FastAPI) -> None:
    """Register handlers on ``app`` that answer every error with a problem document."""
    app.add_exception_handler(LunaError, _on_luna_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ValidationError, _on_refused_message)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(OSError, _on_system_error)
    app.add_exception_handler(Exception, _on_unforeseen_error)


def problem_response(error: LunaError, **extras: Any) -> JSONResponse:
    """Return ``error`` as a response; ``extras`` are further members of the document."""
    document = {**error.problem(), "trace_id": current_trace_id(), **extras}
    return ProblemResponse(document, error.status, error.headers)


async def _on_luna_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LunaError)  # noqa: S101 - registered for this class
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", error=str(error), code=error.code)
    return problem_response(error)


async def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    faults = []
    for fault in error.errors():
        # The first part ("body", "path") is no field; it stays where nothing follows, or only the
        # position in malformed JSON.
        where, *path = fault["loc"]
        names_field = path and fault["type"] != "json_invalid"
        place = tuple(path) if names_field else (where,)
        faults.append({**fault, "loc": place})
    return problem_response(explain_faults(faults, field=""))


async def _on_refused_message(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ValidationError)  # noqa: S101 - registered for this class
    # A route built this message from the caller's input: the caller's error.
    if error.title in {message.__name__ for message in Message.__subclasses__()}:
        return problem_response(explain_faults(error.errors(), field=""))
    raise error


async def answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Return the framework's own error as a problem document."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    status = HTTPStatus(error.status_code)
    field, remedy = _REMEDIES.get(status, ("request", "Correct the request."))
    document = {
        "type": f"urn:luna:problem:{status.phrase.lower().replace(' ', '-')}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.detail,
        "field": field,
        "remedy": remedy,
        "trace_id": current_trace_id(),
    }
    return ProblemResponse(document, status.value, error.headers)


async def _on_system_error(request: Request, error: Exception) -> JSONResponse:
    full = find_full_disk(error)
    if full is None:
        raise error
    return await _on_luna_error(request, full)


UnforeseenAnswer = Callable[[Request, LunaError], Response]


def answer_unforeseen_error(
    request: Request, error: Exception, answer: UnforeseenAnswer | None = None
) -> Response:
    """Log an unforeseen error and return its response, both under the request's trace id.

    ``answer`` makes the response; default: a problem document.
    """
    # Starlette asks for this response outside of the middleware that binds the trace id and adds
    # these headers.
    trace_id: str = getattr(request.state, "trace_id", current_trace_id())
    if is_want_of_memory(error):
        unforeseen = refuse("memory-short", field="request")
    else:
        remedy = "The gateway's log holds the reason under this trace_id."
        unforeseen = LunaError("the request failed unexpectedly", remedy=remedy)
    with log_context(trace_id=trace_id):
        log.error("request failed unexpectedly", exc_info=error)
        response = problem_response(unforeseen) if answer is None else answer(request, unforeseen)
    response.headers.update(request.app.state.headers)
    response.headers.update(dict.fromkeys(TRACE_HEADERS, trace_id))
    return response


async def _on_unforeseen_error(request: Request, error: Exception) -> Response:
    return answer_unforeseen_error(request, error)
