"""Delete old rows by the settings' ages.

TimescaleDB's policies do so where its edition has them.

Hypertables drop whole chunks; plain tables delete rows series by series along the key, so that no
statement scans a whole table. The newest forecast of each site and version is always kept, and so
is the newest plan of each site and system. Observations and prices are never deleted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from psycopg import sql
from sqlalchemy import Connection, text

from luna.platform.database import copy, timescale
from luna.platform.settings import Settings

SCENARIO_RETENTION = timedelta(days=35)
# What an operator demanded, and what was done, has to be proven for two years.
LIMIT_RETENTION = timedelta(days=731)
# Segment and order columns of compressed chunks: a series as it is read.
SEGMENTS = {
    "slot_observations": ("site_key", "slot_start"),
    "market_prices": ("market", "slot_start, published_at"),
    "weather": ("place", "slot_start, issued_at"),
    "carbon_intensity": ("place", "slot_start, issued_at"),
    "slot_forecasts": ("site_key, forecast_version", "issued_at, slot_start"),
    "sensor_readings": ("sensor_key", "instant"),
    "smart_meter_readings": ("meter, register", "instant"),
}
Kind = Literal["compression", "retention"]
AGES = text(
    "SELECT hypertable_name AS table, CAST(config ->> :key AS interval) AS after FROM "
    "timescaledb_information.jobs"
    " WHERE hypertable_schema = current_schema() AND proc_name = 'policy_' || :kind"
)
# Name of a policy's age, in its configuration and in the function that adds it.
AGE_KEYS = {"compression": "compress_after", "retention": "drop_after"}
COMPRESSED = text(
    "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE "
    "hypertable_schema = current_schema() AND hypertable_name = :table"
)
ADD = {
    kind: text(
        f"SELECT add_{kind}_policy(CAST(:table AS regclass), {key} => CAST(:after AS interval))"
    )
    for kind, key in AGE_KEYS.items()
}
REMOVE = {
    kind: text(f"SELECT remove_{kind}_policy(CAST(:table AS regclass), if_exists => true)")
    for kind in AGE_KEYS
}

log = structlog.get_logger("luna.database")

# Keeps a statement far below its time-out and a run below its task's; the rest is deleted by the
# next run.
BATCH_ROWS = 50_000
BATCHES = 100


@dataclass(frozen=True, slots=True)
class Aging:
    """The retention of a table's rows.

    Args:
        series: the columns that identify a series; with ``time`` they lead the primary key or an
            index.
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
    "plan_history": Aging(
        ("site", "system_id"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS
    ),
    "antares_plan_history": Aging(
        ("site_key", "policy"), "issued_at", keep_newest=True, batch_rows=PLAN_ROWS
    ),
    "sensor_readings": Aging(("sensor_key",), "instant"),
    "smart_meter_readings": Aging(("meter", "register"), "instant"),
    # A limit without an end is in force, and stays.
    "operator_limits": Aging(("site_key",), "ends_at"),
    "steering_records": Aging(("site_key",), "begins_at"),
}


def retention_ages(settings: Settings) -> dict[str, timedelta | None]:
    """Return the age at which a table's rows are deleted, None: never.

    Tables that are not listed keep their rows.
    """
    return {
        "slot_forecasts": settings.forecast_retention,
        "forecast_issues": settings.forecast_retention,
        # 40 kB per hour and site, unused once their horizon has passed; forecast retention has no
        # shorter setting.
        "forecast_scenarios": SCENARIO_RETENTION,
        "plan_history": settings.plan_retention,
        "antares_plan_history": settings.plan_retention,
        "sensor_readings": settings.reading_retention,
        "smart_meter_readings": settings.reading_retention,
        "operator_limits": LIMIT_RETENTION,
        "steering_records": settings.reading_retention,
    }


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """A policy that the settings require for a table.

    ``refused`` is the reason why it is not in force, None where it is.
    """

    table: str
    kind: Kind
    after: timedelta
    refused: str | None


def apply_policies(connection: Connection, settings: Settings) -> list[RetentionPolicy]:
    """Bring compression and retention policies in line with the settings.

    Return the policies and their state.

    A refused policy is logged and changes nothing. A table without a retention setting keeps its
    rows for ever.

    Invariants: a second call changes nothing.
    """
    policies = []
    for table in SEGMENTS:
        policies.append(_apply(connection, table, "compression", settings.compress_after))
    for table, after in retention_ages(settings).items():
        if table in SEGMENTS:
            policies.append(_apply(connection, table, "retention", after))
    return [policy for policy in policies if policy is not None]


def policy_ages(connection: Connection, kind: Kind) -> dict[str, timedelta]:
    """Return the age of each table's policy; none where the edition has no policies."""
    if not timescale.detect(connection).community:
        return {}
    rows = connection.execute(AGES, {"kind": kind, "key": AGE_KEYS[kind]})
    return {row.table: row.after for row in rows}


def _apply(
    connection: Connection, table: str, kind: Kind, after: timedelta | None
) -> RetentionPolicy | None:
    """Bring a table's policy in line and return its state; None: none is required."""
    edition = timescale.detect(connection)
    if edition.community:
        refused = timescale.attempt(connection, lambda: _set(connection, table, kind, after))
    elif edition.version:
        refused = f"the {edition.licence} edition of TimescaleDB has no policies"
    else:
        refused = "plain PostgreSQL has no policies"
    if edition.community and refused:
        log.warning("policy refused", table=table, policy=kind, reason=refused)
    return None if after is None else RetentionPolicy(table, kind, after, refused)


