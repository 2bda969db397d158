"""Live readings per second, each on the disk before it is acknowledged, beside SQLite alone and a
file with nothing but a sync; and their delivery.

Run as ``python -m bench.recorder``; figures of one run only compare with each other. The files lie
in the data folder: its disk is the one that counts.
"""

import asyncio
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from luna.energy.site import parse_site
from luna.platform.database import engine, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import start
from luna.platform.settings import Settings, load_settings
from luna.platform.spool.file import PRAGMAS
from luna.platform.telemetry import configure_logging
from services.ingest.recorder import ReadingKind, Recorder, open_recorder
from services.ingest.source_readings import Reading

SITE = "bench"
CALLERS = (1, 10, 100)
SECONDS = 1.0
FULL_SECONDS = 5.0
ROUNDS = 3
DELIVERED = 100_000
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
LONG = timedelta(minutes=2)
# Nobody listens there: what is measured is recording.
AWAY = "postgresql://luna@127.0.0.1:1/luna"


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return readings per second and milliseconds until acknowledged, by number of callers that
    wait side by side, one reading each.
    """
    configure_logging("bench", level="ERROR")
    seconds = FULL_SECONDS if full else SECONDS
    works = {f"callers_{count}": partial(_record, count, seconds) for count in CALLERS}
    works |= {
        "sqlite": partial(_commit_in_sqlite, seconds),
        "fsync": partial(_write_and_sync, seconds),
    }
    rounds = [{name: work() for name, work in works.items()} for _ in range(ROUNDS)]
    figures = {name: _describe([taken[name] for taken in rounds], seconds) for name in works}
    peers = {name: figures.pop(name) for name in ("sqlite", "fsync")}
    lone = figures["callers_1"]["per_s"]
    ratios = {f"ratio_to_{name}": lone / peer["per_s"] for name, peer in peers.items()}
    return {**figures, **ratios, "peers": peers, "delivered_per_s": _deliver()}


def _describe(rounds: list[list[float]], seconds: float) -> dict[str, float]:
    waits = np.concatenate(rounds) * 1e3
    return {
        "per_s": median(len(taken) for taken in rounds) / seconds,
        "p50_ms": float(np.median(waits)),
        "p99_ms": float(np.percentile(waits, 99)),
    }


def _record(callers: int, seconds: float) -> list[float]:
    with (
        _folder() as folder,
        open_recorder(Settings(data_folder=folder), engine.create(AWAY)) as recorder,
    ):
        return asyncio.run(_call_side_by_side(recorder, callers, seconds))


async def _call_side_by_side(recorder: Recorder, callers: int, seconds: float) -> list[float]:
    end = time.perf_counter() + seconds
    taken = await asyncio.gather(
        *(_call(recorder, f"sensor.{caller}", end) for caller in range(callers))
    )
    return [wait for waits in taken for wait in waits]


async def _call(recorder: Recorder, sensor: str, end: float) -> list[float]:
    waits: list[float] = []
    while (begun := time.perf_counter()) < end:
        await recorder.record([_reading(sensor, len(waits))], site_id=SITE, source="bench")
        waits.append(time.perf_counter() - begun)
    return waits


def _reading(sensor: str, number: int) -> Reading:
    return Reading(sensor, NOON + timedelta(seconds=number), number * 0.1, "kWh")


def _commit_in_sqlite(seconds: float) -> list[float]:
    """Commit one row after the other, synced like the spool's."""
    with (
        _folder() as folder,
        closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as file,
    ):
        for pragma in PRAGMAS:
            file.execute(f"PRAGMA {pragma}")
        file.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, body BLOB)")
        body = ReadingKind().encode(_reading("sensor.0", 1))
        return _repeat(seconds, lambda: file.execute("INSERT INTO rows (body) VALUES (?)", (body,)))


def _write_and_sync(seconds: float) -> list[float]:
    """Append one row after the other to a plain file."""
    body = ReadingKind().encode(_reading("sensor.0", 1))
    with _folder() as folder, (folder / "bare").open("wb", buffering=0) as file:
        return _repeat(seconds, lambda: (file.write(body), os.fsync(file.fileno())))


def _repeat(seconds: float, work: Callable[[], object]) -> list[float]:
    waits: list[float] = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        work()
        waits.append(time.perf_counter() - begun)
    return waits


def _deliver() -> float:
    """Return readings per second from the spool into the database."""
    with _folder() as folder, start(folder / "servers") as servers:
        upgrade(servers.database_url)
        pool = engine.create(servers.database_url)
        with unit_of_work(pool) as connection:
            sites.save(connection, parse_site({"name": SITE, "timezone": "UTC"}))
        rows = [_reading("sensor.0", number) for number in range(DELIVERED)]
        with open_recorder(Settings(data_folder=folder), engine.create(AWAY)) as recorder:
            asyncio.run(recorder.record(rows, site_id=SITE, source="bench"))
        begun = time.perf_counter()
        with open_recorder(Settings(data_folder=folder), pool) as recorder:
            recorder.flush(LONG)
        rate = DELIVERED / (time.perf_counter() - begun)
        pool.dispose()
        return rate


@contextmanager
def _folder() -> Iterator[Path]:
    data = load_settings().data_folder.absolute()
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
