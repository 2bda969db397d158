"""A day of the simulated home on a machine of one core and 1 GB: whether Luna trains, plans, acts and serves its pages there, and nothing is killed.

Run as ``luna bench small_machine``; needs root and Linux's control groups. The day goes ``SPEED`` times as fast as the sun, by the clock of ``demo --live``;
afterwards, at a day's own pace, every page of the menu is opened.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.control_groups import ControlGroup, control_group
from bench.stack import Stack, data_folder, luna_up
from luna.embedded import running
from luna.settings import Settings, load_settings
from luna.simulated_home import SITE_NAME
from luna.telemetry import configure_logging
from luna.timeline import SLOT, SystemClock, move_clock
from services.cli.demo.live import prepare_home
from services.ingest.demo_data import load_demo

CPUS, MEMORY_BYTES = 1, 1 << 30
# What `luna.queue.memory` grants a task on a machine of that size: a half of it for the two processes of a worker.
JOB_BYTES = MEMORY_BYTES // 4
DAYS, SPEED = 1.0, 60.0
CLOCK_SECONDS, LOOK_SECONDS, SAMPLE_SECONDS = 0.2, 0.5, 5.0
JOB_SECONDS, PAGE_SECONDS = 900.0, 60.0
VISITS = 5
SITE, HOME = f"/v1/sites/{SITE_NAME}", f"/ui/sites/{SITE_NAME}/home"
LINKS = re.compile(r'href="(/ui/[^"?#]*)"')
NO_PAGES = ("/events", "/download", "/csv", "/signout", "/sign-out")


@dataclass
class SmallMachine:
    """Luna on it, the group that it runs in, and the clock that it follows."""

    stack: Stack
    group: ControlGroup
    clock: Path
    client: httpx.Client
    moved: timedelta = timedelta()
    held_bytes: int = 0

    def live(self, lived: timedelta) -> None:
        """Let ``lived`` pass by Luna's clock."""
        begun, before, sampled = time.monotonic(), self.moved, 0.0
        while (passed := time.monotonic() - begun) * SPEED < lived.total_seconds():
            self.moved = before + timedelta(seconds=passed * (SPEED - 1.0))
            move_clock(self.clock, self.moved)
            if passed - sampled > SAMPLE_SECONDS:
                sampled = passed
                self.held_bytes = max(self.held_bytes, self.group.hold_bytes())
                _say(f"{passed * SPEED / 3600:.1f} h lived, {self.held_bytes / 1e6:.0f} MB held at most, {self.group.count_killed()} killed")
            time.sleep(CLOCK_SECONDS)

    def now(self) -> datetime:
        """Return what Luna's clock says."""
        return SystemClock().now() + self.moved

    def do(self, address: str, message: dict[str, Any] | None = None) -> float:
        """Ask for a job and return the seconds until it was done."""
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
    """Return what a day on the small machine came to: seconds, megabytes, how many processes were killed, quarter-hours told, seconds of each page.

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
        own = {"cache_folder": str(cache.resolve()), "clock_file": str(clock), "job_memory_bytes": str(JOB_BYTES), "requests_per_minute": "100000"}
        with luna_up(folder, settings=own, group=group) as stack, _client(stack) as client:
            machine = SmallMachine(stack, group, clock, client)
            figures = {"answered_s": stack.answered_s} | _live(machine, lived, folder)
            return figures | {"killed": group.count_killed(), "restarts": stack.count_restarts(), "held_mb": machine.held_bytes / 1e6}


def _live(machine: SmallMachine, lived: timedelta, folder: Path) -> dict[str, Any]:
    begun = time.monotonic()
    with running(Settings(data_folder=folder, database_url=None, redis_url=None)) as addresses:
        prepare_home(addresses)
    prepared_s = time.monotonic() - begun
    trained_s = machine.do(f"{SITE}/forecast-versions/trainings")
    machine.client.post(f"{SITE}/control/arm").raise_for_status()
    start = machine.now()
    before = machine.stack.processes.cpu()
    machine.live(lived)
    spent = machine.stack.processes.cpu().spent_since(before)
    told = _list_told(machine, start)
    pages = _open_pages(machine)
    slowest = max(pages, key=lambda page: pages[page]["median_s"])
    return {
        "prepared_s": prepared_s,
        "trained_s": trained_s,
        "quarter_hours": lived // SLOT,
        "told": len(told),
        "told_by_plan": sum(each["plan_id"] is not None for each in told),
        "confirmed_share": sum(bool(each["confirmed"]) for each in told) / max(lived // SLOT, 1),
        "cpu_s_per_quarter_hour": sum(spent.values()) / max(lived // SLOT, 1),
        "slowest_page": slowest,
        "slowest_page_s": pages[slowest]["median_s"],
        "pages": pages,
    }


def _list_told(machine: SmallMachine, start: datetime) -> list[dict[str, Any]]:
    """Return what the battery was told in the quarter-hours since, one decision for each: its last."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        query = {"from": start.isoformat(), "limit": "500"} | ({"cursor": cursor} if cursor else {})
        answer = machine.client.get(f"{SITE}/control/decisions", params=query).raise_for_status().json()
        for each in answer["decisions"]:
            if each["device"] == "battery":
                found.setdefault(each["slot_start"], each)
        if (cursor := answer.get("cursor")) is None:
            return list(found.values())


def _open_pages(machine: SmallMachine) -> dict[str, dict[str, float]]:
    """Return by page of the menu how long it takes to come, each opened several times."""
    home = machine.client.get(HOME).raise_for_status().text
    found = dict.fromkeys(link for link in (HOME, *LINKS.findall(home)) if not link.endswith(NO_PAGES))
    times: dict[str, list[float]] = {page: [] for page in found}
    for _ in range(VISITS):
        for page, seconds in times.items():
            begun = time.monotonic()
            answer = machine.client.get(page)
            if answer.is_success and "text/html" in answer.headers["content-type"]:
                seconds.append(time.monotonic() - begun)
    return {page: {"median_s": round(median(seconds), 3), "worst_s": round(max(seconds), 3)} for page, seconds in times.items() if seconds}


def _client(stack: Stack) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{stack.port}", headers=dict(stack.headers), trust_env=False, timeout=PAGE_SECONDS, follow_redirects=True)


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + JOB_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("a job did not end")
        time.sleep(LOOK_SECONDS)


def _say(words: str) -> None:
    with suppress(OSError):
        print(f"small machine: {words}", file=sys.stderr, flush=True)


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
