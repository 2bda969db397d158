"""The process that listens, killed, ended and left without its database."""

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.site import InputSensors, Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import observations, readings, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import start as start_servers
from tests.support.database.databases import remove_site
from tests.support.home_assistant.broker import Mosquitto, Publisher, needs_mosquitto
from tests.support.suite.depth import LONG
from tests.support.worker.processes import Process, checks, free_port, luna_process, says
from tests.support.worker.workers import wait_for

NOWHERE = "postgresql://luna@127.0.0.1:9/none"
COUNT = 1000 if LONG else 500
# Seconds that a process lives before it is killed while the device publishes.
LIVES = (0.3, 0.05, 0.6, 0.2) if LONG else (0.3,)
TOPIC = "meter/total"
SENSOR = f"mqtt:{TOPIC}"
Start = Callable[..., tuple[Process, int]]
_NUMBERS = itertools.count()


@pytest.fixture
def site_id(database: Engine) -> Iterator[str]:
    """A stored site whose meter speaks MQTT."""
    name = f"listened-{next(_NUMBERS)}-{time.time_ns()}"
    store(database, name, SENSOR)
    yield name
    remove_site(database, name)


def store(database: Engine, name: str, *sensors: str) -> None:
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            Site(
                name=name,
                timezone="Europe/Berlin",
                input_sensors=InputSensors(total_grid_import=sensors),
            ),
        )


