"""Home in a real browser, at a glance: everything else that pages do there is in the system suite."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from luna.embedded import Addresses
from luna.timeline import FixedClock
from tests.browsing import DESKTOP, PHONE, Open, find_barriers
from tests.databases import remove_site
from tests.demo_home import store_demo_home
from tests.gateway import serve
from tests.stored import stored_site


@pytest.fixture(scope="module")
def glanced(database: Engine, addresses: Addresses) -> Iterator[httpx.Client]:
    """The gateway of the demo home, but for the devices that make its plans take seconds."""
    home = store_demo_home(database, name="glanced", vehicles=[], loads=[])
    with serve(addresses, FixedClock(home.now)) as client:
        yield client
    remove_site(database, "glanced")


def test_home_shows_plan_and_sentence_without_a_barrier_on_a_desk_and_on_a_phone(open_page: Open, glanced: httpx.Client) -> None:
    page, found = open_page("/ui/sites/glanced/home", gateway=glanced), {}
    for form in (DESKTOP, PHONE):
        page.set_viewport_size(form["viewport"])
        page.locator("#chart canvas").wait_for()
        page.locator("#readout .title b").wait_for()
        found[form["viewport"]["width"]] = (page.locator("#headline").inner_text(), find_barriers(page))
    assert [barriers for _, barriers in found.values()] == [[], []]
    assert all(sentence.endswith(".") for sentence, _ in found.values())


def test_another_site_is_chosen_in_the_head_on_a_desk_and_on_a_phone(open_page: Open, glanced: httpx.Client, database: Engine) -> None:
    long = "a second house with a name that goes on and on"
    with stored_site(database, name=long):
        page = open_page("/ui/sites/glanced/planning", gateway=glanced)
        for form in (DESKTOP, PHONE):
            page.set_viewport_size(form["viewport"])
            page.goto(f"{glanced.base_url}/ui/sites/glanced/planning")
            page.locator(".sites summary").click()
            assert find_barriers(page) == []
            page.get_by_role("link", name=long).click()
            page.wait_for_url("**/a%20second*/planning")
            assert find_barriers(page) == []
