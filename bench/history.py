"""A year of eight sensors out of a Home Assistant, as five-minute statistics, into the database and
on to quarter-hours.

Run as ``python -m bench.history``; figures of one run only compare with each other. The server has
a process of its own.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from luna.contracts.data import BackfillRequest, BuildSlotsRequest
from luna.energy.site import parse_site
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.clock import SystemClock
from luna.platform.database import engine, migrate, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import start
from services.ingest.backfill import backfill_site, store_samples
from services.ingest.slot_builder import build_site_slots
from services.ingest.source_readings import Samples
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory
from tests.support.home_assistant.server import TOKEN, House, Sensor, counter, serve

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
ROWS = (END - FIRST) // STEP
COUNTERS = {
    "total_load_consumption": 0.05,
    "total_pv_production": 0.06,
    "total_grid_import": 0.03,
    "total_grid_export": 0.04,
    "total_battery_charge": 0.02,
    "total_battery_discharge": 0.02,
    "water_heater_consumption": 0.01,
}
SITE = {
    "name": "year",
    "timezone": "Europe/Berlin",
    "pv": [{"name": "roof", "peak_kw": 8}],
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "input_sensors": {
        **{role: f"sensor.{role}" for role in COUNTERS},
        "battery_soc": "sensor.battery_soc",
    },
}


def measure() -> dict[str, Any]:
    """Return rows per second of the whole backfill, of storing alone, and the seconds that building
    slots takes of it.
    """
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder, _served() as url:
        # As root the servers run under another account, which must be able to walk through.
        Path(folder).chmod(0o711)
        with start(Path(folder) / "servers", services=("postgres",)) as servers:
            migrate.upgrade(servers.database_url)
            pool = engine.create(servers.database_url)
            with unit_of_work(pool) as connection:
                sites.save(connection, parse_site(SITE))
            figures = _measure(pool, url)
            pool.dispose()
            return figures


def _measure(pool: Engine, url: str) -> dict[str, Any]:
    request = BackfillRequest(site_id="year", first=FIRST, end=END)
    with HomeAssistantHistory.connect(HomeAssistantAccess(url, TOKEN)) as source:
        began = time.perf_counter()
        reply = backfill_site(pool, source, request, clock=SystemClock(), progress=lambda *_: None)
        seconds = time.perf_counter() - began
        again = _time_again(pool, source, request)
    rows = sum(sensor.readings for sensor in reply.sensors)
    slots_s = _time_slots(pool)
    return {
        "rows": rows,
        "slots": reply.slots.slots_written,
        "seconds": seconds,
        "rows_per_s": rows / seconds,
        "store_rows_per_s": _measure_storing(pool),
        "slots_again_s": slots_s,
        "again_s": again,
    }


def _time_again(pool: Engine, source: HomeAssistantHistory, request: BackfillRequest) -> float:
    began = time.perf_counter()
    backfill_site(pool, source, request, clock=SystemClock(), progress=lambda *_: None)
    return time.perf_counter() - began


def _time_slots(pool: Engine) -> float:
    began = time.perf_counter()
    with unit_of_work(pool) as connection:
        build_site_slots(
            connection, BuildSlotsRequest(site_id="year", first=FIRST, end=END), now=END
        )
    return time.perf_counter() - began


def _measure_storing(pool: Engine) -> float:
    """Return how many rows per second are stored when nothing has to be read: a year of one sensor,
    in the backfill's windows.
    """
    with unit_of_work(pool) as connection:
        connection.execute(text("TRUNCATE sensor_readings"))
    instants = np.datetime64(FIRST.replace(tzinfo=None), "us") + np.arange(ROWS) * np.timedelta64(
        STEP
    )
    began = time.perf_counter()
    for place in range(0, ROWS, 30 * 288):
        part = instants[place : place + 30 * 288]
        with unit_of_work(pool) as connection:
            store_samples(
                connection,
                "year",
                Samples(
                    "sensor.total_load_consumption",
                    "kWh",
                    part,
                    np.arange(part.size, dtype=np.float64),
                ),
            )
    return ROWS / (time.perf_counter() - began)


@contextmanager
def _served() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.history", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if server.stdout is None or server.stdin is None:
        raise RuntimeError("the server has no pipes")
    try:
        yield server.stdout.readline().strip()
    finally:
        # The end of its input ends it.
        server.stdin.close()
        server.wait(timeout=30)
        server.stdout.close()


def _serve() -> None:
    rng = np.random.default_rng(0)
    purged = END.timestamp() + 1
    before = FIRST - timedelta(hours=2)
    count = (END - before) // STEP + 13
    meters = {
        f"sensor.{role}": counter(
            before,
            STEP,
            (100 + np.cumsum(rng.uniform(0, 2 * mean, count))).tolist(),
            kept_since=purged,
        )
        for role, mean in COUNTERS.items()
    }
    seconds = (before.timestamp() + np.arange(count) * STEP.total_seconds()).tolist()
    soc = Sensor(
        "%",
        seconds=seconds,
        states=[f"{value:.1f}" for value in 50 + 40 * np.sin(np.arange(count) / 60)],
        kept_since=purged,
    )
    with serve(House(meters | {"sensor.battery_soc": soc})) as house:
        sys.stdout.write(house.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        _serve()
    else:
        print(json.dumps(measure(), indent=2))
