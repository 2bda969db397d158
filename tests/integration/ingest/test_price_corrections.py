"""A price that its source corrects after the day: account and savings count it once, and what was
corrected is recorded.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts import FetchPricesRequest, MarketPricesReply
from luna.contracts.data import DayQuality
from luna.contracts.replay import DayCost
from luna.energy.observations import Observations
from luna.energy.savings import NEEDED
from luna.energy.site import parse_site
from luna.energy.timeline import Timeline, local_day, local_days
from luna.platform.clock import FixedClock
from luna.platform.database import observations, prices, quality, scores, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.savings import SYSTEM, read_savings
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from services.ingest.price_collection import gather_all, list_needs, store_prices
from tests.support.database.databases import remove_site
from tests.support.gateway.outside_service import Service, Services, amber, energy_charts
from tests.support.gateway.server import serve

NAME = "corrected"
# A market of no other test; 15:05 in Ljubljana, a full hour in which revisions are looked for.
MARKET = "SI"
ZONE = ZoneInfo("Europe/Ljubljana")
NOW = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
YESTERDAY = date(2026, 11, 19)
DAY = local_day(YESTERDAY, ZONE)
WANTED = local_days(date(2026, 11, 10), date(2026, 11, 21), ZONE)
AMBER = "AU-AMBER"


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    tariff = {
        "import": {"kind": "spot", "market": MARKET, "markup": 0.1},
        "export": {"kind": "fixed", "price": 0.05},
    }
    site = parse_site({"name": NAME, "timezone": str(ZONE), "tariff": tariff})
    with unit_of_work(database) as connection:
        sites.save(connection, site)
        used = {"import_kwh": np.full(DAY.count, 0.25), "load_kwh": np.full(DAY.count, 0.25)}
        observations.upsert(connection, NAME, Observations.of(DAY.starts, used))
        quality.save(connection, NAME, [DayQuality(day=YESTERDAY, verdict="clean")])
    yield NAME
    remove_site(database, NAME)
    with unit_of_work(database) as connection:
        prices.forget_market(connection, MARKET)
        prices.forget_market(connection, AMBER)


def fetch(database: Engine, reply: httpx.Response, *, now: datetime) -> MarketPricesReply:
    request = FetchPricesRequest(market=MARKET)
    with unit_of_work(database) as connection:
        needs = list_needs(connection, request, now=now)
    services = Services(energy_charts=Service(reply))
    collected = gather_all(needs, request, Settings.model_validate({}), transport=services)
    with unit_of_work(database) as connection:
        (market,) = store_prices(connection, collected, now=now).markets
    return market


def published(*, yesterday: float) -> httpx.Response:
    """Return the source's answer, EUR/MWh: 100, and another price for all of yesterday."""
    euro = [yesterday if DAY.start <= start < DAY.end else 100.0 for start in WANTED]
    return energy_charts(list(WANTED), euro)


def score(database: Engine) -> None:
    """Store yesterday as a replay of the night does."""
    cost = DayCost(day=YESTERDAY, cost=1.0)
    with unit_of_work(database) as connection:
        days = {policy: [cost] for policy in NEEDED}
        scores.upsert_days(connection, NAME, system_id=SYSTEM, currency="EUR", days=days)


def find_missing(database: Engine) -> list[tuple[date, date]]:
    with unit_of_work(database) as connection:
        site = sites.load(connection, NAME)
        return read_savings(connection, site, first=YESTERDAY, last=YESTERDAY).find_missing_spans()


