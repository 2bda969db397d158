"""A real gateway with a home that has a past and a plan, and a browser that opens its pages."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine

from luna.embedded import Addresses
from luna.timeline import FixedClock
from tests.browsers import CHROMIUM, MISSING
from tests.databases import remove_site
from tests.demo_home import DemoHome, store_demo_home
from tests.gateway import serve

DESKTOP = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-GB", "timezone_id": "Europe/Amsterdam"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# What a browser says of requests while a test has it offline.
OFFLINE = re.compile("net::ERR_INTERNET_DISCONNECTED|^htmx:(sendError|afterRequest)")
# What a page shows may take its time where other tests hold the machine; what never comes fails all the same.
expect.set_options(timeout=30_000)
# Opens a page by its address below the gateway's; keywords are those of a browser's context, beside those of ``DESKTOP``.
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def addresses(database_url: str, redis_url: str) -> Addresses:
    """The servers that gateways of these tests use."""
    return Addresses(database_url=database_url, redis_url=redis_url)


@pytest.fixture(scope="session")
def demo_home(database: Engine) -> Iterator[DemoHome]:
    """A stored home: two days of history, forecasts, prices, plans, at 16:40 of a May day."""
    home = store_demo_home(database, name="demo")
    yield home
    remove_site(database, home.site.name)


@pytest.fixture(scope="session")
def demo_gateway(demo_home: DemoHome, addresses: Addresses) -> Iterator[httpx.Client]:
    """A gateway for which it is 16:40 of that day."""
    with serve(addresses, FixedClock(demo_home.now)) as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless browser."""
    if MISSING is not None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(demo_gateway: httpx.Client, browser: Browser) -> Iterator[Open]:
    """Opens pages of the demo home's gateway; what a page's scripts complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_at(path: str, *, gateway: httpx.Client = demo_gateway, **parts: Any) -> Page:
        context = browser.new_context(**DESKTOP | parts)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" and not OFFLINE.search(message.text) else None)
        page.goto(str(gateway.base_url).rstrip("/") + path)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not complaints
