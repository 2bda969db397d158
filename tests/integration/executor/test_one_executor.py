"""Two executors on one database: each site has one of them, which a broken connection ends as
well.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from luna.energy.errors import UnavailableError
from luna.platform.database import engine, executor_locks
from luna.platform.database.engine import unit_of_work
from luna.platform.database.executor_locks import SiteLocks
from tests.support.database.site import stored_site

HOME = "one-executor-home"
COTTAGE = "one-executor-cottage"


@pytest.fixture
def sites(database: Engine) -> Iterator[None]:
    with (
        stored_site(database, name=HOME, timezone="UTC"),
        stored_site(database, name=COTTAGE, timezone="UTC"),
    ):
        yield


@pytest.fixture
def first(sites: None, database: Engine) -> Iterator[SiteLocks]:
    locks = SiteLocks(database)
    yield locks
    locks.close()


@pytest.fixture
def second(sites: None, database_url: str) -> Iterator[SiteLocks]:
    other = engine.create(database_url)
    locks = SiteLocks(other)
    yield locks
    locks.close()
    other.dispose()


def read(database: Engine, site: str) -> executor_locks.SiteExecutors:
    with unit_of_work(database) as connection:
        return executor_locks.read_executors(connection, site)


def test_a_site_has_one_executor_and_another_takes_over_when_that_ends(
    database: Engine, first: SiteLocks, second: SiteLocks
) -> None:
    assert first.hold([HOME]) == {HOME}
    assert second.hold([HOME, COTTAGE]) == {COTTAGE}
    # Again: what is held stays held, and no other look changes that.
    assert first.hold([HOME]) == {HOME}
    assert first.hold([HOME, COTTAGE]) == {HOME}
    first.close()
    assert second.hold([HOME, COTTAGE]) == {HOME, COTTAGE}


def test_a_site_that_is_driven_no_more_is_free_for_others(
    first: SiteLocks, second: SiteLocks
) -> None:
    assert first.hold([HOME, COTTAGE]) == {HOME, COTTAGE}
    assert first.hold([COTTAGE]) == {COTTAGE}
    assert second.hold([HOME, COTTAGE]) == {HOME}


def test_status_says_which_executor_drives_a_site(database: Engine, first: SiteLocks) -> None:
    first.hold([HOME])
    of_home = read(database, HOME)
    of_cottage = read(database, COTTAGE)
    assert of_home.holder is not None
    assert f"luna-executor {of_home.holder.name}" == executor_locks.name_executor()
    assert of_home.holder.since is not None
    # It runs, and does not drive that one.
    assert (of_cottage.holder, of_cottage.runs) == (None, True)


def test_a_broken_connection_gives_sites_up_until_it_is_there_again(
    database: Engine, first: SiteLocks, second: SiteLocks
) -> None:
    first.hold([HOME])
    name = executor_locks.name_executor()
    ends = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name "
        "AND pid <> pg_backend_pid()"
    )
    with unit_of_work(database) as connection:
        connection.execute(text(ends), {"name": name})
    with pytest.raises(UnavailableError):
        first.hold([HOME])
    assert second.hold([HOME]) == {HOME}
    assert first.hold([HOME, COTTAGE]) == {COTTAGE}
