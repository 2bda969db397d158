"""Deletes what is too old to keep, where TimescaleDB has no policy that does.

On hypertables whole chunks are dropped, on plain tables rows are deleted series by series along the key, so that no statement reads a whole table. The newest
forecast of a site and version stays whatever its age, and so does the newest plan of a site and system. Observations and prices are never touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql
from sqlalchemy import Connection

from luna.platform.database import copy, timescale

# A statement stays far below its time-out, and a run within its task's: what is left over goes in the next run.
BATCH_ROWS = 50_000
BATCHES = 100


@dataclass(frozen=True, slots=True)
class Aging:
    """How the rows of a table age.

    Args:
        series: the columns that tell one series from another; with ``time`` they lead the primary key or an index.
        time: the instant that makes a row old.
        keep_newest: keep the rows of each series' newest ``time`` whatever its age.
        batch_rows: rows deleted by one statement.
    """

    series: tuple[str, ...]
    time: str
    keep_newest: bool = False
    batch_rows: int = BATCH_ROWS


# A plan and its request lie in some thirty rows beside the table's own.
PLAN_ROWS = 2_000

TABLES = {
    "slot_forecasts": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    "forecast_issues": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    "forecast_scenarios": Aging(("site_key", "forecast_version"), "issued_at", keep_newest=True),
    # What a site follows is its newest plan, or one that was issued days ago at most.
    "plan_history": Aging(("site", "system_id"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS),
    "antares_plan_history": Aging(("site_key", "policy"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS),
    "sensor_readings": Aging(("sensor_key",), "instant"),
    "smart_meter_readings": Aging(("meter", "register"), "instant"),
}


def delete_old(connection: Connection, ages: Mapping[str, timedelta | None], *, now: datetime) -> dict[str, int]:
    """Delete what is older than its table's age and return how much: rows of a plain table, chunks of a hypertable.

    A hypertable keeps a chunk until all of it is old, so it holds up to a chunk more than asked. A table with a retention policy is left to it.

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
    """Return a part of a recursive query that steps from one series to the next along the index, however many rows each has."""
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
    """Return first and last slot of each newest forecast that is old enough to lie in a chunk that goes."""
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
