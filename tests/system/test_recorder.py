"""The recorder against the real database: processes killed, the database away, the disk full."""

import asyncio
import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, Engine, text

from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.database import engine, readings
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from luna.platform.spool.file import open_file
from services.ingest.recorder import ReadingKind, Recorder, open_recorder
from services.ingest.source_readings import Reading
from tests.support.database.databases import migrated_database
from tests.support.database.site import store_site
from tests.support.metering.recorder_process import SENSOR, SITE, reading
from tests.support.suite.depth import LONG
from tests.support.worker.workers import wait_for

pytestmark = pytest.mark.every_database

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=60)
KILLS = 100 if LONG else 24
# Nobody listens there.
AWAY = "postgresql://luna@127.0.0.1:1/luna"
ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def own(database_server: str) -> Iterator[Engine]:
    """A database that no other test has sites in: it is emptied, and nobody is let in."""
    with migrated_database(database_server, "recorded") as address:
        pool = engine.create(address)
        yield pool
        pool.dispose()


@pytest.fixture
def home(own: Engine) -> Engine:
    """The database with one site, and without what tests before have left."""
    empty(own)
    add_site(own, SITE)
    return own


def empty(pool: Engine) -> None:
    with unit_of_work(pool) as connection:
        connection.execute(text("DELETE FROM sensor_readings; DELETE FROM sites"))


def add_site(pool: Engine, name: str) -> None:
    with unit_of_work(pool) as connection:
        store_site(connection, name=name)


