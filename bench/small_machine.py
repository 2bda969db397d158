"""A day of the simulated home on a machine of one core and 1 GB: Luna has to install, train, plan,
act and serve its pages without a process being killed.

Run as ``luna bench small_machine``; needs root, Linux's control groups and the sources of pip, uv
and npm. It runs a fresh clone of this checkout in an environment made by ``make setup-core``, all
within one control group. The day runs ``SPEED`` times as fast as real time, by the clock of
``demo --live``; then every page of the menu is opened in real time.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from sqlalchemy import Connection

from bench.control_groups import ControlGroup, control_group
from bench.first_run import INSTALL, clone_checkout, newcomers_environment
from bench.stack import Stack, data_folder, luna_up
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import MachineError
from luna.energy.timeline import SLOT, floor_to
from luna.house import control_service
from luna.platform.clock import SystemClock, move_clock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import running
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from luna.simulated_home.site import SITE_NAME
from services.demo.environment import prepare_home
from services.ingest.demo_data.demo import load_demo

CPUS = 1
MEMORY_BYTES = 1 << 30
DAYS = 1.0
SPEED = 60.0
CLOCK_SECONDS = 0.2
LOOK_SECONDS = 0.5
TELL_SECONDS = 30.0
JOB_SECONDS = 900.0
PAGE_SECONDS = 60.0
VISITS = PLANS = 5
SITE = f"/v1/sites/{SITE_NAME}"
HOME = f"/ui/sites/{SITE_NAME}/home"
LINKS = re.compile(r'href="(/ui/[^"?#]*)"')
NO_PAGES = ("/events", "/download", "/csv", "/signout", "/sign-out")


@dataclass
class SmallMachine:
    """A running Luna, its control group, and its clock file."""

    stack: Stack
    group: ControlGroup
    clock: Path
    client: httpx.Client
    moved: timedelta = timedelta()

    def live(self, lived: timedelta) -> None:
        """Wait until ``lived`` has passed by Luna's clock."""
        begun = time.monotonic()
        before = self.moved
        told = 0.0
        while (passed := time.monotonic() - begun) * SPEED < lived.total_seconds():
            self.moved = before + timedelta(seconds=passed * (SPEED - 1.0))
            move_clock(self.clock, self.moved)
            if passed - told > TELL_SECONDS:
                told = passed
                self.say(f"{passed * SPEED / 3600:.1f} h lived")
            time.sleep(CLOCK_SECONDS)

    def say(self, what: str) -> None:
        """Print progress and the group's memory on stderr."""
        with suppress(OSError):
            print(
                (
                    f"small machine: {what}; {self.group.hold_bytes() / 1e6:.0f} MB held, "
                    f"{self.group.count_killed()} killed"
                ),
                file=sys.stderr,
                flush=True,
            )

    def now(self) -> datetime:
        """Return the time of Luna's clock."""
        return SystemClock().now() + self.moved

    def do(self, address: str, message: dict[str, Any] | None = None) -> float:
        """Submit a job, wait for its success and return the seconds."""
        begun = time.monotonic()
        answer = self.client.post(address, json=message or {})
        answer.raise_for_status()
        job = f"/v1/jobs/{answer.json()['job_id']}"
        _await(lambda: self.client.get(job).json()["status"] not in {"queued", "running"})
        ended = self.client.get(job).json()
        if ended["status"] != "done":
            raise RuntimeError(f"{address}: {ended}")
        return time.monotonic() - begun


def measure(*, days: float | None = None) -> dict[str, Any]:
    """Return the figures of the day: seconds, megabytes, killed processes, quarter-hours with a
    command, seconds of each page.

    Raises:
        MachineError: this account makes no control groups.
    """
    configure_logging("bench", level="WARNING")
    lived = timedelta(days=DAYS if days is None else days)
    cache = load_settings().cache
    load_demo(cache)
    with control_group(f"luna_small_{os.getpid()}") as group, data_folder() as folder:
        group.limit_cpus(CPUS)
        group.limit_memory(MEMORY_BYTES)
        clock = folder / "clock"
        move_clock(clock, timedelta())
        own = {
            "cache_folder": str(cache.resolve()),
            "clock_file": str(clock),
            "requests_per_minute": "100000",
        }
        with _watch(group) as peak:
            program, installed_s = _install(group, folder)
            with (
                luna_up(folder / "data", settings=own, group=group, program=program) as stack,
                _client(stack) as client,
            ):
                machine = SmallMachine(stack, group, clock, client)
                figures = {"installed_s": installed_s, "answered_s": stack.answered_s} | _live(
                    machine, lived, folder / "data"
                )
                return figures | {
                    "killed": group.count_killed(),
                    "restarts": stack.count_restarts(),
                    "held_mb": peak.held_bytes / 1e6,
                }


