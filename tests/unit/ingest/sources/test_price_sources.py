"""What each price service says, and what it comes to.

Shapes as the services document them; 29 March 2026 has 23 hours, 25 October 25.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from luna.contracts.data import PriceService
from luna.energy.errors import NotFoundError
from luna.energy.timeline import Timeline, local_day
from luna.platform.clock import FixedClock
from luna.platform.settings import Settings
from services.ingest.sources.prices.amber import Amber
from services.ingest.sources.prices.awattar import Awattar
from services.ingest.sources.prices.comed import ComEd
from services.ingest.sources.prices.comed_day_ahead import ComEdDayAhead
from services.ingest.sources.prices.declaration import BIDDING_ZONES
from services.ingest.sources.prices.elering import Elering
from services.ingest.sources.prices.energinet import Energinet
from services.ingest.sources.prices.energy_charts import EnergyCharts
from services.ingest.sources.prices.entsoe import EntsoE
from services.ingest.sources.prices.esios import Esios
from services.ingest.sources.prices.nord_pool import NordPool
from services.ingest.sources.prices.octopus import Octopus
from services.ingest.sources.prices.octopus_intelligent import OctopusIntelligent
from services.ingest.sources.prices.omie import Omie
from services.ingest.sources.prices.ostrom import Ostrom
from services.ingest.sources.prices.publication import DeliveryWindow, on_quarter_hours
from services.ingest.sources.prices.registry import (
    choose_sources,
    list_markets,
    market_named,
    price_sources,
)
from services.ingest.sources.prices.smart_energy import SmartEnergy
from services.ingest.sources.prices.tibber import Tibber
from services.ingest.sources.source import PriceSheet, PriceSource, SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import REPLIES, Service, document, recorded
from tests.support.gateway.price_replies import rows, web
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 28, 23, tzinfo=UTC)
END = datetime(2026, 3, 29, 22, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def test_energy_charts_tells_quarter_hours_with_a_hole_and_negative_prices() -> None:
    service = Service(recorded("energy_charts.json"))
    (sheet,) = EnergyCharts(web(service)).fetch("DE-LU", START, END)
    # 84.21 EUR/MWh is 0.08421 EUR/kWh; 23:30 has none.
    assert rows([sheet]) == [("23:00", 0.08421), ("23:15", -0.0035), ("23:45", 0.0)]
    assert (sheet.market, sheet.currency, sheet.minutes, sheet.published_at) == (
        "DE-LU",
        "EUR",
        15,
        None,
    )
    assert dict(service.asked[0].url.params) == {
        "bzn": "DE-LU",
        "start": "2026-03-28T23:00Z",
        "end": "2026-03-29T22:00Z",
    }


def test_energy_charts_has_nothing_where_it_says_so() -> None:
    assert (
        EnergyCharts(
            web(Service(httpx.Response(404, text='{"detail":"no content available"}')))
        ).fetch("NL", START, END)
        == []
    )


@pytest.mark.parametrize(
    "change",
    [{"unit": "GBP / MWh"}, {"price": [1.0]}, {"price": None}],
    ids=["another unit", "too few prices", "no prices"],
)
def test_energy_charts_is_not_believed_where_it_contradicts_itself(
    change: dict[str, object],
) -> None:
    said = {
        "unix_seconds": [1774738800, 1774739700],
        "price": [1.0, 2.0],
        "unit": "EUR / MWh",
    } | change
    with pytest.raises(SourceError):
        EnergyCharts(web(Service(document(said)))).fetch("NL", START, END)


def test_awattar_tells_hours_of_its_two_countries() -> None:
    service = Service(recorded("awattar.json"))
    (sheet,) = Awattar(web(service)).fetch("AT", START, END)
    assert rows([sheet]) == [("23:00", 0.04209), ("00:00", -0.01)]
    assert sheet.minutes == 60
    assert service.asked[0].url.host == "api.awattar.at"
    # 28 March 2026 23:00 UTC.
    assert service.asked[0].url.params["start"] == "1774738800000"


def test_nord_pool_tells_when_it_published_and_answers_in_the_currency_asked_for() -> None:
    service = Service(recorded("nord_pool.json"))
    (sheet,) = NordPool(web(service), "SEK").fetch("SE3", START, END)
    assert rows([sheet]) == [("23:00", 0.25073), ("23:15", -0.004)]
    assert sheet.published_at == datetime(2026, 3, 28, 11, 57, 12, 123456, tzinfo=UTC)
    assert sheet.currency == "SEK"
    assert dict(service.asked[0].url.params) == {
        "date": "2026-03-29",
        "market": "DayAhead",
        "deliveryArea": "SE3",
        "currency": "SEK",
    }


def test_nord_pool_is_asked_day_by_day_and_has_nothing_for_a_day_that_is_not_out() -> None:
    service = Service(recorded("nord_pool.json"), httpx.Response(204))
    sheets = NordPool(web(service)).fetch("DE-LU", START, END + timedelta(days=1))
    assert len(rows(sheets)) == 0
    assert [request.url.params["date"] for request in service.asked] == ["2026-03-29", "2026-03-30"]
    assert service.asked[0].url.params["deliveryArea"] == "GER"


def test_nord_pool_refuses_a_currency_it_does_not_convert_to() -> None:
    with pytest.raises(SourceRefusedError, match="currency"):
        NordPool(web(Service(recorded("nord_pool.json"))), "CHF").fetch("AT", START, END)


def test_tibber_tells_the_energy_part_for_the_home_in_that_market() -> None:
    service = Service(recorded("tibber.json"))
    (sheet,) = Tibber(web(service), "secret").fetch("DE-LU", START, END)
    assert rows([sheet]) == [("23:00", 0.0842), ("23:15", -0.0035)]
    assert service.asked[0].headers["authorization"] == "Bearer secret"


def test_tibber_has_nothing_for_a_home_without_a_contract_and_refuses_a_market_without_a_home() -> (
    None
):
    assert Tibber(web(Service(recorded("tibber.json"))), "secret").fetch("NO1", START, END) == []
    with pytest.raises(SourceRefusedError, match="no home"):
        Tibber(web(Service(recorded("tibber.json"))), "secret").fetch("SE3", START, END)


def test_tibber_tells_what_a_customer_pays_in_the_markets_of_its_own() -> None:
    service = Service(recorded("tibber.json"))
    (sheet,) = Tibber(web(service), "secret").fetch("DE-TIBBER", START, END)
    # Energy and tax: 0.0842 + 0.2265, and -0.0035 + 0.2098.
    assert rows([sheet]) == [("23:00", 0.3107), ("23:15", 0.2063)]
    assert len(service.asked) == 1


def tibber_home(*days: Timeline) -> dict[str, Any]:
    """Return a home whose slots cost 1, 2, 3 … for the energy and ten more in all."""
    prices = [
        {
            "energy": float(place),
            "total": place + 10.0,
            "startsAt": start.isoformat(),
            "currency": "EUR",
        }
        for day in days
        for place, start in enumerate(day, start=1)
    ]
    return {
        "address": {"country": "NL"},
        "currentSubscription": {"priceInfo": {"today": prices, "tomorrow": []}},
    }


def tibber_says(*homes: object) -> Tibber:
    return Tibber(web(Service(document({"data": {"viewer": {"homes": homes}}}))), "secret")


@each_row(
    "day, count",
    [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100), (date(2026, 3, 28), 96)],
    ids=["23 hours", "25 hours", "usual"],
)
@each_row("market, first_price", [("NL", 1.0), ("NL-TIBBER", 11.0)])
def test_tibber_has_as_many_quarter_hours_as_the_day(
    day: date, count: int, market: str, first_price: float
) -> None:
    slots = local_day(day, BERLIN)
    # Doubled rows count once.
    (sheet,) = tibber_says(tibber_home(slots, slots)).fetch(market, slots.start, slots.end)
    assert sheet.starts.tolist() == slots.starts.tolist()
    assert sheet.price.tolist() == [first_price + place for place in range(count)]


def test_tibber_leaves_a_home_that_was_left_for_the_one_with_prices() -> None:
    slots = local_day(date(2026, 3, 28), BERLIN).window(0, 40)
    left = {"address": {"country": "NL"}, "currentSubscription": None}
    (sheet,) = tibber_says(left, tibber_home(slots)).fetch("NL-TIBBER", slots.start, slots.end)
    assert len(sheet.price) == 40


def test_tibber_is_not_believed_where_one_home_has_two_currencies() -> None:
    home = tibber_home(local_day(date(2026, 3, 28), BERLIN))
    prices = home["currentSubscription"]["priceInfo"]["today"]
    prices[5]["currency"] = "SEK"
    with pytest.raises(SourceError, match="EUR and SEK"):
        tibber_says(home).fetch("NL-TIBBER", START, END)


def test_tibber_refuses_a_wrong_token_in_an_answer_of_its_own() -> None:
    with pytest.raises(SourceRefusedError, match="LUNA_TIBBER_TOKEN"):
        Tibber(web(Service(recorded("tibber_unauthenticated.json"))), "wrong").fetch(
            "NO1", START, END
        )


def test_a_fault_inside_tibber_is_no_refusal() -> None:
    with pytest.raises(SourceError, match="internal"):
        Tibber(web(Service(document({"errors": [{"message": "internal error"}]}))), "secret").fetch(
            "NO1", START, END
        )


def test_entsoe_repeats_points_of_variable_blocks_and_leaves_other_auctions_out() -> None:
    service = Service(recorded("entsoe.xml"))
    (sheet,) = EntsoE(web(service), "token").fetch("NL", START, END)
    # Points 1, 3 and 5 of 6: 2 repeats 1, 4 repeats 3, 6 repeats 5.
    assert rows([sheet]) == [
        ("23:00", 0.0805),
        ("23:15", 0.0805),
        ("23:30", -0.02025),
        ("23:45", -0.02025),
        ("00:00", 0.0),
        ("00:15", 0.0),
    ]
    asked = dict(service.asked[0].url.params)
    assert asked["documentType"] == "A44"
    assert (asked["in_Domain"], asked["periodStart"], asked["periodEnd"]) == (
        "10YNL----------L",
        "202603282300",
        "202603292200",
    )


def test_entsoe_leaves_a_hole_where_points_stand_for_themselves() -> None:
    sequential = (REPLIES / "entsoe.xml").read_bytes().replace(b"A03", b"A01")
    assert [
        at
        for at, _ in rows(
            EntsoE(web(Service(httpx.Response(200, content=sequential))), "token").fetch(
                "NL", START, END
            )
        )
    ] == ["23:00", "23:30", "00:00"]


@pytest.mark.parametrize("status", [200, 400])
def test_entsoe_has_nothing_where_it_acknowledges_so(status: int) -> None:
    assert (
        EntsoE(web(Service(recorded("entsoe_nothing.xml", status=status))), "token").fetch(
            "NL", START, END
        )
        == []
    )


def test_entsoe_refuses_with_its_reason() -> None:
    other = (
        (REPLIES / "entsoe_nothing.xml")
        .read_bytes()
        .replace(b"No matching data found", b"Unauthorized area")
    )
    with pytest.raises(SourceRefusedError, match="Unauthorized area"):
        EntsoE(web(Service(httpx.Response(400, content=other))), "token").fetch("NL", START, END)


@each_row(
    "content",
    [
        b"<html><body>maintenance</html>",
        (REPLIES / "entsoe.xml").read_bytes()[:900],
        b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>',
        (REPLIES / "entsoe.xml").read_bytes().replace(b"PT15M", b"PT7M"),
        (REPLIES / "entsoe.xml").read_bytes().replace(b">MWH<", b">KG<"),
        (REPLIES / "entsoe.xml").read_bytes().replace(b"80.5", b"dear"),
    ],
    ids=["HTML", "half a body", "entities", "odd products", "another unit", "no number"],
)
def test_what_entsoe_does_not_document_is_an_error_of_the_source(content: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        EntsoE(web(Service(httpx.Response(200, content=content))), "token").fetch("NL", START, END)


def test_entsoe_never_tells_its_token() -> None:
    with pytest.raises(SourceRefusedError) as refusal:
        EntsoE(web(Service(httpx.Response(401, text="Unauthorized"))), "very-secret").fetch(
            "NL", START, END
        )
    assert "very-secret" not in str(refusal.value)


def octopus_rates(starts: Sequence[datetime], pence: Sequence[float]) -> list[dict[str, object]]:
    """Return half-hours as Octopus Energy lists them, the newest first."""
    rates: list[dict[str, object]] = [
        {
            "value_inc_vat": price,
            "valid_from": start.isoformat(),
            "valid_to": (start + timedelta(minutes=30)).isoformat(),
            "payment_method": None,
        }
        for start, price in zip(starts, pence, strict=True)
    ]
    return rates[::-1]


def octopus_page(rates: list[dict[str, object]], following: str | None = None) -> httpx.Response:
    return document({"count": 96, "next": following, "previous": None, "results": rates})


def octopus_sheets(*replies: httpx.Response, market: str = "GB-AGILE-C") -> list[PriceSheet]:
    return Octopus(web(Service(*replies))).fetch(market, START, END)


def test_octopus_tells_in_pounds_what_a_kilowatt_hour_costs_with_vat() -> None:
    service = Service(recorded("octopus.json"))
    (sheet,) = Octopus(web(service)).fetch("GB-AGILE-C", START, END)
    # 19.11 pence are 0.1911 pounds; the last one has no end and is a half-hour as well.
    assert rows([sheet]) == [
        ("23:00", 0.1911),
        ("23:30", -0.0252),
        ("00:00", 0.0),
        ("00:30", 0.1995),
    ]
    assert (sheet.market, sheet.currency, sheet.minutes, sheet.published_at) == (
        "GB-AGILE-C",
        "GBP",
        30,
        None,
    )
    (request,) = service.asked
    assert request.url.path == (
        "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/"
    )
    assert dict(request.url.params) == {
        "period_from": "2026-03-28T23:00:00Z",
        "period_to": "2026-03-29T22:00:00Z",
        "page_size": "1500",
        "page": "1",
    }


def test_octopus_has_a_tariff_for_feed_in_of_its_own() -> None:
    service = Service(recorded("octopus.json"))
    Octopus(web(service)).fetch("GB_AGILE_OUTGOING_P", START, END)
    assert "/E-1R-AGILE-OUTGOING-19-05-13-P/" in service.asked[0].url.path


def test_octopus_is_asked_for_all_its_pages() -> None:
    starts = [START + half * timedelta(minutes=30) for half in range(4)]
    newest = octopus_rates(starts[2:], [3.0, 4.0])
    # While pages were read a price came: the last row of one page is the first of the next.
    oldest = octopus_rates(starts[:3], [1.0, 2.0, 3.0])
    # The address of the next page is not followed: only its being there counts.
    service = Service(
        octopus_page(newest, "http://elsewhere.example/?page=2"), octopus_page(oldest)
    )
    sheets = Octopus(web(service)).fetch("GB-AGILE-C", START, END)
    assert [price for _, price in rows(sheets)] == [0.01, 0.02, 0.03, 0.04]
    assert [request.url.host for request in service.asked] == ["api.octopus.energy"] * 2
    assert [request.url.params["page"] for request in service.asked] == ["1", "2"]


def test_octopus_is_left_where_its_pages_do_not_end() -> None:
    service = Service(octopus_page([], "https://api.octopus.energy/v1/products/?page=2"))
    with pytest.raises(SourceError, match="pages"):
        Octopus(web(service)).fetch("GB-AGILE-C", START, END)
    assert len(service.asked) == 20


def test_octopus_tells_the_price_by_direct_debit_where_it_has_two() -> None:
    (dear,) = octopus_rates([START], [21.0])
    (usual,) = octopus_rates([START], [20.0])
    doubled = [
        usual | {"payment_method": "DIRECT_DEBIT"},
        dear | {"payment_method": "NON_DIRECT_DEBIT"},
    ]
    for rates in (doubled, doubled[::-1]):
        assert rows(octopus_sheets(octopus_page(rates))) == [("23:00", 0.2)]


@each_row(
    "change",
    [
        {"valid_to": "2026-03-28T22:30:00Z"},
        {"valid_to": "2026-03-28T23:20:00Z"},
        {"valid_from": "2026-03-28T23:10:00Z", "valid_to": "2026-03-28T23:40:00Z"},
        {"valid_from": "2026-03-28T23:00:00"},
        {"value_inc_vat": None},
        {"value_inc_vat": "dear"},
    ],
    ids=["ends before", "20 minutes", "off the grid", "no offset", "no price", "no number"],
)
def test_octopus_is_not_believed_where_it_contradicts_itself(change: dict[str, object]) -> None:
    (rate,) = octopus_rates([START], [20.0])
    with pytest.raises(SourceError):
        octopus_sheets(octopus_page([rate | change]))


def test_elering_tells_the_prices_of_one_of_its_countries() -> None:
    service = Service(recorded("elering.json"))
    (sheet,) = Elering(web(service)).fetch("LT", START, END)
    # Quarter-hours; 23:30 has none.
    assert rows([sheet]) == [("23:00", 0.09007), ("23:15", 0.012), ("23:45", 0.0)]
    assert (sheet.market, sheet.currency, sheet.minutes, sheet.published_at) == (
        "LT",
        "EUR",
        15,
        None,
    )
    (request,) = service.asked
    assert request.url.path == "/api/nps/price"
    assert dict(request.url.params) == {
        "start": "2026-03-28T23:00:00Z",
        "end": "2026-03-29T22:00:00Z",
    }


def elering_sheets(prices: list[dict[str, object]], **change: object) -> list[PriceSheet]:
    said = {"success": True, "data": {"ee": prices}} | change
    return Elering(web(Service(document(said)))).fetch("EE", START, END)


def test_elering_may_list_a_price_twice() -> None:
    first: dict[str, object] = {"timestamp": 1774738800, "price": 1.0}
    second: dict[str, object] = {"timestamp": 1774739700, "price": 2.0}
    (sheet,) = elering_sheets([second, first, second, first])
    assert sheet.minutes == 15
    assert rows([sheet]) == [("23:00", 0.001), ("23:15", 0.002)]


def test_elering_tells_the_price_at_the_end_as_well_which_is_left_out() -> None:
    last = int(END.timestamp())
    (sheet,) = elering_sheets([{"timestamp": last - 900 * ago, "price": 1.0} for ago in range(3)])
    assert rows([sheet]) == [("21:30", 0.001), ("21:45", 0.001)]


def test_elering_has_nothing_where_a_country_has_no_prices() -> None:
    assert elering_sheets([]) == []
    assert elering_sheets([], data={"fi": []}) == []
    assert elering_sheets([{"timestamp": 1774738800, "price": None}]) == []


@each_row(
    "change",
    [
        {"success": False},
        {"success": False, "data": None},
        {"data": [1.0]},
        {"data": {"ee": [{"timestamp": "soon", "price": 1.0}]}},
        {"data": {"ee": [{"timestamp": 1774738800, "price": "dear"}]}},
        {"data": {"ee": [{"timestamp": 10**30, "price": 1.0}]}},
        {"data": {"ee": [{"timestamp": 1774738800 + 420 * n, "price": 1.0} for n in range(3)]}},
    ],
    ids=["failed", "no data", "a list", "no time", "no number", "beyond time", "7 minutes"],
)
def test_elering_is_not_believed_where_it_contradicts_itself(change: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        elering_sheets([], **change)


def test_years_are_asked_for_in_halves_in_utc() -> None:
    windows = list(
        DeliveryWindow("NL", START.astimezone(BERLIN), START + timedelta(days=400)).split()
    )
    # 180 days each, the last one the remaining 40; each begins where the one before ended.
    assert [(window.end - window.first).days for window in windows] == [180, 180, 40]
    assert [window.first for window in windows[1:]] == [window.end for window in windows[:-1]]
    assert windows[0].first.tzinfo is UTC


@pytest.mark.parametrize(
    "name",
    ["energy_charts", "awattar", "entsoe", "octopus", "elering", "energinet", "comed"],
)
def test_a_long_window_takes_several_requests(name: PriceService) -> None:
    service = Service(lambda request: NOTHING[request.url.host])
    source = SOURCES[name](web(service))
    assert source.fetch(market_of(name), START, START + timedelta(days=400)) == []
    assert len(service.asked) == 3


NOTHING = {
    "api.energy-charts.info": httpx.Response(404),
    "api.awattar.at": document({"data": []}),
    "web-api.tp.entsoe.eu": recorded("entsoe_nothing.xml"),
    "api.octopus.energy": document({"count": 0, "next": None, "previous": None, "results": []}),
    "dashboard.elering.ee": document({"success": True, "data": {}}),
    "api.energidataservice.dk": document({"records": []}),
    "hourlypricing.comed.com": document([]),
}


def energy_charts_day(request: httpx.Request, day: date, minutes: int) -> httpx.Response:
    slots = local_day(day, BERLIN, timedelta(minutes=minutes))
    return document(
        {
            "unix_seconds": [int(start.timestamp()) for start in slots],
            "price": [float(slot) for slot in range(len(slots))],
            "unit": "EUR / MWh",
        }
    )


@each_row("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"])
@each_row("minutes", [15, 60])
def test_a_day_on_which_clocks_change_has_its_own_number_of_products(
    day: date, minutes: int
) -> None:
    slots = local_day(day, BERLIN)
    source = EnergyCharts(web(Service(lambda request: energy_charts_day(request, day, minutes))))
    (sheet,) = source.fetch("DE-LU", slots.start, slots.end)
    starts, price = on_quarter_hours(sheet)
    assert sheet.minutes == minutes
    assert starts.tolist() == slots.starts.tolist()
    # In order of time, also through the hour that is shown twice.
    assert (np.diff(price) >= 0).all()


def octopus_day(starts: Sequence[datetime]) -> httpx.Response:
    return octopus_page(octopus_rates(starts, [100.0 * place for place in range(len(starts))]))


def elering_day(starts: Sequence[datetime]) -> httpx.Response:
    prices = [
        {"timestamp": int(start.timestamp()), "price": 1000.0 * place}
        for place, start in enumerate(starts)
    ]
    return document({"success": True, "data": {"ee": prices}})


@each_row(
    ("name", "answer", "minutes"),
    [
        ("octopus", octopus_day, 30),
        ("elering", elering_day, 15),
        ("elering", elering_day, 60),
    ],
    ids=["octopus", "elering in quarter-hours", "elering in hours"],
)
@each_row(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 20), 24)],
)
def test_a_day_and_its_first_half_come_to_the_quarter_hours_they_have(
    name: str,
    answer: Callable[[Sequence[datetime]], httpx.Response],
    minutes: int,
    day: date,
    hours: int,
) -> None:
    market = market_of(name)
    # Agile days begin at 23:00 in London, which is midnight of the coupled auction's clock.
    slots = local_day(day, market_named(market).zone)
    products = list(local_day(day, BERLIN, timedelta(minutes=minutes)))
    assert len(slots) == 4 * hours
    for count in (len(products), len(products) // 2):
        source = SOURCES[name](web(Service(answer(products[:count]))))
        (sheet,) = source.fetch(market, slots.start, slots.end)
        starts, price = on_quarter_hours(sheet)
        quarters = minutes // 15
        assert sheet.minutes == minutes
        assert starts.tolist() == slots.starts[: count * quarters].tolist()
        # The first product costs nothing, each further one a pound or a euro more.
        assert price.tolist() == np.arange(count).repeat(quarters).tolist()


def test_a_market_that_changes_its_product_gives_a_sheet_for_each() -> None:
    midnight = datetime(2025, 9, 30, 22, tzinfo=UTC)
    starts = [midnight - timedelta(hours=hour) for hour in (2, 1)] + [
        midnight + quarter * QUARTER for quarter in range(4)
    ]
    said = {
        "unix_seconds": [int(start.timestamp()) for start in starts],
        "price": [1.0] * 6,
        "unit": "EUR / MWh",
    }
    sheets = EnergyCharts(web(Service(document(said)))).fetch(
        "DE-LU", starts[0], midnight + timedelta(hours=1)
    )
    assert [(sheet.minutes, len(sheet.starts)) for sheet in sheets] == [(60, 2), (15, 4)]


SOURCES: dict[PriceService, Callable[[Web], PriceSource]] = {
    "entsoe": lambda way: EntsoE(way, "token"),
    "energy_charts": EnergyCharts,
    "nord_pool": NordPool,
    "awattar": Awattar,
    "tibber": lambda way: Tibber(way, "token"),
    "octopus": Octopus,
    "elering": Elering,
    "energinet": Energinet,
    "omie": Omie,
    "comed": ComEd,
    # It has no forecasts of what is over.
    "comed_day_ahead": lambda way: ComEdDayAhead(replace(way, clock=FixedClock(START))),
    "esios": lambda way: Esios(way, "token"),
    "smart_energy": SmartEnergy,
    "ostrom": lambda way: Ostrom(way, "id:secret"),
    "amber": lambda way: Amber(way, "token"),
    "octopus_intelligent": lambda way: OctopusIntelligent(way, "account:key"),
}


def fetch_day(name: PriceService, reply: httpx.Response) -> list[PriceSheet]:
    """Ask a source for a day of one of its markets."""
    market = next(iter(price_sources()[name].codes))
    return SOURCES[name](web(Service(reply))).fetch(market, START, END)


def market_of(name: PriceService) -> str:
    """Return a market that a source has."""
    return next(iter(price_sources()[name].codes))


@each_row("name", SOURCES)
@each_row(
    "reply",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(200, text="<html>sorry</html>"),
        httpx.Response(200, text='{"data'),
    ],
    ids=["429", "500", "HTML", "half a body"],
)
def test_every_source_says_that_it_is_away(name: PriceService, reply: httpx.Response) -> None:
    with pytest.raises(SourceError):
        fetch_day(name, reply)


@each_row("name", SOURCES)
def test_every_source_refuses_a_wrong_token(name: str) -> None:
    with pytest.raises(SourceRefusedError, match="token"):
        fetch_day(name, httpx.Response(401))


def test_every_bidding_zone_has_a_source_without_a_token() -> None:
    open_to_all = [source for source in price_sources().values() if source.setting is None]
    assert all(any(name in source.codes for source in open_to_all) for name in BIDDING_ZONES)


def test_every_source_is_declared_under_its_own_name_with_a_setting_for_its_token() -> None:
    settings = Settings(
        _env_file=None,
        entsoe_token=SecretStr("a"),
        tibber_token=SecretStr("b"),
        esios_token=SecretStr("c"),
        ostrom_token=SecretStr("d:e"),
        amber_token=SecretStr("f"),
        octopus_token=SecretStr("g:h"),
    )
    opened = {
        source.name
        for market in list_markets().values()
        for source in choose_sources(market, market.currency, settings)
    }
    assert opened == set(price_sources()) == set(SOURCES)


@pytest.mark.parametrize("name", ["DE", "DE_LU", "DE-LU"])
def test_a_market_is_known_by_its_usual_names(name: str) -> None:
    assert market_named(name).name == "DE-LU"


def test_an_unknown_market_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"SE3.*by file"):
        market_named("MARS")
