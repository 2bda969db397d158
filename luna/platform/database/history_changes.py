"""Log changes of past values: before, after, and the rule or person behind it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, func, select

from luna.energy.timeline import FloatArray, InstantArray, Timeline, to_utc
from luna.platform.database import copy, observations, sites
from luna.platform.database.schema.series import history_changes


@dataclass(frozen=True, slots=True)
class Rule:
    """The cause of a change; without ``fills`` only changes of known values count."""

    name: str
    fills: bool = True


@dataclass(frozen=True, slots=True)
class Revision:
    """Values of a series before and after a change, NaN where unknown.

    The series is a column of ``slot_observations``, or ``market_prices:<market>``.
    """

    series: str
    starts: InstantArray
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class Change:
    """One logged change; None is unknown."""

    series: str
    slot_start: datetime
    before: float | None
    after: float | None
    rule: str
    changed_at: datetime


def name_market(market: str) -> str:
    """Return the series of a market's prices in this log."""
    return f"market_prices:{market}"


def write_observations(
    connection: Connection,
    site_id: str,
    starts: InstantArray,
    series: Mapping[str, FloatArray],
    *,
    rule: Rule,
) -> int:
    """Store values of a site's slots, log each change, and return how many values changed.

    Args:
        starts: slot starts, each once, ``datetime64`` in UTC.
        series: column of ``slot_observations`` → values; NaN leaves the stored value.

    Invariants: writing the same values twice changes and logs nothing the second time.
    """
    changed = record_observations(connection, site_id, starts, series, rule=rule)
    observations.write(connection, site_id, starts, dict(series))
    return changed


def record_observations(
    connection: Connection,
    site_id: str,
    starts: InstantArray,
    series: Mapping[str, FloatArray],
    *,
    rule: Rule,
) -> int:
    """Log the values that ``observations.write`` is about to change; return how many."""
    stored = _stored(connection, site_id, starts, tuple(series))
    recorded = 0
    for name, before in stored.items():
        revision = Revision(name, starts, before, series[name])
        recorded += record(connection, site_id, revision, rule=rule)
    return recorded


def record(connection: Connection, site_id: str, revision: Revision, *, rule: Rule) -> int:
    """Log the changed values of a series; return how many."""
    before = revision.before
    after = revision.after
    changed = ~np.isnan(after) & (before != after) & (rule.fills | ~np.isnan(before))
    changes = Revision(revision.series, revision.starts[changed], before[changed], after[changed])
    return _append(connection, site_id, changes, rule=rule)


def withdraw_observations(
    connection: Connection,
    site_id: str,
    starts: InstantArray,
    series: Mapping[str, FloatArray],
    *,
    rule: Rule,
) -> int:
    """Set values to unknown where exactly they are stored, log each, and return how many.

    Args:
        starts: slot starts, each once, ``datetime64`` in UTC.
        series: column of ``slot_observations`` → the values to withdraw; NaN: none.
    """
    withdrawn = 0
    for name, values in series.items():
        places = np.flatnonzero(~np.isnan(values))
        if places.size:
            is_withdrawn = observations.withdraw(
                connection, site_id, name, starts=starts[places], values=values[places]
            )
            places = places[is_withdrawn]
        changes = Revision(name, starts[places], values[places], np.full(places.size, np.nan))
        withdrawn += _append(connection, site_id, changes, rule=rule)
    return withdrawn


def read_page(
    connection: Connection,
    site_id: str,
    *,
    slots: tuple[datetime | None, datetime | None],
    after: int | None = None,
    limit: int | None = None,
) -> list[tuple[int, Change]]:
    """Return the next changes with their ids, in order.

    Args:
        connection: to the database.
        site_id: the site's name.
        slots: first slot and the one after the last; None: unbounded.
        after: the id that the page follows; None: the first page.
        limit: how many at most; None: all.
    """
    table = history_changes.c
    first, end = slots
    bounds = []
    if first is not None:
        bounds.append(table.slot_start >= first)
    if end is not None:
        bounds.append(table.slot_start < end)
    if after is not None:
        bounds.append(table.change_id > after)
    columns = (
        table.change_id,
        table.series,
        table.slot_start,
        table.before,
        table.after,
        table.rule,
        table.changed_at,
    )
    rows = connection.execute(
        select(*columns)
        .where(table.site_key == sites.key_of(connection, site_id), *bounds)
        .order_by(table.change_id)
        .limit(limit)
    )
    changes = []
    for row in rows:
        change = Change(
            row.series,
            row.slot_start.astimezone(UTC),
            row.before,
            row.after,
            row.rule,
            row.changed_at.astimezone(UTC),
        )
        changes.append((row.change_id, change))
    return changes


def read_last_changes(
    connection: Connection, site_id: str, series: Collection[str], timeline: Timeline
) -> dict[datetime, datetime]:
    """Return when any of these series was last changed, by slot start on a timeline."""
    table = history_changes.c
    query = (
        select(table.slot_start, func.max(table.changed_at).label("changed_at"))
        .where(
            table.site_key == sites.key_of(connection, site_id),
            table.series.in_(series),
            table.slot_start >= timeline.start,
            table.slot_start < timeline.end,
        )
        .group_by(table.slot_start)
    )
    return {row.slot_start: row.changed_at for row in connection.execute(query)}


def _append(connection: Connection, site_id: str, revision: Revision, *, rule: Rule) -> int:
    if not revision.starts.size:
        return 0
    columns: copy.Columns = {
        "site_key": sites.key_of(connection, site_id),
        "series": revision.series,
        "slot_start": revision.starts,
        "before": revision.before,
        "after": revision.after,
        "rule": rule.name,
    }
    return copy.append(connection, history_changes.name, columns)


def _stored(
    connection: Connection, site_id: str, starts: InstantArray, names: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return the stored values at ``starts``, NaN where there are none."""
    if not starts.size:
        return {}
    first = to_utc(starts.min())
    last = to_utc(starts.max())
    query = sql.SQL(
        "SELECT slot_start, {} FROM slot_observations WHERE site_key = {} AND slot_start "
        "BETWEEN {} AND {} ORDER BY slot_start"
    ).format(copy.coalesced(*names), sites.key_of(connection, site_id), first, last)
    rows = copy.read(connection, query, {"slot_start": "M8[s]"} | dict.fromkeys(names, "f8"))
    slot_starts = starts.astype("datetime64[s]")
    place = np.searchsorted(rows["slot_start"], slot_starts)
    is_stored = np.isin(slot_starts, rows["slot_start"])
    series = {name: np.full(starts.size, np.nan) for name in names}
    for name in names:
        series[name][is_stored] = rows[name][place[is_stored]]
    return series
