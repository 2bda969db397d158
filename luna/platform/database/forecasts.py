"""Store forecasts of load and PV by version and issue, and select the one to plan from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, select

from luna.energy.errors import InvalidInputError
from luna.energy.outlook import PARTS, SHARES, Forecast, Quantiles
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, align, align_each, parse_zone, to_utc
from luna.platform.database import copy, forecast_activations, plan_causes, sites
from luna.platform.database.forecast_activations import ActiveVersion
from luna.platform.database.schema.series import slot_forecasts
from luna.words import say_instant

# Column suffix → field of ``Quantiles``.
PLACES = {"kwh": "expected"} | {f"{name}_kwh": name for name in SHARES}
# Longest horizon: earlier issues cannot contain a slot.
REACH = timedelta(days=15)
# Many forecasts are read in such parts: one for every hour has 27 kB.
_AT_ONCE = timedelta(weeks=1)
COLUMNS = (*(f"load_{column}" for column in PLACES), *(f"pv_{column}" for column in PLACES))


@dataclass(frozen=True, slots=True)
class DrivingForecast:
    """The forecast that a site is planned from.

    ``fallback_reason`` says why it is not a fresh issue of the active version, None where it is.
    """

    forecast: Forecast
    fallback_reason: str | None = None


def upsert(connection: Connection, site_id: str, forecasts: Sequence[Forecast]) -> copy.Written:
    """Store forecasts of quarter-hours; an issue of the same version and instant is replaced.

    Raises:
        InvalidInputError: slots of another length.
    """
    return upsert_each(connection, {sites.key_of(connection, site_id): forecasts})


def upsert_each(connection: Connection, issued: Mapping[int, Sequence[Forecast]]) -> copy.Written:
    """Store forecasts of many sites, by the sites' keys, with one COPY; see ``upsert``."""
    rows: list[tuple[int, Forecast]] = []
    for key, forecasts in issued.items():
        rows += [(key, forecast) for forecast in forecasts]
    if not rows:
        return copy.Written()
    # COPY encodes text in runs of equal values.
    rows.sort(key=lambda row: row[1].version)
    written = _write(connection, [key for key, _ in rows], [forecast for _, forecast in rows])
    if written.inserted or written.updated:
        plan_causes.note(connection, issued, "forecast")
    return written


def read_driving(
    connection: Connection, site: Site, timeline: Timeline, *, known_at: datetime
) -> DrivingForecast | None:
    """Return the forecast to plan from.

    It is a fresh issue of the active version, else a fresh one of the default version, else the
    newest issue of the two.
    """
    key = sites.key_of(connection, site.name)
    active = {key: forecast_activations.find_active(connection, site)}
    return read_driving_each(connection, {key: site}, active, timeline, known_at=known_at).get(key)


def read_driving_each(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    active: Mapping[int, ActiveVersion],
    timeline: Timeline,
    *,
    known_at: datetime,
    parts: Sequence[str] = PARTS,
) -> dict[int, DrivingForecast]:
    """Return ``read_driving`` of many sites by their keys, with their ``active`` versions.

    Sites without a forecast of the first slot are left out.

    Only ``parts`` of ``Quantiles`` are read, the others are NaN.
    """
    issuers: list[tuple[int, str]] = []
    for key in sites_by_key:
        versions = (active[key].forecast_version, forecast_activations.DEFAULT_VERSION)
        issuers += [(key, version) for version in dict.fromkeys(versions)]
    issued = _last_issues(connection, issuers, covers=timeline.start, known_at=known_at)
    chosen = {key: _choose_version(instants, known_at) for key, instants in issued.items()}
    issues = {key: (version, issued[key][version]) for key, version in chosen.items()}
    rows = _rows_each(connection, issues, parts)
    driving = {}
    for key, version in chosen.items():
        at = issued[key][version]
        active_version = active[key].forecast_version
        fallback_reason = _explain_fallback(
            active_version,
            issued[key].get(active_version),
            known_at,
            parse_zone(sites_by_key[key].timezone),
        )
        driving[key] = DrivingForecast(
            _forecast(rows[key], timeline.whole(), at, version), fallback_reason
        )
    return driving


def _explain_fallback(
    active: str, issued_at: datetime | None, known_at: datetime, zone: tzinfo
) -> str | None:
    if issued_at is None:
        return f"{active} has issued no forecast of the start"
    if known_at - issued_at > FORECAST_MAX_AGE:
        return (
            f"{active} issued its last forecast at {say_instant(issued_at, zone)}, more than "
            f"{FORECAST_MAX_AGE // timedelta(hours=1)} hours before the start"
        )
    return None


