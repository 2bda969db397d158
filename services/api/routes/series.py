"""Routes of stored series: paginated reads as JSON, CSV or Arrow."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from itertools import chain
from typing import Annotated, Any, Literal

import nanoarrow
import numpy as np
from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from nanoarrow.ipc import StreamWriter
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import Connection, Engine

from luna.contracts.message import Message
from luna.energy.observations import Certainty
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.reading_history import ReadingQuery, Register
from luna.energy.refusals import refuse
from luna.energy.series_query import (
    SeriesAnswer,
    SeriesName,
    SeriesQuery,
    list_intervals,
    write_instants,
)
from luna.energy.timeline import FloatArray, Instant, parse_instant, parse_zone
from luna.platform.database import history, reading_history, sites
from luna.platform.database.engine import unit_of_work
from luna.words.quality import list_unusable
from services.api.entity_tags import CACHE_CONTROL, respond_tagged
from services.api.gateway import CurrentGateway, Gateway
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter, SitePath

# Times in these questions are read by the site's clock where they are asked.
router = ResourceRouter("series", route_class=CheckedRoute)

# An unknown value in JSON.
UNKNOWN = "null"
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}
# Most rows of one answer: a year of quarter-hours and more, three megabytes of JSON.
USUAL_LIMIT = 50_000
LARGEST_LIMIT = 100_000
MOST_POINTS = 10_000
Format = Literal["json", "csv", "arrow"]
SeriesPath = Annotated[
    str,
    Path(
        max_length=500,
        description=(
            "load_kwh, soc, …; market_prices:MARKET, slot_forecasts:VERSION:COLUMN, "
            "plans:COLUMN, sensor_readings:SENSOR"
        ),
    ),
]


class SeriesQuestion(BaseModel):
    """Question about a series. Times without offset are by the site's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: Annotated[
        str,
        Field(alias="from", description="the first instant; without offset, by the site's clock"),
    ]
    to: Annotated[str, Field(description="the instant after the last")]
    resolution: Annotated[
        str | None, Field(description="15m (usual), 30m, 1h, or 1d for the site's local days")
    ] = None
    aggregate: Annotated[
        str | None,
        Field(
            description=(
                "sum (usual for energies), mean, min or max; of readings increase, "
                "time_weighted_mean or shape, else as received"
            )
        ),
    ] = None
    known_at: Annotated[
        str | None, Field(description="prices, forecasts and plans as they were known then")
    ] = None
    issued_at: Annotated[
        str | None, Field(description="the forecast or plan of this issue alone")
    ] = None
    points: Annotated[
        int | None,
        Field(ge=3, le=MOST_POINTS, description="thin to so many rows, extremes and gaps kept"),
    ] = None
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            le=LARGEST_LIMIT,
            description=(
                f"rows in this answer, of which `cursor` gives the next; usual: {USUAL_LIMIT} "
                "of JSON, else all"
            ),
        ),
    ] = None
    cursor: Annotated[str | None, Field(max_length=200, description="of the answer before")] = None
    format: Annotated[Format, Field(description="json, csv, or arrow for an Arrow stream")] = "json"

    def of(self, site: str, series: str) -> "DataQuestion":
        """Return the question about a series of a site."""
        return DataQuestion.model_validate(
            self.model_dump(by_alias=True) | {"site": site, "series": series}
        )


