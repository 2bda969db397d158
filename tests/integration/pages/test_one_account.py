"""Every page, answer and entity tells the energy and money of a day as the account does, at four
times of a day and in two languages.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.account import AccountReply
from luna.contracts.site_tools import ToolCallRequest
from luna.energy.site import Site
from luna.energy.timeline import local_midnight, parse_zone
from luna.house.reading import read_house, read_planned
from luna.house.site_present import read_present
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words.language import Language
from services.home_assistant.entities import list_entities, numbers_of
from services.rag.tools.registry import call_tool
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import NOW, store_demo_home
from tests.support.suite.depth import LONG
from tests.support.words.wording import wording

NAME = "counted"
DAY = timedelta(days=1)
ZONE = parse_zone("Europe/Amsterdam")
MIDNIGHT = local_midnight(NOW.astimezone(ZONE).date(), ZONE)
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
    store_demo_home(database, name=NAME)
    with serve(Addresses(database_url=database_url, redis_url=redis_url), clock) as client:
        yield client
    remove_site(database, NAME)


def read_account(api: httpx.Client, **query: Any) -> AccountReply:
    answer = api.get(f"/v1/sites/{NAME}/account", params=query)
    assert answer.status_code == 200, answer.text
    return AccountReply.model_validate(answer.json())


def read_page(api: httpx.Client, page: str, language: Language) -> str:
    answer = api.get(f"/ui/sites/{NAME}/{page}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\u00a0", " ").split()
    )


def ask_consumption(connection: Connection, day: str, now: datetime) -> dict[str, Any]:
    arguments = {"first_day": day, "cost": True}
    request = ToolCallRequest.model_validate(
        {"tool": "consumption", "arguments": arguments, "site_id": NAME, "language": "en"}
    )
    return {figure.name: figure.value for figure in call_tool(connection, request, now=now).figures}


@pytest.mark.parametrize("now", TIMES, ids=lambda now: f"{now.astimezone(ZONE):%H:%M}")
def test_every_place_tells_the_account_s_figures(
    api: httpx.Client, clock: DayClock, database: Engine, now: datetime
) -> None:
    clock.at = now
    today = now.astimezone(ZONE).date()
    day = read_account(api, period="day")
    before = read_account(api, period="day", day=str(today - DAY))
    cost = day.totals.energy_cost
    cost_before = before.totals.energy_cost
    assert cost is not None
    assert cost_before is not None
    with unit_of_work(database) as connection:
        site: Site = sites.load(connection, NAME)
        house = read_house(
            connection, site, read_planned(connection, site, now=now), plan_max_age=None, now=now
        )
        answered = ask_consumption(connection, str(today), now)
        present = read_present(connection, site, now=now)
    # In a short run languages take turns.
    for language in LANGUAGES if LONG else LANGUAGES[TIMES.index(now) % len(LANGUAGES) :][:1]:
        numbers = numbers_of(house, language)
        said = numbers.money(cost).replace("\u00a0", " ")
        said_before = numbers.money(cost_before).replace("\u00a0", " ")
        home = read_page(api, "home", language)
        assert f"{wording('home', 'fact_paid', language)} {said}" in home
        assert wording("home", "fact_paid_note_yesterday", language, x=said_before) in home
        # The day before, the home earned more than it paid.
        earned = numbers.money(-cost_before).replace("\u00a0", " ")
        assert wording("savings", "earned", language, gain=earned) in read_page(
            api, "savings", language
        )
        energy = read_page(api, f"energy?period=day&day={today}", language)
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
                "tool": "consumption",
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
