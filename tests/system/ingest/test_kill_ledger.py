"""Readings by MQTT and by HTTP against a ledger, while every process and server is killed.

The senders and the ledger are plain Python; the database is read by SQL of the test's own.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luna.platform.database import engine, migrate
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from luna.platform.embedded.supervisor import start as start_servers
from tests.support.database.site import store_site
from tests.support.gateway.server import OWNER, OWNER_TOKEN
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.suite.depth import LONG
from tests.support.worker.mortal_processes import ModuleCommand, MortalProcesses
from tests.support.worker.processes import free_port
from tests.support.worker.workers import wait_for

SITE = "ledger"
TOPIC = "ledger/meter"
METER = f"mqtt:{TOPIC}"
FILED = "sensor.filed"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
ROUNDS = 12 if LONG else 1
LONGEST_PAUSE = 0.8 if LONG else 0.4
FILE_ROWS = 20
READINGS = (
    "SELECT instant, value FROM sensor_readings JOIN sensors USING (sensor_key) JOIN sites "
    "USING (site_key) WHERE sites.name = %s AND sensors.name = %s"
)
OPEN_JOBS = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')"
JOB_ENDS = "SELECT DISTINCT status FROM jobs"
BLOCKS = "SELECT starts_at FROM manual_blocks JOIN sites USING (site_key) WHERE name = %s"
COMMANDS = {
    "recorder": ModuleCommand("services.ingest.live", ("--look-seconds", "0.3")),
    "gateway": ModuleCommand("services.api"),
    "worker": ModuleCommand(
        "luna.platform.queue.worker",
        ("--modules", "services.ingest.tasks", "--beat-seconds", "0.5"),
    ),
    "beat": ModuleCommand("luna.platform.queue.beat", ("--resend-seconds", "0.5")),
}

pytestmark = needs_mosquitto


class Sender:
    """Sends numbered items until it ends; those that were acknowledged stand in ``acknowledged``.

    An item that is not acknowledged is sent again, as it was, until it is or the sender ends.
    """

    def __init__(self, send: Callable[[int], bool]) -> None:
        self.sent = 0
        self.acknowledged: list[int] = []
        self._send = send
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            number = self.sent
            self.sent += 1
            while not self._send(number):
                if self._ending.wait(0.05):
                    return
            self.acknowledged.append(number)


@contextmanager
def sending(*senders: Sender) -> Iterator[None]:
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.end()


def wait_for_each_to_go_on(senders: Sequence[Sender]) -> None:
    counts = [len(sender.acknowledged) for sender in senders]
    for sender, count in zip(senders, counts, strict=True):
        wait_for(lambda: len(sender.acknowledged) > count)  # noqa: B023 - called at once


class LedgerMeter:
    """Publishes at QoS 1 in a session that the broker keeps."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="ledger", clean_session=False
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, number: int) -> bool:
        message = self._client.publish(TOPIC, str(number), qos=1)
        # The client itself sends a message again that has no PUBACK.
        message.wait_for_publish(60)
        time.sleep(0.002)
        return message.is_published()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Uploader:
    """Sends files of readings, and blocks under idempotency keys."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/v1/sites/{SITE}"
        self.answers: set[int] = set()

    def send_file(self, number: int) -> bool:
        file = ("readings.csv", file_of(number))
        return self._accepts("uploads", data={"kind": "readings"}, files={"file": file})

    def send_block(self, number: int) -> bool:
        starts_at = block_start(number)
        ends_at = starts_at + timedelta(minutes=15)
        block = {"device": "battery", "action": "hold"}
        block |= {"from": starts_at.isoformat(), "to": ends_at.isoformat()}
        key = {"Idempotency-Key": f"block-{number}"}
        return self._accepts("manual-blocks", json=block, headers=OWNER | key)

    def _accepts(self, what: str, **content: Any) -> bool:
        content = {"headers": OWNER} | content
        try:
            answer = httpx.post(f"{self._address}/{what}", timeout=20, trust_env=False, **content)
        except httpx.TransportError:
            return False
        self.answers.add(answer.status_code)
        return answer.is_success


def row_of(number: int) -> tuple[datetime, float]:
    """Return the reading of a number in a file."""
    return FIRST + timedelta(minutes=number), number + 0.25


def rows_of(number: int) -> range:
    """Return the numbers of a file's readings; no two files share one."""
    return range(number * FILE_ROWS, (number + 1) * FILE_ROWS)


