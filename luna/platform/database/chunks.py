"""Create chunks of hypertables before a long transaction needs them.

A transaction that creates a chunk keeps the hypertable's lock until its end, and blocks every other
one that needs a new chunk. So a short transaction creates the chunks: it inserts a row into each
and deletes it; the empty chunk stays.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, DateTime, Integer, Table, Text, delete, insert, text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.exc import OperationalError

from luna.energy.timeline import InstantArray, to_utc
from luna.platform.database.timescale import Dimension, hypertables

# Creating a chunk takes milliseconds; if a lock is held for longer, the caller's own statement
# waits for it.
LOCK_TIMEOUT = "2s"
# No series has these values, so these rows conflict with no others.
PLACEHOLDERS: dict[type[Any], Any] = {Integer: -(2**31), Text: "", DOUBLE_PRECISION: 0.0}
MISSING = text(
    "SELECT instant FROM (SELECT generate_series(CAST(:first AS timestamptz), :last, "
    "CAST(:step AS interval)) AS instant UNION SELECT :last) AS wanted"
    " WHERE NOT EXISTS (SELECT FROM timescaledb_information.chunks AS chunk WHERE "
    "chunk.hypertable_schema = current_schema()"
    " AND chunk.hypertable_name = :table AND instant >= chunk.range_start AND instant < "
    "chunk.range_end)"
)
# Keys of the cache in ``connection.info``.
HYPERTABLES = "luna_hypertables"
PREPARED = "luna_prepared_chunks"

log = structlog.get_logger("luna.database")


def prepare(connection: Connection, table: Table, columns: Mapping[str, InstantArray]) -> None:
    """Create the chunks that rows of ``columns`` need, where ``table`` is a hypertable.

    After a failure the write itself creates them.
    """
    if HYPERTABLES not in connection.info:
        connection.info[HYPERTABLES] = hypertables(connection)
    dimensions: dict[str, Dimension] = connection.info[HYPERTABLES]
    dimension = dimensions.get(table.name)
    if dimension is None:
        return
    instants = columns[dimension.column]
    first = to_utc(instants.min())
    last = to_utc(instants.max())
    prepared = connection.info.setdefault(PREPARED, {})
    earliest, latest = prepared.get(table.name, (last, first))
    if earliest <= first and last <= latest:
        return
    try:
        with connection.engine.begin() as other_connection:
            other_connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            _make(other_connection, table, dimension, (first, last))
    except OperationalError as exc:
        log.debug("chunks not prepared", table=table.name, reason=str(exc.orig).strip())
    # After a failure too: the next write would wait for the same lock, and a chunk that is still
    # missing it creates itself.
    prepared[table.name] = first, last


def _make(
    connection: Connection, table: Table, dimension: Dimension, window: tuple[datetime, datetime]
) -> None:
    values = {
        "table": table.name,
        "first": window[0],
        "last": window[1],
        "step": dimension.interval,
    }
    # An instant within each missing chunk.
    missing_chunks = list(connection.scalars(MISSING, values))
    if not missing_chunks:
        return
    required = [
        column for column in table.columns if not column.nullable and column.server_default is None
    ]
    instants = [column.name for column in required if isinstance(column.type, DateTime)]
    placeholders = {
        column.name: PLACEHOLDERS[type(column.type)]
        for column in required
        if not isinstance(column.type, DateTime)
    }
    rows = [dict.fromkeys(instants, instant) | placeholders for instant in missing_chunks]
    connection.execute(insert(table), rows)
    series = [
        column == PLACEHOLDERS[type(column.type)]
        for column in table.primary_key
        if not isinstance(column.type, DateTime)
    ]
    connection.execute(
        delete(table).where(*series, table.columns[dimension.column].in_(missing_chunks))
    )
