"""Open database, queue and object store for a command.

These are the configured ones, or embedded ones that run while the command does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from luna.platform.objects import ObjectStore
    from luna.platform.queue import Client


# A training computes for many minutes between two statements.
COMPUTES_AT_MOST = timedelta(hours=6)


@contextmanager
def open_database() -> Iterator["Engine"]:
    """Yield an engine on the migrated database.

    Raises:
        UnavailableError: the configured database does not answer.
        MachineError: this machine has no PostgreSQL to start.
    """
    from luna.platform.database import migrate
    from luna.platform.embedded.supervisor import running
    from luna.platform.settings import load_settings

    with running(load_settings()) as addresses:
        migrate.upgrade(addresses.database_url)
        with open_engine(addresses.database_url) as pool:
            yield pool


@contextmanager
def open_engine(url: str) -> Iterator["Engine"]:
    """Yield an engine on a database without migrating it."""
    from luna.platform.database import engine

    pool = engine.create(url, application_name="luna-cli", idle_limit=COMPUTES_AT_MOST)
    try:
        yield pool
    finally:
        pool.dispose()


@contextmanager
def unit_of_work() -> Iterator["Connection"]:
    """Yield a connection whose writes are committed together when the command succeeds."""
    from luna.platform.database import engine

    with open_database() as pool, engine.unit_of_work(pool) as connection:
        yield connection


@contextmanager
def open_queue() -> Iterator["Client"]:
    """Yield a client of the queue."""
    from luna.platform.embedded.supervisor import running
    from luna.platform.queue import Client
    from luna.platform.settings import load_settings

    with running(load_settings()) as addresses:
        client = Client(addresses.redis_url)
        try:
            yield client
        finally:
            client.close()


def open_object_store() -> "ObjectStore":
    """Return the configured object store."""
    from luna.platform.objects import open_objects
    from luna.platform.settings import load_settings

    return open_objects(load_settings())