LAST_ISSUES = sql.SQL(
    "SELECT requested.site_key, requested.version, issue.issued_at"
    " FROM unnest({}::int[], {}::text[]) WITH ORDINALITY AS requested (site_key, version, "
    "place), LATERAL ("
    "SELECT issued_at FROM slot_forecasts AS stored WHERE stored.site_key = "
    "requested.site_key AND stored.forecast_version = requested.version"
    " AND stored.issued_at <= {} AND stored.slot_start = {} ORDER BY stored.issued_at DESC "
    "LIMIT 1) AS issue ORDER BY requested.place"
)


def _choose_version(instants: Mapping[str, datetime], known_at: datetime) -> str:
    """Return the first version with a fresh issue, else the one with the newest issue."""
    for version, at in instants.items():
        if known_at - at <= FORECAST_MAX_AGE:
            return version
    return max(instants, key=lambda version: instants[version])


def _last_issues(
    connection: Connection,
    issuers: Sequence[tuple[int, str]],
    *,
    covers: datetime,
    known_at: datetime,
) -> dict[int, dict[str, datetime]]:
    """Return the last issue that covers a slot, by site and version.

    They are in the order of ``issuers``; versions without any are left out.
    """
    keys = [key for key, _ in issuers]
    versions = [version for _, version in issuers]
    issued: dict[int, dict[str, datetime]] = {}
    query = LAST_ISSUES.format(keys, versions, known_at, covers)
    with copy.cursor(connection) as session:
        for key, version, at in session.execute(query).fetchall():
            issued.setdefault(key, {})[version] = at.astimezone(UTC)
    return issued


ISSUE = sql.SQL(
    "SELECT requested.site_key, arrays.* FROM unnest({keys}::int[], {versions}::text[], "
    "{instants}::timestamptz[]) AS requested (site_key, version, issued_at)"
    " CROSS JOIN LATERAL (SELECT array_agg(slot_start), {packed} FROM (SELECT slot_start, "
    "{known} FROM slot_forecasts AS stored"
    " WHERE stored.site_key = requested.site_key AND stored.forecast_version = "
    "requested.version AND stored.issued_at = requested.issued_at"
    " ORDER BY slot_start) AS slots (slot_start, {columns})) AS arrays"
)


