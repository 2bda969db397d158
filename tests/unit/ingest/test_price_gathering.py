"""Which prices are asked for when, who is asked next, and when a price counts as known.

Berlin is an hour ahead of UTC in November.
"""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from luna.contracts import FetchPricesRequest
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline, local_day
from luna.platform.settings import Settings
from services.ingest.collected_prices import CollectedPrices, Need
from services.ingest.price_collection import (
    changing_window,
    collect,
    date_prices,
    expected_window,
    gather_all,
    missing_window,
)
from services.ingest.sources.prices.registry import choose_sources, market_named
from tests.support.gateway.outside_service import (
    Service,
    Services,
    amber,
    document,
    energy_charts,
    nord_pool,
)
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)
TODAY = local_day(date(2026, 11, 20), BERLIN)
TOMORROW = local_day(date(2026, 11, 21), BERLIN)
GERMANY = market_named("DE-LU")
ILLINOIS = market_named("US-COMED")


def settings(**given: str) -> Settings:
    return Settings.model_validate(given)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (NOON + timedelta(minutes=44), TODAY.end),
        (NOON + timedelta(minutes=45), TOMORROW.end),
        (NOON + timedelta(hours=10), TOMORROW.end),
    ],
    ids=["12:44", "12:45", "22:00"],
)
def test_tomorrow_is_wanted_from_the_end_of_the_auction_on(now: datetime, last: datetime) -> None:
    wanted = expected_window(now, GERMANY)
    assert wanted.end == last
    assert wanted.start == local_day(date(2026, 11, 10), BERLIN).start


@pytest.mark.parametrize(
    ("now", "last"),
    # 15:44, 15:45 and 23:00 in London; the day of the tariff ends there at 23:00.
    [
        (datetime(2026, 11, 20, 15, 44, tzinfo=UTC), datetime(2026, 11, 20, 23, tzinfo=UTC)),
        (datetime(2026, 11, 20, 15, 45, tzinfo=UTC), datetime(2026, 11, 21, 23, tzinfo=UTC)),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), datetime(2026, 11, 21, 23, tzinfo=UTC)),
    ],
    ids=["15:44", "15:45", "23:00"],
)
def test_tomorrow_of_agile_is_wanted_when_its_supplier_publishes(
    now: datetime, last: datetime
) -> None:
    market = market_named("GB-AGILE-C")
    assert expected_window(now, market).end == last


@pytest.mark.parametrize(
    ("day", "slots"),
    [(date(2026, 3, 28), 92), (date(2026, 10, 24), 100)],
    ids=["23 hours", "25 hours"],
)
def test_a_day_on_which_clocks_change_is_wanted_whole(day: date, slots: int) -> None:
    now = datetime(day.year, day.month, day.day, 13, tzinfo=BERLIN).astimezone(UTC)
    wanted = expected_window(now, GERMANY)
    today = wanted.index_of(local_day(day, BERLIN).start)
    assert wanted.count - today == 96 + slots


def due(now: datetime, *, unknown: slice) -> Timeline | None:
    wanted = expected_window(now, GERMANY)
    known = np.zeros(wanted.count)
    known[unknown] = np.nan
    return missing_window(known, wanted, now=now, zone=BERLIN)


def test_what_is_missing_is_asked_for_in_every_run() -> None:
    window = due(NOON + timedelta(minutes=55), unknown=slice(-96, None))
    assert window is not None
    assert (window.start, window.end) == (TOMORROW.start, TOMORROW.end)


def test_where_all_is_known_revisions_are_looked_for_once_an_hour() -> None:
    assert due(NOON + timedelta(minutes=50), unknown=slice(0)) is None
    window = due(NOON + timedelta(hours=2, minutes=3), unknown=slice(0))
    assert window is not None
    # Of yesterday as well, which a source may correct.
    assert (window.start, window.end) == (TODAY.start - timedelta(days=1), TOMORROW.end)


def test_a_hole_in_the_past_is_asked_for_once_an_hour() -> None:
    assert due(NOON + timedelta(minutes=20), unknown=slice(4, 8)) is None
    window = due(NOON + timedelta(minutes=1), unknown=slice(4, 8))
    assert window is not None
    assert len(window) == 4


def test_a_market_without_any_price_is_asked_for_as_a_whole_at_once() -> None:
    now = NOON + timedelta(minutes=55)
    assert due(now, unknown=slice(None)) == expected_window(now, GERMANY)


