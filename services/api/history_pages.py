"""A question about stored series, answered page by page."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Annotated, Any, Literal

import nanoarrow
import numpy as np
from nanoarrow.ipc import StreamWriter
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import Connection, Engine

from luna.energy.history import SeriesAnswer, SeriesName, SeriesQuery, write_instants
from luna.energy.reading_history import ReadingQuery, Register
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, parse_instant, parse_zone
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.history import query_series
from luna.platform.database.reading_history import query_readings

# What JSON calls it.
UNKNOWN = "null"
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "arrow": "application/vnd.apache.arrow.stream"}


def write_json(answer: SeriesAnswer, frame: Mapping[str, Any]) -> bytes:
    """Return ``frame`` with the answer's rows, each an object."""
    # Tokens put together are twice as fast as a dictionary per row, and a year has 35,040 rows.
    names = [f'"{name}":' for name in answer.columns()]
    form = f'{{{names[0]}"%s",{",".join(f"{name}%s" for name in names[1:])}}}'
    rows = ",".join([form % row for row in _rows(answer)])
    return to_json(dict(frame))[:-1] + f',"rows":[{rows}]}}'.encode()


def write_csv(answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    """Yield a header line, then the rows of each answer; a cell that is unknown is empty."""
    for place, answer in enumerate(answers):
        head = [",".join(answer.columns())] if place == 0 else []
        yield "\n".join([*head, *map(",".join, _rows(answer)), ""]).replace(f",{UNKNOWN}", ",").encode()


def write_arrow(answers: Iterator[SeriesAnswer]) -> Iterator[bytes]:
    """Yield an Arrow IPC stream, one record batch per answer; what is unknown is null. Source: Arrow columnar format, "IPC Streaming Format"."""
    buffer = BytesIO()
    writer = StreamWriter.from_writable(buffer)
    for answer in answers:
        kind = nanoarrow.timestamp(np.datetime_data(answer.starts.dtype)[0], "UTC")
        children = [
            nanoarrow.c_array_from_buffers(kind, length=answer.starts.size, buffers=[None, answer.starts.view(np.int64)]),
            _floats(answer.values),
            *map(_floats, answer.shares().values()),
        ]
        fields = {name: child.schema for name, child in zip(answer.columns(), children, strict=True)}
        writer.write_array(nanoarrow.c_array_from_buffers(nanoarrow.struct(fields), length=answer.starts.size, buffers=[None], children=children))
        yield _drain(buffer)
    writer.close()
    yield _drain(buffer)


def _rows(answer: SeriesAnswer) -> Iterator[tuple[str, ...]]:
    """Yield each row as it is written: the instant, then numbers, ``UNKNOWN`` where there is none."""
    columns = [
        to_json(values.tolist(), inf_nan_mode="null").decode()[1:-1].split(",") if values.size else [] for values in (answer.values, *answer.shares().values())
    ]
    return zip(write_instants(answer.starts), *columns, strict=True)


def _floats(values: FloatArray) -> Any:
    unknown = np.isnan(values)
    validity = np.packbits(~unknown, bitorder="little") if unknown.any() else None
    return nanoarrow.c_array_from_buffers(
        nanoarrow.float64(), length=values.size, buffers=[validity, np.ascontiguousarray(values)], null_count=int(unknown.sum())
    )


def _drain(buffer: BytesIO) -> bytes:
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written


# What one answer holds at most: a year of quarter-hours and more, three megabytes of JSON.
USUAL_LIMIT = 50_000
LARGEST_LIMIT = 100_000
MOST_POINTS = 10_000
Format = Literal["json", "csv", "arrow"]


class SeriesQuestion(BaseModel):
    """What a caller asks of a series. Times without offset are by the site's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: Annotated[str, Field(alias="from", description="the first instant; without offset, by the site's clock")]
    to: Annotated[str, Field(description="the instant after the last")]
    resolution: Annotated[str | None, Field(description="15m (usual), 30m, 1h, or 1d for the site's local days")] = None
    aggregate: Annotated[
        str | None, Field(description="sum (usual for energies), mean, min or max; of readings increase, time_weighted_mean or shape, else as received")
    ] = None
    known_at: Annotated[str | None, Field(description="prices, forecasts and plans as they were known then")] = None
    issued_at: Annotated[str | None, Field(description="the forecast or plan of this issue alone")] = None
    points: Annotated[int | None, Field(ge=3, le=MOST_POINTS, description="thin to so many rows, extremes and gaps kept")] = None
    limit: Annotated[
        int | None, Field(ge=1, le=LARGEST_LIMIT, description=f"rows in this answer, of which `cursor` gives the next; usual: {USUAL_LIMIT} of JSON, else all")
    ] = None
    cursor: Annotated[str | None, Field(max_length=200, description="of the answer before")] = None
    format: Annotated[Format, Field(description="json, csv, or arrow for an Arrow stream")] = "json"

    def of(self, site: str, series: str) -> "DataQuestion":
        """Return the question about a series of a site."""
        return DataQuestion.model_validate(self.model_dump(by_alias=True) | {"site": site, "series": series})


class DataQuestion(SeriesQuestion):
    """The same with the series and the site that it is asked of."""

    # PostgreSQL knows no text with a NUL.
    site: Annotated[str, Field(pattern=r"^[^\x00]+$", max_length=200)]
    series: Annotated[
        str,
        Field(
            pattern=r"^[^\x00]+$",
            max_length=500,
            description="load_kwh, soc, …; market_prices:MARKET, slot_forecasts:VERSION:COLUMN, plans:COLUMN, sensor_readings:SENSOR",
        ),
    ]

    def digest(self) -> str:
        """Return what a cursor belongs to: the question but for its page and form."""
        same = self.model_dump_json(exclude={"limit", "cursor", "format"})
        return hashlib.sha256(same.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages that answer a question. ``first`` and ``end`` are the window of all of them."""

    question: DataQuestion
    query: SeriesQuery | ReadingQuery
    timezone: str
    first: datetime
    end: datetime

    def read(self, engine: Engine) -> Iterator[SeriesAnswer]:
        """Yield page after page, each in a transaction of its own."""
        following: datetime | None = self.query.first
        while following is not None:
            with unit_of_work(engine) as connection:
                query = replace(self.query, first=following)
                answer = (
                    query_readings(connection, self.question.site, query)
                    if isinstance(query, ReadingQuery)
                    else query_series(connection, self.question.site, query)
                )
            yield answer
            following = answer.following

    def cursor(self, answer: SeriesAnswer) -> str | None:
        """Return what the next page is asked for with, None after the last."""
        if answer.following is None:
            return None
        text = json.dumps([self.question.digest(), answer.following.isoformat()])
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def open_pages(connection: Connection, question: DataQuestion) -> Pages:
    """Return the pages of a question, none of them read yet.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: what is asked makes no sense, or the cursor belongs to another question.
    """
    timezone = sites.load(connection, question.site).timezone
    window = _instant(question.from_, "from", timezone), _instant(question.to, "to", timezone)
    begins = window[0]
    if question.cursor is not None:
        wrong = refuse("cursor-of-other-question", field="cursor", value=question.cursor)
        try:
            digest, following = json.loads(urlsafe_b64decode(f"{question.cursor}==="))
            begins = parse_instant(following, field="cursor")
        except (ValueError, TypeError) as exc:
            raise wrong from exc
        if digest != question.digest():
            raise wrong
    name, span = SeriesName.parse(question.series), (begins, window[1])
    if question.points is not None and (question.limit is not None or question.cursor is not None):
        raise refuse("points-and-pages", field="points", value=question.points)
    limit = None if question.points is not None else question.limit or USUAL_LIMIT
    query: SeriesQuery | ReadingQuery
    if name.sampled:
        wrong_field = next(((field, text) for field, text in _issues(question) if text is not None), None)
        if wrong_field is not None:
            raise refuse("readings-without-issue", field=wrong_field[0], value=wrong_field[1])
        aggregate = question.aggregate or ("shape" if question.points is not None else None)
        sensor = name.parts[0] if name.source == "sensor_readings" else Register(*name.parts)
        query = ReadingQuery(sensor, *span, aggregate, question.resolution, question.points, limit)
    else:
        known_at, issued_at = (None if text is None else _instant(text, field, timezone) for field, text in _issues(question))
        resolution = question.resolution or "15m"
        query = SeriesQuery(question.series, *span, resolution, question.aggregate, question.points, limit, known_at, issued_at)
    return Pages(question, query, timezone, *window)


def _issues(question: DataQuestion) -> tuple[tuple[str, str | None], ...]:
    return ("known_at", question.known_at), ("issued_at", question.issued_at)


def _instant(text: str, field: str, timezone: str) -> datetime:
    # In an address a plus sign that nobody escaped arrives as a blank.
    return parse_instant(text.replace(" ", "+") if "T" in text else text, field=field, zone=parse_zone(timezone))
