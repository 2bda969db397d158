"""Deletes rows beyond their retention where TimescaleDB has no policy for it.

Hypertables drop whole chunks; plain tables delete rows series by series along the key, so that no statement scans a whole table. The newest forecast of each
site and version is always kept, and so is the newest plan of each site and system. Observations and prices are never deleted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql
from sqlalchemy import Connection

from luna.platform.database import copy, timescale

# Keeps a statement far below its time-out and a run below its task's; the rest is deleted by the next run.
BATCH_ROWS = 50_000
BATCHES = 100


@dataclass(frozen=True, slots=True)
class Aging:
    """The retention of a table's rows.

    Args:
        series: the columns that identify a series; with ``time`` they lead the primary key or an index.
        time: the column of a row's age.
        keep_newest: keep the rows with each series' newest ``time`` whatever its age.
        batch_rows: rows deleted per statement.
    """

    series: tuple[str, ...]
    time: str
    keep_newest: bool = False
    batch_rows: int = BATCH_ROWS


# A plan with its request takes some thirty rows of the TOAST table.
PLAN_ROWS = 2_000

TABLES = {
    "slot_forecasts": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    "forecast_issues": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    "forecast_scenarios": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    # The plan in force is the newest one, or at most days old.
    "plan_history": Aging(("site", "system_id"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS),
    "antares_plan_history": Aging(("site_key", "policy"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS),
    "sensor_readings": Aging(("sensor_key",), "instant"),
    "smart_meter_readings": Aging(("meter", "register"), "instant"),
}


def delete_old(connection: Connection, ages: Mapping[str, timedelta | None], *, now: datetime) -> dict[str, int]:
    """Delete rows older than their table's age; return the number of rows of a plain table, of chunks of a hypertable.

    A hypertable keeps a chunk until all of it is old. Tables with a retention policy are left to TimescaleDB.

    Args:
        ages: table (of ``TABLES``) → age; None keeps everything.
    """
    hypertables = timescale.hypertables(connection)
    policies = timescale.policy_ages(connection, "retention")
    deleted = {}
    for table, age in ages.items():
        if age is None or table in policies:
            continue
        delete = _drop_chunks if table in hypertables else _delete_rows
        deleted[table] = delete(connection, table, now - age)
    return deleted


def _delete_rows(connection: Connection, table: str, cutoff: datetime) -> int:
    aging = TABLES[table]
    newest = sql.SQL("(SELECT max({time}) FROM {table} AS newer WHERE {same})").format(
        time=sql.Identifier(aging.time), table=sql.Identifier(table), same=_same(aging, "newer")
    )
    delete_batch = sql.SQL(
        "WITH RECURSIVE {series}, old AS ("
        "SELECT old.ctid FROM series CROSS JOIN LATERAL (SELECT ctid FROM {table} AS old WHERE {same} AND {time} < {bound} LIMIT {batch}) AS old LIMIT {batch}"
        ") DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))"
    ).format(
        series=_series(table, aging),
        table=sql.Identifier(table),
        same=_same(aging, "old"),
        time=sql.Identifier("old", aging.time),
        bound=sql.SQL("least({}, {})").format(cutoff, newest) if aging.keep_newest else sql.Literal(cutoff),
        batch=aging.batch_rows,
    )
    deleted = 0
    with copy.cursor(connection) as session:
        for _ in range(BATCHES):
            session.execute(delete_batch)
            deleted += session.rowcount
            if session.rowcount < aging.batch_rows:
                break
    return deleted


def _series(table: str, aging: Aging) -> sql.Composed:
    """Return a recursive CTE that steps from series to series along the index, independent of the number of rows."""
    return sql.SQL(
        "series AS ((SELECT {names} FROM {table} ORDER BY {names} LIMIT 1) UNION ALL"
        " SELECT following.* FROM series CROSS JOIN LATERAL"
        " (SELECT {names} FROM {table} AS following WHERE ({theirs}) > ({ours}) ORDER BY {names} LIMIT 1) AS following)"
    ).format(
        names=copy.identifiers(aging.series),
        table=sql.Identifier(table),
        theirs=sql.SQL(", ").join(sql.Identifier("following", name) for name in aging.series),
        ours=sql.SQL(", ").join(sql.Identifier("series", name) for name in aging.series),
    )


def _same(aging: Aging, row: str) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} = {}").format(sql.Identifier(row, name), sql.Identifier("series", name)) for name in aging.series)


def _drop_chunks(connection: Connection, table: str, cutoff: datetime) -> int:
    protected = _protected_windows(connection, table, cutoff)
    dropped = 0
    with copy.cursor(connection) as session:
        session.execute(
            "SELECT range_start, range_end FROM timescaledb_information.chunks"
            " WHERE hypertable_schema = current_schema() AND hypertable_name = %s AND range_end <= %s",
            (table, cutoff),
        )
        for start, end in session.fetchall():
            if any(first < end and last >= start for first, last in protected):
                continue
            session.execute("SELECT drop_chunks(CAST(%s AS regclass), older_than => %s, newer_than => %s)", (table, end, start))
            dropped += len(session.fetchall())
    return dropped


def _protected_windows(connection: Connection, table: str, cutoff: datetime) -> list[tuple[datetime, datetime]]:
    """Return first and last slot of each series' newest forecast that is old enough to be in a chunk to be dropped."""
    aging = TABLES[table]
    if not aging.keep_newest:
        return []
    query = sql.SQL(
        "WITH RECURSIVE {series} SELECT min(slot_start), max(slot_start) FROM series CROSS JOIN LATERAL"
        " (SELECT max({time}) AS newest FROM {table} AS own WHERE {same}) AS own JOIN {table} AS row ON {row_same} AND row.{time} = newest"
        " WHERE newest < {cutoff} GROUP BY {names}"
    ).format(
        series=_series(table, aging),
        table=sql.Identifier(table),
        time=sql.Identifier(aging.time),
        same=_same(aging, "own"),
        row_same=_same(aging, "row"),
        cutoff=cutoff,
        names=sql.SQL(", ").join(sql.Identifier("series", name) for name in aging.series),
    )
    with copy.cursor(connection) as session:
        return session.execute(query).fetchall()
