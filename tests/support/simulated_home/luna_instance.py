"""A Luna of its own with a simulated home, all of whose processes follow a clock that the test
moves.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import CLOCK_VARIABLE, move_clock
from luna.platform.settings import load_settings
from luna.simulated_home.files import HomeFiles
from luna.simulated_home.site import SITE_NAME
from services.api.identity.identity import OWNER_COOKIE, browser_cookie_of
from services.ingest.demo_data.demo import load_demo
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.words.wording import wording
from tests.support.worker.processes import free_port

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

# All of Luna starts in it also on a machine that is busy with much else.
PATIENCE_SECONDS = 300
LOOK_SECONDS = 0.1
SITE = f"/v1/sites/{SITE_NAME}"
HOME = f"/ui/sites/{SITE_NAME}/home"


class LivingLuna:
    """The processes of a command (``up``, ``demo --live``), the clock that they follow, and a
    client of the gateway.

    Args:
        folder: holds everything that it stores.
        cache: where the demo's year lies.
        begins_at: what its clock says first; None: what the machine's says.
    """

    def __init__(self, folder: Path, cache: Path, *, begins_at: datetime | None = None) -> None:
        self.folder, self.port, self._clock, self.moved = (
            folder,
            free_port(),
            folder / "clock",
            timedelta(),
        )
        if begins_at is not None:
            self.moved = begins_at - datetime.now(UTC)
        move_clock(self._clock, self.moved)
        own = {
            "LUNA_DATA_FOLDER": str(folder),
            "LUNA_CACHE_FOLDER": str(cache),
            "LUNA_API_PORT": str(self.port),
            CLOCK_VARIABLE: str(self._clock),
        }
        own |= {
            "LUNA_WORKER_PROCESSES": "1",
            "LUNA_OUTSIDE_SERVICES": "false",
            "LUNA_REQUESTS_PER_MINUTE": "100000",
        }
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LUNA_")
        } | own
        self.files = HomeFiles(folder)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            trust_env=False,
            timeout=PATIENCE_SECONDS,
            verify=NO_CERTIFICATES,
        )

    @property
    def log(self) -> str:
        """The last of what its processes wrote."""
        return (self.folder / "luna.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    @property
    def owner_token(self) -> str:
        """What opens everything."""
        return (self.folder / "identity" / "owner_token").read_text(encoding="ascii").strip()

    @property
    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self.moved

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start the command ``luna`` with these arguments."""
        program = "from services.cli.main import main; main()"
        with (self.folder / "luna.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-c", program, *arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def sign_in(self) -> None:
        """Ask as the owner from now on."""
        self.client.headers["Authorization"] = f"Bearer {self.owner_token}"

    def stop_steering(self) -> None:
        """Have the devices follow the plan alone: a clock that leaps leaves no meter fresh."""
        stored = self.client.get(SITE)
        site = stored.json()
        site["control"]["steering"] = False
        answer = self.client.put(SITE, json=site, headers={"If-Match": stored.headers["ETag"]})
        assert answer.is_success, answer.text

    def admit(self, context: "BrowserContext") -> None:
        """Let the pages of a browser's context in, as the link does."""
        context.add_cookies(
            [
                {
                    "name": OWNER_COOKIE,
                    "value": browser_cookie_of(self.owner_token),
                    "url": str(self.client.base_url),
                }
            ]
        )

    def is_live(self) -> bool:
        """Whether the gateway answers."""
        try:
            return self.client.get("/health/live").is_success
        except httpx.HTTPError:
            return False

    def read(self, address: str) -> Any:
        """Return what the gateway says at an address, nothing where it is not there."""
        answer = self.client.get(address)
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def move_clock(self, by: timedelta) -> None:
        """Let time pass for every process, and return when the home has lived it."""
        lived = self.files.read_state().at
        self.moved += by
        move_clock(self._clock, self.moved)
        wait_until(lambda: self.files.read_state().at >= lived + by.total_seconds() / 2)

    def set_clock(self, instant: datetime) -> None:
        """Let it be ``instant`` for every process, if it is not later already: time goes on from
        there, and who waits for it sees it within moments.
        """
        self.moved = max(self.moved, instant - datetime.now(UTC))
        move_clock(self._clock, self.moved)

    def last_measured(self) -> datetime:
        """Return the start of the last slot that was measured."""
        timeline = self.read(f"{SITE}/timeline")
        known = [
            place
            for place, value in enumerate(timeline["measured"]["load_kw"])
            if value is not None
        ]
        return datetime.fromisoformat(timeline["start"]) + known[-1] * timedelta(
            minutes=timeline["slot_minutes"]
        )

    def list_confirmed(self) -> set[str]:
        """Return the devices that were read back to do what their owner wants."""
        decisions = self.read(f"{SITE}/control/decisions")["decisions"]
        return {
            each["device"]
            for each in decisions
            if each["confirmed"] and each["decided_by"] == "owner"
        }

    def wait_until_built(self) -> None:
        """Return when the last slot that is over was measured."""
        wait_until(lambda: self.last_measured() >= floor_to(self.now, SLOT) - SLOT)

    def read_measured(self, name: str) -> list[float]:
        """Return what the timeline has of a series, without what nobody measured."""
        return [
            value for value in self.read(f"{SITE}/timeline")["measured"][name] if value is not None
        ]


@contextmanager
def run_luna(
    folder: Path,
    *arguments: str,
    begins_at: datetime | None = None,
    ready: Callable[[LivingLuna], bool],
) -> Iterator[LivingLuna]:
    """Run a command of Luna's and yield it once it is ``ready``, the owner signed in.

    It is ended as Ctrl-C ends it.
    """
    cache = load_settings().cache
    load_demo(cache)
    luna = LivingLuna(folder, cache.resolve(), begins_at=begins_at)
    process = luna.start(arguments)
    try:
        wait_until(lambda: ready(luna) or process.poll() is not None)
        assert process.poll() is None, luna.log
        luna.sign_in()
        yield luna
    finally:
        luna.client.close()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECONDS)


def wait_until(holds: Callable[[], object]) -> None:
    """Wait for a state."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(LOOK_SECONDS)


def open_simulated_home(page: "Page", luna: LivingLuna) -> None:
    """Go from an empty Luna to the simulated home's plan, as its page leads there."""
    page.goto(str(luna.client.base_url))
    page.get_by_role("button", name=wording("setup", "simulated_home_start")).click()
    page.locator("#preparation a.primary").click(timeout=1000 * PATIENCE_SECONDS)
    page.locator(".hero .steps li").first.wait_for()


def arm(page: "Page", luna: LivingLuna) -> None:
    """Have its devices follow the plan, on the page Planning."""
    page.goto(f"{luna.client.base_url}/ui/sites/{SITE_NAME}/planning")
    page.locator("form[action$='/planning/arm'] input[name=sure]").check()
    page.locator("form[action$='/planning/arm'] button").click()
    page.locator("form[action$='/planning/disarm']").wait_for()
