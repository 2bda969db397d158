"""The market of a simulated home: the real one's prices where they were stored, else the recorded
year's, each local day from one of them.
"""

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, delete

from luna.contracts.data import FetchPricesRequest
from luna.energy.timeline import SLOT, Timeline, local_day
from luna.platform.database import prices, sites
from luna.platform.database.schema.series import market_prices
from luna.platform.settings import Settings
from luna.simulated_home.market import AWAITED, find_price_origin, publish_prices
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import MARKET, REAL_MARKET, ZONE, build_site
from services.ingest.price_collection import gather_all, list_needs, store_prices
from tests.support.gateway.outside_service import Service, Services, energy_charts

# 13:05 in Amsterdam: tomorrow's auction is over.
NOW = datetime.fromisoformat("2026-11-20T12:05:00+00:00")
YESTERDAY, TODAY, TOMORROW = (
    local_day(NOW.date() + timedelta(days=days), ZONE) for days in (-1, 0, 1)
)
RECORDED = 0.09
REAL = 0.2


@pytest.fixture(autouse=True)
def nothing_stored(connection: Connection) -> None:
    """What other tests left in this database is not there until the test ends."""
    connection.execute(delete(market_prices))


@pytest.fixture(scope="module")
def year() -> RecordedYear:
    days = Timeline(datetime.fromisoformat("2022-12-31T23:00:00+00:00"), SLOT, 366 * 96)
    flat = np.full(days.count, RECORDED)
    return RecordedYear.of(days.starts, ZONE, load_kwh=flat, pv_kwh=flat, price=flat)


def fetch(connection: Connection, day: Timeline, *, now: datetime = NOW) -> None:
    """Fetch what the home's real market lacks, from a service that has one day."""
    needs = list_needs(connection, FetchPricesRequest(), now=now)
    service = Service(energy_charts(list(day), [1000 * REAL] * len(day)))
    store_prices(
        connection,
        gather_all(
            needs,
            FetchPricesRequest(),
            Settings.model_validate({}),
            transport=Services(energy_charts=service),
        ),
        now=now,
    )


def read(connection: Connection, day: Timeline, *, known_at: datetime = NOW) -> set[float]:
    return {
        round(price, 6)
        for price in prices.read(connection, MARKET, day, known_at=known_at).tolist()
        if np.isfinite(price)
    }


def test_with_the_network_away_its_prices_are_those_of_the_recorded_year_and_tomorrow_waits_a_while(
    connection: Connection, year: RecordedYear
) -> None:
    publish_prices(connection, year, since=YESTERDAY.start, now=NOW, awaited=AWAITED)
    assert (read(connection, YESTERDAY), read(connection, TODAY), read(connection, TOMORROW)) == (
        {RECORDED},
        {RECORDED},
        set(),
    )
    later = NOW + AWAITED
    publish_prices(connection, year, since=YESTERDAY.start, now=later, awaited=AWAITED)
    assert read(connection, TOMORROW, known_at=later) == {RECORDED}
    assert find_price_origin(connection, now=NOW) == "recorded"


def test_with_the_network_there_a_day_has_the_real_market_s_prices_and_what_was_published_stays(
    connection: Connection, year: RecordedYear
) -> None:
    sites.save(connection, build_site())
    publish_prices(connection, year, since=YESTERDAY.start, now=NOW, awaited=AWAITED)
    fetch(connection, TOMORROW)
    fetch(connection, TODAY)
    publish_prices(connection, year, since=YESTERDAY.start, now=NOW, awaited=AWAITED)
    # Today had been published before the real prices came.
    assert (read(connection, TODAY), read(connection, TOMORROW)) == ({RECORDED}, {REAL})
    assert read(connection, TOMORROW, known_at=NOW - timedelta(seconds=1)) == set()
    assert find_price_origin(connection, now=NOW) == "recorded"
    assert find_price_origin(connection, now=NOW + timedelta(days=1)) == "market"


def test_a_day_of_which_the_real_market_lacks_a_part_is_of_the_recorded_year_throughout(
    connection: Connection, year: RecordedYear
) -> None:
    part = TODAY.window(0, TODAY.count - 4)
    prices.upsert(
        connection,
        REAL_MARKET,
        starts=part.starts,
        price=np.full(part.count, REAL),
        currency="EUR",
        published_at=NOW - timedelta(days=1),
    )
    publish_prices(connection, year, since=TODAY.start, now=NOW)
    assert read(connection, TODAY) == {RECORDED}


def test_a_home_that_is_made_with_the_network_there_begins_with_today_s_prices(
    connection: Connection, year: RecordedYear
) -> None:
    sites.save(connection, build_site())
    fetch(connection, TODAY)
    publish_prices(connection, year, since=YESTERDAY.start, now=NOW, awaited=AWAITED)
    assert (read(connection, YESTERDAY), read(connection, TODAY)) == ({RECORDED}, {REAL})
    assert find_price_origin(connection, now=NOW) == "market"