def read(api: httpx.Client, path: str, **parameters: str) -> Any:
    answer = api.get(f"/v1/sites/{NAME}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_price_that_is_corrected_after_the_day_counts_once_and_is_recorded(
    home: str, database: Engine, database_url: str, redis_url: str
) -> None:
    first = fetch(database, published(yesterday=100.0), now=NOW)
    assert (first.added, first.corrected) == (len(WANTED), 0)
    score(database)
    assert find_missing(database) == []
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, clock=FixedClock(LATER)) as api:
        before = read(api, "account", period="day", day=str(YESTERDAY))
        corrected = fetch(database, published(yesterday=80.0), now=LATER)
        assert (corrected.revised, corrected.corrected) == (96, 96)
        after = read(api, "account", period="day", day=str(YESTERDAY))
        again = fetch(database, published(yesterday=80.0), now=LATER + timedelta(hours=1))
        assert (again.revised, again.corrected) == (0, 0)
        changes = read(api, "data-changes", limit="500")["changes"]
        around = {"from": "2026-11-20T14:45:00Z", "to": "2026-11-20T15:15:00Z"}
        listed = read(api, "prices", **around)["prices"]
    # 24 kWh at 20 ct, then at 18 ct.
    assert before["totals"]["energy_cost"] == pytest.approx(4.8)
    assert after["totals"]["energy_cost"] == pytest.approx(4.32)
    assert len(changes) == DAY.count
    assert {
        (change["series"], change["before"], change["after"], change["rule"]) for change in changes
    } == {("market_prices:SI", 0.1, 0.08, "corrected by energy_charts")}
    assert {datetime.fromisoformat(change["slot_start"]) for change in changes} == set(DAY)
    # At 15:05 UTC the slot from 14:45 on is over, and the one from 15:00 on runs.
    assert [price["version"] for price in listed] == ["settled", "day_ahead"]
    # What policies would have cost is counted anew, once.
    assert find_missing(database) == [(YESTERDAY, YESTERDAY)]
    score(database)
    assert find_missing(database) == []


def test_a_revision_before_delivery_is_no_correction(home: str, database: Engine) -> None:
    fetch(database, published(yesterday=100.0), now=NOW)
    coming = [90.0 if start > LATER else 100.0 for start in WANTED]
    revised = fetch(database, energy_charts(list(WANTED), coming), now=LATER)
    assert (revised.revised > 0, revised.corrected) == (True, 0)


def test_a_price_that_only_a_wrong_unit_explains_is_shown_and_freed_once_it_came_right(
    home: str, database: Engine, database_url: str, redis_url: str
) -> None:
    # A million EUR/MWh for one quarter-hour of yesterday; no price comes in its place.
    euro = [100.0] * len(WANTED)
    place = WANTED.index_of(DAY.start)
    euro[place] = 1e6
    strange = fetch(database, energy_charts(list(WANTED), euro), now=NOW)
    assert (strange.added, strange.missing) == (len(WANTED) - 1, 1)
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, clock=FixedClock(LATER)) as api:
        (row,) = read(api, "quarantine")["rows"]
        fetch(database, published(yesterday=100.0), now=LATER)
        freed = read(api, "quarantine")["rows"]
    assert (row["kind"], row["source"], row["raw"]["spot_price"]) == (
        "prices",
        "energy_charts SI",
        1_000.0,
    )
    assert datetime.fromisoformat(row["raw"]["slot_start"]) == DAY.start
    assert freed == []


def fetch_amber(database: Engine, service: Service, *, now: datetime) -> MarketPricesReply:
    day = local_day(date(2026, 11, 20), ZoneInfo("Australia/Brisbane"))
    request = FetchPricesRequest(market=AMBER, currency="AUD", first=day.start, end=day.end)
    with unit_of_work(database) as connection:
        needs = list_needs(connection, request, now=now)
    settings = Settings.model_validate({"amber_token": "secret"})
    collected = gather_all(needs, request, settings, transport=Services(amber=service))
    with unit_of_work(database) as connection:
        (market,) = store_prices(connection, collected, now=now).markets
    return market


def test_a_forecast_is_paid_only_once_its_source_says_it_again_after_delivery(
    home: str, database: Engine
) -> None:
    day = local_day(date(2026, 11, 20), ZoneInfo("Australia/Brisbane"))
    starts = list(day)[::2]
    hour = Timeline(day.start, day.step, 4)

    def ask(cents: float, now: datetime) -> MarketPricesReply:
        service = amber(starts, [cents] * len(starts))
        return fetch_amber(database, service, now=now)

    def settled() -> list[float]:
        with unit_of_work(database) as connection:
            stored = prices.read(connection, AMBER, hour, currency="AUD", settled=True)
        return [*stored.tolist()]

    assert ask(30.0, day.start - timedelta(hours=1)).added == 96
    assert np.isnan(settled()).all()
    # The first half-hour is over, and came as it was foreseen.
    confirmed = ask(30.0, day.start + timedelta(minutes=35))
    assert (confirmed.revised, confirmed.corrected) == (0, 0)
    np.testing.assert_array_equal(settled(), [0.3, 0.3, np.nan, np.nan])
    # A day later the source corrects itself, and what it had not said again is no correction.
    corrected = ask(31.0, day.end + timedelta(hours=1))
    assert (corrected.revised, corrected.corrected) == (96, 2)
    assert settled() == [0.31] * 4
