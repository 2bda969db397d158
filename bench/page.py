"""Benchmark of the page Home: size, time to first text and to the chart, and live updates for many
watchers.

Needs a browser (Debian's chromium) and built scripts. Run as ``python -m bench.page``.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

from bench.gateway import GATEWAY, resident_mb, serving
from bench.stack import data_servers, owner_headers
from luna.energy.errors import MachineError
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.embedded.supervisor import Addresses
from luna.platform.telemetry import configure_logging
from tests.support.browser.chromium import CHROMIUM, MISSING
from tests.support.pages.demo_home import store_demo_home

HOME = "/ui/sites/home/home"
VISITS = 7
WATCHERS = 200
SIZES = Path("services/api/static/sizes.json")
# The browser's time of the first contentful paint; the chart is drawn when it has a canvas.
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
DRAWN = "#chart canvas"


def measure() -> dict[str, Any]:
    """Return kilobytes compressed, milliseconds and megabytes.

    Raises:
        MachineError: there is no browser, or the scripts are not built.
    """
    if MISSING is not None:
        raise MachineError(
            f"the page cannot be measured: {MISSING}",
            field="browser",
            remedy="apt-get install chromium, and: make static",
        )
    configure_logging("bench", level="WARNING")
    with _home() as (addresses, folder), serving(GATEWAY, addresses, folder) as (port, process):
        idle = resident_mb(process)
        headers = owner_headers(Path(folder))
        visits = _visit(port, headers)
        watchers = asyncio.run(_watch(port, headers))
        return (
            _weigh()
            | visits
            | watchers
            | {"gateway_mb": idle, "gateway_watched_mb": resident_mb(process)}
        )


def _weigh() -> dict[str, float]:
    sizes = json.loads(SIZES.read_text(encoding="utf-8"))
    return {"javascript_kb": sum(sizes[name]["brotli"] for name in ("home.js", "page.js")) / 1000}


def _visit(port: int, headers: dict[str, str]) -> dict[str, float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        seen = [
            _open(browser, f"http://127.0.0.1:{port}{HOME}", headers) for _ in range(VISITS + 1)
        ][1:]
        browser.close()
    return {
        "first_paint_ms": median(paint for paint, _ in seen),
        "chart_ms": median(chart for _, chart in seen),
    }


def _open(browser: Browser, address: str, headers: dict[str, str]) -> tuple[float, float]:
    """Return the times to the first text and to the chart, in a browser without a cache."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000}, extra_http_headers=headers
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(DRAWN)
    found = float(page.evaluate(PAINT)), float(page.evaluate("performance.now()"))
    context.close()
    return found


async def _watch(port: int, headers: dict[str, str]) -> dict[str, float]:
    """Return how many of simultaneous watchers receive the first event, and the load time of a page
    meanwhile.
    """
    limits = httpx.Limits(max_connections=WATCHERS + 8)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, limits=limits, timeout=30
    ) as client:
        heard = asyncio.Semaphore(0)
        watchers = [asyncio.create_task(_listen(client, heard)) for _ in range(WATCHERS)]
        for _ in watchers:
            await asyncio.wait_for(heard.acquire(), 60)
        times = []
        for _ in range(20):
            answer = await client.get(HOME)
            answer.raise_for_status()
            times.append(answer.elapsed.total_seconds() * 1000)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    return {"watchers": float(WATCHERS), "page_beside_watchers_ms": median(times)}


async def _listen(client: httpx.AsyncClient, heard: asyncio.Semaphore) -> None:
    async with client.stream("GET", f"{HOME}/events") as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_bytes():
            heard.release()
            break
        await asyncio.Event().wait()


@contextmanager
def _home() -> Iterator[tuple[Addresses, str]]:
    """Yield servers with a home with history and a plan, and their folder."""
    with data_servers() as (addresses, folder):
        pool = engine.create(addresses.database_url, application_name="bench")
        store_demo_home(pool, now=SystemClock().now())
        pool.dispose()
        yield addresses, str(folder)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
