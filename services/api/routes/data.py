"""Read stored series."""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from luna.database.engine import unit_of_work
from luna.history import Answer
from services.api.gateway import CurrentGateway
from services.api.history_pages import DataQuestion, Pages, open_pages
from services.api.series_formats import MEDIA_TYPES, write_arrow, write_csv, write_json

router = APIRouter(prefix="/data", tags=["data"])

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


def _write(pages: Pages, answers: Iterator[Answer]) -> Iterator[bytes]:
    if pages.question.format == "csv":
        return write_csv(answers)
    if pages.question.format == "arrow":
        return write_arrow(answers)
    return (write_json(answer, _frame(pages, answer)) for answer in answers)


def _frame(pages: Pages, answer: Answer) -> dict[str, Any]:
    return {
        "site": pages.question.site,
        "series": pages.question.series,
        "resolution": answer.resolution,
        "aggregate": answer.aggregate,
        "timezone": pages.timezone,
        "cursor": pages.cursor(answer),
    }


def _link(pages: Pages, answer: Answer, request: Request) -> dict[str, str]:
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
