"""Store each day's quality verdict, and read series without unusable days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.data import DayQuality
from luna.energy.day_fault import DayFault
from luna.energy.observations import SERIES, Observations
from luna.energy.quality_verdict import may_use
from luna.energy.series_query import UnusableSpan
from luna.energy.site import Site
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    IndexArray,
    InstantArray,
    Timeline,
    local_midnight,
    parse_zone,
    to_instant,
)
from luna.platform.database import copy, observations, sites
from luna.platform.database.schema.series import data_quality_daily


def save(connection: Connection, site_id: str, days: Sequence[DayQuality]) -> int:
    """Store verdicts, one per day; return how many are new or changed."""
    if not days:
        return 0
    key = sites.key_of(connection, site_id)
    table = data_quality_daily
    statement = insert(table).values(
        [{"site_key": key, **day.model_dump(include={"day", "verdict", "faults"})} for day in days]
    )
    new_values = {name: statement.excluded[name] for name in ("verdict", "faults", "judged_at")}
    differs = (table.c.verdict != statement.excluded.verdict) | (
        table.c.faults != statement.excluded.faults
    )
    upsert = statement.on_conflict_do_update(
        constraint=table.primary_key, set_=new_values, where=differs
    ).returning(table.c.day)
    return len(connection.execute(upsert).all())


def forget(connection: Connection, site_id: str, first: date, last: date) -> None:
    """Delete the verdicts on days whose slots were written; beat has them judged again."""
    table = data_quality_daily.c
    connection.execute(
        delete(data_quality_daily).where(
            table.site_key == sites.key_of(connection, site_id), table.day.between(first, last)
        )
    )


def first_unjudged(connection: Connection, site_id: str, first: date, last: date) -> date | None:
    """Return the first day without a verdict from ``first`` to ``last``."""
    table = data_quality_daily.c
    query = select(table.day).where(
        table.site_key == sites.key_of(connection, site_id), table.day.between(first, last)
    )
    judged = set(connection.scalars(query))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day not in judged:
            return day
    return None


def read(connection: Connection, site_id: str, first: date, last: date) -> list[DayQuality]:
    """Return the verdicts on the days from ``first`` to ``last``, in order.

    Unjudged days are left out.
    """
    table = data_quality_daily.c
    judged = select(table.day, table.verdict, table.faults).where(
        table.site_key == sites.key_of(connection, site_id), table.day.between(first, last)
    )
    return [
        DayQuality(day=row.day, verdict=row.verdict, faults=_read_faults(row.faults))
        for row in connection.execute(judged.order_by(table.day))
    ]


def _read_faults(document: Any) -> list[DayFault]:
    try:
        return [DayFault.read(fault) for fault in document]
    except ValueError:
        # The verdict is valid without its faults.
        return [DayFault("unreadable")]


def read_trusted(connection: Connection, site: Site, timeline: Timeline) -> Observations:
    """Return a site's measurements on ``timeline`` for training and scoring."""
    return Observations.of(timeline.starts, read_usable(connection, site, timeline, SERIES))


