"""Migrates a database to a revision of the schema.

Concurrent calls are serialised by an advisory lock.
"""

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    ColumnElement,
    Connection,
    column,
    create_engine,
    exists,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.database.engine import CONNECT_ARGS, parse_address
from luna.platform.database.revision import current, head, list_revisions

# An arbitrary number, the same in all releases.
ADVISORY_LOCK = 5_862_411
WAIT_FOR_OTHERS = "60s"
WAIT_FOR_TABLES = "5s"
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 1.0
# Moving rows into chunks takes a minute per ten million; the limit keeps a stuck statement from
# holding locks for ever.
LONGEST_STATEMENT = "30min"
# Derived from other tables: dropping them loses nothing.
DERIVED = ("slot_observations_by_hour", "slot_observations_by_day", "rollup_marks")
FOLDER = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Upgrade the database at ``url`` to ``revision``; no-op where it is there already.

    It tries for a minute to lock a table that is in use; other writers wait for seconds.

    Raises:
        ConflictError: its revision is unknown to this release, newer or from before the first
            release; nothing was changed.
        InvalidInputError: no such revision, or no address of a PostgreSQL.
        UnavailableError: the database does not answer, or another process holds it too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return _run(url, revision, command.upgrade)
        except UnavailableError as error:
            if not _is_locked(error) or time.monotonic() > deadline:
                raise
            # Those who queue behind the upgrade have a turn before it tries again.
            time.sleep(PAUSE_SECONDS)


def _is_locked(error: UnavailableError) -> bool:
    """Return whether the schema was busy because a transaction held a table for too long."""
    cause = error.__cause__
    return isinstance(cause, OperationalError) and isinstance(cause.orig, LockNotAvailable)


def downgrade(url: str, revision: str = "base", *, drop_data: bool = False) -> None:
    """Downgrade the database at ``url`` to ``revision``.

    Raises:
        ConflictError: data would be lost without ``drop_data``, or this release does not know the
            database's revision; nothing was changed.
        InvalidInputError: no such revision, or no address of a PostgreSQL.
        UnavailableError: the database does not answer, or another process holds it too long.
    """

    def step(config: Config, revision: str) -> None:
        connection: Connection = config.attributes["connection"]
        filled = _filled_columns(connection)
        command.downgrade(config, revision)
        remaining = _columns(connection)
        lost = sorted({name for column, name in filled.items() if column not in remaining})
        if lost and not drop_data:
            raise refuse(
                "downgrade-drops-data", field="revision", value=revision, names=tuple(lost)
            )

    _run(url, revision, step)


def _run(url: str, revision: str, step: Callable[[Config, str], None]) -> None:
    engine = create_engine(
        parse_address(url),
        poolclass=NullPool,
        connect_args={"application_name": "luna-migrate", **CONNECT_ARGS},
    )
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_OTHERS}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_TABLES}'"))
            connection.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT}'"))
            stored = current(connection)
            address = parse_address(url)
            if stored is not None and stored not in list_revisions():
                place = {"database": address.database, "host": address.host, "port": address.port}
                raise refuse(
                    "tables-of-unknown-revision",
                    field="database_url",
                    revision=stored,
                    newest=head(),
                    **place,
                )
            # Every command asks for today's schema, and mostly it is there: nothing is loaded then.
            if revision == "head" and stored == head():
                return
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
            step(config, revision)
    except CommandError as exc:
        raise refuse("no-such-revision", field="revision", value=revision, newest=head()) from exc
    except OperationalError as exc:
        raise refuse("schema-busy", field="database_url", why=str(exc.orig).strip()) from exc


def _columns(connection: Connection) -> dict[tuple[int, str], str]:
    """Return the table name of each column by object id and column name.

    Both survive a renaming of the table.
    """
    query = (
        "SELECT pg_class.oid, attname, relname FROM pg_attribute JOIN pg_class ON "
        "pg_class.oid = attrelid"
        " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') "
        "AND attnum > 0 AND NOT attisdropped AND relname <> 'alembic_version'"
    )
    return {(table, column): name for table, column, name in connection.execute(text(query))}


def _filled_columns(connection: Connection) -> dict[tuple[int, str], str]:
    """Return the columns in which a row differs from the constant default, with their tables."""
    query = (
        "SELECT attrelid, attname, pg_get_expr(adbin, adrelid) AS expression FROM pg_attrdef"
        " JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE NOT attisdropped"
    )
    # A function call, such as the current time, is no constant.
    constants = {
        (row.attrelid, row.attname): row.expression
        for row in connection.execute(text(query))
        if "(" not in row.expression
    }

    def is_filled(name: str, of: str, constant: str | None) -> bool:
        holds: list[ColumnElement[bool]] = [column(of).is_not(None)]
        if constant is not None:
            holds.append(column(of) != literal_column(constant))
        filled = exists().select_from(table(name)).where(*holds)
        return bool(connection.scalar(select(filled)))

    stored = {place: name for place, name in _columns(connection).items() if name not in DERIVED}
    return {
        (key, of): name
        for (key, of), name in stored.items()
        if is_filled(name, of, constants.get((key, of)))
    }
