"""Read the forecasts issued at the same time of earlier days, for error statistics."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from psycopg import sql
from sqlalchemy import Connection

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import copy, sites
from luna.platform.database.forecasts import COLUMNS, PLACES

NEAR = timedelta(hours=1)  # an issue so long before an instant counts as that instant's
# An outside service is asked every three hours, and an hour later where it was away.
OUTSIDE_NEAR = timedelta(hours=4)

# One row per issue with its slots as arrays; the index returns them in order.
ISSUES = sql.SQL(
    "SELECT requested.site_key, issue.issued_at, arrays.* FROM unnest({keys}::int[], "
    "{versions}::text[]) AS requested (site_key, version)"
    " CROSS JOIN LATERAL (SELECT DISTINCT last.issued_at FROM "
    "unnest({instants}::timestamptz[]) AS instants (instant) CROSS JOIN LATERAL ("
    "SELECT issued_at FROM slot_forecasts AS one WHERE one.site_key = requested.site_key "
    "AND one.forecast_version = requested.version"
    " AND one.issued_at > instants.instant - {near} AND one.issued_at <= instants.instant "
    "ORDER BY issued_at DESC LIMIT 1) AS last) AS issue"
    " CROSS JOIN LATERAL (SELECT min(slot_start), {packed} FROM (SELECT slot_start, "
    "{known} FROM slot_forecasts AS stored"
    " WHERE stored.site_key = requested.site_key AND stored.forecast_version = "
    "requested.version AND stored.issued_at = issue.issued_at"
    " ORDER BY slot_start) AS slots (slot_start, {columns})) AS arrays ORDER BY "
    "requested.site_key, issue.issued_at"
)


def read_past(
    connection: Connection,
    site_id: str,
    *,
    version: str,
    instants: Sequence[datetime],
    near: timedelta = NEAR,
) -> list[Forecast]:
    """Return the last forecast issued within ``near`` before each instant, in order of issue.

    Instants that have none are left out.
    """
    key = sites.key_of(connection, site_id)
    return read_past_each(connection, {key: version}, instants, near=near).get(key, [])


def read_past_each(
    connection: Connection,
    versions: Mapping[int, str],
    instants: Sequence[datetime],
    *,
    near: timedelta = NEAR,
) -> dict[int, list[Forecast]]:
    """Return ``read_past`` of many sites by key, each with its own version.

    Sites that have none are left out.
    """
    issued: dict[int, list[Forecast]] = {}
    for key, issued_at, timeline, values in _read_issues(
        connection, versions, instants, COLUMNS, near=near
    ):
        load = Quantiles(**{place: values[f"load_{column}"] for column, place in PLACES.items()})
        pv = Quantiles(**{place: values[f"pv_{column}"] for column, place in PLACES.items()})
        issued.setdefault(key, []).append(Forecast(timeline, issued_at, versions[key], load, pv))
    return issued


def read_means_each(
    connection: Connection, versions: Mapping[int, str], instants: Sequence[datetime]
) -> dict[int, list[Forecast]]:
    """Return ``read_past_each`` with the expectations alone, without bands."""
    issued: dict[int, list[Forecast]] = {}
    for key, issued_at, timeline, values in _read_issues(
        connection, versions, instants, ("load_kwh", "pv_kwh")
    ):
        load, pv = (Quantiles.exact(values[name]) for name in ("load_kwh", "pv_kwh"))
        issued.setdefault(key, []).append(Forecast(timeline, issued_at, versions[key], load, pv))
    return issued


def _read_issues(
    connection: Connection,
    versions: Mapping[int, str],
    instants: Sequence[datetime],
    names: Sequence[str],
    *,
    near: timedelta = NEAR,
) -> Iterator[tuple[int, datetime, Timeline, dict[str, FloatArray]]]:
    """Yield columns of the slots by site and issue, in order."""
    columns = {
        "packed": copy.packed(names),
        "known": copy.coalesced(*names),
        "columns": copy.identifiers(names),
    }
    query = ISSUES.format(
        keys=list(versions),
        versions=list(versions.values()),
        instants=list(instants),
        near=near,
        **columns,
    )
    for key, issued_at, start, *values in copy.read_rows(
        connection, query, ("i4", "M8", "M8", *["f8[]"] * len(names))
    ):
        yield (
            key,
            issued_at,
            Timeline(start, SLOT, values[0].size),
            dict(zip(names, values, strict=True)),
        )