class DataQuestion(SeriesQuestion):
    """The same with the series and the site that it is asked of."""

    # PostgreSQL knows no text with a NUL.
    site: Annotated[str, Field(pattern=r"^[^\x00]+$", max_length=200)]
    series: Annotated[
        str,
        Field(
            pattern=r"^[^\x00]+$",
            max_length=500,
            description=(
                "load_kwh, soc, …; market_prices:MARKET, slot_forecasts:VERSION:COLUMN, "
                "plans:COLUMN, sensor_readings:SENSOR"
            ),
        ),
    ]

    def digest(self) -> str:
        """Return the digest that a cursor is bound to: of the question without page and format."""
        same = self.model_dump_json(exclude={"limit", "cursor", "format"})
        return hashlib.sha256(same.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a reply; ``first`` and ``end`` are the window of all of them."""

    question: DataQuestion
    query: SeriesQuery | ReadingQuery
    timezone: str
    first: datetime
    end: datetime

    def read(self, engine: Engine) -> Iterator[SeriesAnswer]:
        """Yield the pages, each read in a transaction of its own."""
        following: datetime | None = self.query.first
        while following is not None:
            with unit_of_work(engine) as connection:
                query = replace(self.query, first=following)
                if isinstance(query, ReadingQuery):
                    answer = reading_history.query_readings(connection, self.question.site, query)
                else:
                    answer = history.query_series(connection, self.question.site, query)
            yield answer
            following = answer.following

    def cursor(self, answer: SeriesAnswer) -> str | None:
        """Return the cursor of the next page, None after the last."""
        if answer.following is None:
            return None
        text = json.dumps([self.question.digest(), answer.following.isoformat()])
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")


class CountedInterval(Message):
    """Count of a counter between two readings over two hours apart.

    The energy is known, its course is not.
    """

    from_: Annotated[Instant, Field(alias="from", description="the reading before")]
    to: Annotated[Instant, Field(description="the reading after")]
    energy_kwh: Annotated[
        float,
        Field(description="what it adds to the series; below zero where the sensor is taken off"),
    ]
    source: Annotated[str, Field(description="the sensor that counted it")]
    certainty: Annotated[
        Certainty,
        Field(description="counted: all of it; at_least: the counter began anew meanwhile"),
    ]


class UnusableDay(Message):
    """A local day on which the series neither trains nor scores."""

    from_: Annotated[Instant, Field(alias="from", description="its midnight")]
    to: Annotated[Instant, Field(description="the midnight after it")]
    verdict: Annotated[
        QualityVerdict,
        Field(description="exclude, or mask_battery where the series is the battery's"),
    ]
    reasons: Annotated[
        list[str], Field(description="what speaks against it: a code, a colon, and the figures")
    ]


class DataReply(Message):
    """A series.

    Rows have a ``start``, a ``value`` (null: unknown) and the ``known`` share; readings as received
    an ``instant`` and a ``value``.

    Where a meter counts the series, rows also have the ``estimated`` share: filled to the meter's
    total, of which nothing but the sum was read.
    """

    site: Annotated[str, Field(description="the site's name")]
    series: Annotated[str, Field(description="the series as asked for")]
    resolution: Annotated[
        str | None,
        Field(description="length of a row: 15m, 30m, 1h, 1d; null for readings as received"),
    ]
    aggregate: Annotated[
        str | None,
        Field(
            description=(
                "what a row is made by: sum, mean, min, max, …; null for readings as received"
            )
        ),
    ]
    timezone: Annotated[str, Field(description="where the site's clock stands")]
    rows: Annotated[
        list[dict[str, Any]],
        Field(
            description=(
                "in order of time; start or instant, value in the series' unit, known and "
                "estimated share between 0 and 1"
            )
        ),
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]
    intervals: Annotated[
        list[CountedInterval],
        Field(
            description=(
                "what counters counted through silences that reach into this page; rows that "
                "lie in one are estimated, or unknown"
            )
        ),
    ]
    unusable: Annotated[
        list[UnusableDay],
        Field(description="days of this page whose verdict says that the series may not be used"),
    ]


FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": DataReply,
        "content": {
            MEDIA_TYPES["csv"].partition(";")[0]: {"schema": {"type": "string"}},
            MEDIA_TYPES["arrow"]: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {
            "Link": {
                "description": "the next page, where there is one",
                "schema": {"type": "string"},
            }
        },
        "description": "The rows asked for",
    },
    304: {"description": "As it was, by If-None-Match"},
}


@router.operation(
    "Read a stored series",
    Operation("GET", "/v1/sites/{site_id}/series/{series:path}", "read", "data query"),
    responses=FORMS,
    response_class=Response,
)
def query_series(
    site_id: SitePath,
    series: SeriesPath,
    question: Annotated[SeriesQuestion, Query()],
    gateway: CurrentGateway,
    *,
    request: Request,
) -> Response:
    """Return a series as JSON, CSV or an Arrow stream.

    What is unknown is null, never zero. `Link` names the next page where there is one.
    """
    return _answer(question.of(site_id, series), gateway, request)


@router.operation(
    "",
    Operation("GET", "/data/query", "read", alone="the site stands in the query"),
    response_class=Response,
)
def query_data(
    question: Annotated[DataQuestion, Query()], gateway: CurrentGateway, request: Request
) -> Response:
    """Return a series of the site that the query names."""
    return _answer(question, gateway, request)


def _answer(question: DataQuestion, gateway: Gateway, request: Request) -> Response:
    """Return one page, or without a limit the whole series as a stream of CSV or Arrow."""
    with unit_of_work(gateway.database) as connection:
        pages = open_pages(connection, question)
    answers = pages.read(gateway.database)
    media_type = MEDIA_TYPES[question.format]
    # Read the first page before the response starts, so that an error can still be a problem
    # document.
    answer = next(answers)
    is_one_page = question.format == "json" or question.limit is not None
    if not is_one_page and answer.following is not None:
        return StreamingResponse(
            _write(pages, chain([answer], answers)),
            headers={"Cache-Control": CACHE_CONTROL},
            media_type=media_type,
        )
    body = b"".join(_write(pages, iter([answer])))
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    response = respond_tagged(request, body, tag, media_type=media_type)
    cursor = pages.cursor(answer)
    if cursor is not None:
        next_page = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{next_page}>; rel="next"'
    return response


def _write(pages: Pages, answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    if pages.question.format == "csv":
        return write_csv(answers)
    if pages.question.format == "arrow":
        return write_arrow(answers)
    return (write_json(answer, _frame(pages, answer)) for answer in answers)


def _frame(pages: Pages, answer: SeriesAnswer) -> dict[str, Any]:
    """Return the fields of a page in JSON besides its rows."""
    return {
        "site": pages.question.site,
        "series": pages.question.series,
        "resolution": answer.resolution,
        "aggregate": answer.aggregate,
        "timezone": pages.timezone,
        "cursor": pages.cursor(answer),
        "intervals": list_intervals(answer),
        "unusable": list_unusable(answer),
    }


def open_pages(connection: Connection, question: DataQuestion) -> Pages:
    """Return the pages of a question; none is read yet.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the question is invalid, or the cursor belongs to another question.
    """
    timezone = sites.load(connection, question.site).timezone
    first = _instant(question.from_, "from", timezone)
    end = _instant(question.to, "to", timezone)
    span = (first if question.cursor is None else _read_cursor(question), end)
    name = SeriesName.parse(question.series)
    points = question.points
    if points is not None and (question.limit is not None or question.cursor is not None):
        raise refuse("points-and-pages", field="points", value=points)
    limit = None if points is not None else question.limit or USUAL_LIMIT
    query: SeriesQuery | ReadingQuery
    if name.sampled:
        for field, text in _issues(question):
            if text is not None:
                raise refuse("not-taken-here", field=field, value=text, takers="forecasts")
        aggregate = question.aggregate or ("shape" if points is not None else None)
        sensor = name.parts[0] if name.source == "sensor_readings" else Register(*name.parts)
        query = ReadingQuery(sensor, *span, aggregate, question.resolution, points, limit)
    else:
        known_at, issued_at = [
            None if text is None else _instant(text, field, timezone)
            for field, text in _issues(question)
        ]
        query = SeriesQuery(
            question.series,
            *span,
            question.resolution or "15m",
            question.aggregate,
            points,
            limit,
            known_at,
            issued_at,
        )
    return Pages(question=question, query=query, timezone=timezone, first=first, end=end)


def _read_cursor(question: DataQuestion) -> datetime:
    """Return the first instant of the page that the question's cursor names.

    Raises:
        InvalidInputError: the cursor belongs to another question.
    """
    wrong = refuse("cursor-of-other-question", field="cursor", value=question.cursor)
    try:
        digest, following = json.loads(urlsafe_b64decode(f"{question.cursor}==="))
        begin = parse_instant(following, field="cursor")
    except (ValueError, TypeError) as exc:
        raise wrong from exc
    if digest != question.digest():
        raise wrong
    return begin


def _issues(question: DataQuestion) -> tuple[tuple[str, str | None], ...]:
    return ("known_at", question.known_at), ("issued_at", question.issued_at)


def _instant(text: str, field: str, timezone: str) -> datetime:
    if "T" in text:
        # An unescaped plus sign in a query arrives as a blank.
        text = text.replace(" ", "+")
    return parse_instant(text, field=field, zone=parse_zone(timezone))


def write_json(answer: SeriesAnswer, frame: Mapping[str, Any]) -> bytes:
    """Return ``frame`` as JSON with the answer's rows, each an object."""
    # Formatting strings is twice as fast as a dictionary per row, and a year has 35,040 rows.
    names = [f'"{name}":' for name in answer.columns()]
    figures = ",".join(f"{name}%s" for name in names[1:])
    form = f'{{{names[0]}"%s",{figures}}}'
    rows = ",".join([form % row for row in _rows(answer)])
    return to_json(dict(frame))[:-1] + f',"rows":[{rows}]}}'.encode()


def write_csv(answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    """Yield a header line, then the rows of each answer; unknown cells are empty."""
    for place, answer in enumerate(answers):
        head = [",".join(answer.columns())] if place == 0 else []
        text = "\n".join([*head, *map(",".join, _rows(answer)), ""])
        yield text.replace(f",{UNKNOWN}", ",").encode()


def write_arrow(answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, one record batch per answer.

    Unknown values are null. Source: Arrow columnar format, "IPC Streaming Format".
    """
    buffer = BytesIO()
    writer = StreamWriter.from_writable(buffer)
    for answer in answers:
        count = answer.starts.size
        kind = nanoarrow.timestamp(np.datetime_data(answer.starts.dtype)[0], "UTC")
        starts = nanoarrow.c_array_from_buffers(
            kind, length=count, buffers=[None, answer.starts.view(np.int64)]
        )
        children = [starts, _floats(answer.values), *map(_floats, answer.shares().values())]
        schemas = [child.schema for child in children]
        fields = dict(zip(answer.columns(), schemas, strict=True))
        batch = nanoarrow.c_array_from_buffers(
            nanoarrow.struct(fields), length=count, buffers=[None], children=children
        )
        writer.write_array(batch)
        yield _drain(buffer)
    writer.close()
    yield _drain(buffer)


def _rows(answer: SeriesAnswer) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row as text: instant and numbers, ``UNKNOWN`` for missing ones."""
    columns = [_write_numbers(values) for values in (answer.values, *answer.shares().values())]
    return zip(write_instants(answer.starts), *columns, strict=True)


def _write_numbers(values: FloatArray) -> list[str]:
    if not values.size:
        return []
    return to_json(values.tolist(), inf_nan_mode="null").decode()[1:-1].split(",")


def _floats(values: FloatArray) -> Any:
    unknown = np.isnan(values)
    validity = np.packbits(~unknown, bitorder="little") if unknown.any() else None
    return nanoarrow.c_array_from_buffers(
        nanoarrow.float64(),
        length=values.size,
        buffers=[validity, np.ascontiguousarray(values)],
        null_count=int(unknown.sum()),
    )


def _drain(buffer: BytesIO) -> bytes:
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written
