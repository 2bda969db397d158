"""A home on a market tariff is planned before any price has come, by typical prices that are marked
as predicted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.plan import PlanOptions, PlanReply, PlanRequest
from luna.energy.economics.typical_prices import NEAREST, expect_typical, read_typical_prices
from luna.energy.outlook import Forecast, Quantiles, Scenarios
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.house.findings import find_doubted_prices
from luna.platform.clock import FixedClock
from luna.platform.database import forecast_scenarios, forecasts, plans, prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.embedded.supervisor import Addresses
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording

START = datetime(2024, 7, 1, 0, 0, tzinfo=UTC)
NAME = "offline"
SITE = {
    "name": NAME,
    "timezone": "UTC",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "tariff": {
        "import": {"kind": "spot", "market": "DE-LU", "markup": 0.1},
        "export": {"kind": "fixed", "price": 0.05},
    },
}


def store(connection: Connection) -> None:
    # Nothing is known of the market, whatever another test has stored of it.
    prices.forget_market(connection, "DE-LU")
    sites.save(connection, parse_site(SITE))
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    forecasts.upsert(
        connection, NAME, [Forecast(Timeline(START, SLOT, 192), START, DEFAULT_VERSION, load, sun)]
    )


def plan(connection: Connection, **options: Any) -> PlanReply:
    request = PlanRequest(site_id=NAME, start=START, options=PlanOptions(**options))
    return plan_and_store(request, lambda: connection, now=START, solver=Solver())


def publish(connection: Connection, first: datetime, count: int, price: float) -> None:
    grid = Timeline(first, SLOT, count)
    prices.upsert(
        connection,
        "DE-LU",
        starts=grid.starts,
        price=np.full(count, price),
        currency="EUR",
        published_at=first - timedelta(days=2),
    )


def buys_at(reply: PlanReply) -> list[float]:
    return [round(slot.import_price, 6) for slot in reply.slots]


def spans_of(reply: PlanReply) -> list[tuple[str, int, int, str, str]]:
    """Return market, first slot, end, version and origin of each stretch of prices."""
    return [
        (
            span.market,
            (span.from_ - START) // SLOT,
            (span.to - START) // SLOT,
            span.version,
            span.origin,
        )
        for span in reply.price_spans
    ]


def typical_day() -> list[float]:
    """Return the import price of a typical July day by quarter-hours: the market's price and the
    markup.
    """
    return [round(price + 0.1, 6) for price in read_typical_prices()[NEAREST][6] for _ in range(4)]


def test_without_a_single_price_the_typical_ones_of_month_and_hour_are_planned_with(
    connection: Connection,
) -> None:
    store(connection)
    reply = plan(connection)
    assert buys_at(reply) == typical_day() * 2
    assert reply.prices_known_until == START
    assert spans_of(reply) == [("DE-LU", 0, 192, "forecast", "typical")]
    note = next(each for each in reply.notes if each.code == "prices_typical")
    assert (note.assumed, note.figures) == (
        True,
        {"since": START.isoformat(), "markets": ["DE-LU"], "like": [NEAREST]},
    )
    # The battery is charged at noon, when power is typically cheapest, and what is stored keeps its
    # worth at the end.
    noon = sum(slot.batteries["battery"].charge_kwh for slot in reply.slots[40:64])
    assert noon > 1.0


def test_real_prices_replace_typical_ones_as_soon_as_they_come(connection: Connection) -> None:
    store(connection)
    publish(connection, START - timedelta(days=1), 96, 0.05)
    publish(connection, START, 96, 0.2)
    reply = plan(connection)
    # Beyond today the last day that is known goes on, as ever.
    assert buys_at(reply) == [0.3] * 192
    assert reply.prices_known_until == START + timedelta(days=1)
    assert spans_of(reply) == [
        ("DE-LU", 0, 96, "day_ahead", "published"),
        ("DE-LU", 96, 192, "forecast", "repeated"),
    ]
    assert [note.code for note in reply.notes if note.code.startswith("prices_")] == [
        "prices_carried_on"
    ]


def test_a_gap_and_the_end_of_a_few_published_hours_are_filled_with_typical_prices(
    connection: Connection,
) -> None:
    store(connection)
    publish(connection, START, 8, 0.2)
    publish(connection, START + 12 * SLOT, 8, 0.2)
    reply = plan(connection)
    day = typical_day()
    assert buys_at(reply) == [*[0.3] * 8, *day[8:12], *[0.3] * 8, *day[20:], *day]
    assert reply.prices_known_until == START + 8 * SLOT
    assert spans_of(reply) == [
        ("DE-LU", 0, 8, "day_ahead", "published"),
        ("DE-LU", 8, 12, "forecast", "typical"),
        ("DE-LU", 12, 20, "day_ahead", "published"),
        ("DE-LU", 20, 192, "forecast", "typical"),
    ]


@pytest.fixture
def stored(database: Engine) -> Iterator[str]:
    with unit_of_work(database) as connection:
        store(connection)
        plan(connection)
    yield NAME
    remove_site(database, NAME)


def test_the_page_marks_every_price_as_predicted_until_prices_come(
    stored: str, redis_url: str, database_url: str
) -> None:
    clock = FixedClock(START)
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url),
        clock=clock,
        outside_services=False,
    ) as api:
        document = read_timeline(api, stored)
    assert document["plan"]["prices_known_until"] == "2024-07-01T00:00:00Z"
    assert document["prices"]["known_slots"] == 0
    assert document["prices"]["import"][-1] == pytest.approx(typical_day()[-1], abs=1e-5)


@pytest.mark.parametrize(
    ("age", "codes"),
    [(timedelta(minutes=20), []), (timedelta(hours=3), ["prices_stale"])],
    ids=["fresh", "stale"],
)
def test_a_supplier_s_forecasts_are_named_so_and_said_to_be_old_when_they_are(
    connection: Connection, age: timedelta, codes: list[str]
) -> None:
    store(connection)
    tariff = {
        "import": {"kind": "spot", "market": "AU-AMBER"},
        "export": {"kind": "spot", "market": "AU-AMBER-FEEDIN"},
    }
    sites.save(connection, parse_site(SITE | {"currency": "AUD", "tariff": tariff}))
    grid = Timeline(START - timedelta(days=1), SLOT, 288)
    for market, price in (("AU-AMBER", 0.3), ("AU-AMBER-FEEDIN", 0.1)):
        prices.upsert(
            connection,
            market,
            starts=grid.starts,
            price=np.full(grid.count, price),
            currency="AUD",
            published_at=START - age,
        )
    reply = plan(connection)
    assert spans_of(reply) == [
        ("AU-AMBER", 0, 192, "forecast", "published"),
        ("AU-AMBER-FEEDIN", 0, 192, "forecast", "published"),
    ]
    found = [note for note in reply.notes if note.code == "prices_stale"]
    assert [note.code for note in found] == codes
    since = (START - age).isoformat()
    markets = ["AU-AMBER", "AU-AMBER-FEEDIN"]
    assert [note.figures for note in found] == [{"markets": markets, "since": since}] * len(codes)
    assert [finding.code for finding in find_doubted_prices(reply)] == [
        "prices_doubted" for _ in codes
    ]


def publish_amber(connection: Connection, *, error: float, days: int) -> None:
    """Publish what was settled on days before the start, and a forecast of two days every six
    hours that is off by ``error`` beyond its next nine hours.
    """
    week = Timeline(START - timedelta(days=days), SLOT, days * 96)
    settled = {start: 0.3 + 0.1 * np.sin(start.hour / 24 * 2 * np.pi) for start in week}
    for issue in range(0, days * 24 + 1, 6):
        issued_at = week.start + timedelta(hours=issue)
        ahead = Timeline(issued_at, SLOT, 192)
        price = [0.3 + 0.1 * np.sin(start.hour / 24 * 2 * np.pi) for start in ahead]
        prices.upsert(
            connection,
            "AU-AMBER",
            starts=ahead.starts,
            price=np.array(price) + error * (np.arange(192) >= 36),
            currency="AUD",
            published_at=issued_at,
        )
    prices.upsert(
        connection,
        "AU-AMBER",
        starts=week.starts,
        price=np.array(list(settled.values())),
        currency="AUD",
        published_at=[start + SLOT for start in week],
    )


@pytest.mark.parametrize(
    ("error", "days", "origins"),
    [
        (0.0, 5, [(0, 192, "published")]),
        # Nine hours ahead they were off: from six on the last settled day is repeated.
        (0.2, 5, [(0, 24, "published"), (24, 192, "repeated")]),
        # One day of it says nothing yet.
        (0.2, 1, [(0, 192, "published")]),
    ],
    ids=["good", "off", "off for a day"],
)
def test_a_supplier_s_forecasts_are_planned_with_where_they_were_better_than_repeated_days(
    connection: Connection, error: float, days: int, origins: list[tuple[int, int, str]]
) -> None:
    store(connection)
    tariff = {"import": {"kind": "spot", "market": "AU-AMBER"}}
    sites.save(connection, parse_site(SITE | {"currency": "AUD", "tariff": tariff}))
    publish_amber(connection, error=error, days=days)
    reply = plan(connection)
    assert [(first, end, origin) for _, first, end, _, origin in spans_of(reply)] == origins
    notes = [note for note in reply.notes if note.code == "prices_outdone"]
    repeated = origins[1:]
    assert [note.figures["hours"] for note in notes] == [6 for _ in repeated]
    real = [0.3 + 0.1 * np.sin(slot.start.hour / 24 * 2 * np.pi) for slot in reply.slots]
    off = [slot.import_price - price for slot, price in zip(reply.slots, real, strict=True)]
    # In the first hours both were right.
    assert not [note for note in reply.notes if note.code == "prices_proven"]
    # Repeated days are right, forecasts that count are not.
    least = 0.0 if repeated or not error else error
    assert max(off) == pytest.approx(least, abs=1e-6)


def publish_changing_amber(connection: Connection, *, days: int = 6) -> None:
    """Publish settled days that alternate, and forecasts that are 0.05 too high."""
    grid = Timeline(START - timedelta(days=days), SLOT, (days + 2) * 96)
    price = np.where(np.arange(grid.count) // 96 % 2 == 0, 0.2, 0.4)
    forecast = (grid.starts - np.timedelta64(2, "D"), price + 0.05)
    settled = (grid.starts[: days * 96] + np.timedelta64(SLOT), price)
    for published_at, of_issue in (forecast, settled):
        count = published_at.size
        prices.upsert(
            connection,
            "AU-AMBER",
            starts=grid.starts[:count],
            price=of_issue[:count],
            currency="AUD",
            published_at=published_at,
        )


def test_a_plan_over_scenarios_weighs_proven_forecasts_and_luna_s_own_prices(
    connection: Connection,
) -> None:
    store(connection)
    tariff = {"import": {"kind": "spot", "market": "AU-AMBER"}}
    sites.save(connection, parse_site(SITE | {"currency": "AUD", "tariff": tariff}))
    publish_changing_amber(connection)
    point = plan(connection)
    weighed = plan(connection, uncertainty="scenarios")
    (note,) = [note for note in weighed.notes if note.code == "prices_proven"]
    # A repeated day is off by 0.2; a typical one, in between, by less.
    own_error = note.figures["own_error"]
    assert note.figures == {
        "markets": ["AU-AMBER"],
        "hours": 12,
        "source_error": 0.05,
        "own_error": own_error,
        "own": "typical",
    }
    assert 0.05 < own_error < 0.2
    # Two days ahead the repeated day is right again: Luna's own prices are planned with.
    assert buys_at(weighed) == buys_at(point) == [0.25] * 96 + [0.4] * 96
    assert weighed.uncertainty is not None
    assert weighed.uncertainty.scenarios == 2
    outlook = plans.load_inputs(connection, weighed.plan_id).outlook
    assert outlook is not None
    assert outlook.scenarios is not None
    # As probable as its errors are small, by their squares.
    probability = 0.05**2 / (0.05**2 + own_error**2)
    assert outlook.scenarios.probability == pytest.approx([probability], rel=1e-4)
    today = Timeline(START, SLOT, 96)
    typical = expect_typical("AU-AMBER", today, zone=ZoneInfo("UTC"), currency="AUD")
    assert typical is not None
    assert outlook.scenarios.import_change is not None
    assert outlook.scenarios.import_change[0, :96] == pytest.approx(typical.price - 0.25)
    assert outlook.scenarios.import_change[0, 96:] == pytest.approx(0.0)


def test_hours_without_published_prices_have_the_prices_of_the_forecaster_s_scenarios(
    connection: Connection,
) -> None:
    store(connection)
    publish(connection, START - timedelta(days=1), 192, 0.2)
    slots = 192
    day = np.full((2, slots), 0.2)
    # Tomorrow's evening may be dear, today's prices are published, whatever a scenario says.
    day[1] = 0.9
    paths = Scenarios(
        Timeline(START, SLOT, slots),
        START,
        DEFAULT_VERSION,
        np.array([0.5, 0.5]),
        np.full((2, slots), 0.1),
        np.zeros((2, slots)),
        {"DE-LU": day},
    )
    forecast_scenarios.save(connection, NAME, paths)
    reply = plan(connection, uncertainty="scenarios")
    assert reply.uncertainty is not None
    assert (reply.uncertainty.scenarios, reply.uncertainty.left_out) == (3, 0)
    outlook = plans.load_inputs(connection, reply.plan_id).outlook
    assert outlook is not None
    assert outlook.scenarios is not None
    change = outlook.scenarios.import_change
    assert change is not None
    assert change[:, :96] == pytest.approx(0.0)
    assert change[0, 96:] == pytest.approx(0.0)
    assert change[1, 96:] == pytest.approx(0.7)
    assert outlook.scenarios.export_change == pytest.approx(np.zeros((2, slots)))


def test_a_plan_says_over_http_and_on_the_page_whose_prices_it_uses_until_when(
    database: Engine, redis_url: str, database_url: str
) -> None:
    with unit_of_work(database) as connection:
        store(connection)
        publish(connection, START - timedelta(days=1), 192, 0.2)
        plan_id = plan(connection).plan_id
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    try:
        with serve(addresses, clock=FixedClock(START), outside_services=False) as api:
            document = api.get(f"/v1/plans/{plan_id}").json()
            pages = {
                language: unescape(
                    api.get(
                        f"/ui/sites/{NAME}/planning", headers={"Accept-Language": language}
                    ).text
                )
                for language in ("en", "de", "nl")
            }
    finally:
        remove_site(database, NAME)
        with unit_of_work(database) as connection:
            prices.forget_market(connection, "DE-LU")
    published = {"version": "day_ahead", "origin": "published"}
    repeated = {"version": "forecast", "origin": "repeated"}
    midnights = ["2024-07-01T00:00:00Z", "2024-07-02T00:00:00Z", "2024-07-03T00:00:00Z"]
    assert document["price_spans"] == [
        {"market": "DE-LU", "from": midnights[0], "to": midnights[1]} | published,
        {"market": "DE-LU", "from": midnights[1], "to": midnights[2]} | repeated,
    ]
    until = {"en": "tomorrow 00:00", "de": "morgen 00:00", "nl": "morgen 00:00"}
    for language, page in pages.items():
        assert wording("price_versions", "market_until", language, t=until[language]) in page


def read_timeline(api: httpx.Client, site: str) -> dict[str, Any]:
    answer = api.get(f"/v1/sites/{site}/timeline", params={"day": "2024-07-01"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