def read_usable(
    connection: Connection, site: Site, timeline: Timeline, names: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return measured series of a site, unknown on days whose verdict excludes them.

    See ``luna.energy.quality_verdict``.
    """
    measured = observations.read_measured(connection, site.name, timeline, names)
    days = _read_spoiled(connection, site, timeline.start, timeline.end)
    for name, values in measured.items():
        for day in days:
            if not may_use(day.verdict, name):
                is_after = timeline.starts >= to_instant(day.first)
                values[is_after & (timeline.starts < to_instant(day.end))] = np.nan
    return measured


def list_unusable(
    connection: Connection, site: Site, series: str, *, first: datetime, end: datetime
) -> list[UnusableSpan]:
    """Return the local days in ``first`` ≤ t < ``end`` that exclude a series, in order."""
    return [
        day
        for day in _read_spoiled(connection, site, first, end)
        if not may_use(day.verdict, series) and day.first < end and day.end > first
    ]


def _read_spoiled(
    connection: Connection, site: Site, first: datetime, end: datetime
) -> list[UnusableSpan]:
    key = sites.key_of(connection, site.name)
    return _read_spoiled_each(connection, {key: site}, first, end)[key]


def _read_spoiled_each(
    connection: Connection, sites_by_key: Mapping[int, Site], first: datetime, end: datetime
) -> dict[int, list[UnusableSpan]]:
    table = data_quality_daily.c
    day = timedelta(days=1)
    # A day more on both sides covers every time zone.
    around = table.day.between(first.date() - day, end.date() + day)
    spoiled: dict[int, list[UnusableSpan]] = {key: [] for key in sites_by_key}
    columns = (table.site_key, table.day, table.verdict, table.faults)
    query = (
        select(*columns)
        .where(table.site_key.in_(sites_by_key), around, table.verdict != "clean")
        .order_by(table.site_key, table.day)
    )
    for row in connection.execute(query):
        zone = parse_zone(sites_by_key[row.site_key].timezone)
        span = local_midnight(row.day, zone), local_midnight(row.day + day, zone)
        spoiled[row.site_key].append(UnusableSpan(*span, row.verdict, _read_faults(row.faults)))
    return spoiled


def read_repaired(connection: Connection, site_id: str, timeline: Timeline) -> IndexArray:
    """Return the repaired values of each quarter-hour: bit i stands for ``SERIES[i]``."""
    return _read_marks(connection, site_id, timeline, "repaired")


def read_estimated(connection: Connection, site_id: str, timeline: Timeline) -> IndexArray:
    """Return the estimated values of each quarter-hour: bit i stands for ``ESTIMABLE[i]``."""
    return _read_marks(connection, site_id, timeline, "estimated")


def _read_marks(
    connection: Connection, site_id: str, timeline: Timeline, column: str
) -> IndexArray:
    query = sql.SQL(
        "SELECT slot_start, {column}::int FROM slot_observations WHERE site_key = {site} "
        "AND slot_start >= {start} AND slot_start < {end} AND {column} > 0"
    ).format(
        column=sql.Identifier(column),
        site=sites.key_of(connection, site_id),
        start=timeline.start,
        end=timeline.end,
    )
    rows = copy.read(connection, query, {"slot_start": "M8[s]", column: "i4"})
    marks = np.zeros(timeline.count, dtype=np.int64)
    marks[(rows["slot_start"] - timeline.starts[0]) // np.timedelta64(SLOT)] = rows[column]
    return marks


def mark_repaired(
    connection: Connection,
    site_id: str,
    series: str,
    starts: InstantArray,
    *,
    repaired: bool = True,
) -> None:
    """Mark a series in some slots as repaired, or as measured by now."""
    bit = 1 << SERIES.index(series)
    marks = sql.SQL("repaired | {0}::smallint" if repaired else "repaired & ~{0}::smallint").format(
        bit
    )
    statement = sql.SQL(
        "UPDATE slot_observations SET repaired = {marks} WHERE site_key = {site} AND "
        "(repaired & {bit} > 0) IS DISTINCT FROM {repaired}"
        " AND slot_start = ANY(ARRAY(SELECT to_timestamp(epoch) FROM unnest(%s::bigint[]) "
        "AS given (epoch)))"
    ).format(marks=marks, site=sites.key_of(connection, site_id), bit=bit, repaired=repaired)
    with copy.cursor(connection) as cursor:
        cursor.execute(statement, (starts.astype("datetime64[s]").astype(np.int64).tolist(),))


def list_excluded_each(
    connection: Connection, sites_by_key: Mapping[int, Site], first: datetime, end: datetime
) -> dict[int, list[tuple[datetime, datetime]]]:
    """Return the local days on which load and PV are unusable, by the sites' keys.

    Days in ``first`` ≤ t < ``end``, as (start, end).
    """
    spoiled = _read_spoiled_each(connection, sites_by_key, first, end)
    return {
        key: [(day.first, day.end) for day in days if not may_use(day.verdict)]
        for key, days in spoiled.items()
    }