def test_what_is_a_forecast_is_requested_again_around_now_and_once_an_hour_in_all() -> None:
    wanted = expected_window(NOON + timedelta(hours=2), GERMANY)
    window = changing_window(wanted, now=NOON + timedelta(hours=2, minutes=23))
    # From an hour before, 13:23 of Berlin, until two hours later.
    assert (window.start, window.end) == (
        NOON + timedelta(hours=1, minutes=15),
        NOON + timedelta(hours=4, minutes=15),
    )
    hourly = changing_window(wanted, now=NOON + timedelta(hours=2, minutes=3))
    # The last slots of yesterday may be estimates.
    assert (hourly.start, hourly.end) == (NOON - timedelta(hours=22), TOMORROW.end)


NEED = Need("DE-LU", "EUR", TODAY)
HERE = [start.astimezone(UTC) for start in TODAY]
UPDATED = datetime(2026, 11, 19, 11, 57, tzinfo=UTC)


def found(**services: Service) -> CollectedPrices:
    return collect(
        choose_sources(market_named("DE-LU"), "EUR", settings(), transport=Services(**services)),
        NEED,
    )


def test_the_preferred_source_is_enough_where_it_knows_all() -> None:
    nord_pool_service = Service(nord_pool(HERE, [2.0] * 96, updated_at=UPDATED))
    prices = found(
        energy_charts=Service(energy_charts(HERE, [1.0] * 96)), nord_pool=nord_pool_service
    )
    assert prices.price.tolist() == [0.001] * 96
    assert (dict(prices.sources), prices.faults, nord_pool_service.asked) == (
        {"energy_charts": 96},
        [],
        [],
    )


