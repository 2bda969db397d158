"""The page Antares without a script: what it says in both languages, what it asks twice, and what
is told on Home and to owners.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from luna.house.findings import find_agent_news
from luna.platform.clock import FixedClock
from luna.platform.database import agent_gates, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.agent.home_with_agent import judge, store_agent_home
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import DemoHome
from tests.support.words.wording import wording, wording_pattern

PAGE = "/ui/sites/agented/agent"


@pytest.fixture(scope="module")
def home(database: Engine) -> Iterator[DemoHome]:
    """A home that is read."""
    yield store_agent_home(database, name="agented")
    remove_site(database, "agented")


@pytest.fixture
def changing(database: Engine) -> Iterator[str]:
    """The page of another one, whose control a test changes."""
    store_agent_home(database, name="changing")
    yield "/ui/sites/changing/agent"
    remove_site(database, "changing")


@pytest.fixture(scope="module")
def api(home: DemoHome, redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    # No worker is there: what is asked of one is given up soon.
    with serve(addresses, FixedClock(home.now), plan_timeout=timedelta(seconds=0.5)) as client:
        yield client


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def test_the_page_says_where_the_agent_stands_and_what_it_saved_in_both_languages(
    api: httpx.Client,
) -> None:
    english = read(api, PAGE)
    german = read(api, PAGE, "de")
    assert wording("agent", "headline_export_only") in english
    assert wording("agent", "evidence_figures", points="+0.8", low="−0.2", high="+1.9") in english
    # Ten days at a cent each.
    assert f"€0.10 {wording('agent', 'cheaper')}" in english
    assert wording("agent", "headline_export_only", "de") in german
    assert f"0,10 € {wording('agent', 'cheaper', 'de')}" in german


def test_slots_say_who_decided_them_and_why(api: httpx.Client) -> None:
    assert wording("agent_status", "verdict_agent_cheaper") in read(api, PAGE)


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("mode", {"control_mode": "full_control"}, "mode_unsure"),
        ("withdrawal", {}, "withdraw_unsure"),
    ],
)
def test_what_changes_control_is_asked_twice(
    api: httpx.Client, changing: str, path: str, fields: dict[str, str], code: str
) -> None:
    refused = api.post(f"{changing}/{path}", data=fields)
    assert refused.status_code == 422
    assert wording("agent", code) in unescape(refused.text)
    assert (
        api.post(f"{changing}/{path}", data=fields | {"sure": "true"}).headers["location"]
        == f"{changing}?done=true"
    )


def test_less_control_is_asked_once(api: httpx.Client, changing: str) -> None:
    assert api.post(f"{changing}/mode", data={"control_mode": "shadow"}).status_code == 303
    assert wording("agent", "headline_offered") in read(api, changing)


def test_a_job_that_is_on_its_way_is_shown(api: httpx.Client) -> None:
    address = api.post(f"{PAGE}/train").headers["location"]
    assert wording("every_page", "job_queued") in read(api, address)
    api.delete(f"/v1/jobs/{address.rpartition('=')[2]}")


def test_a_card_that_nobody_can_read_is_said_so(api: httpx.Client) -> None:
    link = re.search(rf'href="({PAGE}/runs/[^"]+)"', api.get(PAGE).text)
    assert link is not None
    title = wording("agent", "run_title", kind=wording("agent", "kind_value"))
    page = read(api, link[1])
    assert title in page
    for code in ("what_value", "test", "speaks"):
        assert wording("agent", f"card_{code}") in page


def test_a_mode_that_was_newly_offered_is_news_on_home_and_one_that_was_asked_for_is_not(
    api: httpx.Client, home: DemoHome, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        (news,) = find_agent_news(connection, home.site, now=home.now)
        later = find_agent_news(connection, home.site, now=home.now + timedelta(days=3))
    assert (news.code, news.figures, later) == ("agent_offered", {"mode": "full_control"}, [])
    offered = wording_pattern("messages", "text_agent_offered", mode="Full control")
    assert offered.search(read(api, "/ui/sites/agented/home"))


def test_what_the_gatekeeper_took_is_news_until_it_is_old_and_what_a_person_took_is_none(
    api: httpx.Client, home: DemoHome, changing: str, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        site = sites.load(connection, "changing")
        agent_gates.record(
            connection, site.name, judge(home.now, "full_control", "withdrawn", "losing_streak")
        )
        agent_gates.record(
            connection, site.name, judge(home.now, "export_only", "withdrawn", "losing_streak")
        )
        (news,) = find_agent_news(connection, site, now=home.now)
    assert (news.code, news.figures["mode"]) == ("agent_withdrawn", "full_control")
    withdrawn = wording_pattern("messages", "text_agent_withdrawn", "de")
    assert withdrawn.search(read(api, "/ui/sites/changing/home", "de"))
    api.post(f"{changing}/withdrawal", data={"sure": "true"})
    with unit_of_work(database) as connection:
        assert [each.code for each in find_agent_news(connection, site, now=home.now)] == [
            "agent_withdrawn"
        ]
