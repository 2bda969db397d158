"""Weather and carbon intensity, measured and forecast, each with the instant it became known."""

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

# Models of the weather run every one to six hours.
STALE = timedelta(hours=6)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
TABLES = {table.name: table for table in (series.weather, series.carbon_intensity)}


def upsert(
    connection: Connection, table: str, place: str, starts: InstantArray, *, values: Mapping[str, FloatArray], issued_at: InstantArray | None
) -> copy.Written:
    """Store quarter-hours of ``weather`` or ``carbon_intensity``.

    Args:
        place: a site by its name; its weather is that of where it is now.
        issued_at: when each value was forecast; None says that they were measured, known when their slot ended.
    """
    known_at = starts.astype("datetime64[us]") + np.timedelta64(SLOT) if issued_at is None else issued_at
    there = weather_places.place_of(connection, place) if table == "weather" else place
    columns: copy.Columns = {"place": there, "slot_start": starts, "issued_at": known_at, **values}
    return copy.upsert(connection, TABLES[table], columns, on_conflict="complete")


def read_weather(connection: Connection, place: str, timeline: Timeline, *, known_at: datetime) -> dict[str, FloatArray]:
    """Return each weather series on ``timeline`` as known at ``known_at``, NaN where nothing was; of a site, by its name, where it is now."""
    return _read(connection, "weather", weather_places.place_of(connection, place), timeline, names=WEATHER, known_at=known_at)


def read_weather_book(connection: Connection, place: str, *, first: datetime, end: datetime, known_at: datetime | None = None) -> WeatherVintages:
    """Return the weather of the quarter-hours from ``first`` on, before ``end``, as it was issued; ``known_at``: by then, for one who asks then.

    Of what was issued within the same three hours for the same slot, the last remains: who looks back may miss what was three hours old at most, who looks at
    the present misses nothing, and a year of hourly forecasts stays a million rows.
    """
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start, date_bin('3 hours', issued_at, 'epoch')) slot_start, issued_at, {} FROM weather"
        " WHERE place = {} AND slot_start >= {} AND slot_start < {} AND issued_at <= {}"
        " ORDER BY slot_start, date_bin('3 hours', issued_at, 'epoch'), issued_at DESC"
    ).format(copy.coalesced(*WEATHER), weather_places.place_of(connection, place), first, end, known_at or datetime.max.replace(tzinfo=UTC))
    rows = copy.read(connection, query, {"slot_start": "M8[s]", "issued_at": "M8[us]"} | dict.fromkeys(WEATHER, "f8"))
    return WeatherVintages.of(rows["slot_start"], rows["issued_at"], {name: rows[name] for name in WEATHER}, known_at=known_at)


def find_returns(connection: Connection, places: Sequence[str], *, since: datetime, until: datetime) -> dict[str, datetime]:
    """Return where a forecast of the weather came in after ``since``, up to ``until``, when there had been none for hours, and when that was.

    An hour of tomorrow stands for all that is ahead: it is forecast anew with each run of a weather model.
    """
    named = {there: place for place, there in weather_places.places_of(connection, places).items()}
    query = sql.SQL(
        "SELECT place, (SELECT min(issued_at) FROM weather AS stored WHERE stored.place = requested.place AND slot_start >= {} AND slot_start < {}"
        " AND issued_at > {} AND issued_at <= {}) FROM unnest({}::text[]) AS requested (place)"
    ).format(until + _DAY, until + _DAY + _HOUR, since - STALE, until, list(named))
    with copy.cursor(connection) as session:
        first_issues = dict(session.execute(query).fetchall())
    return {named[place]: first.astimezone(UTC) for place, first in first_issues.items() if first is not None and first > since}


def list_places(connection: Connection, places: Sequence[str], *, first: datetime, end: datetime) -> set[str]:
    """Return for which of many places any weather of the quarter-hours from ``first`` on, before ``end``, is stored."""
    named = {there: place for place, there in weather_places.places_of(connection, places).items()}
    query = sql.SQL(
        "SELECT place FROM unnest({}::text[]) AS requested (place)"
        " WHERE EXISTS (SELECT FROM weather AS stored WHERE stored.place = requested.place AND slot_start >= {} AND slot_start < {})"
    ).format(list(named), first, end)
    with copy.cursor(connection) as session:
        return {named[place] for (place,) in session.execute(query).fetchall()}


def read_carbon(connection: Connection, place: str, timeline: Timeline, *, known_at: datetime) -> FloatArray:
    """Return the carbon intensity (g/kWh) on ``timeline`` as known at ``known_at``, NaN where nothing was."""
    return _read(connection, "carbon_intensity", place, timeline, names=("carbon_g_per_kwh",), known_at=known_at)["carbon_g_per_kwh"]


def read_carbon_each(connection: Connection, places: Sequence[str], timeline: Timeline, *, known_at: datetime) -> dict[str, FloatArray]:
    """Return the same of many places on quarter-hours."""
    query = sql.SQL(
        "SELECT DISTINCT ON (requested.number, slot_start) requested.number, slot_start, {}"
        " FROM unnest({}::text[]) WITH ORDINALITY AS requested (place, number)"
        " JOIN carbon_intensity AS stored ON stored.place = requested.place AND slot_start >= {} AND slot_start < {} AND issued_at <= {}"
        " ORDER BY requested.number, slot_start, issued_at DESC"
    ).format(copy.coalesced("carbon_g_per_kwh"), list(places), timeline.start, timeline.end, known_at)
    rows = copy.split(copy.read(connection, query, {"number": "i8", "slot_start": "M8[s]", "value": "f8"}))
    unknown = np.full(timeline.count, np.nan)
    return {
        place: align(rows[number]["slot_start"], rows[number]["value"], timeline) if number in rows else unknown for number, place in enumerate(places, start=1)
    }


def read_carbon_issues(connection: Connection, place: str, timeline: Timeline) -> tuple[InstantArray, InstantArray, FloatArray]:
    """Return every issue of the quarter-hours of ``timeline``: slot start, when it became known, g/kWh; in order of slot and issue."""
    query = sql.SQL(
        "SELECT slot_start, issued_at, {} FROM carbon_intensity WHERE place = {} AND slot_start >= {} AND slot_start < {} ORDER BY slot_start, issued_at"
    ).format(copy.coalesced("carbon_g_per_kwh"), place, timeline.start, timeline.end)
    rows = copy.read(connection, query, {"slot_start": "M8[s]", "issued_at": "M8[us]", "carbon_g_per_kwh": "f8"})
    return rows["slot_start"], rows["issued_at"], rows["carbon_g_per_kwh"]


def _read(connection: Connection, table: str, place: str, timeline: Timeline, *, names: tuple[str, ...], known_at: datetime) -> dict[str, FloatArray]:
    grid = quarter_hours(timeline)
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start) slot_start, {} FROM {}"
        " WHERE place = {} AND slot_start >= {} AND slot_start < {} AND issued_at <= {} ORDER BY slot_start, issued_at DESC"
    ).format(copy.coalesced(*names), sql.Identifier(table), place, grid.start, grid.end, known_at)
    rows = copy.read(connection, query, {"slot_start": "M8[s]"} | dict.fromkeys(names, "f8"))
    return {name: from_quarter_hours(align(rows["slot_start"], rows[name], grid), timeline, "price") for name in names}
