"""Prices from outside services into the database: what sites need, once, with the instant at which
they became known.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts import FetchPricesReply, FetchPricesRequest, MarketPricesReply
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.timeline import SLOT, Timeline, local_day, local_days
from luna.platform.database import engine, prices, recorded_span
from luna.platform.settings import Settings
from services.ingest.price_collection import gather_all, list_needs, store_prices
from tests.support.database.databases import migrated_database
from tests.support.database.site import store_site
from tests.support.gateway.outside_service import Service, Services, amber, energy_charts

BERLIN = ZoneInfo("Europe/Berlin")
# 13:05 in Berlin: tomorrow's auction is over.
NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
TODAY = local_day(date(2026, 11, 20), BERLIN)
TOMORROW = local_day(date(2026, 11, 21), BERLIN)
WANTED = local_days(date(2026, 11, 10), date(2026, 11, 21), BERLIN)
UNTIL_TODAY = list(local_days(date(2026, 11, 10), date(2026, 11, 20), BERLIN))


@pytest.fixture(scope="module")
def database(database_server: str) -> Iterator[Engine]:
    """A database in which no other test left a site or a price."""
    with migrated_database(database_server, "prices") as url:
        pool = engine.create(url)
        yield pool
        pool.dispose()


def add_site(
    connection: Connection, name: str = "home", *, market: str = "NL", currency: str = "EUR"
) -> None:
    tariff = {"import": {"kind": "spot", "market": market, "markup": 0.1, "vat": 0.21}}
    store_site(connection, name=name, timezone="Europe/Amsterdam", currency=currency, tariff=tariff)


def fetch(
    connection: Connection,
    *replies: httpx.Response | Exception,
    now: datetime = NOW,
    **asked: object,
) -> FetchPricesReply:
    request = FetchPricesRequest.model_validate(asked)
    needs = list_needs(connection, request, now=now)
    found = gather_all(
        needs,
        request,
        Settings.model_validate({}),
        transport=Services(energy_charts=Service(*replies)),
    )
    return store_prices(connection, found, now=now)


def fetch_amber(
    connection: Connection, service: Service, *, now: datetime
) -> list[MarketPricesReply]:
    """Fetch what sites lack with Amber's token."""
    request = FetchPricesRequest()
    found = gather_all(
        list_needs(connection, request, now=now),
        request,
        Settings.model_validate({"amber_token": "secret"}),
        transport=Services(amber=service),
    )
    return store_prices(connection, found, now=now).markets


def read(
    connection: Connection, timeline: Timeline, *, known_at: datetime | None = None
) -> list[float]:
    return np.unique(prices.read(connection, "NL", timeline, known_at=known_at)).tolist()


def test_the_energys_price_is_stored_without_the_tariffs_markup_and_tax(
    connection: Connection,
) -> None:
    add_site(connection)
    (market,) = fetch(connection, energy_charts(list(WANTED), [100.0] * len(WANTED))).markets
    assert (market.market, market.added, market.revised, market.missing) == (
        "NL",
        len(WANTED),
        0,
        0,
    )
    assert read(connection, WANTED) == [0.1]


def test_tomorrow_is_known_from_when_it_was_first_seen_and_yesterday_from_its_auction(
    connection: Connection,
) -> None:
    add_site(connection)
    fetch(connection, energy_charts(list(WANTED), [100.0] * len(WANTED)))
    assert np.isnan(
        prices.read(connection, "NL", TOMORROW, known_at=NOW - timedelta(seconds=1))
    ).all()
    assert read(connection, TOMORROW, known_at=NOW) == [0.1]
    yesterday = local_day(date(2026, 11, 19), BERLIN)
    auction = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert np.isnan(
        prices.read(connection, "NL", yesterday, known_at=auction - timedelta(seconds=1))
    ).all()
    assert read(connection, yesterday, known_at=auction) == [0.1]


def test_fetching_again_asks_for_nothing_and_changes_nothing(connection: Connection) -> None:
    add_site(connection)
    everything = energy_charts(list(WANTED), [100.0] * len(WANTED))
    fetch(connection, everything)
    before = prices.read_revisions(connection, "NL", WANTED)
    assert fetch(connection, everything, now=NOW + timedelta(minutes=10)).markets == []
    (market,) = fetch(connection, everything, now=NOW + timedelta(hours=1)).markets
    assert (market.added, market.revised) == (0, 0)
    np.testing.assert_array_equal(prices.read_revisions(connection, "NL", WANTED), before)


