"""Query a sensor's readings: raw, or aggregated in the database to one row per bucket.

Plain SQL is the default; TimescaleDB's toolkit is an alternative. Both produce the same runs of
readings, from which ``luna.energy.readings`` computes the result. If the toolkit fails, a warning
is logged and plain SQL is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import structlog
from psycopg import sql
from sqlalchemy import Connection

from luna.energy.buckets import cut, end_of_page
from luna.energy.reading_history import BUCKETED, USUAL_POINTS, ReadingQuery, Register
from luna.energy.readings import (
    Buckets,
    Runs,
    increase_per_bucket,
    mean_per_bucket,
    require_points,
    shape_of,
)
from luna.energy.series_query import SeriesAnswer
from luna.energy.timeline import FloatArray, InstantArray, parse_zone, to_utc
from luna.platform.database import copy, readings, sites, timescale

READINGS = sql.SQL("{rows} AND instant >= {first} AND instant < {end}")
# The neighbouring readings outside the window connect its first and last bucket.
NEIGHBOURS = sql.SQL(
    "(SELECT instant, value, instant, value, 0, 0 FROM {rows} AND instant < {first} ORDER "
    "BY instant DESC LIMIT 1) UNION ALL"
    " (SELECT instant, value, instant, value, 0, 0 FROM {rows} AND instant >= {end} ORDER "
    "BY instant LIMIT 1)"
)
PLACED = sql.SQL(
    "SELECT instant, value, width_bucket(instant, CAST({edges} AS timestamptz[])) AS "
    "bucket FROM {readings}"
)
PLAIN_RUNS = sql.SQL(
    "SELECT min(instant), max(value) FILTER (WHERE opens), max(instant), max(value) FILTER "
    "(WHERE closes), coalesce(sum({gain}) FILTER (WHERE NOT opens), 0),"
    " coalesce(sum(CAST(extract(epoch FROM instant - instant_before) AS float8)) FILTER "
    "(WHERE NOT opens AND value_before = 'NaN'), 0)"
    " FROM (SELECT *, lag(instant) OVER ordered AS instant_before, lag(value) OVER ordered "
    "AS value_before,"
    " lag(bucket) OVER ordered IS DISTINCT FROM bucket AS opens, lead(bucket) OVER ordered "
    "IS DISTINCT FROM bucket AS closes"
    " FROM ({placed}) AS placed WINDOW ordered AS (ORDER BY instant)) AS stepped GROUP BY bucket"
)
TOOLKIT_RUNS = sql.SQL(
    "SELECT min(instant), first(value, instant), max(instant), last(value, instant), "
    "{gain}, CAST(0 AS float8) FROM ({placed}) AS placed GROUP BY bucket"
)
TOOLKIT_SHAPE = sql.SQL(
    "SELECT time, value FROM unnest((SELECT lttb(instant, value, {points}) FROM "
    "{readings})) ORDER BY time"
)
RUN_TYPES = {
    "first_at": "M8[us]",
    "first": "f8",
    "last_at": "M8[us]",
    "last": "f8",
    "inner": "f8",
    "silent": "f8",
}
# Without unavailable readings: a counter goes on counting meanwhile.
KNOWN_VALUES = sql.SQL("{} AND value <> 'NaN'")

log = structlog.get_logger("luna.database")


@dataclass(frozen=True, slots=True)
class Gain:
    """The SQL of a gain, between two readings and over a bucket in the toolkit."""

    plain: sql.SQL
    toolkit: sql.SQL


# Source: timescaledb-toolkit, counter_agg and time_weight, whose average of a single reading is
# null, because it has no duration.
INCREASE = Gain(
    sql.SQL("CASE WHEN value >= value_before THEN value - value_before ELSE value END"),
    sql.SQL("delta(counter_agg(instant, value))"),
)
HOLD_INTEGRAL = Gain(
    sql.SQL(
        "CASE WHEN value_before = 'NaN' THEN 0 ELSE value_before * CAST(extract(epoch FROM "
        "instant - instant_before) AS float8) END"
    ),
    sql.SQL(
        "coalesce(average(time_weight('LOCF', instant, value)), 0) * CAST(extract(epoch "
        "FROM max(instant) - min(instant)) AS float8)"
    ),
)


def query_readings(connection: Connection, site_id: str, query: ReadingQuery) -> SeriesAnswer:
    """Return readings, or one row per bucket.

    Raises:
        NotFoundError: no such site, sensor or meter.
        InvalidInputError: too many buckets.
    """
    if query.aggregate in BUCKETED:
        zone = parse_zone(sites.load(connection, site_id).timezone)
        resolution = query.bucket or ""
        end = query.end
        if query.limit is not None:
            end = end_of_page(query.first, query.end, resolution, zone=zone, most=query.limit)
        toolkit = timescale.detect(connection).toolkit is not None
        edges = cut(query.first, end, resolution, zone)
        read_buckets = read_increase if query.aggregate == "increase" else read_time_weighted_mean
        buckets = read_buckets(connection, site_id, query.sensor, edges=edges, toolkit=toolkit)
        answer = SeriesAnswer(
            str(query.sensor),
            resolution,
            query.aggregate,
            buckets.starts,
            buckets.values,
            buckets.known,
        )
        return replace(answer, following=end if end < query.end else None)
    if query.aggregate == "shape":
        points = query.points or USUAL_POINTS
        toolkit = timescale.detect(connection).toolkit is not None
        shape = read_shape(
            connection,
            site_id,
            query.sensor,
            window=(query.first, query.end),
            points=points,
            toolkit=toolkit,
        )
        return _readings(query, *shape)
    most = None if query.limit is None else query.limit + 1
    instants, values = readings.read(
        connection, site_id, query.sensor, first=query.first, end=query.end, most=most
    )
    if query.limit is None or instants.size <= query.limit:
        return _readings(query, instants, values)
    page = _readings(query, instants[: query.limit], values[: query.limit])
    # The next page begins right after the last reading, so that readings that arrive in between are
    # not skipped.
    last = to_utc(instants[query.limit - 1])
    return replace(page, following=last + timedelta(microseconds=1))


def _readings(query: ReadingQuery, instants: InstantArray, values: FloatArray) -> SeriesAnswer:
    return SeriesAnswer(str(query.sensor), None, query.aggregate, instants, values, known=None)


def read_increase(
    connection: Connection,
    site_id: str,
    sensor: str | Register,
    *,
    edges: Sequence[datetime],
    toolkit: bool = False,
) -> Buckets:
    """Return the increase of a cumulative counter per bucket, with resets taken into account.

    Args:
        edges: boundaries of the buckets, ascending, UTC.
        toolkit: use TimescaleDB's toolkit.

    Raises:
        NotFoundError: no such site, sensor or register.
    """
    rows = KNOWN_VALUES.format(readings.rows_of(connection, site_id, sensor))
    runs = _read_runs(connection, rows, edges, INCREASE, toolkit=toolkit)
    return increase_per_bucket(runs, _instants(edges))


def read_time_weighted_mean(
    connection: Connection,
    site_id: str,
    sensor: str | Register,
    *,
    edges: Sequence[datetime],
    toolkit: bool = False,
) -> Buckets:
    """Return the time-weighted mean per bucket.

    A value holds until the next reading, as for sensors that report on change.

    Args:
        edges: boundaries of the buckets, ascending, UTC.
        toolkit: use TimescaleDB's toolkit.

    Raises:
        NotFoundError: no such site, sensor or register.
    """
    rows = readings.rows_of(connection, site_id, sensor)
    runs = _read_runs(connection, rows, edges, HOLD_INTEGRAL, toolkit=toolkit)
    return mean_per_bucket(runs, _instants(edges))


def read_shape(
    connection: Connection,
    site_id: str,
    sensor: str | Register,
    *,
    window: tuple[datetime, datetime],
    points: int,
    toolkit: bool = False,
) -> tuple[InstantArray, FloatArray]:
    """Return instants and values of at most ``points`` readings that preserve the curve's shape.

    Args:
        window: first instant, and the one after the last, UTC.
        points: three or more.
        toolkit: use TimescaleDB's toolkit.

    Raises:
        NotFoundError: no such site, sensor or register.
        InvalidInputError: fewer than three points.
    """
    require_points(points)
    within = READINGS.format(
        rows=KNOWN_VALUES.format(readings.rows_of(connection, site_id, sensor)),
        first=window[0],
        end=window[1],
    )
    plain = sql.SQL("SELECT instant, value FROM {} ORDER BY instant").format(within)
    chosen = TOOLKIT_SHAPE.format(points=points, readings=within)
    rows = _read(
        connection, plain, {"instant": "M8[us]", "value": "f8"}, quick=chosen if toolkit else None
    )
    places = shape_of(rows["instant"], rows["value"], points)
    return rows["instant"][places], rows["value"][places]


def _read_runs(
    connection: Connection,
    rows: sql.Composed,
    edges: Sequence[datetime],
    gain: Gain,
    *,
    toolkit: bool,
) -> Runs:
    window = {"rows": rows, "first": edges[0], "end": edges[-1]}
    placed = PLACED.format(edges=list(edges), readings=READINGS.format(**window))
    neighbours = NEIGHBOURS.format(**window)
    with_neighbours = sql.SQL("{} UNION ALL {} ORDER BY 1")
    plain_runs = PLAIN_RUNS.format(gain=gain.plain, placed=placed)
    plain = with_neighbours.format(plain_runs, neighbours)
    quick: sql.Composed | None = None
    if toolkit:
        toolkit_runs = TOOLKIT_RUNS.format(gain=gain.toolkit, placed=placed)
        quick = with_neighbours.format(toolkit_runs, neighbours)
    runs = Runs(**_read(connection, plain, RUN_TYPES, quick=quick))
    if toolkit and np.isnan(runs.inner).any():
        # The toolkit treats NaN as a value, which makes its sums NaN: compute those in plain SQL.
        return Runs(**copy.read(connection, plain, RUN_TYPES))
    return runs


def _read(
    connection: Connection,
    plain: sql.Composed,
    types: Mapping[str, str],
    *,
    quick: sql.Composed | None,
) -> dict[str, Any]:
    if quick is not None:
        try:
            with connection.begin_nested():
                return copy.read(connection, quick, types)
        except psycopg.Error as exc:
            log.warning("done without the toolkit", reason=str(exc).strip().partition("\n")[0])
    return copy.read(connection, plain, types)


def _instants(edges: Sequence[datetime]) -> InstantArray:
    return np.array(
        [edge.astimezone(UTC).replace(tzinfo=None) for edge in edges], dtype="datetime64[us]"
    )