def _set(connection: Connection, table: str, kind: Kind, after: timedelta | None) -> None:
    if policy_ages(connection, kind).get(table) == after:
        return
    values: dict[str, Any] = {"table": table}
    if kind == "compression" and not connection.scalar(COMPRESSED, values):
        segment, order = SEGMENTS[table]
        options = (
            f"timescaledb.compress, timescaledb.compress_segmentby = '{segment}', "
            f"timescaledb.compress_orderby = '{order}'"
        )
        connection.execute(text(f"ALTER TABLE {table} SET ({options})"))
    connection.execute(REMOVE[kind], values)
    if after is not None:
        connection.execute(ADD[kind], values | {"after": after})


def delete_old(
    connection: Connection, ages: Mapping[str, timedelta | None], *, now: datetime
) -> dict[str, int]:
    """Delete rows older than their table's age.

    Return the number of rows of a plain table, of chunks of a hypertable.

    A hypertable keeps a chunk until all of it is old. Tables with a retention policy are left to
    TimescaleDB.

    Args:
        ages: table (of ``TABLES``) → age; None keeps everything.
    """
    hypertables = timescale.hypertables(connection)
    policies = policy_ages(connection, "retention")
    deleted = {}
    for table, age in ages.items():
        if age is None or table in policies:
            continue
        delete = _drop_chunks if table in hypertables else _delete_rows
        deleted[table] = delete(connection, table, now - age)
    return deleted


def _cutoff_of(aging: Aging, table: str, cutoff: datetime) -> sql.Composable:
    """Return SQL of the instant before which rows of a series are old."""
    if not aging.keep_newest:
        return sql.Literal(cutoff)
    newest = sql.SQL("(SELECT max({time}) FROM {table} AS newer WHERE {same})").format(
        time=sql.Identifier(aging.time), table=sql.Identifier(table), same=_same(aging, "newer")
    )
    return sql.SQL("least({}, {})").format(cutoff, newest)


def _delete_rows(connection: Connection, table: str, cutoff: datetime) -> int:
    aging = TABLES[table]
    delete_batch = sql.SQL(
        "WITH RECURSIVE {series}, old AS ("
        "SELECT old.ctid FROM series CROSS JOIN LATERAL (SELECT ctid FROM {table} AS old "
        "WHERE {same} AND {time} < {bound} LIMIT {batch}) AS old LIMIT {batch}"
        ") DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))"
    ).format(
        series=_series(table, aging),
        table=sql.Identifier(table),
        same=_same(aging, "old"),
        time=sql.Identifier("old", aging.time),
        bound=_cutoff_of(aging, table, cutoff),
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
    """Return a recursive CTE that steps from series to series along the index.

    Its cost is independent of the number of rows.
    """
    return sql.SQL(
        "series AS ((SELECT {names} FROM {table} ORDER BY {names} LIMIT 1) UNION ALL"
        " SELECT following.* FROM series CROSS JOIN LATERAL"
        " (SELECT {names} FROM {table} AS following WHERE ({theirs}) > ({ours}) ORDER BY "
        "{names} LIMIT 1) AS following)"
    ).format(
        names=copy.identifiers(aging.series),
        table=sql.Identifier(table),
        theirs=_list_columns("following", aging),
        ours=_list_columns("series", aging),
    )


def _list_columns(row: str, aging: Aging) -> sql.Composed:
    """Return SQL of a row's columns that identify its series."""
    return sql.SQL(", ").join(sql.Identifier(row, name) for name in aging.series)


def _same(aging: Aging, row: str) -> sql.Composed:
    """Return SQL of the condition that a row is of the present series."""
    conditions = []
    for name in aging.series:
        column = sql.Identifier(row, name)
        conditions.append(sql.SQL("{} = {}").format(column, sql.Identifier("series", name)))
    return sql.SQL(" AND ").join(conditions)


def _drop_chunks(connection: Connection, table: str, cutoff: datetime) -> int:
    protected = _protected_windows(connection, table, cutoff)
    dropped = 0
    with copy.cursor(connection) as session:
        session.execute(
            "SELECT range_start, range_end FROM timescaledb_information.chunks"
            " WHERE hypertable_schema = current_schema() AND hypertable_name = %s AND "
            "range_end <= %s",
            (table, cutoff),
        )
        for start, end in session.fetchall():
            if any(first < end and last >= start for first, last in protected):
                continue
            session.execute(
                "SELECT drop_chunks(CAST(%s AS regclass), older_than => %s, newer_than => %s)",
                (table, end, start),
            )
            dropped += len(session.fetchall())
    return dropped


def _protected_windows(
    connection: Connection, table: str, cutoff: datetime
) -> list[tuple[datetime, datetime]]:
    """Return first and last slot of the newest forecasts in chunks to be dropped.

    One for each series whose newest forecast is that old.
    """
    aging = TABLES[table]
    if not aging.keep_newest:
        return []
    query = sql.SQL(
        "WITH RECURSIVE {series} SELECT min(slot_start), max(slot_start) FROM series CROSS "
        "JOIN LATERAL"
        " (SELECT max({time}) AS newest FROM {table} AS own WHERE {same}) AS own JOIN "
        "{table} AS row ON {row_same} AND row.{time} = newest"
        " WHERE newest < {cutoff} GROUP BY {names}"
    ).format(
        series=_series(table, aging),
        table=sql.Identifier(table),
        time=sql.Identifier(aging.time),
        same=_same(aging, "own"),
        row_same=_same(aging, "row"),
        cutoff=cutoff,
        names=_list_columns("series", aging),
    )
    with copy.cursor(connection) as session:
        return session.execute(query).fetchall()