def _install(group: ControlGroup, folder: Path) -> tuple[Path, float]:
    """Install a fresh clone within the group; return its ``luna`` and the seconds.

    Raises:
        MachineError: the installation failed.
    """
    clone = clone_checkout(folder)
    begun = time.monotonic()
    (folder / "data").mkdir(mode=0o711)
    command = group.enter(["make", "setup-core"])
    environment = newcomers_environment()
    made = subprocess.run(
        command,
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    program = clone / ".venv/bin/luna"
    if made.returncode or not program.exists():
        raise MachineError(
            f"make setup-core failed: {made.stdout.strip()[-500:]}",
            value=made.returncode,
            remedy=INSTALL,
        )
    print(f"small machine: installed; {group.count_killed()} killed", file=sys.stderr, flush=True)
    return program, time.monotonic() - begun


@dataclass
class Peak:
    """A group's peak memory so far."""

    held_bytes: int = 0


@contextmanager
def _watch(group: ControlGroup) -> Iterator[Peak]:
    """Sample the group's memory until the block ends."""
    peak = Peak()
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            peak.held_bytes = max(peak.held_bytes, group.hold_bytes())

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield peak
    finally:
        done.set()
        watch.join()


def _stop_steering(connection: Connection) -> None:
    """Have the devices follow the plan alone: at this speed no meter is fresh."""
    site = sites.load(connection, SITE_NAME)
    if site.control is None:
        return
    section = site.control.model_copy(update={"steering": False})
    sites.save(connection, site.model_copy(update={"control": section}))


def _live(machine: SmallMachine, lived: timedelta, folder: Path) -> dict[str, Any]:
    begun = time.monotonic()
    with running(Settings(data_folder=folder, database_url=None, redis_url=None)) as addresses:
        prepare_home(addresses, sys.stderr.write)
    prepared_s = time.monotonic() - begun
    machine.say("prepared")
    trained_s = machine.do(f"{SITE}/forecast-versions/trainings")
    machine.say("trained")
    start = machine.now()
    # Not by the API, which asks for the owner's password; there is no user here.
    with unit_of_work(machine.stack.database) as connection:
        _stop_steering(connection)
        control_service.arm(connection, SITE_NAME, now=start, by="bench", data_folder=folder)
    before = machine.stack.processes.cpu()
    machine.live(lived)
    spent = machine.stack.processes.cpu().spent_since(before)
    told = _list_told(machine, start)
    whole = _count_whole(start, machine.now())
    planned_s = [_plan(machine) for _ in range(PLANS)]
    pages = _open_pages(machine)
    slowest = max(pages, key=lambda page: pages[page]["median_s"])
    return {
        "prepared_s": prepared_s,
        "trained_s": trained_s,
        "planned_s": median(planned_s),
        "quarter_hours": whole,
        "told": len(told),
        "told_by_plan": sum(each["plan_id"] is not None for each in told),
        "confirmed_share": sum(bool(each["confirmed"]) for each in told) / max(whole, 1),
        "cpu_s_per_quarter_hour": sum(spent.values()) / max(whole, 1),
        "slowest_page": slowest,
        "slowest_page_s": pages[slowest]["median_s"],
        "slowest_visit_s": max(page["worst_s"] for page in pages.values()),
        "pages": pages,
    }


def _plan(machine: SmallMachine) -> float:
    """Return the seconds of an interactive plan."""
    begun = time.monotonic()
    machine.client.post("/v1/plans", json={"site_id": SITE_NAME}).raise_for_status()
    return time.monotonic() - begun


def _count_whole(begin: datetime, end: datetime) -> int:
    """Return the number of whole quarter-hours between two instants."""
    return (floor_to(end, SLOT) - (floor_to(begin, SLOT) + SLOT)) // SLOT


def _list_told(machine: SmallMachine, start: datetime) -> list[dict[str, Any]]:
    """Return the battery's last decision of each whole quarter-hour since ``start``."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        query = {"from": start.isoformat(), "limit": "500"} | ({"cursor": cursor} if cursor else {})
        answer = (
            machine.client.get(f"{SITE}/control/decisions", params=query).raise_for_status().json()
        )
        for each in answer["decisions"]:
            if (
                each["device"] == BATTERIES
                and start <= datetime.fromisoformat(each["slot_start"]) <= machine.now() - SLOT
            ):
                found.setdefault(each["slot_start"], each)
        if (cursor := answer.get("cursor")) is None:
            return list(found.values())


def _open_pages(machine: SmallMachine) -> dict[str, dict[str, float]]:
    """Return the load times of the menu's pages, each opened several times."""
    home = machine.client.get(HOME).raise_for_status().text
    found = dict.fromkeys(
        link for link in (HOME, *LINKS.findall(home)) if not link.endswith(NO_PAGES)
    )
    times: dict[str, list[float]] = {page: [] for page in found}
    for _ in range(VISITS):
        for page, seconds in times.items():
            begun = time.monotonic()
            answer = machine.client.get(page)
            if answer.is_success and "text/html" in answer.headers["content-type"]:
                seconds.append(time.monotonic() - begun)
    return {
        page: {"median_s": round(median(seconds), 3), "worst_s": round(max(seconds), 3)}
        for page, seconds in times.items()
        if seconds
    }


def _client(stack: Stack) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{stack.port}",
        headers=dict(stack.headers),
        trust_env=False,
        timeout=PAGE_SECONDS,
        follow_redirects=True,
    )


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + JOB_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("a job did not end")
        time.sleep(LOOK_SECONDS)


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
