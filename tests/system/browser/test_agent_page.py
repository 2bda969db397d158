"""The page Antares in a real browser: readable, accessible and guarded in both languages, on a desk
and on a phone.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from luna.platform.clock import FixedClock
from luna.platform.embedded.supervisor import Addresses
from tests.support.agent.home_with_agent import store_agent_home
from tests.support.browser.page import Open, find_barriers_in_all_forms, open_disclosures
from tests.support.database.databases import remove_site
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording

PAGE = "/ui/sites/agented/agent"
BARE = "/ui/sites/unlearned/agent"


@pytest.fixture(scope="module")
def agented(database: Engine, addresses: Addresses) -> Iterator[httpx.Client]:
    home = store_agent_home(database, name="agented")
    with stored_site(database, name="unlearned"), serve(addresses, FixedClock(home.now)) as client:
        yield client
    remove_site(database, "agented")


@pytest.mark.parametrize("path", [PAGE, BARE], ids=["learned", "unlearned"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_on_the_agents_page(
    open_page: Open, agented: httpx.Client, path: str
) -> None:
    assert (
        find_barriers_in_all_forms(open_page, path, gateway=agented, ready=open_disclosures) == []
    )


def test_control_is_taken_back_by_hand_and_given_back_by_asking(
    open_page: Open, agented: httpx.Client
) -> None:
    page = open_page(PAGE, gateway=agented)
    expect(page.locator("h1")).to_have_text(wording("agent", "headline_export_only"))
    page.check("form[action$=withdrawal] input[name=sure]")
    page.click("form[action$=withdrawal] button")
    expect(page.locator("h1")).to_have_text(wording("agent", "headline_withdrawn"))
    page.check("input[value=export_only]")
    page.check("form[action$=mode] input[name=sure]")
    page.click("form[action$=mode] button")
    expect(page.locator("h1")).to_have_text(wording("agent", "headline_export_only"))


def test_an_agent_that_learned_nothing_has_a_button_that_trains_it(
    open_page: Open, agented: httpx.Client
) -> None:
    page = open_page(BARE, gateway=agented)
    page.click("button:text-is('Train now')")
    expect(page.locator(".job")).to_contain_text(wording("every_page", "job_queued"))
    expect(page.locator("button:text-is('Train now')")).to_have_count(0)
