"""Every page, answer and entity tells the energy and money of a day as the account does, at four
times of a day and in two languages.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.account import AccountReply
from luna.contracts.plan import SlotReply
from luna.contracts.site_tools import ToolCallRequest
from luna.contracts.variant import WhatIfRequest
from luna.energy.economics.prices import price_slots
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, local_midnight, parse_zone
from luna.house.now import PlannedHouse
from luna.house.now_reader import read_house, read_planned
from luna.house.site_present import read_present
from luna.house.what_if_questions import open_question
from luna.platform.database import observations, prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words.language import Language
from luna.words.numbers import Numbers
from services.home_assistant.entities import list_entities, numbers_of
from services.planner.service.variant import replay_variant
from services.rag.tools.registry import call_tool
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import HOME, NOW, store_demo_home
from tests.support.suite.depth import LONG
from tests.support.words.wording import wording

NAME = "counted"
# The same home whose car pays 7 ct more for each kWh, and the house 3 ct beyond 2 kWh of each day.
PRICED = "counted_car"
CAR_PRICE = 0.07
CAR_TARIFF = {"name": "car tariff", "devices": "vehicles", "price": CAR_PRICE}
WITHIN_KWH = 2.0
BEYOND_PRICE = 0.03
HOUSE_TARIFF = {
    "kind": "components",
    "components": [
        {"name": "energy", "kind": "spot", "market": "NL"},
        {"name": "fee", "kind": "fixed", "price": 0.1},
        {
            "name": "day",
            "kind": "allowance",
            "kwh_per_day": WITHIN_KWH,
            "price": 0.0,
            "price_beyond": BEYOND_PRICE,
        },
    ],
}
DAY = timedelta(days=1)
ZONE = parse_zone("Europe/Amsterdam")
MIDNIGHT = local_midnight(NOW.astimezone(ZONE).date(), ZONE)
# An hour of the evening before and one of the night, in each of which the car draws 1 kWh.
CHARGED = (MIDNIGHT - timedelta(hours=4), MIDNIGHT + timedelta(hours=3))
TIMES = (
    MIDNIGHT + timedelta(minutes=40),
    MIDNIGHT + timedelta(hours=7, minutes=5),
    MIDNIGHT + timedelta(hours=13),
    NOW,
)
LANGUAGES: tuple[Language, ...] = ("en", "de")


@dataclass
class DayClock:
    """A clock that the test sets."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def clock() -> DayClock:
    return DayClock(NOW)


@pytest.fixture(scope="module")
def api(
    database: Engine, database_url: str, redis_url: str, clock: DayClock
) -> Iterator[httpx.Client]:
    store_demo_home(database, name=NAME, vehicles=[], loads=[])
    tariff = HOME["tariff"] | {"import": HOUSE_TARIFF, "devices": [CAR_TARIFF]}
    store_demo_home(database, name=PRICED, loads=[], tariff=tariff)
    with unit_of_work(database) as connection:
        for charged_at in CHARGED:
            hour = Timeline(charged_at, SLOT, 4)
            drawn = {"vehicle_kwh": np.full(4, 0.25)}
            observations.write(connection, PRICED, hour.starts, drawn)
    with serve(Addresses(database_url=database_url, redis_url=redis_url), clock) as client:
        yield client
    remove_site(database, NAME)
    remove_site(database, PRICED)


def read_account(api: httpx.Client, site_id: str = NAME, **query: Any) -> AccountReply:
    answer = api.get(f"/v1/sites/{site_id}/account", params=query)
    assert answer.status_code == 200, answer.text
    return AccountReply.model_validate(answer.json())


def read_page(api: httpx.Client, page: str, language: Language, *, site_id: str = NAME) -> str:
    answer = api.get(f"/ui/sites/{site_id}/{page}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\u00a0", " ").split()
    )


def ask_consumption(
    connection: Connection, day: str, now: datetime, *, site_id: str = NAME
) -> dict[str, Any]:
    arguments = {"first_day": day, "cost": True}
    request = ToolCallRequest.model_validate(
        {"tool": "energy_query", "arguments": arguments, "site_id": site_id, "language": "en"}
    )
    return {figure.name: figure.value for figure in call_tool(connection, request, now=now).figures}