def address_of(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def recorder_at(folder: Path, pool: Engine) -> Iterator[Recorder]:
    with open_recorder(Settings(data_folder=folder), pool) as recorder:
        yield recorder


@contextmanager
def recorder_without_database(folder: Path) -> Iterator[Recorder]:
    pool = engine.create(AWAY)
    with recorder_at(folder, pool) as recorder:
        yield recorder


def record(recorder: Recorder, rows: Sequence[Reading], site_id: str = SITE) -> None:
    asyncio.run(recorder.record(rows, site_id=site_id, source="test"))


def stored(pool: Engine, sensor: str = SENSOR, site_id: str = SITE) -> list[tuple[datetime, float]]:
    with unit_of_work(pool) as connection:
        instants, values = readings.read(
            connection, site_id, sensor, first=datetime(2000, 1, 1, tzinfo=UTC), end=FOR_EVER
        )
    return [
        (instant.replace(tzinfo=UTC), value)
        for instant, value in zip(instants.tolist(), values.tolist(), strict=True)
    ]


def numbers_stored(pool: Engine) -> list[float]:
    """Return the numbers of the readings in the database: reading n has the value n / 2."""
    return [value * 2 for _, value in stored(pool)]


def test_a_recorded_reading_reaches_the_database(home: Engine, tmp_path: Path) -> None:
    with recorder_at(tmp_path, home) as recorder:
        record(
            recorder,
            [
                Reading("sensor.grid", NOON, 1.25, "kWh"),
                Reading("sensor.grid", NOON + timedelta(seconds=1), 1.5, "kWh"),
            ],
        )
        assert recorder.flush(SOON)
    assert stored(home, "sensor.grid") == [(NOON, 1.25), (NOON + timedelta(seconds=1), 1.5)]


def test_a_reading_that_comes_twice_is_stored_once_and_the_later_value_counts(
    home: Engine, tmp_path: Path
) -> None:
    with recorder_at(tmp_path, home) as recorder:
        record(recorder, [Reading("sensor.grid", NOON, 1.0), Reading("sensor.grid", NOON, 2.0)])
        record(recorder, [Reading("sensor.grid", NOON, 3.0)])
        assert recorder.flush(SOON)
    assert stored(home, "sensor.grid") == [(NOON, 3.0)]


def test_that_a_sensor_knows_nothing_is_kept_and_never_replaces_what_it_knew(
    home: Engine, tmp_path: Path
) -> None:
    later = NOON + timedelta(seconds=10)
    with recorder_at(tmp_path, home) as recorder:
        record(
            recorder,
            [
                Reading("sensor.grid", NOON, 1.0),
                Reading("sensor.grid", NOON, math.nan),
                Reading("sensor.grid", later, math.nan),
            ],
        )
        assert recorder.flush(SOON)
        assert str(stored(home, "sensor.grid")) == str([(NOON, 1.0), (later, math.nan)])
        record(
            recorder, [Reading("sensor.grid", NOON, math.nan), Reading("sensor.grid", later, 4.0)]
        )
        assert recorder.flush(SOON)
    assert stored(home, "sensor.grid") == [(NOON, 1.0), (later, 4.0)]


def test_a_sensor_whose_clock_is_decades_off_is_recorded_as_it_said(
    home: Engine, tmp_path: Path
) -> None:
    # As a device says that has not heard the time yet, and one whose battery is empty.
    instants = [
        NOON,
        datetime(2036, 2, 7, tzinfo=UTC),
        datetime(2000, 1, 1, tzinfo=UTC),
        NOON + timedelta(seconds=1),
    ]
    with recorder_at(tmp_path, home) as recorder:
        record(
            recorder,
            [
                Reading("sensor.grid", instant, float(number))
                for number, instant in enumerate(instants)
            ],
        )
        assert recorder.flush(SOON)
    assert stored(home, "sensor.grid") == [
        (instants[2], 2.0),
        (instants[0], 0.0),
        (instants[3], 3.0),
        (instants[1], 1.0),
    ]


def test_known_sensors_take_no_new_numbers(home: Engine, tmp_path: Path) -> None:
    with recorder_at(tmp_path, home) as recorder:
        for second in range(5):
            record(recorder, [Reading("sensor.grid", NOON + timedelta(seconds=second), 1.0, "kWh")])
            assert recorder.flush(SOON)
        record(recorder, [Reading("sensor.roof", NOON, 1.0, "kWh")])
        assert recorder.flush(SOON)
    with unit_of_work(home) as connection:
        first, second = connection.scalars(text("SELECT sensor_key FROM sensors ORDER BY 1"))
    assert second == first + 1


@pytest.mark.parametrize(
    ("row", "field"),
    [
        pytest.param(Reading("", NOON, 1.0), "sensor", id="no name"),
        pytest.param(Reading("a\0b", NOON, 1.0), "sensor", id="a name that PostgreSQL refuses"),
        pytest.param(Reading("a", NOON.replace(tzinfo=None), 1.0), "instant", id="no offset"),
        pytest.param(Reading("a", NOON, 1.0, "\ud800"), "unit", id="no text"),
    ],
)
def test_a_reading_that_the_database_would_refuse_is_refused_at_once(
    tmp_path: Path, row: Reading, field: str
) -> None:
    with recorder_without_database(tmp_path) as recorder:
        with pytest.raises(InvalidInputError) as refusal:
            record(recorder, [Reading("sensor.grid", NOON, 1.0), row])
        assert (refusal.value.field, recorder.rows) == (field, 0)


def test_the_database_may_be_away_for_the_whole_recording(home: Engine, tmp_path: Path) -> None:
    with recorder_without_database(tmp_path) as recorder:
        for number in range(300):
            record(recorder, [reading(number)])
        assert recorder.rows == 300
    with recorder_at(tmp_path, home) as recorder:
        assert recorder.flush(SOON)
    assert numbers_stored(home) == list(range(300))


def test_delivery_goes_on_by_itself_when_the_database_is_back(home: Engine, tmp_path: Path) -> None:
    with recorder_at(tmp_path, home) as recorder:
        with closed_to_all(home):
            record(recorder, [reading(number) for number in range(50)])
            time.sleep(1.5)
            record(recorder, [reading(number) for number in range(50, 80)])
            assert recorder.rows == 80
        assert recorder.flush(SOON)
    assert numbers_stored(home) == list(range(80))


@contextmanager
def closed_to_all(pool: Engine) -> Iterator[None]:
    """Let nobody into a database, and throw out who is there."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    name = str(pool.url.database)
    with psycopg.connect(address_of(pool.url.set(database="postgres")), autocommit=True) as keeper:
        keeper.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        keeper.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            keeper.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_no_transaction_is_open_while_there_is_nothing_to_deliver(
    home: Engine, tmp_path: Path
) -> None:
    with recorder_at(tmp_path, home) as recorder:
        record(recorder, [reading(1)])
        assert recorder.flush(SOON)
        with unit_of_work(home) as connection:
            others = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                "pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            )
            assert connection.scalar(text(f"{others} AND backend_type = 'client backend'")) == 0


def test_what_was_committed_but_not_yet_removed_from_the_spool_is_not_doubled(
    home: Engine, tmp_path: Path
) -> None:
    with recorder_without_database(tmp_path) as recorder:
        record(recorder, [reading(number) for number in range(10)])
    # As if the process had been killed between the two.
    with unit_of_work(home) as connection:
        ReadingKind().store(
            connection, SITE, [ReadingKind().encode(reading(number)) for number in range(7)]
        )
    with recorder_at(tmp_path, home) as recorder:
        assert recorder.flush(SOON)
    assert numbers_stored(home) == list(range(10))


def test_a_site_that_the_database_does_not_know_keeps_no_other_waiting(
    home: Engine, tmp_path: Path
) -> None:
    with recorder_at(tmp_path, home) as recorder:
        record(recorder, [reading(1), reading(2)], site_id="cottage")
        record(recorder, [reading(3)])
        wait_for(lambda: recorder.rows == 2)
        assert numbers_stored(home) == [3]
    add_site(home, "cottage")
    with recorder_at(tmp_path, home) as recorder:
        assert recorder.flush(SOON)
    assert len(stored(home, site_id="cottage")) == 2


def test_two_recorders_never_share_a_folder(tmp_path: Path) -> None:
    with recorder_without_database(tmp_path) as recorder:
        with (
            pytest.raises(MachineError, match="another process"),
            recorder_without_database(tmp_path),
        ):
            pass
        record(recorder, [reading(1)])
        assert recorder.rows == 1


def test_metrics_say_how_much_waits_and_for_how_long(tmp_path: Path) -> None:
    from prometheus_client import REGISTRY

    before = REGISTRY.get_sample_value("luna_ingest_readings_total", {"source": "test"}) or 0
    with recorder_without_database(tmp_path) as recorder:
        record(recorder, [reading(1), reading(2)])
        assert REGISTRY.get_sample_value("luna_ingest_spool_rows") == 2
        wait_for(lambda: (REGISTRY.get_sample_value("luna_ingest_spool_oldest_seconds") or 0) > 0)
    assert REGISTRY.get_sample_value("luna_ingest_readings_total", {"source": "test"}) == before + 2


@contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": ROOT}
    command = [sys.executable, "-m", "tests.support.metering.recorder_process"]
    process = subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        yield process
        assert process.stdin
        process.stdin.close()


def record_until_killed(
    process: subprocess.Popen[str], request: str, wait: Callable[[], None]
) -> list[int]:
    """Start a process, kill it after ``wait``, and return the numbers of the readings that it had
    acknowledged.
    """
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{request}\n")
    process.stdin.flush()
    child = int(process.stdout.readline().split()[1])
    wait()
    os.kill(child, signal.SIGKILL)
    said = [line.split() for line in iter(process.stdout.readline, "gone\n")]
    return [number for _, first, end in said for number in range(int(first), int(end))]


def test_a_process_killed_at_any_instant_loses_nothing_acknowledged_and_doubles_nothing(
    home: Engine, tmp_path: Path
) -> None:
    chance = random.Random(4)
    folder = tmp_path / "spool" / "readings"
    with nursery() as process:
        waits: list[float] = []
        safe = record_until_killed(
            process,
            f"{folder} {address_of(home.url)} 0",
            lambda: waits.append(time_until(lambda: count_stored(home) > 0)),
        )
        first_delivered = count_stored(home)
        # With the database in reach a process lives up to half as long again as it takes to
        # deliver, so that it is killed before, during and after.
        longest = {AWAY: 0.04, address_of(home.url): 1.5 * waits[0]}
        for kill, (address, seconds) in zip(
            range(1, KILLS + 1), itertools.cycle(longest.items()), strict=False
        ):
            safe += record_until_killed(
                process,
                f"{folder} {address} {kill * 100_000}",
                partial(time.sleep, chance.uniform(0, seconds)),
            )
    delivered = count_stored(home)
    waiting = waiting_numbers(folder)
    assert len(waiting) == len(set(waiting))
    with recorder_at(tmp_path, home) as recorder:
        assert recorder.flush(SOON)
    numbers = numbers_stored(home)
    assert set(safe) <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert [(reading(int(number)).instant, number / 2) for number in numbers] == stored(home)
    # The kills met recording and delivering.
    assert len(safe) > KILLS
    assert delivered > first_delivered


def count_stored(pool: Engine) -> int:
    with unit_of_work(pool) as connection:
        return int(connection.scalar(text("SELECT count(*) FROM sensor_readings")) or 0)


def time_until(condition: Callable[[], bool]) -> float:
    begun = time.monotonic()
    wait_for(condition)
    return time.monotonic() - begun


def waiting_numbers(folder: Path) -> list[int]:
    file = open_file(folder)
    entries = [entry for lane in file.waiting for entry in file.oldest(lane, 1_000_000)]
    file.close()
    return [int(json.loads(entry.body)[2] * 2) for entry in entries]


# Files may grow to 200 KB in this process, so that writing fails as on a full disk; then the limit
# goes.
FULL_DISK = """
import asyncio, json, resource, sys
from pathlib import Path
from luna.platform.database import engine
from luna.energy.errors import MachineError
from luna.platform.settings import Settings
from luna.platform.telemetry import configure_logging
from services.ingest.recorder import open_recorder
from tests.support.metering.recorder_process import SITE, reading

configure_logging("test")

async def fill(recorder, numbers):
    safe = []
    try:
        for number in numbers:
            await recorder.record([reading(number)], site_id=SITE, source="test")
            safe.append(number)
    except MachineError as error:
        print(json.dumps(error.problem()))
    return safe

with open_recorder(Settings(data_folder=Path(sys.argv[1])), engine.create(sys.argv[2])) as recorder:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    safe = asyncio.run(fill(recorder, range(10_000)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(json.dumps(safe + asyncio.run(fill(recorder, range(20_000, 20_010)))))
"""


def test_a_full_disk_is_said_nothing_is_acknowledged_and_recording_goes_on_once_there_is_room(
    home: Engine, tmp_path: Path
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), AWAY],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    problem, safe = map(json.loads, said.stdout.splitlines())
    assert problem["type"] == "urn:luna:problem:machine"
    assert "Free some space" in problem["remedy"]
    assert safe[-10:] == list(range(20_000, 20_010))
    with recorder_at(tmp_path, home) as recorder:
        assert recorder.flush(SOON)
    assert numbers_stored(home) == safe


def test_delivery_makes_room_also_where_the_disk_is_full(home: Engine, tmp_path: Path) -> None:
    with recorder_without_database(tmp_path) as recorder:
        record(recorder, [reading(number) for number in range(3_000)])
    script = FULL_DISK.partition("with open_recorder")[0] + DELIVER_WHEN_FULL
    command = [sys.executable, "-c", script, str(tmp_path), address_of(home.url)]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": ROOT}
    )
    assert said.stdout.split() == ["True"]
    assert numbers_stored(home) == list(range(3_000))


DELIVER_WHEN_FULL = """
from datetime import timedelta
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
with open_recorder(Settings(data_folder=Path(sys.argv[1])), engine.create(sys.argv[2])) as recorder:
    print(recorder.flush(timedelta(seconds=20)))
"""
