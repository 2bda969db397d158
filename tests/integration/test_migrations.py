"""The schema's history against the real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from luna.database import migrate
from luna.database.schema import metadata
from luna.errors import InvalidInputError, UnavailableError


@pytest.fixture
def empty_url(database_url: str) -> Iterator[str]:
    """The address of a database without tables."""
    url = make_url(database_url)
    own = url.set(database=f"{url.database}_empty").render_as_string(hide_password=False)
    server = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}_empty"'))
        yield own
        connection.execute(text(f'DROP DATABASE "{url.database}_empty" WITH (FORCE)'))


def tables(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_build_what_the_tables_say(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert migrate.current(connection) == migrate.head()


def test_downgrading_removes_every_table_and_upgrading_brings_them_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url)
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_upgrading_by_one_revision_stops_there(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0001")
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert migrate.current(connection) == "0001"


def test_two_upgrades_at_once_do_not_collide(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for upgrade in [pool.submit(migrate.upgrade, empty_url) for _ in range(2)]:
            upgrade.result()
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_an_empty_database_has_no_revision(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert migrate.current(connection) is None


def test_a_database_that_is_away_is_named_with_a_remedy() -> None:
    with pytest.raises(UnavailableError, match="database_url"):
        migrate.upgrade("postgresql+psycopg://luna@127.0.0.1:1/luna")


def test_a_revision_that_is_none_is_named_and_nothing_is_changed(empty_url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"revision: .*'spring'.*or head"):
        migrate.upgrade(empty_url, "spring")
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert migrate.current(connection) is None