@each_row(
    "away",
    [
        httpx.ConnectError("no route"),
        httpx.Response(429, headers={"Retry-After": "900"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(400),
    ],
    ids=["not reached", "too busy", "HTML", "refuses"],
)
def test_the_next_source_is_asked_where_one_fails(away: httpx.Response | Exception) -> None:
    prices = found(
        energy_charts=Service(away),
        nord_pool=Service(nord_pool(HERE, [2.0] * 96, updated_at=UPDATED)),
    )
    assert prices.price.tolist() == [0.002] * 96
    assert dict(prices.sources) == {"nord_pool": 96}
    assert "energy_charts" in prices.faults[0]


def test_the_next_source_is_asked_where_one_is_empty() -> None:
    prices = found(
        energy_charts=Service(httpx.Response(404)),
        nord_pool=Service(nord_pool(HERE, [2.0] * 96, updated_at=UPDATED)),
    )
    assert np.isfinite(prices.price).all()
    assert prices.faults == []


def test_holes_are_filled_by_the_next_source_and_nothing_else_is() -> None:
    holes: list[float | None] = [1.0] * 10 + [None] * 2 + [1.0] * 84
    prices = found(
        energy_charts=Service(energy_charts(HERE, holes)),
        nord_pool=Service(nord_pool(HERE, [2.0] * 96, updated_at=UPDATED)),
    )
    assert prices.price[[9, 10, 11, 12]].tolist() == [0.001, 0.002, 0.002, 0.001]
    assert np.isnat(prices.published_at[9])
    assert prices.published_at[10] == np.datetime64("2026-11-19T11:57")


def test_a_number_that_is_no_price_is_left_to_the_next_source_and_said() -> None:
    # 5,000 EUR/MWh is dear, 1e9 a fault of the service.
    strange: list[float | None] = [5_000.0, -500.0, 1e9, -1e9] + [1.0] * 92
    prices = found(
        energy_charts=Service(energy_charts(HERE, strange)),
        nord_pool=Service(nord_pool(HERE, [2.0] * 96, updated_at=UPDATED)),
    )
    assert prices.price[:5].tolist() == [5.0, -0.5, 0.002, 0.002, 0.001]
    assert dict(prices.sources) == {"energy_charts": 94, "nord_pool": 2}
    assert prices.faults == ["energy_charts: 2 quarter-hours are beyond 40 EUR/kWh and left out."]


def test_where_nobody_knows_a_price_there_is_none() -> None:
    prices = found()
    assert np.isnan(prices.price).all()
    assert len(prices.faults) == 3


def test_short_products_count_where_a_source_has_both() -> None:
    said = json.loads(nord_pool([HERE[0], *HERE[4:8]], [9.0] * 5, updated_at=UPDATED).content)
    said["multiAreaEntries"] += json.loads(
        nord_pool([HERE[0], HERE[4]], [2.0, 2.0], updated_at=UPDATED, minutes=60).content
    )["multiAreaEntries"]
    assert found(nord_pool=Service(document(said))).price[:8].tolist() == [
        0.009,
        0.002,
        0.002,
        0.002,
        0.009,
        0.009,
        0.009,
        0.009,
    ]


def test_prices_in_another_currency_are_left_out_and_said() -> None:
    kronor = nord_pool(HERE, [2.0] * 96, updated_at=UPDATED).content.replace(b'"EUR"', b'"SEK"')
    prices = found(nord_pool=Service(httpx.Response(200, content=kronor)))
    assert np.isnan(prices.price).all()
    assert any("SEK" in fault for fault in prices.faults)


def chosen(market: str, currency: str, **tokens: str) -> list[str]:
    return [
        source.name for source in choose_sources(market_named(market), currency, settings(**tokens))
    ]


def test_services_that_need_a_token_are_asked_where_there_is_one() -> None:
    assert chosen("DE-LU", "EUR") == ["energy_charts", "nord_pool", "awattar"]
    assert chosen("DE-LU", "EUR", entsoe_token="a", tibber_token="b", ostrom_token="c:d") == [
        "entsoe",
        "energy_charts",
        "nord_pool",
        "awattar",
        "tibber",
        "ostrom",
    ]
    assert chosen("ES-PVPC", "EUR") == []
    assert chosen("ES-PVPC", "EUR", esios_token="e") == ["esios"]


def test_services_with_euros_alone_are_not_asked_for_others() -> None:
    assert chosen("SE3", "SEK") == ["nord_pool"]
    assert chosen("EE", "EUR") == ["energy_charts", "nord_pool", "elering"]
    assert chosen("GB-AGILE-C", "GBP") == ["octopus"]


def test_a_currency_that_no_service_has_is_no_service_that_is_away() -> None:
    sources = choose_sources(market_named("GB-AGILE-C"), "EUR", settings())
    prices = collect(sources, Need("GB-AGILE-C", "EUR", TODAY))
    assert prices.reached
    (fault,) = prices.faults
    assert "GB-AGILE-C in EUR" in fault


def test_a_market_has_a_currency_of_its_own() -> None:
    currencies = {name: market_named(name).currency for name in ("DE-LU", "SE3", "GB-AGILE-C")}
    assert currencies == {"DE-LU": "EUR", "SE3": "EUR", "GB-AGILE-C": "GBP"}


def test_without_a_source_that_may_be_asked_the_token_is_named_and_nobody_is_away() -> None:
    need = Need("AU-AMBER", "AUD", TODAY)
    (nothing,) = gather_all([need], FetchPricesRequest(), settings())
    assert (nothing.reached, nothing.faults) == (
        True,
        ["amber: needs a token. Set LUNA_AMBER_TOKEN."],
    )
    assert np.isnan(nothing.price).all()


@each_row(
    "cents, kept",
    [(2_030.0, True), (-100.0, True), (9_000.0, False), (-9_000.0, False)],
    ids=["the market's cap", "the market's floor", "absurd", "absurd below zero"],
)
def test_the_dearest_price_of_australia_is_no_wrong_unit(cents: float, *, kept: bool) -> None:
    # The cap is 20.3 AUD/kWh; beyond 80 AUD/kWh is no price.
    service = amber(HERE[:2], [cents, 25.0], kind="ActualInterval")
    need = Need("AU-AMBER", "AUD", Timeline(HERE[0], SLOT, 2))
    sources = choose_sources(
        market_named("AU-AMBER"),
        "AUD",
        settings(amber_token="secret"),
        transport=Services(amber=service),
    )
    prices = collect(sources, need)
    assert bool(np.isfinite(prices.price).all()) is kept
    assert bool(prices.faults) is not kept


@pytest.mark.parametrize(
    ("market", "named", "wrong"),
    [("NL", "awattar", "no prices of NL"), ("NL", "entsoe", "needs a token")],
)
def test_a_service_named_that_cannot_answer_is_refused(market: str, named: str, wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=wrong):
        choose_sources(market_named(market), "EUR", settings(), named=named)


NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
DAYS = Timeline(TODAY.start, SLOT, 192)


def dated(known: float, price: float, said: str) -> tuple[list[bool], list[str]]:
    """Judge one price in three slots: the first of today, the last of today and the last of
    tomorrow.
    """
    slots = [0, 95, 191]
    prices = CollectedPrices.nothing(Need("DE-LU", "EUR", DAYS))
    prices.price[slots], prices.published_at[slots] = price, np.datetime64(said)
    stored = np.full(192, np.nan)
    stored[slots] = known
    changed, at = date_prices(prices, stored, now=NOW, market=market_named("DE-LU"))
    return changed[slots].tolist(), [str(instant)[:16] for instant in at[slots]]


def test_new_prices_of_coming_slots_are_known_from_now_and_past_ones_since_the_auction() -> None:
    # Published as a rule at 13:00 of the day before, 12:00 UTC.
    assert dated(np.nan, 0.1, "NaT") == (
        [True] * 3,
        ["2026-11-19T12:00", "2026-11-20T12:05", "2026-11-20T12:05"],
    )


def test_the_service_says_when_it_published_and_nobody_knew_before_it_said_so() -> None:
    assert dated(np.nan, 0.1, "2026-11-19T11:57")[1] == ["2026-11-19T11:57"] * 3
    # An update after the slot began says nothing of when its price was known; one of the future is
    # a clock that is ahead.
    assert dated(np.nan, 0.1, "2026-11-20T13:00")[1] == [
        "2026-11-19T12:00",
        "2026-11-20T12:05",
        "2026-11-20T12:05",
    ]


def test_past_prices_of_agile_are_known_since_its_supplier_published() -> None:
    market = market_named("GB-AGILE-C")
    prices = CollectedPrices.nothing(Need("GB-AGILE-C", "GBP", DAYS))
    prices.price[0] = 0.2
    unknown = np.full(192, np.nan)
    _, at = date_prices(prices, unknown, now=NOW, market=market)
    # 17:00 in Brussels on the day before.
    assert str(at[0])[:16] == "2026-11-19T16:00"


def test_what_was_a_forecast_until_its_slot_was_over_is_known_from_then_on() -> None:
    # 12:05, in the second slot of four.
    need = Need("AU-AMBER", "AUD", Timeline(NOW.replace(minute=0) - SLOT, SLOT, 4))
    prices = CollectedPrices.nothing(need)
    prices.price[:] = 0.3
    changed, at = date_prices(prices, np.full(4, np.nan), now=NOW, market=market_named("AU-AMBER"))
    assert changed.all()
    # The slot that runs and the coming one are known now.
    assert [str(instant)[11:16] for instant in at] == ["12:00", "12:05", "12:05", "12:05"]


def test_a_revised_price_is_known_from_now_on() -> None:
    assert dated(0.2, 0.1, "2026-11-19T11:57") == ([True] * 3, ["2026-11-20T12:05"] * 3)


def test_a_price_known_only_afterwards_is_known_from_the_end_of_its_slot() -> None:
    prices = CollectedPrices.nothing(Need("US-COMED", "USD", DAYS))
    # The quarter-hours from 11:30 and 11:45 UTC, and one of which the first price is just out.
    prices.price[[50, 51, 52]] = 0.02
    _, at = date_prices(prices, np.full(192, np.nan), now=NOW, market=ILLINOIS)
    assert [str(instant)[:16] for instant in at[[50, 51, 52]]] == [
        "2026-11-20T11:45",
        "2026-11-20T12:00",
        "2026-11-20T12:05",
    ]


def test_the_same_price_rounded_differently_is_no_revision() -> None:
    assert dated(0.1, 0.100004, "NaT")[0] == [False] * 3


def test_hours_of_a_service_that_has_no_quarter_hours_leave_those_that_are_known() -> None:
    # Means of 0.1 EUR/kWh; the second hour's was corrected since.
    known = np.tile([0.07, 0.09, 0.11, 0.13], 24)
    hours = [
        {
            "start_timestamp": int(1000 * start.timestamp()),
            "end_timestamp": int(1000 * start.timestamp()) + 3_600_000,
            "marketprice": price,
            "unit": "Eur/MWh",
        }
        for start, price in zip(HERE[::4], [100.0, 120.0] + [100.0] * 22, strict=True)
    ]
    changed, _ = date_prices(
        found(awattar=Service(document({"data": hours}))),
        known,
        now=NOW,
        market=market_named("DE-LU"),
    )
    assert np.flatnonzero(changed).tolist() == [4, 5, 6, 7]
    known[:2] = np.nan
    changed, _ = date_prices(
        found(awattar=Service(document({"data": hours}))),
        known,
        now=NOW,
        market=market_named("DE-LU"),
    )
    assert changed[:2].all()
