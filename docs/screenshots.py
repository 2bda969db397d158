"""Draws the pictures of the dashboard's pages in ``docs/images``: ``python -m docs.screenshots``, with Debian's chromium and the embedded servers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from luna.database import engine
from luna.database.migrate import upgrade
from luna.embedded import Addresses, start
from luna.timeline import FixedClock
from tests.browsers import CHROMIUM
from tests.demo_home import store_demo_home
from tests.gateway import serve

IMAGES = Path(__file__).parent / "images"
PAGES = ("home", "planning", "savings", "forecasts", "what-ifs", "data")
DESKTOP = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-GB", "timezone_id": "Europe/Amsterdam"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "de-DE"}
# A chart is drawn when its script has run and its data have come.
SETTLE_MS = 1500


def main() -> None:
    """Draw each page of a home with a past and a plan: light on a desktop, and Home in the dark and on a phone."""
    with _gateway() as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, path, looks in _pictures():
            context = browser.new_context(**looks)
            page = context.new_page()
            page.goto(str(client.base_url).rstrip("/") + path)
            page.wait_for_timeout(SETTLE_MS)
            page.screenshot(path=IMAGES / f"page-{name}.png", full_page=True)
            context.close()
        browser.close()


def _pictures() -> Iterator[tuple[str, str, dict[str, object]]]:
    for name in PAGES:
        yield name, f"/ui/sites/home/{name}", DESKTOP
    yield "home-dark", "/ui/sites/home/home", DESKTOP | {"color_scheme": "dark"}
    yield "home-phone", "/ui/sites/home/home", PHONE
    yield "admin", "/ui/admin", DESKTOP
    yield "setup", "/ui/setup", DESKTOP


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
