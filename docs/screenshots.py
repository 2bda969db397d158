"""``python -m docs.screenshots``: draws the pages of the dashboard to ``docs/images``.

It needs Debian's chromium and the embedded servers.

``--living`` draws those of a simulated home that lived until the evening; ``--every FOLDER`` draws
every page of three homes (simulated, without data, after a month) on desk and phone, light and
dark, in both languages, for who looks whether a change spoils one.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from luna.energy.timeline import SLOT, local_midnight
from luna.platform.clock import FixedClock
from luna.platform.database import engine, sites
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Addresses, start
from luna.simulated_home.site import SITE_NAME, ZONE
from tests.support.browser.chromium import CHROMIUM
from tests.support.gateway.server import serve
from tests.support.pages.demo_home import store_demo_home
from tests.support.pages.site_with_history import describe_furnished, furnish, plan_now
from tests.support.simulated_home.luna_instance import (
    LivingLuna,
    arm,
    open_simulated_home,
    run_luna,
)
from tests.support.worker.workers import worker_process

IMAGES = Path(__file__).parent / "images"
PAGES = ("home", "planning", "energy", "savings", "forecasts", "what-ifs", "data")
EVERY_PAGE = (*PAGES, "agent", "knowledge")
ADMIN_PAGES = ("status", "jobs", "people", "settings", "audit", "logs")
# What looks for gaps in the data, and stands in the list of services.
TASKS = tuple(
    f"services.{name}.tasks"
    for name in ("planner", "forecaster", "ingest", "agent", "rag", "notifier")
)
# Those that the guide shows, in the language of its readers.
IN_GERMAN = ("home", "planning", "savings", "forecasts", "what-ifs", "data")
DESKTOP: dict[str, Any] = {
    "viewport": {"width": 1440, "height": 1000},
    "locale": "en-GB",
    "timezone_id": "Europe/Amsterdam",
}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "locale": "de-DE",
}
# What the README shows of the living home: all of its plan.
README_SIZE = {"width": 1440, "height": 1400}
# A chart is drawn when its script has run and its data have come.
SETTLE_MS = 1500
# A busy machine takes its time.
PATIENCE_MS = 120_000
# From six in the morning on.
LIVED = timedelta(hours=12)


@dataclass(frozen=True)
class Picture:
    """A page as somebody sees it.

    The picture's name, the page's address below the gateway's, what the browser says of itself, and
    whether it scrolls.
    """

    name: str
    path: str
    looks: Mapping[str, Any] = field(default_factory=lambda: DESKTOP)
    whole: bool = True


def main() -> None:
    """Draw what the arguments name."""
    parser = argparse.ArgumentParser(prog="docs.screenshots", description=__doc__)
    parser.add_argument(
        "--living",
        action="store_true",
        help="the simulated home in the evening of a day that it lived",
    )
    parser.add_argument(
        "--every",
        type=Path,
        metavar="FOLDER",
        help="every page of three homes in every form, into this folder",
    )
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        if options.every:
            options.every.mkdir(parents=True, exist_ok=True)
            _draw_every(browser, options.every)
        elif options.living:
            with _living_home(browser) as client:
                draw(
                    browser,
                    client,
                    Picture(
                        "page-living",
                        f"/ui/sites/{SITE_NAME}/home",
                        DESKTOP | {"viewport": README_SIZE},
                        whole=False,
                    ),
                    IMAGES,
                )
        else:
            _draw_guide(browser)
        browser.close()


def _draw_guide(browser: Browser) -> None:
    """Draw each page of a home with a past and a plan.

    Light on a desktop, in German too where the guide shows it, and Home in the dark and on a phone.
    """
    with _gateway() as client:
        for picture in list_pictures("home"):
            draw(browser, client, picture, IMAGES)


def _draw_every(browser: Browser, folder: Path) -> None:
    with _furnished_homes() as client:
        for picture in list_every("bare", "home"):
            draw(browser, client, picture, folder)
    with _living_home(browser) as client:
        for picture in list_every(SITE_NAME):
            draw(browser, client, picture, folder)


def list_every(*names: str) -> Iterator[Picture]:
    """Yield every page of sites in every form.

    Those of the installation come with the first of them.
    """
    forms = {
        "desk": DESKTOP,
        "dark": DESKTOP | {"color_scheme": "dark"},
        "german": DESKTOP | {"locale": "de-DE"},
        "phone": PHONE,
    }
    pages = {f"{site}-{name}": f"/ui/sites/{site}/{name}" for site in names for name in EVERY_PAGE}
    pages |= {f"{names[0]}-admin-{name}": f"/ui/admin/{name}" for name in ADMIN_PAGES} | {
        f"{names[0]}-setup": "/ui/setup"
    }
    for name, path in pages.items():
        for form, looks in forms.items():
            yield Picture(f"{name}-{form}", path, looks)


def list_pictures(site: str) -> Iterator[Picture]:
    """Yield what is drawn of a site's pages."""
    for name in PAGES:
        yield Picture(f"page-{name}", f"/ui/sites/{site}/{name}")
    for name in IN_GERMAN:
        yield Picture(f"page-{name}-de", f"/ui/sites/{site}/{name}", DESKTOP | {"locale": "de-DE"})
    yield Picture("page-home-dark", f"/ui/sites/{site}/home", DESKTOP | {"color_scheme": "dark"})
    # Whole, its menu would stand in the middle.
    yield Picture("page-home-phone", f"/ui/sites/{site}/home", PHONE, whole=False)
    yield Picture("page-admin", "/ui/admin")
    yield Picture("page-setup", "/ui/setup")


