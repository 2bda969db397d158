"""Pages in a real browser: how they are opened, and what keeps readers out of them.

The browser's driver takes half a second to be imported: who asks for no page never loads it.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.clock import FixedClock
from luna.platform.embedded.supervisor import Addresses
from services.api.identity.identity import OWNER_COOKIE, browser_cookie_of
from tests.support.browser.chromium import AXE, CHROMIUM, MISSING
from tests.support.gateway.server import OWNER_TOKEN, serve
from tests.support.pages.demo_home import DemoHome, store_demo_home
from tests.support.suite.depth import LONG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

DESKTOP: dict[str, Any] = {
    "viewport": {"width": 1440, "height": 1000},
    "locale": "en-GB",
    "timezone_id": "Europe/Amsterdam",
}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
GERMAN_PHONE = PHONE | {"locale": "de-DE"}
# What a browser has that was opened by the link.
OWNER_BROWSER: Any = {
    "name": OWNER_COOKIE,
    "value": browser_cookie_of(OWNER_TOKEN),
    "url": "http://127.0.0.1",
}
# What a browser says of requests while a test has it offline.
OFFLINE = re.compile("net::ERR_(INTERNET_DISCONNECTED|FAILED)|^htmx:(sendError|afterRequest)")
# Of rules that found nothing axe need not say where.
VIOLATIONS = """axe.run({ resultTypes: ["violations"] }).then((result) =>
  result.violations.map((each) => {
    const places = each.nodes.map((node) => node.target.join(" "));
    return `${each.id}: ${places.join(", ")}`;
  }))"""
OVERHANG = (
    "(width) => document.documentElement.scrollWidth - Math.min(width, "
    "document.documentElement.clientWidth)"
)
# What a page shows or takes may need its time where other tests hold the machine; what never comes
# fails all the same.
PATIENCE_MS = 120_000
# Opens a page by its address below the gateway's, where ``on`` names a page on that; keywords are
# those of a browser's context, beside those of ``DESKTOP``.
Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def addresses(database_url: str, redis_url: str) -> Addresses:
    """The servers that gateways of these tests use."""
    return Addresses(database_url=database_url, redis_url=redis_url)


# Of a module: what a file stores is removed at its end, tests/conftest.py.
@pytest.fixture(scope="module")
def demo_home(database: Engine) -> DemoHome:
    """A stored home: two days of history, forecasts, prices, plans, at 16:40 of a May day."""
    return store_demo_home(database, name="demo")


@pytest.fixture(scope="module")
def demo_gateway(demo_home: DemoHome, addresses: Addresses) -> Iterator[httpx.Client]:
    """A gateway for which it is 16:40 of that day."""
    with serve(addresses, FixedClock(demo_home.now)) as client:
        yield client


# Playwright keeps a loop running in the thread of the tests: those of other modules could not run
# one of theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless browser."""
    if MISSING is not None:
        pytest.skip(MISSING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class PagePool:
    """Blank pages, each with the keywords of its context: one that was used opens the next in a
    third of the time, and keeps scripts and style sheets.
    """

    def __init__(self, browser: "Browser") -> None:
        self.browser, self.complaints = browser, list[str]()
        self.contexts: dict[str, BrowserContext] = {}
        self.blank: dict[str, list[Page]] = {}

    def take(self, parts: dict[str, Any]) -> "Page":
        """Return a page that nobody uses; what its scripts complain of goes to ``complaints``."""
        key = json.dumps(parts, sort_keys=True)
        if self.blank.get(key):
            return self.blank[key].pop()
        if key not in self.contexts:
            # What a service worker fetches no route of a test sees; who tests one lets it in.
            self.contexts[key] = self.browser.new_context(**{"service_workers": "block"} | parts)
            self.contexts[key].add_cookies([OWNER_BROWSER])
        page = self.contexts[key].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type == "error" and not OFFLINE.search(message.text)
                else None
            ),
        )
        return page

    def give_back(self, page: "Page", parts: dict[str, Any]) -> None:
        """Take a page back, as it was before it was used."""
        if parts.get("java_script_enabled", True):
            page.evaluate(
                "() => { try { localStorage.clear(); sessionStorage.clear() } catch { /* a "
                "page of the browser's own has neither */ } }"
            )
        page.goto("about:blank")
        page.unroute_all()
        page.emulate_media(color_scheme=parts.get("color_scheme", "light"))
        page.set_viewport_size(parts["viewport"])
        page.context.set_offline(offline=False)
        page.context.clear_cookies()
        page.context.add_cookies([OWNER_BROWSER])
        self.blank.setdefault(json.dumps(parts, sort_keys=True), []).append(page)


@pytest.fixture(scope="module")
def page_pool(browser: "Browser") -> PagePool:
    """The pages that tests open one after the other."""
    return PagePool(browser)


@pytest.fixture
def open_page(request: pytest.FixtureRequest, page_pool: PagePool) -> Iterator[Open]:
    """Opens pages, of the demo home's gateway if no other one is named.

    What a page's scripts complain of fails the test.
    """
    used: list[tuple[Page, dict[str, Any]]] = []
    page_pool.complaints.clear()

    def open_at(
        path: str, *, gateway: httpx.Client | None = None, on: "Page | None" = None, **parts: Any
    ) -> "Page":
        client: httpx.Client = gateway or request.getfixturevalue("demo_gateway")
        page = on or page_pool.take(DESKTOP | parts)
        if on is None:
            used.append((page, DESKTOP | parts))
        page.goto(str(client.base_url).rstrip("/") + path)
        return page

    yield open_at
    complaints = list(page_pool.complaints)
    for page, parts in used:
        page_pool.give_back(page, parts)
    assert complaints == [], complaints


def open_disclosures(page: "Page") -> None:
    """Open everything that can be opened, once the page is there."""
    page.locator("h1").wait_for()
    for disclosure in page.locator("details").all():
        disclosure.evaluate("each => { each.open = true; }")


def find_barriers(page: "Page") -> list[str]:
    """Return what axe finds on a page, and by how much it scrolls sideways if it does."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(VIOLATIONS)
    viewport = page.viewport_size
    assert viewport is not None
    overhang = page.evaluate(OVERHANG, viewport["width"])
    return found if overhang <= 0 else [*found, f"scrolls sideways by {overhang} pixels"]


def find_barriers_in_both_schemes(page: "Page") -> list[str]:
    """Return the same of a page in dark and in light: it follows a change of the system's scheme as
    it follows the scheme it was loaded in.
    """
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {each}" for each in find_barriers(page)]
    return found


Form = tuple[str, dict[str, Any], Callable[["Page"], list[str]]]
# On a desk in dark and in light, and in German on a phone; in a short run one that differs in all
# of it.
AT_LENGTH: list[Form] = [
    ("desk", {}, find_barriers_in_both_schemes),
    ("phone", GERMAN_PHONE, find_barriers),
]
SHORTLY: list[Form] = [("dark phone", GERMAN_PHONE | {"color_scheme": "dark"}, find_barriers)]
FORMS = AT_LENGTH if LONG else SHORTLY


def find_barriers_in_all_forms(
    open_page: Open,
    *paths: str,
    gateway: httpx.Client | None = None,
    ready: "Callable[[Page], object]",
) -> list[str]:
    """Return what keeps readers out of pages in ``FORMS``.

    ``ready`` waits until a page can be judged.
    """
    found: list[str] = []
    for form, parts, judge in FORMS:
        page: Page | None = None
        for path in paths:
            page = open_page(path, gateway=gateway, on=page, **parts)
            ready(page)
            found += [f"{path}, {form}: {each}" for each in judge(page)]
    return found