@pytest.mark.parametrize(
    ("site_id", "now"),
    [
        pytest.param(NAME, TIMES[0], id="00:40"),
        pytest.param(NAME, TIMES[1], id="07:05", marks=pytest.mark.long),
        pytest.param(NAME, TIMES[2], id="13:00", marks=pytest.mark.long),
        pytest.param(NAME, NOW, id="16:40"),
        pytest.param(PRICED, NOW, id="a price of the car"),
    ],
)
def test_every_place_tells_the_account_s_figures(
    api: httpx.Client, clock: DayClock, database: Engine, site_id: str, now: datetime
) -> None:
    clock.at = now
    today = now.astimezone(ZONE).date()
    day = read_account(api, site_id, period="day")
    before = read_account(api, site_id, period="day", day=str(today - DAY))
    cost = day.totals.energy_cost
    cost_before = before.totals.energy_cost
    assert cost is not None
    assert cost_before is not None
    with unit_of_work(database) as connection:
        site: Site = sites.load(connection, site_id)
        house = read_house(
            connection, site, read_planned(connection, site, now=now), plan_max_age=None, now=now
        )
        answered = ask_consumption(connection, str(today), now, site_id=site_id)
        present = read_present(connection, site, now=now)
    # In a short run languages take turns.
    for language in LANGUAGES if LONG else LANGUAGES[TIMES.index(now) % len(LANGUAGES) :][:1]:
        numbers = numbers_of(house, language)
        said = numbers.money(cost).replace("\u00a0", " ")
        said_before = numbers.money(cost_before).replace("\u00a0", " ")
        home = read_page(api, "home", language, site_id=site_id)
        assert f"{wording('home', 'fact_paid', language)} {said}" in home
        assert wording("home", "fact_paid_note_yesterday", language, x=said_before) in home
        # The day before, the home earned more than it paid.
        earned = numbers.money(-cost_before).replace("\u00a0", " ")
        assert wording("savings", "earned", language, gain=earned) in read_page(
            api, "savings", language, site_id=site_id
        )
        address = f"energy?period=day&day={today}"
        energy = read_page(api, address, language, site_id=site_id)
        assert said in energy
        entities = {
            entity.key: entity.state(house, numbers)
            for entity in list_entities(house, numbers, commands=False)
            if entity.state
        }
        assert entities["paid_today"] == pytest.approx(cost, abs=0.01)
        assert entities["paid_yesterday"] == pytest.approx(cost_before, abs=0.01)
    assert answered["net_cost"] == pytest.approx(cost)
    assert answered["import_kwh"] == pytest.approx(day.totals.import_kwh)
    assert answered["consumption_kwh"] == pytest.approx(day.totals.consumption_kwh)
    assert answered["self_sufficiency"] == pytest.approx(day.totals.self_sufficiency)
    assert present.cost_today == pytest.approx(cost)


def test_a_price_of_the_car_is_part_of_what_was_paid_and_of_what_is_expected(
    api: httpx.Client, clock: DayClock, database: Engine
) -> None:
    clock.at = NOW
    today = NOW.astimezone(ZONE).date()
    week = read_account(api, PRICED, period="week")
    (line,) = [line for line in week.lines if line.code == "device"]
    (car,) = [flow for flow in week.uses if flow.name == "vehicle"]
    assert car.energy_kwh >= 2.0
    assert line.energy_kwh == pytest.approx(car.energy_kwh)
    assert line.cost == pytest.approx(car.energy_kwh * CAR_PRICE)
    yesterday = today - DAY
    before = read_account(api, PRICED, period="day", day=str(yesterday))
    question = WhatIfRequest.model_validate(
        {
            "site_id": PRICED,
            "from_day": yesterday,
            "to_day": yesterday,
            "policy": "self_consumption",
            "variants": [{"name": "v", "site": {"batteries": {"battery": {"capacity_kwh": 5}}}}],
        }
    )
    with unit_of_work(database) as connection:
        replays = open_question(connection, question, now=NOW)
        for replay in replays:
            replay_variant(connection, replay)
        site = sites.load(connection, PRICED)
        planned = read_planned(connection, site, now=NOW)
    numbers = Numbers("en", ZONE, site.currency)
    assert before.totals.energy_cost is not None
    said = numbers.money(before.totals.energy_cost).replace("\u00a0", " ")
    page = read_page(api, f"what-ifs/{replays[0].what_if_id}", "en", site_id=PRICED)
    assert f"your energy cost was {said}" in page
    check_expected(api, database, planned)