@pytest.fixture
def start(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts the process and returns it with the port of its health, once it lives."""
    with ExitStack() as stack:

        def run(**settings: str) -> tuple[Process, int]:
            port = free_port()
            own = {
                "database_url": database_url,
                "redis_url": redis_url,
                "data_folder": str(tmp_path / "data"),
            } | settings
            process = stack.enter_context(
                luna_process(
                    "services.ingest.live",
                    "--health-port",
                    str(port),
                    "--look-seconds",
                    "0.3",
                    **own,
                )
            )
            wait_for(lambda: says(port, "live", 200))
            return process, port

        yield run


@pytest.fixture
def listen(start: Start, broker: Mosquitto) -> Start:
    """The same with the broker, once that is connected."""

    def run(**settings: str) -> tuple[Process, int]:
        process, port = start(mqtt_url=f"mqtt://127.0.0.1:{broker.port}", **settings)
        wait_for(
            lambda: (
                check(port, "mqtt").get("ok") is True
                and not str(check(port, "mqtt").get("detail")).startswith("0 sensors")
                and broker.hears(TOPIC)
            )
        )
        return process, port

    return run


def check(port: int, name: str) -> dict[str, object]:
    """Return a check of its health; nothing where nobody answers."""
    return checks(port).get(name, {})


def stored(database: Engine, site_id: str, sensor: str = SENSOR) -> list[float]:
    now = datetime.now(UTC)
    with unit_of_work(database) as connection:
        readings.register(connection, site_id, {sensor: None})
        return sorted(
            readings.read(
                connection,
                site_id,
                sensor,
                first=now - timedelta(hours=1),
                end=now + timedelta(hours=1),
            )[1].tolist()
        )


@needs_mosquitto
def test_a_process_that_is_killed_again_and_again_neither_loses_nor_doubles_a_reading(
    listen: Start, device: Publisher, database: Engine, site_id: str
) -> None:
    publishing = threading.Thread(
        target=lambda: [device.publish(TOPIC, str(value)) for value in range(COUNT)]
    )
    process, _ = listen()
    publishing.start()
    for seconds in LIVES:
        time.sleep(seconds)
        process.kill()
        process.wait(60)
        process, _ = listen()
    publishing.join()
    wait_for(lambda: len(set(stored(database, site_id))) == COUNT)
    assert stored(database, site_id) == list(range(COUNT))


@needs_mosquitto
def test_an_order_to_end_is_followed_with_everything_that_was_acknowledged_safe(
    listen: Start, device: Publisher, database: Engine, site_id: str
) -> None:
    process, _ = listen()
    for value in range(100):
        device.publish(TOPIC, str(value))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    listen()
    wait_for(lambda: stored(database, site_id) == list(range(100)))


@needs_mosquitto
def test_while_the_database_is_away_readings_wait_also_across_a_start(
    listen: Start, device: Publisher, database: Engine, site_id: str
) -> None:
    process, _ = listen()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    process, port = listen(database_url=NOWHERE)
    assert not check(port, "database")["ok"]
    for value in range(50):
        device.publish(TOPIC, str(value))
    time.sleep(0.5)
    process.kill()
    process.wait(60)
    listen()
    wait_for(lambda: stored(database, site_id) == list(range(50)))


@needs_mosquitto
def test_a_site_that_changes_is_noticed(
    listen: Start, device: Publisher, database: Engine, site_id: str
) -> None:
    _, port = listen()
    before = int(str(check(port, "mqtt")["detail"]).partition(" sensor")[0])
    store(database, site_id, SENSOR, "mqtt:meter/second")
    # It connects anew in between.
    wait_for(lambda: str(check(port, "mqtt").get("detail")).startswith(f"{before + 1} sensor"))
    wait_for(lambda: _hears(device, database, site_id))


def _hears(device: Publisher, database: Engine, site_id: str) -> bool:
    device.publish("meter/second", "1")
    return stored(database, site_id, "mqtt:meter/second") != []


@needs_mosquitto
def test_without_redis_readings_are_recorded_and_the_slots_of_what_is_over_are_built(
    listen: Start, device: Publisher, database: Engine, servers_folder: Path, site_id: str
) -> None:
    with start_servers(servers_folder, services=["redis"]) as own:
        _, port = listen(redis_url=own.redis_url)
        wait_for(lambda: check(port, "redis").get("ok") is True)
    wait_for(lambda: check(port, "redis").get("ok") is False)
    device.publish(TOPIC, "7")
    wait_for(lambda: stored(database, site_id) == [7])
    other = f"{site_id}-built"
    # Nothing is built of a site that names no sensors: its readings are there before.
    store(database, other)
    try:
        last = floor_to(datetime.now(UTC), SLOT)
        rise_evenly(database, other, "mqtt:house [kWh]", until=last)
        store(database, other, "mqtt:house [kWh]")
        wait_for(lambda: imported(database, other, last) == [0.5] * 4)
    finally:
        remove_site(database, other)
    device.publish(TOPIC, "8")
    wait_for(lambda: stored(database, site_id) == [7, 8])
    assert says(port, "live", 200)


def rise_evenly(database: Engine, site_id: str, sensor: str, *, until: datetime) -> None:
    """Store a counter that rose by half a kWh in each of the six quarter-hours before ``until``,
    told each minute.
    """
    minutes = np.arange(-90, 1)
    with unit_of_work(database) as connection:
        key = readings.register(connection, site_id, {sensor: "kWh"})[sensor]
        instants = np.datetime64(until.replace(tzinfo=None), "us") + minutes * np.timedelta64(
            60_000_000, "us"
        )
        readings.upsert(
            connection, np.full(minutes.size, key, dtype=np.int32), instants, (minutes + 90) / 30
        )


def imported(database: Engine, site_id: str, until: datetime) -> list[float]:
    """Return what was imported in each quarter-hour of the hour before ``until``."""
    with unit_of_work(database) as connection:
        series = observations.read_series(
            connection, site_id, Timeline(until - timedelta(hours=1), SLOT, 4), ("import_kwh",)
        )
    return [round(value, 6) for value in series["import_kwh"].tolist()]


def test_without_a_source_it_waits_in_good_health_and_says_so(start: Start) -> None:
    process, port = start()
    wait_for(lambda: says(port, "ready", 200))
    assert (
        check(port, "sources").get("detail") == "neither Home Assistant nor a broker is configured"
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_source_that_is_away_is_named_and_the_process_lives(start: Start, site_id: str) -> None:
    _, port = start(mqtt_url="mqtt://127.0.0.1:9")
    wait_for(lambda: "MQTT broker cannot be reached" in str(check(port, "mqtt").get("detail")))
    assert says(port, "live", 200)


def test_two_processes_do_not_record_into_one_folder(
    start: Start, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    start()
    with luna_process(
        "services.ingest.live",
        database_url=database_url,
        redis_url=redis_url,
        data_folder=str(tmp_path / "data"),
    ) as second:
        assert second.wait(60) == 1
