"""Forecasts issued at the same time of day on earlier days: what they said, beside what happened, tells how forecasts err."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from psycopg import sql
from sqlalchemy import Connection

from luna.database import copy, sites
from luna.database.forecasts import COLUMNS, PLACES
from luna.outlook import Forecast, Quantiles
from luna.timeline import SLOT, Timeline

NEAR = timedelta(hours=1)  # an issue so long before an instant counts as that instant's
ISSUED = sql.SQL(
    "SELECT DISTINCT found.issued_at FROM unnest({}::timestamptz[]) AS wanted (instant), LATERAL ("
    "SELECT issued_at FROM slot_forecasts WHERE site_key = {} AND forecast_version = {} AND issued_at > wanted.instant - {} AND issued_at <= wanted.instant"
    " ORDER BY issued_at DESC LIMIT 1) AS found"
)


def read_past(connection: Connection, site_id: str, *, version: str, instants: Sequence[datetime]) -> list[Forecast]:
    """Return the last forecast that was issued within the hour before each instant, in order of issue; an instant without one is left out."""
    key = sites.key_of(connection, site_id)
    with copy.cursor(connection) as session:
        issued = [row[0] for row in session.execute(ISSUED.format(list(instants), key, version, NEAR)).fetchall()]
    if not issued:
        return []
    query = sql.SQL(
        "SELECT issued_at, slot_start, {} FROM slot_forecasts"
        " WHERE site_key = {} AND forecast_version = {} AND issued_at = ANY ({}) ORDER BY issued_at, slot_start"
    ).format(sql.SQL(", ").join(map(copy.known, COLUMNS)), key, version, issued)
    rows = copy.read(connection, query, {"issued_at": "M8[us]", "slot_start": "M8[s]"} | dict.fromkeys(COLUMNS, "f8"))
    return [_forecast(part, version) for part in _by_issue(rows)]


# Of each issue one row with its slots as arrays: handed over slot by slot they would cost twice as much. Read along the key, they are in order already.
MEANS = sql.SQL(
    "SELECT wanted.site_key, found.issued_at, told.start, told.load_kwh, told.pv_kwh FROM unnest({}::int[], {}::text[]) AS wanted (site_key, version)"
    " CROSS JOIN LATERAL (SELECT DISTINCT last.issued_at FROM unnest({}::timestamptz[]) AS asked (instant) CROSS JOIN LATERAL ("
    "SELECT issued_at FROM slot_forecasts AS one WHERE one.site_key = wanted.site_key AND one.forecast_version = wanted.version"
    " AND one.issued_at > asked.instant - {} AND one.issued_at <= asked.instant ORDER BY issued_at DESC LIMIT 1) AS last) AS found"
    " CROSS JOIN LATERAL (SELECT min(slot_start) AS start, array_agg(load_kwh) AS load_kwh, array_agg(pv_kwh) AS pv_kwh FROM ("
    "SELECT slot_start, {} AS load_kwh, {} AS pv_kwh FROM slot_forecasts AS stored WHERE stored.site_key = wanted.site_key"
    " AND stored.forecast_version = wanted.version AND stored.issued_at = found.issued_at ORDER BY slot_start) AS slots) AS told"
    " ORDER BY wanted.site_key, found.issued_at"
)


def read_means_each(connection: Connection, wanted: Mapping[int, str], instants: Sequence[datetime]) -> dict[int, list[Forecast]]:
    """Return the same of many sites, of each one's version by the site's key: what was expected, without bands; a site without any is left out."""
    names = ("load_kwh", "pv_kwh")
    query = MEANS.format(list(wanted), list(wanted.values()), list(instants), NEAR, *map(copy.known, names))
    found: dict[int, list[Forecast]] = {}
    for key, issued_at, start, load, pv in copy.read_rows(connection, query, ("i4", "M8", "M8", "f8[]", "f8[]")):
        timeline = Timeline(start, SLOT, load.size)
        found.setdefault(key, []).append(Forecast(timeline, issued_at, wanted[key], Quantiles.exact(load), Quantiles.exact(pv)))
    return found


def _by_issue(rows: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    bounds = [*np.flatnonzero(np.diff(rows["issued_at"].astype(np.int64), prepend=-1)), rows["issued_at"].size]
    return [{name: column[first:last] for name, column in rows.items()} for first, last in pairwise(bounds)]


def _forecast(rows: dict[str, np.ndarray], version: str) -> Forecast:
    issued_at, start = (rows[name][0].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC) for name in ("issued_at", "slot_start"))
    load, pv = (Quantiles(**{place: rows[f"{series}_{column}"] for column, place in PLACES.items()}) for series in ("load", "pv"))
    return Forecast(Timeline(start, SLOT, rows["slot_start"].size), issued_at, version, load, pv)
