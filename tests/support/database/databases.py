"""Databases of a test's own, on whichever server it runs."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from luna.platform.database.engine import unit_of_work

# Copying the files of an empty database takes a fifth of the CPU that logging all of them takes.
_CREATE = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
_HAS_TIMESCALE = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
_TEMPLATE = "luna_template"
# Of PostgreSQL's advisory locks the one of who makes the template.
_TEMPLATE_LOCK = 1701
_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)"


@contextmanager
def own_database(server: str, name: str, *, encoding: str = "UTF8") -> Iterator[str]:
    """Yield the address of a new, empty database on ``server``, with TimescaleDB in it where the
    server has it; it is dropped afterwards.
    """
    with _keeper(server) as keeper:
        _create_empty(keeper, name, encoding=encoding)
        own = _address(server, name)
        try:
            if _has_timescale(keeper):
                with psycopg.connect(own, autocommit=True) as connection:
                    connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            yield own
        finally:
            _drop(keeper, name)


@contextmanager
def migrated_database(server: str, name: str) -> Iterator[str]:
    """Yield the address of a new database with Luna's tables, whose name begins with ``luna_`` and
    a name.

    It is copied from one that was migrated before, in a sixth of the time. TimescaleDB's own
    processes keep a database from being copied: there each is migrated.
    """
    from luna.platform.database.migrate import upgrade

    whole_name = f"luna_{name}_{uuid.uuid4().hex[:8]}"
    with _keeper(server) as keeper:
        if _has_timescale(keeper):
            with own_database(server, whole_name) as own:
                upgrade(own)
                yield own
            return
        template = _make_template(keeper, server)
        keeper.execute(
            sql.SQL(_CREATE).format(sql.Identifier(whole_name), sql.Identifier(template))
        )
        try:
            yield _address(server, whole_name)
        finally:
            _drop(keeper, whole_name)


def _make_template(keeper: psycopg.Connection, server: str) -> str:
    """Return the name of the database to copy from, made where it is missing.

    All processes of a run copy one, which the first of them makes: migrating takes seconds.
    """
    from luna.platform.database.migrate import upgrade

    if _is_true(keeper, _EXISTS, _TEMPLATE):
        return _TEMPLATE
    keeper.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
    try:
        if not _is_true(keeper, _EXISTS, _TEMPLATE):
            # It gets its name once it is whole.
            unfinished = f"{_TEMPLATE}_{os.getpid()}"
            _create_empty(keeper, unfinished)
            upgrade(_address(server, unfinished))
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            keeper.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(_TEMPLATE)))
    finally:
        keeper.execute("SELECT pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])
    return _TEMPLATE


@contextmanager
def _keeper(server: str) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops databases."""
    address = make_url(server).set(drivername="postgresql")
    with psycopg.connect(
        address.render_as_string(hide_password=False), autocommit=True, client_encoding="utf8"
    ) as keeper:
        yield keeper


def _create_empty(keeper: psycopg.Connection, name: str, *, encoding: str = "UTF8") -> None:
    create = sql.SQL(_CREATE + " ENCODING {} LOCALE 'C'")
    keeper.execute(create.format(sql.Identifier(name), sql.Identifier("template0"), encoding))


def _drop(keeper: psycopg.Connection, name: str) -> None:
    keeper.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _address(server: str, name: str) -> str:
    address = make_url(server).set(drivername="postgresql", database=name)
    return address.render_as_string(hide_password=False)


def _has_timescale(keeper: psycopg.Connection) -> bool:
    return _is_true(keeper, _HAS_TIMESCALE)


def _is_true(keeper: psycopg.Connection, query: str, *values: str) -> bool:
    row = keeper.execute(query, values).fetchone()
    return row is not None and bool(row[0])


def spare_disk(server: str) -> None:
    """Have a server of the tests leave it to the system when data reach the disk: it need not
    outlive the machine, and whoever kills its processes finds all data again.
    """
    with _keeper(server) as keeper:
        keeper.execute("ALTER SYSTEM SET fsync = off")
        keeper.execute("ALTER SYSTEM SET full_page_writes = off")
        keeper.execute("SELECT pg_reload_conf()")


def spare_passwords(server: str) -> None:
    """Have a server of the tests hash its password once: 4,096 times, as usual, they take two of
    the five milliseconds of each connection.
    """
    address = make_url(server)
    change = sql.SQL("ALTER USER {} PASSWORD {}")
    with _keeper(server) as keeper:
        keeper.execute("SET scram_iterations = 1")
        keeper.execute(
            change.format(sql.Identifier(address.username or ""), sql.Literal(address.password))
        )


def remove_site(database: Engine, name: str) -> None:
    """Remove a stored site and everything of it: the tests of one process share a database.

    Plans name their site without a key, so they do not go with it. One that stays would be as new
    as the next test's plan of the same instant, and either could be found.
    """
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM plan_history WHERE site = :name"), {"name": name})
        connection.execute(text("DELETE FROM sites WHERE name = :name"), {"name": name})


def empty_database(database: Engine) -> None:
    """Remove all sites with everything of theirs, all plans and all market prices."""
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM plan_history"))
        connection.execute(text("DELETE FROM sites"))
        connection.execute(text("DELETE FROM market_prices"))
