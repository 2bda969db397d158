"""The demo's year in a database: stored once, however often it is loaded, and never among an
owner's data.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, func, select

from luna.contracts import DemoLoadReply
from luna.energy.account_period import AccountPeriod
from luna.energy.errors import ConflictError
from luna.energy.observations import Observations
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.house.account import describe_account
from luna.platform.database import engine, migrate, observations, prices, sites
from luna.platform.database.schema.series import market_prices, slot_observations
from luna.platform.database.schema.sites import site_versions
from luna.platform.embedded.supervisor import Servers
from luna.platform.settings import load_settings
from services.ingest.demo_data.demo import MARKET, DemoData, load_demo
from services.ingest.demo_data.storing import load_and_store, store_demo
from tests.support.database.databases import own_database

SUMMER = datetime(2023, 7, 1, 12, tzinfo=UTC)
YEAR_SLOTS = 365 * 96


@pytest.fixture(scope="module")
def empty_database(servers: Servers, worker_id: str) -> Iterator[Engine]:
    """A database in which no other test has left a site."""
    with own_database(servers.database_url, f"demo_load_{worker_id}") as url:
        migrate.upgrade(url)
        pool = engine.create(url)
        yield pool
        pool.dispose()


@pytest.fixture
def connection(empty_database: Engine) -> Iterator[Connection]:
    with empty_database.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return load_demo(load_settings().cache)


@pytest.fixture
def stored(connection: Connection, demo: DemoData) -> Connection:
    """A database that holds the demo's year."""
    store(connection, demo)
    return connection


def store(connection: Connection, demo: DemoData) -> int:
    return store_demo(connection, demo, progress=lambda *_: None)


def count_rows(connection: Connection) -> list[int]:
    tables = (market_prices, slot_observations, site_versions)
    return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def observe(start: datetime, **series: float) -> Observations:
    return Observations.of(
        Timeline(start, SLOT, 1).starts, {name: np.array([value]) for name, value in series.items()}
    )


def test_the_year_is_stored_and_the_reply_says_what_the_report_needs(
    connection: Connection,
) -> None:
    told: list[str] = []
    reply = load_and_store(
        lambda: connection, load_settings().cache, progress=lambda *step: told.append(step[-1])
    )
    assert count_rows(connection) == [YEAR_SLOTS, 2 * YEAR_SLOTS, 2]
    assert [(each.site.name, each.yearly_load_kwh, each.yearly_pv_kwh) for each in reply.sites] == [
        ("home", pytest.approx(4000), pytest.approx(5700)),
        ("feed_in", pytest.approx(3500), pytest.approx(4500)),
    ]
    assert (reply.test_last_day - reply.test_first_day).days + 1 == 100
    assert reply.rows_written == 3 * YEAR_SLOTS
    assert told[-3:] == ["prices", "home", "feed_in"]
    # It crosses the queue: no series of a year in it.
    assert len(reply.model_dump_json()) < 10_000
    assert DemoLoadReply.model_validate_json(reply.model_dump_json()) == reply


def test_the_account_of_the_year_tells_what_is_recorded_and_no_more(stored: Connection) -> None:
    site = sites.load(stored, "home")
    account = describe_account(
        stored, site, AccountPeriod.of("year", SUMMER.date()), now=datetime(2024, 2, 1, tzinfo=UTC)
    )
    used = account.totals.consumption_kwh
    made = account.totals.pv_kwh
    assert (used, made) == (pytest.approx(4000), pytest.approx(5700))
    # Load and PV alone are recorded: what was bought, and paid, nobody knows.
    assert (account.totals.import_kwh, account.totals.cost, account.unexplained_kwh) == (
        None,
        None,
        pytest.approx(made - used),
    )
    assert sum(part.flows["load"] for part in account.parts) == pytest.approx(used)


def test_a_second_load_changes_nothing(stored: Connection, demo: DemoData) -> None:
    before = count_rows(stored)
    assert store(stored, demo) == 0
    assert count_rows(stored) == before


def test_what_was_lost_of_the_year_is_stored_again(stored: Connection, demo: DemoData) -> None:
    stored.execute(slot_observations.delete().where(slot_observations.c.slot_start < SUMMER))
    assert 0 < store(stored, demo) < 2 * YEAR_SLOTS
    assert count_rows(stored) == [YEAR_SLOTS, 2 * YEAR_SLOTS, 2]


def test_a_year_that_was_computed_on_another_machine_is_the_demos(
    connection: Connection, demo: DemoData
) -> None:
    home = demo.sites[0]
    sites.save(connection, home.site)
    series = {
        "load_kwh": home.observations.load_kwh * (1 + 1e-15),
        "pv_kwh": home.observations.pv_kwh,
    }
    observations.upsert(connection, "home", Observations.of(home.observations.starts, series))
    store(connection, demo)


def test_an_owners_site_of_the_same_name_is_left_alone(
    connection: Connection, demo: DemoData
) -> None:
    owners = parse_site({"name": "feed_in", "timezone": "Europe/Berlin", "pv": [{"peak_kw": 9}]})
    sites.save(connection, owners)
    with pytest.raises(
        ConflictError, match=r"another configuration.*'feed_in'.*without --on-servers"
    ):
        store(connection, demo)
    assert sites.load(connection, "feed_in") == owners
    assert count_rows(connection) == [0, 0, 1]


@pytest.mark.parametrize(
    ("start", "series"),
    [
        (SUMMER, {"load_kwh": 0.123}),
        (SUMMER, {"import_kwh": 0.0}),
        (datetime(2024, 3, 1, tzinfo=UTC), {"load_kwh": 0.1}),
        (datetime(2022, 3, 1, tzinfo=UTC), {"soc": 0.5}),
    ],
    ids=["another load", "a series the demo has not", "after the year", "before the year"],
)
def test_a_site_with_an_owners_observations_is_left_alone(
    stored: Connection, demo: DemoData, start: datetime, series: dict[str, float]
) -> None:
    observations.upsert(stored, "home", observe(start, **series))
    before = count_rows(stored)
    with pytest.raises(ConflictError, match="not the demo's") as raised:
        store(stored, demo)
    assert (raised.value.field, raised.value.value) == ("site", "home")
    assert count_rows(stored) == before


@pytest.mark.parametrize(
    "published_at", [SUMMER - timedelta(days=1), SUMMER], ids=["before", "revised"]
)
def test_an_owners_prices_of_the_same_market_are_left_alone(
    connection: Connection, demo: DemoData, published_at: datetime
) -> None:
    prices.upsert(
        connection,
        MARKET,
        starts=Timeline(SUMMER, SLOT, 1).starts,
        price=np.array([0.4321]),
        currency="EUR",
        published_at=published_at,
    )
    with pytest.raises(ConflictError, match="this market"):
        store(connection, demo)
    assert count_rows(connection) == [1, 0, 0]


def test_an_owners_prices_of_another_year_stay_beside_the_demos(
    connection: Connection, demo: DemoData
) -> None:
    later = datetime(2026, 7, 1, tzinfo=UTC)
    prices.upsert(
        connection,
        MARKET,
        starts=Timeline(later, SLOT, 1).starts,
        price=np.array([0.4321]),
        currency="EUR",
        published_at=later,
    )
    store(connection, demo)
    assert count_rows(connection) == [YEAR_SLOTS + 1, 2 * YEAR_SLOTS, 2]
