"""Query the server for backups.

Its identity, restore points, exact table contents at such a point, and replication slots.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from luna.platform.database import engine as engines
from luna.platform.database.revision import current

# Larger tables are counted without a checksum: reading all rows would take minutes.
MOST_COMPARED_ROWS = 2_000_000
LONGEST_COUNT = "30min"
# Writers are blocked for a moment. NOWAIT, because waiting for the locks of all tables could block
# everyone.
FREEZE_SECONDS = 20.0
FREEZE_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class ServerIdentity:
    """The identity of a server: cluster, timeline, versions and size."""

    system_identifier: str
    timeline: int
    version: int
    segment_bytes: int
    database_bytes: int
    extensions: Mapping[str, str]
    schema_revision: str | None


@dataclass(frozen=True)
class TableCount:
    """Rows of a table, and a checksum over them in any order.

    None where there are too many to read.
    """

    rows: int
    checksum: str | None


@dataclass(frozen=True)
class Freeze:
    """A restore point in the write-ahead log.

    Args:
        lsn: its position.
        snapshot: a connection that sees exactly what was committed before it.
        exact: whether no write happened between the point and the snapshot.
    """

    lsn: int
    snapshot: Connection
    exact: bool


def identify(connection: Connection) -> ServerIdentity:
    row = (
        connection.execute(
            text(
                "SELECT system_identifier::text, ('x' || "
                "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS "
                "timeline,"
                " current_setting('server_version_num')::int AS version, "
                "pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,"
                " (SELECT sum(pg_database_size(oid))::bigint FROM pg_database) AS "
                "database_bytes FROM pg_control_system()"
            )
        )
        .mappings()
        .one()
    )
    query = text("SELECT extname, extversion FROM pg_extension ORDER BY extname")
    extensions = {
        extension.extname: extension.extversion for extension in connection.execute(query)
    }
    return ServerIdentity(**row, extensions=extensions, schema_revision=current(connection))


@contextmanager
def freeze(engine: Engine, name: str) -> Iterator[Freeze]:
    """Create a restore point and yield a snapshot of what was committed before it.

    Writers are blocked in between.

    The point is flushed: it reaches a receiver of the log at once.
    Where a table is written to without a pause, the point is created all the same, and the snapshot
    is not exact.
    """
    deadline = time.monotonic() + FREEZE_SECONDS
    with engines.own_session(engine) as holder, engines.own_session(engine) as snapshot:
        holder.execute(text("BEGIN"))
        exact = _hold_writers(holder, deadline)
        lsn = _position(holder, "pg_create_restore_point(:name)", name=name)
        snapshot.execute(text("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        snapshot.execute(text("SELECT 1"))
        holder.execute(text("ROLLBACK"))
        # A point alone waits in memory until the server writes for another reason: up to 15 seconds
        # without commits.
        holder.execute(text("SELECT pg_logical_emit_message(true, 'luna', :name)"), {"name": name})
        snapshot.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_COUNT}'"))
        snapshot.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield Freeze(lsn, snapshot, exact)
        snapshot.execute(text("ROLLBACK"))


def count_tables(connection: Connection) -> dict[str, TableCount]:
    """Return rows and checksum of each table."""
    return {name: _count(connection, name) for name in tables(connection)}


def tables(connection: Connection) -> list[str]:
    """Return Luna's tables by name."""
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relispartition"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND classid = "
        "'pg_class'::regclass AND deptype = 'e') ORDER BY relname"
    )
    return list(connection.scalars(text(query)))


def written_position(connection: Connection) -> int:
    """Return the position up to which the server has flushed its write-ahead log."""
    return _position(connection, "pg_current_wal_flush_lsn()")


def received_position(connection: Connection, slot: str) -> int | None:
    """Return the position up to which a slot's receiver has written the log.

    None without a receiver.
    """
    query = (
        "SELECT (write_lsn - '0/0')::bigint FROM pg_stat_replication JOIN pg_replication_slots "
        "ON active_pid = pid WHERE slot_name = :slot"
    )
    position: int | None = connection.scalar(text(query), {"slot": slot})
    return position


def list_written(connection: Connection) -> dict[str, datetime]:
    """Return the server's finished log segments with the time of their last write."""
    query = (
        "SELECT name, modification FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name "
        "< pg_walfile_name(pg_current_wal_lsn())"
    )
    return {row.name: row.modification for row in connection.execute(text(query))}


def ensure_slot(connection: Connection, slot: str) -> bool:
    """Create a replication slot where it is missing or lost.

    Return whether it has kept everything since it was created.
    """
    lost = connection.scalar(
        text("SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = :slot"),
        {"slot": slot},
    )
    if lost:
        drop_slot(connection, slot)
    if lost is not False:
        connection.execute(
            text("SELECT pg_create_physical_replication_slot(:slot, true)"), {"slot": slot}
        )
    return lost is False


def drop_slot(connection: Connection, slot: str) -> None:
    """Drop an inactive replication slot."""
    connection.execute(
        text(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
            "slot_name = :slot AND NOT active"
        ),
        {"slot": slot},
    )


def change_password(connection: Connection, role: str, password: str) -> None:
    """Set the password of a role."""
    command = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
        sql.Identifier(role), sql.Literal(password)
    )
    connection.exec_driver_sql(command.as_string().replace("%", "%%"))


def forget_recovery(connection: Connection, settings: tuple[str, ...]) -> None:
    """Reset the recovery targets: the next start must not see them."""
    for name in settings:
        connection.execute(text(f"ALTER SYSTEM RESET {name}"))


def segment_name(timeline: int, lsn: int, segment_bytes: int) -> str:
    """Return the name of the log segment with a position. Source: PostgreSQL, ``XLogFileName``."""
    number = lsn // segment_bytes
    per_high = 0x1_0000_0000 // segment_bytes
    return f"{timeline:08X}{number // per_high:08X}{number % per_high:08X}"


def _hold_writers(holder: Connection, deadline: float) -> bool:
    quoted = ", ".join(f'"{name}"' for name in tables(holder))
    while quoted:
        try:
            holder.execute(text("SAVEPOINT free"))
            holder.execute(text(f"LOCK TABLE {quoted} IN SHARE MODE NOWAIT"))
        except OperationalError:
            holder.execute(text("ROLLBACK TO free"))
            if time.monotonic() > deadline:
                return False
            time.sleep(FREEZE_PAUSE_SECONDS)
        else:
            return True
    return True


def _position(connection: Connection, expression: str, **values: str) -> int:
    return int(
        connection.execute(text(f"SELECT ({expression} - '0/0')::bigint"), values).scalar_one()
    )


def _count(connection: Connection, name: str) -> TableCount:
    # A name from the catalogue.
    rows = connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608
    if rows > MOST_COMPARED_ROWS:
        return TableCount(rows, None)
    total = "coalesce(sum(hashtextextended(t::text, 0)), 0)::text"
    checksum = connection.scalar(text(f'SELECT {total} FROM "{name}" t'))  # noqa: S608
    return TableCount(rows, checksum)
