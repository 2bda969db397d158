"""Processes that record readings, for tests that kill them.

Run as ``python -m tests.support.metering.recorder_process``.

Each line on stdin, ``folder database_url first``, starts a process that records readings numbered
from ``first`` on, until it is killed. On stdout it says ``born <pid>``, then ``safe <first> <end>``
for what was acknowledged, and, once it is gone, ``gone``.
"""

import asyncio
import itertools
import os
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from luna.platform.database import engine
from luna.platform.spool.spool import open_mirror
from luna.platform.telemetry import configure_logging
from services.ingest.recorder import ReadingKind, Recorder
from services.ingest.source_readings import Reading

SITE = "home"
SENSOR = "sensor.meter"
START = datetime(2024, 1, 1, tzinfo=UTC)
CALLERS = 3
TURN = timedelta(milliseconds=5)


def reading(number: int) -> Reading:
    """Return the reading of a number: its second, and a value that is only its own."""
    return Reading(SENSOR, START + timedelta(seconds=number), number * 0.5, "kWh")


def main() -> None:
    configure_logging("test")
    for line in sys.stdin:
        folder, database_url, first = line.split()
        child = os.fork()
        if child == 0:
            say(f"born {os.getpid()}")
            record_for_ever(Path(folder), database_url, int(first))
        os.waitpid(child, 0)
        say("gone")


def record_for_ever(folder: Path, database_url: str, first: int) -> None:
    pool = engine.create(database_url)
    with open_mirror(folder, pool, ReadingKind(), turn=TURN) as mirror:
        asyncio.run(call_side_by_side(Recorder(mirror), itertools.count(first)))


async def call_side_by_side(recorder: Recorder, numbers: Iterator[int]) -> None:
    await asyncio.gather(
        *(call(recorder, numbers, random.Random(caller)) for caller in range(CALLERS))
    )


async def call(recorder: Recorder, numbers: Iterator[int], chance: random.Random) -> None:
    while True:
        batch = list(itertools.islice(numbers, chance.randint(1, 5)))
        await recorder.record([reading(number) for number in batch], site_id=SITE, source="test")
        say(f"safe {batch[0]} {batch[-1] + 1}")


def say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    main()