def _rows_each(
    connection: Connection, issues: Mapping[int, tuple[str, datetime]], parts: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Return the slots of one issue of each site, in order."""
    names = [name for name in COLUMNS if PLACES[name.partition("_")[2]] in parts]
    query = ISSUE.format(
        keys=list(issues),
        versions=[version for version, _ in issues.values()],
        instants=[at for _, at in issues.values()],
        packed=copy.packed(names),
        known=copy.coalesced(*names),
        columns=copy.identifiers(names),
    )
    rows = copy.read_rows(connection, query, ("i4", "M8[s][]", *["f8[]"] * len(names)))
    issue_slots = {}
    for key, starts, *columns in rows:
        issue_slots[key] = {"slot_start": starts} | dict(zip(names, columns, strict=True))
    return issue_slots


def read_latest(
    connection: Connection,
    site_id: str,
    timeline: Timeline,
    *,
    version: str,
    column: str,
    issued: tuple[datetime, datetime],
) -> FloatArray:
    """Return one of ``COLUMNS`` per quarter-hour from its last forecast, NaN without one.

    Only forecasts issued within ``issued`` count, both ends included.
    """
    window = max(issued[0], timeline.start - REACH), min(issued[1], timeline.end)
    query = sql.SQL(
        "SELECT DISTINCT ON (slot_start) slot_start, {} FROM slot_forecasts WHERE site_key "
        "= {} AND forecast_version = {}"
        " AND issued_at BETWEEN {} AND {} AND slot_start >= {} AND slot_start < {} ORDER "
        "BY slot_start, issued_at DESC"
    ).format(
        copy.coalesced(column),
        sites.key_of(connection, site_id),
        version,
        *window,
        timeline.start,
        timeline.end,
    )
    rows = copy.read(connection, query, {"slot_start": "M8[s]", "value": "f8"})
    return align(rows["slot_start"], rows["value"], timeline)


def read_all(
    connection: Connection, site_id: str, *, version: str, first: datetime, last: datetime
) -> list[Forecast]:
    """Return the forecasts issued from ``first`` to ``last``, both included, in order of issue."""
    query = sql.SQL(
        "SELECT issued_at, slot_start, {} FROM slot_forecasts"
        " WHERE site_key = {} AND forecast_version = {} AND issued_at BETWEEN {} AND {} "
        "ORDER BY issued_at, slot_start"
    ).format(copy.coalesced(*COLUMNS), sites.key_of(connection, site_id), version, first, last)
    kinds = {"issued_at": "M8[us]", "slot_start": "M8[s]"} | dict.fromkeys(COLUMNS, "f8")
    rows = copy.read(connection, query, kinds)
    issued = rows["issued_at"]
    _, begins = np.unique(issued, return_index=True)
    forecasts = []
    for begin, end in pairwise([*begins.tolist(), issued.size]):
        part = {name: column[begin:end] for name, column in rows.items()}
        issued_at = to_utc(issued[begin])
        forecasts.append(_forecast(part, _timeline(part), issued_at, version))
    return forecasts


def read_expected(
    connection: Connection, site_id: str, *, version: str, first: datetime, last: datetime
) -> list[Forecast]:
    """Return the forecasts of ``read_all`` without their uncertainty.

    They are read a week at a time: those of a year take 60 MB.
    """
    issued: list[Forecast] = []
    begin = first
    while begin <= last:
        end = min(begin + _AT_ONCE, last)
        part = read_all(connection, site_id, version=version, first=begin, last=end)
        issued += [forecast.without_uncertainty() for forecast in part]
        # Both ends are included, to the microsecond.
        begin = end + timedelta(microseconds=1)
    return issued


def find_reach(
    connection: Connection, site_id: str, *, version: str, issued_at: datetime
) -> datetime | None:
    """Return the end of an issue's horizon; None where it has no slots."""
    table = slot_forecasts.c
    of_issue = (
        table.site_key == sites.key_of(connection, site_id),
        table.forecast_version == version,
        table.issued_at == issued_at,
    )
    last = connection.scalar(
        select(table.slot_start).where(*of_issue).order_by(table.slot_start.desc()).limit(1)
    )
    return None if last is None else last.astimezone(UTC) + SLOT


def read_instants(
    connection: Connection, site_id: str, *, version: str, first: datetime, last: datetime
) -> list[datetime]:
    """Return the times of issue from ``first`` to ``last``, both included, in order."""
    table = slot_forecasts.c
    query = (
        select(table.issued_at)
        .where(
            table.site_key == sites.key_of(connection, site_id),
            table.forecast_version == version,
            table.issued_at.between(first, last),
        )
        .distinct()
        .order_by(table.issued_at)
    )
    return [instant.astimezone(UTC) for instant in connection.scalars(query)]


def _write(
    connection: Connection, keys: Sequence[int], forecasts: Sequence[Forecast]
) -> copy.Written:
    issued = []
    for forecast in forecasts:
        if forecast.timeline.step != SLOT:
            raise InvalidInputError(
                "forecasts are stored by the quarter-hour",
                field="slot_minutes",
                value=forecast.timeline.step // timedelta(minutes=1),
            )
        issued_at = forecast.issued_at.astimezone(UTC).replace(tzinfo=None)
        issued.append(np.datetime64(issued_at, "us"))
    slots = [len(forecast.timeline) for forecast in forecasts]
    versions = np.array([forecast.version.encode() for forecast in forecasts])
    columns: dict[str, Any] = {
        "site_key": np.repeat(np.array(keys, dtype=np.int32), slots),
        "forecast_version": np.repeat(versions, slots),
        "issued_at": np.repeat(np.array(issued), slots),
        "slot_start": np.concatenate([forecast.timeline.starts for forecast in forecasts]),
    }
    for series in ("load", "pv"):
        quantiles = [getattr(forecast, f"{series}_kwh") for forecast in forecasts]
        for column, place in PLACES.items():
            values = [getattr(series_quantiles, place) for series_quantiles in quantiles]
            columns[f"{series}_{column}"] = np.concatenate(values)
    return copy.upsert(connection, slot_forecasts, columns)


def _timeline(rows: dict[str, Any]) -> Timeline:
    starts = rows["slot_start"]
    first = to_utc(starts[0])
    last = to_utc(starts[-1])
    return Timeline(first, SLOT, (last - first) // SLOT + 1)


def _forecast(
    rows: dict[str, Any], timeline: Timeline, issued_at: datetime, version: str
) -> Forecast:
    stored = {name: rows[name] for name in COLUMNS if name in rows}
    aligned = align_each(rows["slot_start"], stored, timeline)
    unknown = np.full(timeline.count, np.nan)
    load = {place: aligned.get(f"load_{column}", unknown) for column, place in PLACES.items()}
    pv = {place: aligned.get(f"pv_{column}", unknown) for column, place in PLACES.items()}
    return Forecast(timeline, issued_at, version, Quantiles(**load), Quantiles(**pv))