def file_of(number: int) -> bytes:
    lines = ["sensor,instant,value,unit"]
    for row in rows_of(number):
        instant, value = row_of(row)
        lines.append(f"{FILED},{instant.isoformat()},{value},kWh")
    return "\n".join([*lines, ""]).encode()


def block_start(number: int) -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * number)


@pytest.fixture
def own_servers(servers_folder: Path) -> Iterator[Servers]:
    """Embedded servers with a stored site, which this test may kill."""
    with start_servers(servers_folder) as servers:
        migrate.upgrade(servers.database_url)
        pool = engine.create(servers.database_url)
        with unit_of_work(pool) as connection:
            sensors = {"total_grid_import": [METER]}
            store_site(connection, name=SITE, input_sensors=sensors, batteries=[BATTERY])
        pool.dispose()
        yield servers


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


def open_database(servers: Servers) -> psycopg.Connection:
    return psycopg.connect(servers.database_url.replace("+psycopg", ""), autocommit=True)


def query(servers: Servers, statement: str, *values: str) -> list[Any]:
    """Ask the database as somebody who does not know Luna's code."""
    with open_database(servers) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def metered(servers: Servers) -> list[int]:
    return [int(value) for _, value in query(servers, READINGS, SITE, METER)]


def let_jobs_wait(servers: Servers) -> None:
    """Have five minutes pass for the jobs that are open: a lost message is sent again after two."""
    with open_database(servers) as connection:
        connection.execute("UPDATE jobs SET sent_at = sent_at - interval '5 minutes'")


def test_what_was_acknowledged_is_there_exactly_once_whatever_is_killed(
    own_servers: Servers, broker: Mosquitto, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "database_url": own_servers.database_url,
        "redis_url": own_servers.redis_url,
        "data_folder": str(tmp_path / "data"),
        "mqtt_url": f"mqtt://127.0.0.1:{broker.port}",
        "api_port": str(port),
        "owner_token": OWNER_TOKEN,
        "worker_processes": "1",
        "requests_per_minute": "1000000",
    }
    meter = LedgerMeter(broker.port)
    uploader = Uploader(port)
    readings = Sender(meter.publish)
    files = Sender(uploader.send_file)
    blocks = Sender(uploader.send_block)
    senders = (readings, files, blocks)
    chance = random.Random(7)
    with MortalProcesses(COMMANDS, own_servers, **settings) as processes:
        # A broker drops what nobody has subscribed to.
        wait_for(lambda: broker.hears(TOPIC))
        with sending(*senders):
            wait_for(lambda: all(sender.acknowledged for sender in senders))
            for _ in range(ROUNDS):
                processes.kill_each_at_random(chance, longest=LONGEST_PAUSE)
                wait_for_each_to_go_on(senders)
        meter.close()
        let_jobs_wait(own_servers)
        wait_for(lambda: query(own_servers, OPEN_JOBS) == [(0,)])
        wait_for(lambda: set(readings.acknowledged) <= set(metered(own_servers)))
        rows = query(own_servers, READINGS, SITE, FILED)
        starts = [start for (start,) in query(own_servers, BLOCKS, SITE)]
        ends = query(own_servers, JOB_ENDS)
    values = metered(own_servers)
    # Each once, and none that was never sent.
    assert len(values) == len(set(values))
    assert set(values) <= set(range(readings.sent))
    assert set(rows) >= {row_of(row) for number in files.acknowledged for row in rows_of(number)}
    assert set(rows) <= {row_of(row) for row in range(files.sent * FILE_ROWS)}
    assert len(rows) == len(set(rows))
    assert len(starts) == len(set(starts))
    assert set(starts) >= {block_start(number) for number in blocks.acknowledged}
    assert set(starts) <= {block_start(number) for number in range(blocks.sent)}
    assert ends == [("done",)]
    assert not uploader.answers - {201, 202, 409, 503}
