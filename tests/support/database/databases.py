"""Databases of a test's own, on whichever server it runs."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from luna.platform.database.engine import unit_of_work


@contextmanager
def own_database(server: str, name: str, *, encoding: str = "UTF8") -> Iterator[str]:
    """Yield the address of a new database on ``server``, with TimescaleDB in it where the server
    has it; it is dropped afterwards.
    """
    address = make_url(server).set(drivername="postgresql")
    with psycopg.connect(
        address.render_as_string(hide_password=False), autocommit=True, client_encoding="utf8"
    ) as keeper:
        keeper.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'").format(
                sql.Identifier(name), encoding
            )
        )
        own = address.set(database=name).render_as_string(hide_password=False)
        try:
            extensions = keeper.execute(
                "SELECT name FROM pg_available_extensions WHERE name = 'timescaledb'"
            ).fetchall()
            with psycopg.connect(own, autocommit=True) as connection:
                for (extension,) in extensions:
                    connection.execute(
                        sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(
                            sql.Identifier(extension)
                        )
                    )
            yield own
        finally:
            keeper.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def migrated_database(server: str, name: str) -> Iterator[str]:
    """Yield the address of a new database with Luna's tables, whose name begins with ``luna_`` and
    a name.
    """
    from luna.platform.database.migrate import upgrade

    with own_database(server, f"luna_{name}_{uuid.uuid4().hex[:8]}") as own:
        upgrade(own)
        yield own


def remove_site(database: Engine, name: str) -> None:
    """Remove a stored site and everything of it: the tests of one process share a database."""
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = :name"), {"name": name})
