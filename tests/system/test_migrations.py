"""The schema's history against the real server."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from luna.energy.errors import ConflictError, InvalidInputError, UnavailableError
from luna.platform.database import engine, migrate, sites, timescale
from luna.platform.database.schema import metadata
from tests.databases import own_database
from tests.stored import store_site

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
        connection.execute(text("INSERT INTO slot_observations (site_key, slot_start, load_kwh) VALUES (1, '2024-01-01T00:00:00Z', 1)"))


def tables(url: str) -> set[str]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return set(inspect(connection).get_table_names())


def described(url: str) -> list[tuple[str, ...]]:
    """Return every table with its columns, indexes, constraints and comments, by name."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = inspect(connection)
        return [
            (
                name,
                str(sorted(str(sorted(column.items(), key=str)) for column in found.get_columns(name))),
                str(sorted(map(str, found.get_indexes(name)))),
                str(sorted(map(str, found.get_foreign_keys(name)))),
                str(found.get_pk_constraint(name)),
                str(sorted(map(str, [*found.get_unique_constraints(name), *found.get_check_constraints(name)]))),
                str(found.get_table_comment(name)),
            )
            for name in sorted(found.get_table_names())
        ]


def test_the_migrations_build_what_the_tables_say(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert migrate.current(connection) == migrate.head()


def test_downgrading_removes_every_table_and_upgrading_brings_them_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url)
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_a_downgrade_that_would_lose_rows_is_refused_and_changes_nothing(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    observe(empty_url)
    with pytest.raises(ConflictError, match=r"drop data of slot_observations.*--yes"):
        migrate.downgrade(empty_url, "base")
    assert count_observations(empty_url) == 1
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_a_downgrade_may_lose_rows_when_told_so(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    observe(empty_url)
    migrate.downgrade(empty_url, "base", drop_data=True)
    assert tables(empty_url) == {"alembic_version"}


def test_taking_the_rollups_back_keeps_every_row(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    observe(empty_url)
    migrate.downgrade(empty_url, "0003")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert inspect(connection).get_view_names() == []
    migrate.upgrade(empty_url)
    assert count_observations(empty_url) == 1


def test_an_unused_table_with_rows_is_left_with_what_it_refers_to(empty_url: str) -> None:
    migrate.upgrade(empty_url, "9001")
    answer = "INSERT INTO answers (answer_id, question, prompt, answer, model, latency_seconds) VALUES ('a', 'why?', 'why?', 'so', 'none', 1)"
    document = "INSERT INTO documents (document_id, sha256, object_key, title, mime_type, size_bytes) VALUES ('d', '0', 'd', 'bill', 'text/plain', 1)"
    with create_engine(empty_url, poolclass=NullPool).begin() as connection:
        connection.execute(text(answer))
        connection.execute(text(document))
    migrate.upgrade(empty_url)
    # An answer may name a user; no passage of the document is stored.
    assert tables(empty_url) - {*metadata.tables, "alembic_version"} == {"former_answers", "former_users", "former_documents"}
    migrate.downgrade(empty_url, "9001")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT answer, title FROM answers, documents")).all() == [("so", "bill")]


def test_unused_tables_come_back_as_they_were(empty_url: str) -> None:
    migrate.upgrade(empty_url, "9001")
    before = described(empty_url)
    migrate.upgrade(empty_url)
    assert {name for name, *_ in described(empty_url)} == {*metadata.tables, "alembic_version"}
    migrate.downgrade(empty_url, "9001")
    assert described(empty_url) == before


def test_rows_that_are_there_already_are_marked_for_the_kept_rollups(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0006")
    observe(empty_url)
    migrate.upgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT site_key, day = '2024-01-01T00:00Z' FROM rollup_marks")).all() == [(1, True)]
        assert connection.execute(text("SELECT load_kwh, load_slots FROM slot_observations_daily")).all() == [(1.0, 1)]


def test_where_triggers_are_refused_the_rollups_stay_views(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0006")
    refuse = "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no triggers here'; END $$"
    with create_engine(empty_url, poolclass=NullPool).begin() as connection:
        connection.execute(text(refuse))
        connection.execute(text("CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION refuse()"))
    migrate.upgrade(empty_url)
    observe(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert set(timescale.rollups(connection).values()) <= {"view", "continuous aggregate"}
        assert connection.execute(text("SELECT load_kwh, load_slots FROM slot_observations_daily")).all() == [(1.0, 1)]
    migrate.downgrade(empty_url, "0006")


def test_a_table_that_someone_holds_is_not_waited_for_long(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).begin() as holder:
        holder.execute(text("LOCK TABLE jobs"))
        with pytest.raises(UnavailableError, match="lock timeout"):
            migrate.downgrade(empty_url, "0002")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert migrate.current(connection) == migrate.head()


def test_a_database_without_an_encoding_is_served(database_server: str, worker_id: str) -> None:
    with own_database(database_server, f"luna_{worker_id}_ascii_{uuid.uuid4().hex[:8]}", encoding="SQL_ASCII") as url:
        migrate.upgrade(url)
        pool = engine.create(url)
        with engine.unit_of_work(pool) as connection:
            store_site(connection, name="mill", timezone="UTC")
            assert sites.names(connection) == ["mill"]
        pool.dispose()


def test_upgrading_by_one_revision_stops_there(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert migrate.current(connection) == "0001"


def test_two_upgrades_at_once_do_not_collide(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for upgrade in [pool.submit(migrate.upgrade, empty_url) for _ in range(2)]:
            upgrade.result()
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_an_empty_database_has_no_revision(empty_url: str) -> None:
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert migrate.current(connection) is None


def test_a_database_that_is_away_is_named_with_a_remedy() -> None:
    with pytest.raises(UnavailableError, match="database_url"):
        migrate.upgrade("postgresql+psycopg://luna@127.0.0.1:1/luna")


def test_a_revision_that_is_none_is_named_and_nothing_is_changed(empty_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"revision: .*'spring'.*or head"):
        migrate.upgrade(empty_url, "spring")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert migrate.current(connection) is None
