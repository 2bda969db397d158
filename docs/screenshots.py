"""Draws the pictures of the dashboard's pages in ``docs/images``: ``python -m docs.screenshots``, with Debian's chromium and the embedded servers."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from luna.database import engine
from luna.database.migrate import upgrade
from luna.embedded import Addresses, start
from luna.timeline import FixedClock
from tests.browsers import CHROMIUM
from tests.demo_home import store_demo_home
from tests.gateway import serve

IMAGES = Path(__file__).parent / "images"
PAGES = ("home", "planning", "savings", "forecasts", "what-ifs", "data")
# Those that the guide shows, in the language of its readers.
IN_GERMAN = ("planning", "savings", "forecasts", "what-ifs", "data")
DESKTOP = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-GB", "timezone_id": "Europe/Amsterdam"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "de-DE"}
# A chart is drawn when its script has run and its data have come.
SETTLE_MS = 1500


@dataclass(frozen=True)
class Picture:
    """A page as somebody sees it: the picture's name, the page's address below the gateway's, and what the browser says of itself."""

    name: str
    path: str
    looks: Mapping[str, Any] = field(default_factory=lambda: DESKTOP)


def main() -> None:
    """Draw each page of a home with a past and a plan: light on a desktop, in German too where the guide shows it, and Home in the dark and on a phone."""
    with _gateway() as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for picture in list_pictures("home"):
            draw(browser, client, picture, IMAGES)
        browser.close()


def list_pictures(site: str) -> Iterator[Picture]:
    """Yield what is drawn of a site's pages."""
    for name in PAGES:
        yield Picture(f"page-{name}", f"/ui/sites/{site}/{name}")
    for name in IN_GERMAN:
        yield Picture(f"page-{name}-de", f"/ui/sites/{site}/{name}", DESKTOP | {"locale": "de-DE"})
    yield Picture("page-home-dark", f"/ui/sites/{site}/home", DESKTOP | {"color_scheme": "dark"})
    yield Picture("page-home-phone", f"/ui/sites/{site}/home", PHONE)
    yield Picture("page-admin", "/ui/admin")
    yield Picture("page-setup", "/ui/setup")


def draw(browser: Browser, client: httpx.Client, picture: Picture, folder: Path) -> Path:
    """Draw a page of the gateway that ``client`` asks into a folder and return where it lies."""
    context = browser.new_context(extra_http_headers={"Authorization": client.headers["Authorization"]}, **picture.looks)
    page = context.new_page()
    page.goto(str(client.base_url).rstrip("/") + picture.path)
    page.wait_for_timeout(SETTLE_MS)
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path, full_page=True)
    context.close()
    return path


@contextmanager
def _gateway() -> Iterator[httpx.Client]:
    with tempfile.TemporaryDirectory(prefix="luna-pictures-") as folder:
        Path(folder).chmod(0o711)
        with start(Path(folder)) as servers:
            upgrade(servers.database_url)
            pool = engine.create(servers.database_url, application_name="pictures")
            home = store_demo_home(pool)
            with serve(Addresses(database_url=servers.database_url, redis_url=servers.redis_url), FixedClock(home.now)) as client:
                yield client
            pool.dispose()


if __name__ == "__main__":
    main()
