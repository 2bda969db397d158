"""Proposed departures over HTTP: on the page Planning and through the interface."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.recommendations import Recommendation, RefreshRecommendationsRequest
from luna.platform.clock import SystemClock
from luna.platform.database import charging_sessions
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words.pages import page_words
from services.api.pages.layout import templates
from services.rag.recommending.stock import refresh
from tests.support.documents.recommended_items import choose, clean
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import forget_furnished
from tests.support.planning.departures import BERLIN, record_departures
from tests.support.words.wording import wording, wording_pattern

SITE = "driven"
PAGE = f"/ui/sites/{SITE}/planning"
PATH = f"/v1/sites/{SITE}/departures"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def leave_on_saturdays(day: date) -> float | None:
    # A Saturday: whatever day it is, few of the weeks before have a public holiday on it.
    return 9.5 if day.weekday() == 5 else None


@pytest.fixture
def driven(database: Engine) -> Iterator[None]:
    today = SystemClock().now().astimezone(BERLIN).date()
    days = [today - timedelta(days=number) for number in range(77, 0, -1)]
    with unit_of_work(database) as connection:
        record_departures(connection, leave_on_saturdays, days, name=SITE)
    with clean(database):
        yield
    with unit_of_work(database) as connection:
        forget_furnished(connection, SITE)


def read(api: httpx.Client, language: str = "en") -> str:
    answer = api.get(PAGE, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    text = unescape(re.sub(r"<[^>]+>", " ", answer.text))
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ").replace("\u202f", " "))


def read_home(api: httpx.Client, language: str = "en") -> str:
    answer = api.get(f"/ui/sites/{SITE}/home", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def find_proposal(api: httpx.Client) -> dict[str, Any]:
    (proposal,) = api.get(PATH).json()["departures"]
    return dict(proposal)


def recommend(database: Engine, *, anew: bool = True) -> list[Recommendation]:
    """Return what is recommended for the site, if asked after looking at it anew."""
    if anew:
        request = RefreshRecommendationsRequest(site_id=SITE)
        refresh(database, request, embedder=None, now=SystemClock().now())
    with unit_of_work(database) as connection:
        shown: list[Recommendation] = choose(connection, site_id=SITE, kind="tip", k=20)
    return [tip for tip in shown if tip.departure_id is not None]


def render_tip(tip: Recommendation) -> str:
    page = templates().get_template("knowledge_tip.html.j2")
    words = page_words("knowledge", "en")
    site = SimpleNamespace(name=SITE)
    shown = {"tip": tip, "noted": None, "site": site, "base": "/knowledge", "csrf_token": ""}
    return page.render(t=words, **shown)


@pytest.mark.usefixtures("driven")
def test_the_page_shows_a_departure_with_its_figures_and_accepts_it(
    api: httpx.Client, database: Engine
) -> None:
    proposal = find_proposal(api)
    assert (proposal["days"], proposal["leaves"]) == (["sat"], "09:30")
    seen = {
        "usual": "9.0 kWh",
        "enough": "9.0 kWh",
        "departures": proposal["departures"],
        "days": proposal["of_days"],
    }
    english = read(api)
    assert wording_pattern("planning", "departure_seen_energy", **seen).search(english), english
    assert wording("every_page", "departure_accept", "de") in read(api, "de")
    settings = unescape(api.get(f"/ui/sites/{SITE}/site").text)
    assert wording("every_page", "departures_look") in settings
    (tip,) = recommend(database)
    assert (tip.kind, tip.title) == (
        "tip",
        wording("recommendations", "title_departure", device="Car", weekdays="Sat", clock="09:30"),
    )
    answered = f"{PAGE}/departures/{tip.departure_id}/accept"
    assert f'action="{answered}"' in render_tip(tip)
    assert api.post(answered, data={}).status_code == 303
    assert recommend(database, anew=False) == []
    with unit_of_work(database) as connection:
        now = SystemClock().now()
        (session,) = charging_sessions.read_standing(connection, SITE, first=now)
    assert (session.days, session.to.astimezone(BERLIN).hour) == (["sat"], 9)
    assert wording("planning", "departures_note") not in read(api)


@pytest.mark.usefixtures("driven")
def test_a_form_with_changes_stores_them(api: httpx.Client, database: Engine) -> None:
    address = f"{PAGE}/departures/{find_proposal(api)['departure_id']}/accept"
    fields = {"leaves": "08:15", "target": "70", "days": ["sat", "sun"]}
    assert api.post(address, data=fields).status_code == 303
    with unit_of_work(database) as connection:
        now = SystemClock().now()
        (session,) = charging_sessions.read_standing(connection, SITE, first=now)
    leaves = session.to.astimezone(BERLIN)
    assert (session.days, leaves.hour, leaves.minute) == (["sat", "sun"], 8, 15)
    assert session.target_soc == 0.7


@pytest.mark.usefixtures("driven")
def test_a_declined_departure_leaves_page_interface_and_recommendations(
    api: httpx.Client, database: Engine
) -> None:
    departure_id = find_proposal(api)["departure_id"]
    assert [tip.departure_id for tip in recommend(database)] == [departure_id]
    answer = api.post(f"{PATH}/{departure_id}/decline")
    assert (answer.status_code, answer.json()["answer"]) == (200, "declined")
    assert api.get(PATH).json()["departures"] == []
    # Also not after another look at what there is to recommend.
    assert recommend(database) == []
    assert wording("planning", "departures_note") not in read(api)
    gone = api.post(f"{PATH}/{departure_id}/accept", json={})
    assert gone.status_code == 404


@pytest.mark.usefixtures("driven")
def test_what_the_owner_says_of_the_level_stands_on_the_page(api: httpx.Client) -> None:
    fields = {"vehicle": "car", "level": "40", "need_kwh": ""}
    assert api.post(f"{PAGE}/levels", data=fields).status_code == 303
    said = wording_pattern("planning", "level_stated", device="Car", soc="40%")
    assert said.search(read(api))
    (level,) = api.get(f"/v1/sites/{SITE}/vehicle-levels").json()["levels"]
    assert (level["soc"], level["vehicle"]) == (0.4, "car")
    both = api.post(f"/v1/sites/{SITE}/vehicle-levels", json={"soc": 0.4, "need_kwh": 3})
    assert both.status_code == 422
    nothing = api.post(f"{PAGE}/levels", data={"vehicle": "car", "level": "", "need_kwh": ""})
    assert nothing.status_code == 422
    need = api.post(f"/v1/sites/{SITE}/vehicle-levels", json={"need_kwh": 15})
    # A quarter of the car's 60 kWh lacks of a full one.
    assert need.json()["soc"] == pytest.approx(0.75)


@pytest.mark.usefixtures("driven")
def test_home_leads_to_a_departure_that_waits_for_an_answer(api: httpx.Client) -> None:
    for language in ("en", "de", "nl"):
        home = read_home(api, language)
        assert wording("every_page", "departures_open", language, count=1) in home
        assert home.count(f'href="{PAGE}#departures"') == 1
    proposal = find_proposal(api)
    declined = api.post(f"{PAGE}/departures/{proposal['departure_id']}/decline", data={})
    assert declined.status_code == 303
    assert wording("every_page", "departures_open", "en", count=1) not in read_home(api)
