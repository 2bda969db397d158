"""The schema's history against the real server."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from luna.energy.errors import ConflictError, InvalidInputError, UnavailableError
from luna.platform.database import engine, migrate, sites, timescale
from luna.platform.database.revision import current, head
from luna.platform.database.schema import metadata
from luna.platform.health.probes import probe_database
from tests.support.database.databases import own_database
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database


@pytest.fixture
def empty_url(database_server: str, worker_id: str) -> Iterator[str]:
    """The address of a database without tables."""
    with own_database(database_server, f"luna_{worker_id}_empty_{uuid.uuid4().hex[:8]}") as own:
        yield own


def count_observations(url: str) -> int:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM slot_observations")) or 0


def observe(url: str) -> None:
    """Store a quarter-hour."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO slot_observations (site_key, slot_start, load_kwh) VALUES (1, "
                "'2024-01-01T00:00:00Z', 1)"
            )
        )


def tables(url: str) -> set[str]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_build_what_the_tables_say(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert current(connection) == head()


def test_downgrading_removes_every_table_and_upgrading_brings_them_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url)
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_a_downgrade_that_would_lose_rows_is_refused_and_changes_nothing_until_told_so(
    empty_url: str,
) -> None:
    migrate.upgrade(empty_url)
    observe(empty_url)
    with pytest.raises(ConflictError, match="--yes") as refused:
        migrate.downgrade(empty_url, "base")
    assert refused.value.reason == "downgrade-drops-data"
    assert "slot_observations" in refused.value.parameters["names"]
    assert count_observations(empty_url) == 1
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}
    migrate.downgrade(empty_url, "base", drop_data=True)
    assert tables(empty_url) == {"alembic_version"}


def test_where_triggers_are_refused_the_rollups_stay_views(empty_url: str) -> None:
    refuse = (
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION 'no triggers here'; END $$"
    )
    with create_engine(empty_url, poolclass=NullPool).begin() as connection:
        connection.execute(text(refuse))
        connection.execute(
            text(
                "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE "
                "TRIGGER') EXECUTE FUNCTION refuse()"
            )
        )
    migrate.upgrade(empty_url)
    observe(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert set(timescale.rollups(connection).values()) <= {"view", "continuous aggregate"}
        assert connection.execute(
            text("SELECT load_kwh, load_slots FROM slot_observations_daily")
        ).all() == [(1.0, 1)]
    migrate.downgrade(empty_url, drop_data=True)


def test_a_table_that_someone_holds_is_not_waited_for_long(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).begin() as holder:
        holder.execute(text("LOCK TABLE jobs"))
        with pytest.raises(UnavailableError, match="lock timeout"):
            migrate.downgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert current(connection) == head()


def test_a_database_without_an_encoding_is_served(database_server: str, worker_id: str) -> None:
    with own_database(
        database_server, f"luna_{worker_id}_ascii_{uuid.uuid4().hex[:8]}", encoding="SQL_ASCII"
    ) as url:
        migrate.upgrade(url)
        pool = engine.create(url)
        with engine.unit_of_work(pool) as connection:
            store_site(connection, name="mill", timezone="UTC")
            assert sites.names(connection) == ["mill"]
        pool.dispose()


def test_two_upgrades_at_once_do_not_collide(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for upgrade in [pool.submit(migrate.upgrade, empty_url) for _ in range(2)]:
            upgrade.result()
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_an_empty_database_has_no_revision(empty_url: str) -> None:
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert current(connection) is None


def test_a_database_that_is_away_is_named_with_a_remedy() -> None:
    with pytest.raises(UnavailableError, match="database_url"):
        migrate.upgrade("postgresql+psycopg://luna@127.0.0.1:1/luna")


def test_a_revision_that_is_none_is_named_and_nothing_is_changed(empty_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"revision: .*'spring'.*or head"):
        migrate.upgrade(empty_url, "spring")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert current(connection) is None


def test_a_database_at_a_revision_that_nobody_knows_is_named_with_what_to_do_and_left_as_it_is(
    empty_url: str,
) -> None:
    migrate.upgrade(empty_url)
    observe(empty_url)
    # One from before the first release, and a newer one.
    for revision in ("0000", "9999"):
        set_revision(empty_url, revision)
        assert refuse_to_move(empty_url, revision) == [revision, revision]
    assert count_observations(empty_url) == 1
    # What runs works on through an update to a newer schema.
    assert probe(empty_url) == "revision 9999"


def set_revision(url: str, revision: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )


def refuse_to_move(url: str, revision: str) -> list[str | None]:
    """Require that up and down are refused, and return the revision that the database is at after
    each.
    """
    found = []
    name = make_url(url).database
    for move in (migrate.upgrade, migrate.downgrade):
        with pytest.raises(ConflictError, match=r"127\.0\.0\.1:\d+ .*LUNA_DATABASE_URL") as refused:
            move(url)
        assert refused.value.reason == "tables-of-unknown-revision"
        assert refused.value.parameters["database"] == name
        assert refused.value.parameters["revision"] == revision
        with create_engine(url, poolclass=NullPool).connect() as connection:
            found.append(current(connection))
    return found


def probe(url: str) -> str:
    pool = engine.create(url)
    try:
        return probe_database(pool)
    finally:
        pool.dispose()
