"""The values of stored series of a site."""

import hashlib
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from luna.contracts.message import Message
from luna.energy.history import SeriesAnswer, list_intervals, list_unusable
from luna.energy.instant import Instant
from luna.energy.judgement import QualityVerdict
from luna.energy.observations import Certainty
from luna.platform.database.engine import unit_of_work
from services.api.entity_tags import CACHE_CONTROL, respond_tagged
from services.api.gateway import CurrentGateway, Gateway
from services.api.history_pages import MEDIA_TYPES, DataQuestion, Pages, SeriesQuestion, open_pages, write_arrow, write_csv, write_json
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter, SitePath

# Times in these questions are read by the site's clock where they are asked.
router = ResourceRouter("series", route_class=CheckedRoute)

SeriesPath = Annotated[
    str,
    Path(
        max_length=500,
        description="load_kwh, soc, …; market_prices:MARKET, slot_forecasts:VERSION:COLUMN, plans:COLUMN, sensor_readings:SENSOR",
    ),
]


class CountedInterval(Message):
    """What a counter counted between two readings that lie more than two hours apart: the energy is known, its course is not."""

    from_: Annotated[Instant, Field(alias="from", description="the reading before")]
    to: Annotated[Instant, Field(description="the reading after")]
    energy_kwh: Annotated[float, Field(description="what it adds to the series; below zero where the sensor is taken off")]
    source: Annotated[str, Field(description="the sensor that counted it")]
    certainty: Annotated[Certainty, Field(description="counted: all of it; at_least: the counter began anew meanwhile")]


class UnusableDay(Message):
    """A local day on which the series neither trains nor scores."""

    from_: Annotated[Instant, Field(alias="from", description="its midnight")]
    to: Annotated[Instant, Field(description="the midnight after it")]
    verdict: Annotated[QualityVerdict, Field(description="exclude, or mask_battery where the series is the battery's")]
    reasons: Annotated[list[str], Field(description="what speaks against it: a code, a colon, and the figures")]


class DataReply(Message):
    """A series. Rows have a ``start``, a ``value`` (null: unknown) and the ``known`` share; readings as received an ``instant`` and a ``value``.

    Where a meter counts the series, rows also have the ``estimated`` share: filled to the meter's total, of which nothing but the sum was read.
    """

    site: Annotated[str, Field(description="the site's name")]
    series: Annotated[str, Field(description="the series as asked for")]
    resolution: Annotated[str | None, Field(description="length of a row: 15m, 30m, 1h, 1d; null for readings as received")]
    aggregate: Annotated[str | None, Field(description="what a row is made by: sum, mean, min, max, …; null for readings as received")]
    timezone: Annotated[str, Field(description="where the site's clock stands")]
    rows: Annotated[
        list[dict[str, Any]], Field(description="in order of time; start or instant, value in the series' unit, known and estimated share between 0 and 1")
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]
    intervals: Annotated[
        list[CountedInterval],
        Field(description="what counters counted through silences that reach into this page; rows that lie in one are estimated, or unknown"),
    ]
    unusable: Annotated[list[UnusableDay], Field(description="days of this page whose verdict says that the series may not be used")]


FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": DataReply,
        "content": {
            MEDIA_TYPES["csv"].partition(";")[0]: {"schema": {"type": "string"}},
            MEDIA_TYPES["arrow"]: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {"Link": {"description": "the next page, where there is one", "schema": {"type": "string"}}},
        "description": "The rows asked for",
    },
    304: {"description": "As it was, by If-None-Match"},
}


@router.operation(
    "Read a stored series", Operation("GET", "/v1/sites/{site_id}/series/{series:path}", "read", "data query"), responses=FORMS, response_class=Response
)
def query_series(site_id: SitePath, series: SeriesPath, question: Annotated[SeriesQuestion, Query()], gateway: CurrentGateway, *, request: Request) -> Response:
    """Return a series as JSON, CSV or an Arrow stream; what is unknown is null, never zero. `Link` names the next page where there is one."""
    return _answer(question.of(site_id, series), gateway, request)


@router.operation("", Operation("GET", "/data/query", "read", alone="the site stands in the query"), response_class=Response)
def query_data(question: Annotated[DataQuestion, Query()], gateway: CurrentGateway, request: Request) -> Response:
    """Return a series of the site that the query names."""
    return _answer(question, gateway, request)


def _answer(question: DataQuestion, gateway: Gateway, request: Request) -> Response:
    """Return what is stored, page by page or, in a form that can be streamed, all of it."""
    with unit_of_work(gateway.database) as connection:
        pages = open_pages(connection, question)
    answers = pages.read(gateway.database)
    # The first page is read before the answer begins, so that what is wrong with the question leaves as a problem document.
    answer = next(answers)
    if question.format == "json" or question.limit is not None or answer.following is None:
        body = b"".join(_write(pages, iter([answer])))
        response = respond_tagged(request, body, f'"{hashlib.sha256(body).hexdigest()[:24]}"', media_type=MEDIA_TYPES[question.format])
        cursor = pages.cursor(answer)
        if cursor is not None:
            response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
        return response
    return StreamingResponse(_write(pages, chain([answer], answers)), headers={"Cache-Control": CACHE_CONTROL}, media_type=MEDIA_TYPES[question.format])


def _write(pages: Pages, answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    if pages.question.format == "csv":
        return write_csv(answers)
    if pages.question.format == "arrow":
        return write_arrow(answers)
    return (
        write_json(
            answer,
            {
                "site": pages.question.site,
                "series": pages.question.series,
                "resolution": answer.resolution,
                "aggregate": answer.aggregate,
                "timezone": pages.timezone,
                "cursor": pages.cursor(answer),
                "intervals": list_intervals(answer),
                "unusable": list_unusable(answer),
            },
        )
        for answer in answers
    )
