"""What each price service says, and what it comes to.

Shapes as the services document them; 29 March 2026 has 23 hours, 25 October 25.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from luna.energy.errors import NotFoundError
from luna.energy.timeline import Timeline, local_day
from luna.platform.settings import Settings
from services.ingest.sources.prices.amber import Amber
from services.ingest.sources.prices.awattar import Awattar
from services.ingest.sources.prices.declaration import BIDDING_ZONES
from services.ingest.sources.prices.energy_charts import EnergyCharts
from services.ingest.sources.prices.entsoe import EntsoE
from services.ingest.sources.prices.nord_pool import NordPool
from services.ingest.sources.prices.publication import DeliveryWindow, on_quarter_hours
from services.ingest.sources.prices.registry import (
    choose_sources,
    list_markets,
    market_named,
    price_sources,
)
from services.ingest.sources.prices.tibber import Tibber
from services.ingest.sources.source import PriceSheet, PriceSource, SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import REPLIES, Service, document, recorded
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 28, 23, tzinfo=UTC)
END = datetime(2026, 3, 29, 22, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def web(service: Service) -> Web:
    return Web("service", service, sleep=service.wait)


def rows(sheets: list[PriceSheet]) -> list[tuple[str, float]]:
    return [
        (str(start)[11:16], round(float(price), 6))
        for sheet in sheets
        for start, price in zip(sheet.starts, sheet.price, strict=True)
    ]


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


def test_years_are_asked_for_in_halves_in_utc() -> None:
    windows = list(
        DeliveryWindow("NL", START.astimezone(BERLIN), START + timedelta(days=400)).split()
    )
    # 180 days each, the last one the remaining 40; each begins where the one before ended.
    assert [(window.end - window.first).days for window in windows] == [180, 180, 40]
    assert [window.first for window in windows[1:]] == [window.end for window in windows[:-1]]
    assert windows[0].first.tzinfo is UTC


@pytest.mark.parametrize(
    "make",
    [EnergyCharts, Awattar, lambda way: EntsoE(way, "token")],
    ids=["energy_charts", "awattar", "entsoe"],
)
def test_a_long_window_takes_several_requests(make: Callable[[Web], PriceSource]) -> None:
    service = Service(lambda request: NOTHING[request.url.host])
    assert make(web(service)).fetch("DE-LU", START, START + timedelta(days=400)) == []
    assert len(service.asked) == 3


NOTHING = {
    "api.energy-charts.info": httpx.Response(404),
    "api.awattar.de": document({"data": []}),
    "web-api.tp.entsoe.eu": recorded("entsoe_nothing.xml"),
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


SOURCES: dict[str, Callable[[Web], PriceSource]] = {
    "entsoe": lambda way: EntsoE(way, "token"),
    "energy_charts": EnergyCharts,
    "nord_pool": NordPool,
    "awattar": Awattar,
    "tibber": lambda way: Tibber(way, "token"),
    "amber": lambda way: Amber(way, "token"),
}


def fetch_day(name: str, reply: httpx.Response) -> list[PriceSheet]:
    """Ask a source for a day of one of its markets."""
    market = next(iter(price_sources()[name].codes))
    return SOURCES[name](web(Service(reply))).fetch(market, START, END)


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
def test_every_source_says_that_it_is_away(name: str, reply: httpx.Response) -> None:
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
        amber_token=SecretStr("c"),
    )
    opened = {
        source.name
        for name in list_markets()
        for currency in ("EUR", "AUD")
        for source in choose_sources(market_named(name), currency, settings)
    }
    assert opened == set(price_sources()) == set(SOURCES)


@pytest.mark.parametrize("name", ["DE", "DE_LU", "DE-LU"])
def test_a_market_is_known_by_its_usual_names(name: str) -> None:
    assert market_named(name).name == "DE-LU"


def test_an_unknown_market_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"SE3.*by file"):
        market_named("MARS")