def draw(browser: Browser, client: httpx.Client, picture: Picture, folder: Path) -> Path:
    """Draw a page of the gateway that ``client`` asks into a folder and return where it lies."""
    context = browser.new_context(
        extra_http_headers={"Authorization": client.headers["Authorization"]}, **picture.looks
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(str(client.base_url).rstrip("/") + picture.path)
    page.wait_for_timeout(SETTLE_MS)
    # What is read anew is pale meanwhile.
    page.locator(".htmx-request").first.wait_for(state="detached")
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path, full_page=picture.whole)
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
            with (
                worker_process(
                    servers.redis_url, servers.database_url, *TASKS, data_folder=Path(folder)
                ),
                serve(
                    Addresses(database_url=servers.database_url, redis_url=servers.redis_url),
                    FixedClock(home.now),
                ) as client,
            ):
                yield client
            pool.dispose()


@contextmanager
def _furnished_homes() -> Iterator[httpx.Client]:
    """A gateway with one home that has a past and a plan, and one without."""
    now = datetime(2026, 10, 24, 16, 5, tzinfo=UTC)
    with tempfile.TemporaryDirectory(prefix="luna-pictures-") as folder:
        Path(folder).chmod(0o711)
        with start(Path(folder)) as servers:
            upgrade(servers.database_url)
            pool = engine.create(servers.database_url, application_name="pictures")
            with engine.unit_of_work(pool) as connection:
                site = describe_furnished()
                furnish(connection, site, last=date(2026, 10, 23), missing=2)
                plan_now(connection, site, now)
                sites.save(connection, describe_furnished("bare"))
            with serve(
                Addresses(database_url=servers.database_url, redis_url=servers.redis_url),
                FixedClock(now),
            ) as client:
                yield client
            pool.dispose()


@contextmanager
def _living_home(browser: Browser) -> Iterator[httpx.Client]:
    """A Luna whose simulated home has lived from a May day's morning to its evening, armed."""
    morning = local_midnight(date(datetime.now(UTC).year + 1, 5, 20), ZONE) + timedelta(hours=6)
    with tempfile.TemporaryDirectory(prefix="luna-pictures-") as folder:
        Path(folder).chmod(0o711)
        with (
            run_luna(Path(folder), "up", begins_at=morning, ready=LivingLuna.is_live) as luna,
            browser.new_context(**DESKTOP) as context,
        ):
            luna.admit(context)
            page = context.new_page()
            open_simulated_home(page, luna)
            luna.stop_steering()
            arm(page, luna)
            while luna.now < morning + LIVED:
                luna.move_clock(SLOT / 3)
            luna.wait_until_built()
            yield luna.client


if __name__ == "__main__":
    main()
