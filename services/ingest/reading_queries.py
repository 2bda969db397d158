"""A sensor's readings for readers: as received, cut into buckets, or thinned to a shape. What is unknown is None, never zero."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.database import reading_aggregates, readings, sites, timescale
from luna.errors import InvalidInputError
from luna.readings import Buckets
from luna.timeline import FloatArray, InstantArray, floor_to, local_midnight, parse_zone
from services.ingest.querying import RESOLUTIONS

BUCKETED: dict[str, Callable[..., Buckets]] = {
    "increase": reading_aggregates.read_increase,
    "time_weighted_mean": reading_aggregates.read_time_weighted_mean,
}
AGGREGATES = (*BUCKETED, "shape")
MOST_BUCKETS = 100_000
USUAL_RESOLUTION = "1h"
USUAL_POINTS = 500


@dataclass(frozen=True, slots=True)
class ReadingQuery:
    """Readings of a sensor from ``first`` on, before ``end``; without ``aggregate`` as they were received.

    Args:
        sensor: its name.
        first: the first instant.
        end: the instant after the last.
        aggregate: ``increase`` of a counter, ``time_weighted_mean``, or ``shape``.
        resolution: length of a bucket; ``1d`` means the site's local days. For ``increase`` and ``time_weighted_mean`` alone.
        points: how many readings a ``shape`` has at most.

    Raises:
        InvalidInputError: no such aggregate or resolution, an option that the aggregate has no use for, or an empty window.
    """

    sensor: str
    first: datetime
    end: datetime
    aggregate: str | None = None
    resolution: str | None = None
    points: int | None = None

    def __post_init__(self) -> None:
        for field, value, known in (("aggregate", self.aggregate, AGGREGATES), ("resolution", self.resolution, tuple(RESOLUTIONS))):
            if value is not None and value not in known:
                raise InvalidInputError(f"no such {field}", field=field, value=value, remedy=f"Choose one of {', '.join(known)}.")
        if self.resolution is not None and self.aggregate not in BUCKETED:
            raise InvalidInputError("only buckets have a resolution", field="resolution", value=self.resolution, remedy=f"Ask for {' or '.join(BUCKETED)}.")
        if self.points is not None and self.aggregate != "shape":
            raise InvalidInputError("only a shape has a number of points", field="points", value=self.points, remedy="Ask for shape.")
        if self.end <= self.first:
            raise InvalidInputError("the window is empty", field="to", value=self.end.isoformat(), remedy="Let it end after it begins.")


def query_readings(connection: Connection, site_id: str, query: ReadingQuery) -> list[dict[str, Any]]:
    """Return rows of instant and value, or per bucket of start, value (None: unknown) and the share of it that is known.

    Raises:
        NotFoundError: no such site or sensor.
        InvalidInputError: more buckets than anyone reads.
    """
    toolkit = timescale.detect(connection).toolkit is not None
    if query.aggregate in BUCKETED:
        edges = cut(query.first, query.end, query.resolution or USUAL_RESOLUTION, parse_zone(sites.load(connection, site_id).timezone))
        return _bucket_rows(BUCKETED[query.aggregate](connection, site_id, query.sensor, edges=edges, toolkit=toolkit))
    if query.aggregate == "shape":
        window, points = (query.first, query.end), query.points or USUAL_POINTS
        return _reading_rows(*reading_aggregates.read_shape(connection, site_id, query.sensor, window=window, points=points, toolkit=toolkit))
    return _reading_rows(*readings.read(connection, site_id, query.sensor, first=query.first, end=query.end))


def cut(first: datetime, end: datetime, resolution: str, zone: ZoneInfo) -> list[datetime]:
    """Return where buckets from ``first`` to ``end`` begin and end: at these two, and at every local midnight or multiple of the resolution between.

    Raises:
        InvalidInputError: more than 100,000 buckets.
    """
    step = RESOLUTIONS[resolution]
    if (end - first) / step > MOST_BUCKETS:
        raise InvalidInputError(f"more than {MOST_BUCKETS:,} buckets", field="resolution", value=resolution, remedy="Choose longer ones, or a shorter window.")
    if step >= RESOLUTIONS["1d"]:
        day, last = first.astimezone(zone).date(), end.astimezone(zone).date()
        inner = [local_midnight(day + timedelta(days=count), zone) for count in range((last - day).days + 1)]
    else:
        inner = [floor_to(first, step) + count * step for count in range((end - first) // step + 2)]
    return [first, *(edge for edge in inner if first < edge < end), end]


def _bucket_rows(buckets: Buckets) -> list[dict[str, Any]]:
    return [row | {"known": known} for row, known in zip(_rows("start", buckets.starts, buckets.values), buckets.known.tolist(), strict=True)]


def _reading_rows(instants: InstantArray, values: FloatArray) -> list[dict[str, Any]]:
    return _rows("instant", instants, values)


def _rows(name: str, instants: InstantArray, values: FloatArray) -> list[dict[str, Any]]:
    at = np.datetime_as_string(instants, unit="us", timezone="UTC").tolist()
    cells = np.where(np.isnan(values), None, values).tolist()  # type: ignore[call-overload]
    return [{name: instant, "value": value} for instant, value in zip(at, cells, strict=True)]