def test_a_day_is_asked_for_until_it_is_there_and_what_came_meanwhile_is_kept(
    connection: Connection,
) -> None:
    add_site(connection)
    today = energy_charts(UNTIL_TODAY, [100.0] * len(UNTIL_TODAY))
    (market,) = fetch(connection, today).markets
    assert (market.added, market.missing) == (len(UNTIL_TODAY), 96)
    (market,) = fetch(
        connection, energy_charts(list(TOMORROW), [-5.0] * 96), now=NOW + timedelta(minutes=10)
    ).markets
    assert (market.first, market.added, market.missing) == (TOMORROW.start, 96, 0)
    assert read(connection, TOMORROW) == [-0.005]


def test_a_revised_price_is_a_row_of_its_own_and_the_first_one_sessions(
    connection: Connection,
) -> None:
    add_site(connection)
    fetch(connection, energy_charts(list(WANTED), [100.0] * len(WANTED)))
    later = NOW + timedelta(hours=3)
    revised = [100.0] * (len(WANTED) - 96) + [80.0] * 96
    (market,) = fetch(connection, energy_charts(list(WANTED), revised), now=later).markets
    assert (market.added, market.revised) == (0, 96)
    assert read(connection, TOMORROW) == [0.08]
    assert read(connection, TOMORROW, known_at=later - timedelta(seconds=1)) == [0.1]


def test_a_forecast_that_changes_and_what_it_came_to_are_stored_once_each(
    connection: Connection,
) -> None:
    add_site(connection, market="AU-AMBER", currency="AUD")
    # 13:23 in Brisbane, and the half-hours of its day and the next.
    now = datetime(2026, 11, 20, 3, 23, tzinfo=UTC)
    days = local_days(date(2026, 11, 20), date(2026, 11, 21), ZoneInfo("Australia/Brisbane"))
    starts = list(days)[::2]
    soon = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
    slots = Timeline(soon, SLOT, 2)

    def ask(cents_soon: float, after: timedelta, kind: str = "ForecastInterval") -> tuple[int, int]:
        cents = [cents_soon if start == soon else 30.0 for start in starts]
        (market,) = fetch_amber(connection, amber(starts, cents, kind=kind), now=now + after)
        return market.added, market.revised

    def known(after: timedelta) -> list[float]:
        read_at = now + after
        stored = prices.read(connection, "AU-AMBER", slots, currency="AUD", known_at=read_at)
        return np.unique(stored).tolist()

    minutes = [timedelta(minutes=minute) for minute in (0, 10, 20, 40, 50)]
    # Two days of 96 slots; then the two slots of the half-hour that changed.
    assert ask(35.0, minutes[0]) == (192, 0)
    assert ask(41.0, minutes[1]) == (0, 2)
    assert ask(41.0, minutes[2]) == (0, 0)
    # It ended at 14:00: 2,030 cents are the market's cap.
    assert ask(2_030.0, minutes[3], "ActualInterval") == (0, 2)
    assert ask(2_030.0, minutes[4], "ActualInterval") == (0, 0)
    assert [known(after) for after in minutes] == [[0.35], [0.41], [0.41], [20.3], [20.3]]


def test_the_last_actual_of_a_day_is_stored_after_midnight(connection: Connection) -> None:
    add_site(connection, market="AU-AMBER", currency="AUD")
    days = local_days(date(2026, 11, 20), date(2026, 11, 21), ZoneInfo("Australia/Brisbane"))
    starts = list(days)[::2]
    midnight = days.start + timedelta(days=1)
    before = fetch_amber(
        connection, amber(starts, [30.0] * 96), now=midnight - timedelta(minutes=15)
    )
    assert [market.added for market in before] == [192]
    actual = [31.0 if start < midnight else 30.0 for start in starts]
    (market,) = fetch_amber(connection, amber(starts, actual), now=midnight + timedelta(minutes=5))
    # What is corrected within a day is found: all 96 slots of the day before.
    assert market.revised == 96


