"""The page Antares in a real browser: readable, accessible and guarded in both languages, on a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from luna.embedded import Addresses
from luna.timeline import FixedClock
from tests.agent_home import store_agent_home
from tests.system.browser.conftest import PHONE, Open
from tests.browsers import AXE
from tests.databases import remove_site
from tests.gateway import serve
from tests.stored import stored_site

PAGE, BARE = "/ui/sites/agented/agent", "/ui/sites/unlearned/agent"
LOOKS: list[dict[str, Any]] = [{}, {"color_scheme": "dark"}, {**PHONE, "locale": "de-DE"}]


@pytest.fixture
def agented(database: Engine, addresses: Addresses) -> Iterator[httpx.Client]:
    home = store_agent_home(database, name="agented")
    with stored_site(database, name="unlearned"), serve(addresses, FixedClock(home.now)) as client:
        yield client
    remove_site(database, "agented")


def find_violations(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate("axe.run().then((result) => result.violations.map((each) => [each.id, each.nodes.map((node) => node.target.join(' '))]))")
    return found


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone"])
@pytest.mark.parametrize("path", [PAGE, BARE], ids=["learned", "unlearned"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_on_the_agents_page(open_page: Open, agented: httpx.Client, path: str, look: dict[str, Any]) -> None:
    page = open_page(path, gateway=agented, **look)
    expect(page.locator("h1")).to_be_visible()
    for disclosure in page.locator("details").all():
        disclosure.evaluate("each => { each.open = true; }")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_control_is_taken_back_by_hand_and_given_back_by_asking(open_page: Open, agented: httpx.Client) -> None:
    page = open_page(PAGE, gateway=agented)
    expect(page.locator("h1")).to_have_text("Antares decides when the battery sells.")
    page.check("form[action$=withdrawal] input[name=sure]")
    page.click("button:text-is('Take control back')")
    expect(page.locator("h1")).to_have_text("Control was taken from Antares: the planner decides.")
    page.check("input[value=export_only]")
    page.check("form[action$=mode] input[name=sure]")
    page.click("button:text-is('Ask for it')")
    expect(page.locator("h1")).to_have_text("Antares decides when the battery sells.")


def test_an_agent_that_learned_nothing_has_a_button_that_trains_it(open_page: Open, agented: httpx.Client) -> None:
    page = open_page(BARE, gateway=agented)
    page.click("button:text-is('Train now')")
    expect(page.locator(".job")).to_contain_text("Waits for its turn.")
    expect(page.locator("button:text-is('Train now')")).to_have_count(0)
