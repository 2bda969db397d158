"""Energy now as its owner sees it: what an inverter says this moment, over HTTP from its registers
to the page, and since when older values are.
"""

import asyncio
import html
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to, parse_zone
from luna.platform.clock import FixedClock, SystemClock
from luna.platform.database import observations
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue.connection import connect
from luna.platform.queue.live_flows import LiveFlows
from services.ingest.listening.live_powers import LivePowers
from services.ingest.listening.live_sharing import LiveSharing
from services.ingest.source_readings import Reading
from services.ingest.sources.profile import ProfileSource
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import plain, wording, wording_pattern

HOME, FLOW, EVENTS = (f"/ui/sites/alive/{part}" for part in ("home", "home/flow", "events"))
ZONE = parse_zone("Europe/Berlin")
NO_FOLDER = Path("/nonexistent")
SOON = timedelta(milliseconds=20)
# Sensors by role, as the set-up names those of an inverter that it finds.
READINGS = {
    "total_grid_import": "import_w",
    "total_grid_export": "export_w",
    "total_pv_production": "pv_w",
    "total_battery_charge": "charge_w",
    "total_battery_discharge": "discharge_w",
    "battery_soc": "soc",
}
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


class RecordedDevice:
    """Reads a device once an hour, or as soon as somebody looks, and hands on what flows in its
    site.
    """

    def __init__(self, site: Site, redis_url: str) -> None:
        self._site = site
        self._redis = connect(redis_url)
        self._sharing = LiveSharing(
            LivePowers(), LiveFlows(self._redis), clock=SystemClock(), settles=timedelta(0)
        )
        self._source = ProfileSource(
            NO_FOLDER,
            every=timedelta(hours=1),
            find_pause=lambda sensors: SOON if self._sharing.is_looked_at(sensors) else None,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._follow(),)
        )

    def __enter__(self) -> None:
        self._ending = asyncio.Event()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._loop.close()
        self._redis.delete("luna:live:alive", "luna:looked:alive")
        self._redis.close()

    async def _follow(self) -> None:
        sensors = [sensor.name for named in self._site.sensor_roles.values() for sensor in named]
        listening = asyncio.create_task(self._source.listen(sensors, self._note))
        while not self._ending.is_set():
            await self._sharing.turn([self._site], {})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), SOON.total_seconds())
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    async def _note(self, readings: Sequence[Reading]) -> None:
        self._sharing.powers.note("profile", readings, changes_only=False)


@contextmanager
def lived_in(database: Engine, port: int) -> Iterator[Site]:
    """Store a home whose inverter answers at a port."""
    named = {
        role: f"profile:sungrow_sh@127.0.0.1:{port}#{reading}" for role, reading in READINGS.items()
    }
    with stored_site(
        database,
        name="alive",
        batteries=[BATTERY],
        pv=[{"name": "roof", "peak_kw": 8}],
        input_sensors=named,
    ) as site:
        yield site


def read_text(answer: httpx.Response) -> str:
    return plain(" ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split()))


def follow_until(api: httpx.Client, shown: str) -> str:
    """Return the flow as soon as a page that listens for what is live shows this."""
    live = ""
    with api.stream("GET", EVENTS) as events:
        for line in events.iter_lines():
            marks: dict[str, Any] = (
                json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            )
            if marks and marks["live"] != live:
                live = marks["live"]
                text = read_text(api.get(FLOW))
                if shown in text:
                    return text
    raise AssertionError("the stream ended")


def read_powers(text: str) -> dict[str, float]:
    """Return the powers of the flow by their names, 0 for those that rest."""
    names = [wording("home", f"flow_{name}") for name in ("solar", "battery", "buying", "house")]
    return {
        name: float(found[1]) if (found := re.search(rf"{name} (\d+\.?\d*) kW", text)) else 0.0
        for name in names
    }


def test_energy_now_is_what_the_inverter_says_while_somebody_looks(
    database: Engine, database_url: str, redis_url: str
) -> None:
    house_kw = 0.5
    sun_kw = 5.1
    # Its battery needs seconds for a change of power: its clock runs faster.
    device = SimulatedInverter(
        load_profile("sungrow_sh", NO_FOLDER),
        house=lambda _: (house_kw, sun_kw),
        now=lambda: 20 * time.monotonic(),
    )
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with (
        serve_registers(device) as server,
        lived_in(database, server.port) as site,
        serve(addresses) as api,
        RecordedDevice(site, redis_url),
    ):
        api.headers["Accept-Language"] = "en"
        text = follow_until(api, "Battery 4.6 kW")
        assert wording("home", "live") in text
        assert wording_pattern("home", "flow_ago", n=re.compile(r"\d+")).search(text)
        powers = read_powers(text)
        assert powers == pytest.approx(
            {"Solar": 5.1, "Battery": 4.6, "From the grid": 0.0, "House": 0.5}, abs=0.11
        )
        # It changes with the house, though the device is asked once an hour as long as nobody
        # looks.
        house_kw = 2.5
        powers = read_powers(follow_until(api, "House 2.5 kW"))
        # What the battery, which needs a moment, does not leave is bought.
        assert powers["House"] == pytest.approx(
            powers["Solar"] - powers["Battery"] + powers["From the grid"], abs=0.11
        )
        assert read_powers(read_text(api.get(HOME)))["House"] == pytest.approx(2.5, abs=0.11)
        # A minute later, when nothing came, the last quarter-hour stands there with its time, and
        # nothing is called live.
        later = SystemClock().now() + timedelta(minutes=2)
        running = floor_to(later, SLOT)
        with unit_of_work(database) as connection:
            measured = {
                name: np.array([0.25])
                for name in (
                    "load_kwh",
                    "pv_kwh",
                    "import_kwh",
                    "export_kwh",
                    "charge_kwh",
                    "discharge_kwh",
                )
            }
            observations.write(
                connection, "alive", Timeline(running - SLOT, SLOT, 1).starts, measured
            )
        with serve(addresses, FixedClock(later)) as waiting:
            waiting.headers["Accept-Language"] = "en"
            for address in (HOME, FLOW):
                old = read_text(waiting.get(address))
                since = wording("home", "flow_since", t=running.astimezone(ZONE).strftime("%H:%M"))
                assert since in old
                assert read_powers(old)["House"] == 1.0
                assert wording("home", "live") not in old.split()