def test_without_a_way_out_the_run_ends_well_and_says_what_is_missing(
    connection: Connection,
) -> None:
    add_site(connection)
    (market,) = fetch(connection, httpx.ConnectError("no route to host")).markets
    assert (market.added, market.missing) == (0, len(WANTED))
    assert "no route to host" in market.faults[0]


def test_after_days_offline_published_prices_are_known_and_others_stay_unknown(
    connection: Connection,
) -> None:
    add_site(connection)
    earlier = list(local_days(date(2026, 11, 10), date(2026, 11, 17), BERLIN))
    fetch(connection, energy_charts(earlier, [100.0] * len(earlier)), now=NOW - timedelta(days=3))
    lost = fetch(connection, httpx.ConnectError("no route to host"), now=NOW - timedelta(minutes=1))
    assert (lost.reached, lost.markets[0].added) == (False, 0)
    gap = local_day(date(2026, 11, 18), BERLIN)
    there = [start for start in WANTED if not gap.start <= start < gap.end]
    back = fetch(connection, energy_charts(there, [100.0] * len(there)))
    assert (back.reached, back.markets[0].missing) == (True, 96)
    assert np.isnan(prices.read(connection, "NL", gap)).all()
    assert read(connection, TODAY) == read(connection, TOMORROW) == [0.1]


def test_where_one_of_two_services_answers_the_network_is_there(connection: Connection) -> None:
    add_site(connection)
    assert not fetch(connection, httpx.ConnectError("no route to host")).reached
    assert fetch(connection, httpx.Response(404)).reached


def test_nothing_is_asked_for_where_no_site_needs_it(connection: Connection) -> None:
    store_site(connection, name="flat")
    add_site(connection, "island", market="our own market")
    assert list_needs(connection, FetchPricesRequest(), now=NOW) == []


def test_a_market_is_asked_for_once_in_each_currency_of_its_sites(connection: Connection) -> None:
    add_site(connection, "one", market="SE3", currency="SEK")
    add_site(connection, "two", market="SE3", currency="SEK")
    add_site(connection, "three", market="AT")
    add_site(connection, "four", market="SE3")
    asked = [("AT", "EUR"), ("SE3", "EUR"), ("SE3", "SEK")]
    assert [
        (need.market, need.currency)
        for need in list_needs(connection, FetchPricesRequest(), now=NOW)
    ] == asked


@pytest.mark.parametrize(
    "day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"]
)
def test_a_day_named_is_fetched_whole_whatever_its_length(
    connection: Connection, day: date
) -> None:
    slots = local_day(day, BERLIN)
    said = energy_charts(list(slots), [float(slot) for slot in range(len(slots))])
    (market,) = fetch(connection, said, market="NL", first=slots.start, end=slots.end).markets
    assert (market.added, market.missing, market.sources) == (
        len(slots),
        0,
        {"energy_charts": len(slots)},
    )
    np.testing.assert_allclose(prices.read(connection, "NL", slots), np.arange(len(slots)) / 1_000)


@pytest.mark.parametrize(
    "window",
    [
        {"first": NOW},
        {"first": NOW, "end": NOW},
        {"first": NOW, "end": NOW + timedelta(days=2_000)},
        {"first": NOW + timedelta(minutes=1), "end": NOW + SLOT},
    ],
    ids=["no end", "empty", "years", "off the grid"],
)
def test_a_window_that_cannot_be_is_refused(
    connection: Connection, window: dict[str, datetime]
) -> None:
    with pytest.raises(InvalidInputError, match="first"):
        fetch(connection, energy_charts([], []), market="NL", **window)


def test_a_market_that_nobody_has_is_refused_where_it_is_named(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="MARS"):
        fetch(connection, energy_charts([], []), market="MARS", first=TODAY.start, end=TODAY.end)


def test_a_market_with_prices_is_known_until_the_last_of_them_ends(connection: Connection) -> None:
    add_site(connection)
    fetch(connection, energy_charts(list(WANTED), [100.0] * len(WANTED)))
    asked = [
        prices.StoredSeries("NL", "EUR"),
        prices.StoredSeries("NL", "SEK"),
        prices.StoredSeries("AT", "EUR"),
    ]
    assert {
        series: end for series, (_, end) in recorded_span.of_markets(connection, asked).items()
    } == {("NL", "EUR"): TOMORROW.end}