def check_expected(api: httpx.Client, database: Engine, planned: PlannedHouse) -> None:
    """Check that the costs of tomorrow and of the next 24 hours are what a clerk counts."""
    plan = planned.plan
    assert plan is not None
    assert planned.cost_tomorrow is not None
    with unit_of_work(database) as connection:
        site = sites.load(connection, PRICED)
        hours = Timeline(plan.slots[0].start, SLOT, 96 * 2)
        spot = prices.read_tariff(connection, site, hours)
    import_price, _ = price_slots(site.tariff, hours, zone=ZONE, spot=spot)
    first_price = dict(zip(hours, import_price.tolist(), strict=True))
    # Tomorrow is planned alone: the house's price of its energy, and 7 ct for each kWh of the car.
    tomorrow = planned.tomorrow.timeline
    slots = [slot for slot in plan.slots if tomorrow.start <= slot.start < tomorrow.end]
    car_kwh = sum(slot.vehicles["car"].charge_kwh for slot in slots)
    assert car_kwh > 0
    house_cost = count_house(slots, first_price, 0.0)
    assert planned.cost_tomorrow.value == pytest.approx(house_cost + car_kwh * CAR_PRICE)
    # The next 24 hours hold the same energy of the car with Luna and without.
    day = read_account(api, PRICED, period="day")
    assert day.totals.import_kwh is not None
    timeline = api.get(f"/v1/sites/{PRICED}/timeline").json()
    next_day = timeline["ghosts"]["without_luna"]["next_day"]
    ahead = plan.slots[:96]
    rest = [slot for slot in ahead if slot.start < tomorrow.start]
    cost = count_house(rest, first_price, day.totals.import_kwh)
    cost += count_house(ahead[len(rest) :], first_price, 0.0)
    car_ahead_kwh = sum(slot.vehicles["car"].charge_kwh for slot in ahead)
    assert next_day["cost"] == pytest.approx(cost + car_ahead_kwh * CAR_PRICE, abs=0.01)
    # Nobody can bill what no meter counts: then the bill and the day leave the car's price out.
    with database.connect() as connection:
        unmetered = site.model_copy(update={"input_sensors": type(site.input_sensors)()})
        sites.save(connection, unmetered)
        around = Timeline(MIDNIGHT - 2 * DAY, SLOT, 96 * 3)
        drawn = observations.read_series(connection, PRICED, around, ("vehicle_kwh",))
        drawn_kwh = np.nan_to_num(drawn["vehicle_kwh"])
        observations.withdraw(
            connection, PRICED, "vehicle_kwh", starts=around.starts, values=drawn_kwh
        )
        alone = read_planned(connection, unmetered, now=NOW)
    assert alone.cost_tomorrow is not None
    assert alone.cost_tomorrow.value == pytest.approx(house_cost)


def count_house(
    slots: Sequence[SlotReply], first_price: Mapping[datetime, float], drawn_kwh: float
) -> float:
    """Count what planned slots of a day cost by the house's tariff, as a clerk does."""
    cost = 0.0
    for slot in slots:
        beyond_kwh = max(drawn_kwh + slot.import_kwh - max(drawn_kwh, WITHIN_KWH), 0.0)
        drawn_kwh += slot.import_kwh
        cost += slot.import_kwh * first_price[slot.start] - slot.export_kwh * slot.export_price
        cost += beyond_kwh * BEYOND_PRICE
    return cost


def test_sources_equal_uses_in_every_period_and_days_add_up_to_weeks(
    api: httpx.Client, clock: DayClock
) -> None:
    clock.at = NOW
    today = NOW.astimezone(ZONE).date()
    for period in ("day", "week", "month", "year"):
        account = read_account(api, period=period)
        supplied = sum(flow.energy_kwh for flow in account.sources)
        used = sum(flow.energy_kwh for flow in account.uses) + account.unexplained_kwh
        assert supplied == pytest.approx(used, abs=0.0005), period
        assert sum(line.cost for line in account.lines) == pytest.approx(account.totals.energy_cost)
        assert sum(part.cost or 0.0 for part in account.parts) == pytest.approx(
            account.totals.energy_cost
        )
    week = read_account(api, period="week")
    days = [
        read_account(api, period="day", day=str(today - number * DAY))
        for number in range(today.weekday() + 1)
    ]
    assert sum(day.totals.energy_cost or 0.0 for day in days) == pytest.approx(
        week.totals.energy_cost
    )
    assert sum(day.totals.import_kwh or 0.0 for day in days) == pytest.approx(
        week.totals.import_kwh
    )


def test_a_period_that_has_not_begun_is_refused_and_one_without_records_is_empty(
    api: httpx.Client, clock: DayClock
) -> None:
    clock.at = NOW
    ahead = api.get(f"/v1/sites/{NAME}/account", params={"period": "day", "day": "2030-01-01"})
    assert ahead.status_code == 422
    assert (
        ahead.json()["errors"][0]["code"] == "account-ahead"
        if "errors" in ahead.json()
        else ahead.json()
    )
    empty = read_account(api, period="month", day="2020-05-01")
    assert (empty.sources, empty.uses, empty.totals.cost, empty.totals.known) == ([], [], None, 0.0)
    assert empty.previous is None


def test_in_the_first_quarter_hour_of_a_day_nothing_of_it_is_known_yet(
    api: httpx.Client, clock: DayClock, database: Engine
) -> None:
    clock.at = MIDNIGHT + timedelta(minutes=5)
    today = clock.at.astimezone(ZONE).date()
    with unit_of_work(database) as connection:
        site = sites.load(connection, NAME)
        assert read_present(connection, site, now=clock.at).cost_today is None
        request = ToolCallRequest.model_validate(
            {
                "tool": "energy_query",
                "arguments": {"first_day": str(today + DAY)},
                "site_id": NAME,
                "language": "en",
            }
        )
        assert not call_tool(connection, request, now=clock.at).found
        ask_consumption(connection, str(today), clock.at)
        planned = read_planned(connection, site, now=clock.at)
    assert planned.paid_today is None
    assert planned.paid_yesterday is not None
    assert "€" in read_page(api, "home", "en")
    assert read_page(api, "savings", "en")
