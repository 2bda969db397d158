"""An operator's limit as its owner sees it: on Home, on Schedule, as CSV and JSON, and in Home
Assistant.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Connection, Engine

from luna.energy.timeline import SLOT
from luna.house.now_reader import read_house, read_planned
from luna.platform.clock import FixedClock
from luna.platform.database import control, operator_limits, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.home_assistant.discovery import describe_site
from tests.support.control.dimmed_evening import (
    ALLOWED_KW,
    BEGIN,
    END,
    EVENING,
    HOME,
    LESS_KWH,
    demand_limit,
    follow_limit,
    plan_charging,
)
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import plain, wording

NAME = "limited"
# Half an hour into the limit.
NOW = EVENING + 2 * SLOT
PAGES = f"/ui/sites/{NAME}"
HOLDS = {
    "en": "The grid operator limits your battery and your car to 4.2 kW until 18:30.",
    "de": "Der Netzbetreiber begrenzt deine Batterie und dein Auto bis 18:30 auf 4,2 kW.",
    "nl": "De netbeheerder begrenst je batterij en je auto tot 18:30 op 4,2 kW.",
}


@pytest.fixture(scope="module")
def addresses(database_url: str, redis_url: str) -> Addresses:
    return Addresses(database_url=database_url, redis_url=redis_url)


@pytest.fixture(scope="module")
def api(addresses: Addresses) -> Iterator[httpx.Client]:
    with serve(addresses, FixedClock(NOW)) as client:
        yield client


@pytest.fixture(scope="module")
def later(addresses: Addresses) -> Iterator[httpx.Client]:
    """The gateway when the limit is over."""
    with serve(addresses, FixedClock(END + SLOT)) as client:
        yield client


@pytest.fixture
def site(database: Engine) -> Iterator[str]:
    with stored_site(database, name=NAME, **HOME) as site:
        with unit_of_work(database) as connection:
            plan_charging(connection, NAME)
        yield site.name


@pytest.fixture
def dimmed(database: Engine, site: str) -> str:
    with unit_of_work(database) as connection:
        demand_limit(connection, site)
        follow_limit(connection, site)
    return site


def read(api: httpx.Client, page: str, language: str = "en") -> str:
    answer = api.get(f"{PAGES}/{page}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return " ".join(plain(unescape(re.sub(r"<[^>]+>", " ", answer.text))).split())


@pytest.mark.usefixtures("dimmed")
def test_home_says_in_one_line_what_the_operator_limits_and_until_when(api: httpx.Client) -> None:
    for language, sentence in HOLDS.items():
        assert sentence in read(api, "home", language)
    unkept = wording("home", "notice_limit_unkept")
    assert f"Since 16:35, through the operator's relay. {unkept}" in read(api, "home")


def test_home_says_nothing_of_control_while_it_is_on(
    api: httpx.Client, database: Engine, dimmed: str
) -> None:
    with unit_of_work(database) as connection:
        control.arm(connection, dimmed, at=EVENING, by="owner")
    page = read(api, "home")
    assert HOLDS["en"] in page
    assert wording("home", "notice_limit_unkept") not in page


@pytest.mark.usefixtures("dimmed")
def test_home_says_nothing_of_a_limit_that_is_over(later: httpx.Client) -> None:
    assert "grid operator limits" not in read(later, "home")


@pytest.mark.usefixtures("site")
def test_a_home_that_was_never_limited_has_no_list_of_limits(api: httpx.Client) -> None:
    assert wording("planning", "limits_title") not in read(api, "planning")


def test_a_limit_that_was_withdrawn_before_it_began_is_not_listed(
    api: httpx.Client, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        ahead = demand_limit(connection, site, start=END - SLOT)
        operator_limits.release(connection, site, ahead.limit_id, now=NOW)
    assert wording("planning", "limits_title") not in read(api, "planning")
    assert csv_rows(api) == []


@pytest.mark.usefixtures("dimmed")
def test_schedule_lists_start_source_limit_and_what_was_done(
    api: httpx.Client, later: httpx.Client
) -> None:
    running = read(api, "planning")
    assert wording("planning", "limits_hold") in running
    over = read(later, "planning")
    assert wording("planning", "limits_hold") not in over
    for text in (
        "4.2 kW for your battery and your car",
        "15 Jan 2026, 16:35 – 18:30 · through the operator's relay",
        "At most 4.6 kW came from the grid. Car: 4.2 kW instead of 11.0 kW.",
        "6.2 kWh less than planned.",
    ):
        assert text in over
    assert "4,2 kW statt 11,0 kW" in read(later, "planning", "de")
    assert "4,2 kW in plaats van 11,0 kW" in read(later, "planning", "nl")


def test_schedule_shows_the_latest_limits_and_says_how_many_there_are(
    api: httpx.Client, database: Engine, site: str
) -> None:
    with unit_of_work(database) as connection:
        for kw in range(12):
            demand_limit(connection, site, limit_id=f"limit-{kw}", import_kw=kw + 0.5)
    page = read(api, "planning")
    assert wording("planning", "limits_more", shown=10, count=12) in page
    assert len(csv_rows(api)) == 12


def csv_rows(api: httpx.Client) -> list[dict[str, str]]:
    answer = api.get(f"{PAGES}/planning/limits.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert 'filename="luna-limits-2026-01-15.csv"' in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.usefixtures("dimmed")
def test_the_csv_has_instants_with_offset_and_what_was_done(later: httpx.Client) -> None:
    (row,) = csv_rows(later)
    assert row == {
        "start": "2026-01-15T16:35:00+01:00",
        "end": "2026-01-15T18:30:00+01:00",
        "import_kw": "4.2",
        "export_kw": "",
        "scope": "devices",
        "source": "contact",
        "acknowledged_at": "",
        "highest_import_kw": "4.6",
        "highest_export_kw": "",
        "less_kwh": str(round(LESS_KWH, 3)),
        "devices": "car 11 > 4.2 kW",
    }


@pytest.mark.usefixtures("dimmed")
def test_the_json_has_what_was_done_before_it_is_stored(later: httpx.Client) -> None:
    answer = later.get(f"/v1/sites/{NAME}/limits", params={"history": True})
    (limit,) = answer.json()["limits"]
    assert limit["source"] == "contact"
    assert limit["summary"]["highest_import_kw"] == 4.6
    assert limit["summary"]["devices"][0]["allowed_kw"] == ALLOWED_KW


def test_a_stranger_reads_no_limits_and_a_foreign_site_has_none(
    api: httpx.Client, dimmed: str
) -> None:
    stranger = httpx.get(f"{api.base_url}{PAGES}/planning/limits.csv")
    assert stranger.status_code in (303, 401)
    assert dimmed not in stranger.text
    assert api.get("/ui/sites/nowhere/planning/limits.csv").status_code == 404


def entities(connection: Connection) -> dict[str, str]:
    site = sites.load(connection, NAME)
    planned = read_planned(connection, site, now=NOW)
    view = read_house(connection, site, planned, plan_max_age=None, now=NOW)
    return describe_site(view, language="en", prefix="homeassistant", commands=False)


def test_home_assistant_has_the_limit_and_its_power(database: Engine, site: str) -> None:
    with unit_of_work(database) as connection:
        before = json.loads(entities(connection)["luna/limited/state"])
        demand_limit(connection, site)
        messages = entities(connection)
    state = json.loads(messages["luna/limited/state"])
    assert (before["operator_limit"], before["operator_limit_power"]) == ("OFF", None)
    assert (state["operator_limit"], state["operator_limit_power"]) == ("ON", ALLOWED_KW)
    details = json.loads(messages["luna/limited/operator_limit/attributes"])
    assert details["sources"] == ["contact"]
    assert [plain(sentence) for sentence in details["sentences"]] == [HOLDS["en"]]
    assert details["since"] == BEGIN.isoformat()
    assert details["until"] == {"devices": END.isoformat()}
    discovery = "homeassistant/{}/luna_limited/{}/config"
    switch = json.loads(messages[discovery.format("binary_sensor", "operator_limit")])
    power = json.loads(messages[discovery.format("sensor", "operator_limit_power")])
    assert switch["unique_id"] == "luna_limited_operator_limit"
    assert (power["unit_of_measurement"], power["device_class"]) == ("kW", "power")
