"""What asks the database in a cluster waits for the tables of its version."""

import uuid
from functools import partial

from luna.platform.database import engine
from luna.platform.database.migrate import upgrade
from luna.platform.database.revision import head
from luna.platform.health.probes import probe_database
from luna.platform.health.schema import wait_for_schema
from tests.support.database.databases import own_database


def test_who_starts_before_the_migration_waits_for_it(database_server: str) -> None:
    with own_database(database_server, f"luna_wait_{uuid.uuid4().hex[:8]}") as url:
        pool = engine.create(url, pool_size=1)
        pauses: list[float] = []

        def migrate(seconds: float) -> None:
            pauses.append(seconds)
            upgrade(url)

        found = wait_for_schema(partial(probe_database, pool), pause=migrate)
        pool.dispose()
    assert (found, len(pauses)) == (f"revision {head()}", 1)
