"""Store weather and carbon intensity, measured and forecast.

Each value has the instant at which it became known.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from psycopg import sql
from sqlalchemy import Connection

from luna.energy.resolution import from_quarter_hours, quarter_hours
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, align
from luna.energy.weather import WEATHER, WeatherVintages
from luna.platform.database import copy, weather_places
from luna.platform.database.schema import series

# Weather models run every one to six hours.
STALE = timedelta(hours=6)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
TABLES = {table.name: table for table in (series.weather, series.carbon_intensity)}


def upsert(
    connection: Connection,
    table: str,
    place: str,
    starts: InstantArray,
    *,
    values: Mapping[str, FloatArray],
    issued_at: InstantArray | None,
) -> copy.Written:
    """Store quarter-hours of ``weather`` or ``carbon_intensity``.

    Args:
        place: a site's name; its weather is stored for its current location.
        issued_at: time of issue of each forecast value; None: measured, known at the end of its
            slot.
    """
    known_at = (
        starts.astype("datetime64[us]") + np.timedelta64(SLOT) if issued_at is None else issued_at
    )
    stored_place = weather_places.place_of(connection, place) if table == "weather" else place
    columns: copy.Columns = {
        "place": stored_place,
        "slot_start": starts,
        "issued_at": known_at,
        **values,
    }
    return copy.upsert(connection, TABLES[table], columns, on_conflict="complete")


def read_weather(
    connection: Connection, place: str, timeline: Timeline, *, known_at: datetime
) -> dict[str, FloatArray]:
    """Return each weather series on ``timeline`` as known at ``known_at``, NaN where unknown.

    For a site's current location.
    """
    return _read(
        connection,
        "weather",
        weather_places.place_of(connection, place),
        timeline,
        names=WEATHER,
        known_at=known_at,
    )


def read_weather_book(
    connection: Connection,
    place: str,
    *,
    first: datetime,
    end: datetime,
    known_at: datetime | None = None,
) -> WeatherVintages:
    """Return all issues of the weather in ``first`` ≤ slot < ``end``.

    Those that were known at ``known_at`` (None: all).

    Of the issues for a slot within the same three hours only the last is kept: a past view may lag
    by three hours, the current one lacks nothing, and a year of hourly forecasts stays at a million
    rows.
    """
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start, date_bin('3 hours', issued_at, 'epoch')) "
        "slot_start, issued_at, {} FROM weather"
        " WHERE place = {} AND slot_start >= {} AND slot_start < {} AND issued_at <= {}"
        " ORDER BY slot_start, date_bin('3 hours', issued_at, 'epoch'), issued_at DESC"
    ).format(
        copy.coalesced(*WEATHER),
        weather_places.place_of(connection, place),
        first,
        end,
        known_at or datetime.max.replace(tzinfo=UTC),
    )
    rows = copy.read(
        connection,
        query,
        {"slot_start": "M8[s]", "issued_at": "M8[us]"} | dict.fromkeys(WEATHER, "f8"),
    )
    return WeatherVintages.of(
        rows["slot_start"],
        rows["issued_at"],
        {name: rows[name] for name in WEATHER},
        known_at=known_at,
    )


def find_returns(
    connection: Connection, places: Sequence[str], *, since: datetime, until: datetime
) -> dict[str, datetime]:
    """Return the places with a first weather forecast after an interruption, with its time.

    The forecast was issued in ``since`` < issue ≤ ``until``, the interruption lasted ``STALE``.

    One hour of tomorrow represents the whole forecast: every run of a weather model updates it.
    """
    named = {
        stored_place: place
        for place, stored_place in weather_places.places_of(connection, places).items()
    }
    query = sql.SQL(
        "SELECT place, (SELECT min(issued_at) FROM weather AS stored WHERE stored.place = "
        "requested.place AND slot_start >= {} AND slot_start < {}"
        " AND issued_at > {} AND issued_at <= {}) FROM unnest({}::text[]) AS requested (place)"
    ).format(until + _DAY, until + _DAY + _HOUR, since - STALE, until, list(named))
    with copy.cursor(connection) as session:
        first_issues = dict(session.execute(query).fetchall())
    return {
        named[place]: first.astimezone(UTC)
        for place, first in first_issues.items()
        if first is not None and first > since
    }


def list_places(
    connection: Connection, places: Sequence[str], *, first: datetime, end: datetime
) -> set[str]:
    """Return the places with any stored weather in ``first`` ≤ slot < ``end``."""
    named = {
        stored_place: place
        for place, stored_place in weather_places.places_of(connection, places).items()
    }
    query = sql.SQL(
        "SELECT place FROM unnest({}::text[]) AS requested (place)"
        " WHERE EXISTS (SELECT FROM weather AS stored WHERE stored.place = requested.place "
        "AND slot_start >= {} AND slot_start < {})"
    ).format(list(named), first, end)
    with copy.cursor(connection) as session:
        return {named[place] for (place,) in session.execute(query).fetchall()}


def read_carbon(
    connection: Connection, place: str, timeline: Timeline, *, known_at: datetime
) -> FloatArray:
    """Return the carbon intensity (g/kWh) as known at ``known_at``, NaN where unknown."""
    return _read(
        connection,
        "carbon_intensity",
        place,
        timeline,
        names=("carbon_g_per_kwh",),
        known_at=known_at,
    )["carbon_g_per_kwh"]


def read_carbon_each(
    connection: Connection, places: Sequence[str], timeline: Timeline, *, known_at: datetime
) -> dict[str, FloatArray]:
    """Return ``read_carbon`` of many places on quarter-hours."""
    query = sql.SQL(
        "SELECT DISTINCT ON (requested.number, slot_start) requested.number, slot_start, {}"
        " FROM unnest({}::text[]) WITH ORDINALITY AS requested (place, number)"
        " JOIN carbon_intensity AS stored ON stored.place = requested.place AND slot_start "
        ">= {} AND slot_start < {} AND issued_at <= {}"
        " ORDER BY requested.number, slot_start, issued_at DESC"
    ).format(
        copy.coalesced("carbon_g_per_kwh"), list(places), timeline.start, timeline.end, known_at
    )
    types = {"number": "i8", "slot_start": "M8[s]", "value": "f8"}
    rows = copy.split(copy.read(connection, query, types))
    unknown = np.full(timeline.count, np.nan)
    intensity = {}
    for number, place in enumerate(places, start=1):
        intensity[place] = unknown
        if number in rows:
            stored = rows[number]
            intensity[place] = align(stored["slot_start"], stored["value"], timeline)
    return intensity


def read_newest_carbon(
    connection: Connection, place: str, timeline: Timeline, *, known_at: datetime
) -> tuple[FloatArray, InstantArray]:
    """Return the newest carbon intensity of each quarter-hour known at ``known_at``, and its issue.

    NaN and NaT where unknown.
    """
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start) slot_start, issued_at, {} FROM carbon_intensity"
        " WHERE place = {} AND slot_start >= {} AND slot_start < {} AND issued_at <= {} "
        "ORDER BY slot_start, issued_at DESC"
    ).format(copy.coalesced("carbon_g_per_kwh"), place, timeline.start, timeline.end, known_at)
    types = {"slot_start": "M8[s]", "issued_at": "M8[us]", "carbon_g_per_kwh": "f8"}
    rows = copy.read(connection, query, types)
    g_per_kwh = align(rows["slot_start"], rows["carbon_g_per_kwh"], timeline)
    issued_at = np.full(timeline.count, np.datetime64("NaT", "us"))
    slots = (rows["slot_start"] - timeline.starts[0]) // np.timedelta64(SLOT)
    issued_at[slots.astype(np.int64)] = rows["issued_at"]
    return g_per_kwh, issued_at


def read_carbon_issues(
    connection: Connection, place: str, timeline: Timeline
) -> tuple[InstantArray, InstantArray, FloatArray]:
    """Return all issues for the quarter-hours of ``timeline``, sorted by slot and issue.

    Each with slot start, instant of becoming known, and g/kWh.
    """
    query = sql.SQL(
        "SELECT slot_start, issued_at, {} FROM carbon_intensity WHERE place = {} AND "
        "slot_start >= {} AND slot_start < {} ORDER BY slot_start, issued_at"
    ).format(copy.coalesced("carbon_g_per_kwh"), place, timeline.start, timeline.end)
    rows = copy.read(
        connection, query, {"slot_start": "M8[s]", "issued_at": "M8[us]", "carbon_g_per_kwh": "f8"}
    )
    return rows["slot_start"], rows["issued_at"], rows["carbon_g_per_kwh"]


def _read(
    connection: Connection,
    table: str,
    place: str,
    timeline: Timeline,
    *,
    names: tuple[str, ...],
    known_at: datetime,
) -> dict[str, FloatArray]:
    grid = quarter_hours(timeline)
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start) slot_start, {} FROM {}"
        " WHERE place = {} AND slot_start >= {} AND slot_start < {} AND issued_at <= {} "
        "ORDER BY slot_start, issued_at DESC"
    ).format(copy.coalesced(*names), sql.Identifier(table), place, grid.start, grid.end, known_at)
    rows = copy.read(connection, query, {"slot_start": "M8[s]"} | dict.fromkeys(names, "f8"))
    series = {}
    for name in names:
        quarters = align(rows["slot_start"], rows[name], grid)
        series[name] = from_quarter_hours(quarters, timeline, "price")
    return series
