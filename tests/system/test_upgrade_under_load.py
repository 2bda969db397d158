"""An older database is upgraded while clients write over HTTP and a worker does their jobs."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from luna.platform.database import engine, migrate
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses, Servers
from luna.platform.settings import load_settings
from tests.support.database.databases import own_database
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.worker.workers import wait_for, worker_process

SITE = "upgraded"
SENSOR = "sensor.filed"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
OLDEST = "0001"
# Longer than one try of the upgrade waits for a table.
HELD_SECONDS = 5.5
JUDGED = (
    "INSERT INTO data_quality_daily (site_key, day, verdict, reasons, judged_at) SELECT "
    "site_key, '2024-01-01', 'exclude', '{an old word}', now() FROM sites"
)
OPEN_JOBS = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')"


@dataclass
class LoadClient:
    """Writes readings and blocks, and reads what an older database has in another shape.

    What was not accepted is sent again as it was.
    """

    http: httpx.Client
    accepted: dict[str, list[int]] = field(default_factory=lambda: {"file": [], "block": []})
    answers: Counter[int] = field(default_factory=Counter)
    without_pause: list[str] = field(default_factory=list)

    def write(self, kind: str, ending: threading.Event) -> None:
        """Write numbered items until ``ending`` is set."""
        send = {"file": self._send_file, "block": self._send_block}[kind]
        number = 0
        while not ending.wait(0.05):
            if self._accepts(send(number)):
                self.accepted[kind].append(number)
                number += 1

    def read(self, ending: threading.Event) -> None:
        """Ask for the quality of days until ``ending`` is set."""
        while not ending.wait(0.05):
            days = {"from_day": "2024-01-01", "to_day": "2024-01-02"}
            self._accepts(self.http.get(f"/v1/sites/{SITE}/quality", params=days))

    def _send_file(self, number: int) -> httpx.Response:
        instant = (FIRST + timedelta(minutes=number)).isoformat()
        content = f"sensor,instant,value,unit\n{SENSOR},{instant},{number},kWh\n".encode()
        file = {"file": ("readings.csv", content)}
        return self.http.post(f"/v1/sites/{SITE}/uploads", data={"kind": "readings"}, files=file)

    def _send_block(self, number: int) -> httpx.Response:
        starts_at = block_start(number)
        ends_at = starts_at + timedelta(minutes=15)
        block = {"device": "battery", "action": "hold"}
        block |= {"from": starts_at.isoformat(), "to": ends_at.isoformat()}
        key = {"Idempotency-Key": f"block-{number}"}
        return self.http.post(f"/v1/sites/{SITE}/manual-blocks", json=block, headers=key)

    def _accepts(self, answer: httpx.Response) -> bool:
        self.answers[answer.status_code] += 1
        if answer.status_code == 503 and "Retry-After" not in answer.headers:
            self.without_pause.append(answer.text)
        return answer.is_success


def block_start(number: int) -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * number)


@pytest.fixture
def old_url(servers: Servers) -> Iterator[str]:
    """The address of a database of the oldest release, with a site and a judged day."""
    with own_database(servers.database_url, f"luna_upgraded_{uuid.uuid4().hex[:8]}") as url:
        migrate.upgrade(url, OLDEST)
        pool = engine.create(url)
        with unit_of_work(pool) as connection:
            store_site(connection, name=SITE, batteries=[BATTERY])
        pool.dispose()
        query(url, JUDGED)
        yield url


def query(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        asked = connection.execute(statement.encode())
        return asked.fetchall() if asked.description else []


@contextmanager
def reading_days(url: str) -> Iterator[None]:
    """Have a transaction read the judged days while the block runs, as a long query does."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT count(*) FROM data_quality_daily")
        yield


def test_an_upgrade_under_load_loses_nothing_and_waits_for_who_reads(
    old_url: str, quiet_queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path))
    load_settings.cache_clear()
    modules = ("services.ingest.tasks",)
    addresses = Addresses(old_url, quiet_queue)
    ending = threading.Event()
    with (
        worker_process(quiet_queue, old_url, *modules, data_folder=tmp_path),
        serve(addresses) as http,
        ThreadPoolExecutor(4) as pool,
    ):
        client = LoadClient(http)
        callers = [pool.submit(client.write, kind, ending) for kind in client.accepted]
        callers.append(pool.submit(client.read, ending))
        try:
            wait_for(lambda: all(len(numbers) > 2 for numbers in client.accepted.values()))
            with reading_days(old_url):
                upgrade = pool.submit(migrate.upgrade, old_url)
                time.sleep(HELD_SECONDS)
            upgrade.result(timeout=60)
            known = len(client.accepted["block"])
            wait_for(lambda: len(client.accepted["block"]) > known)
        finally:
            ending.set()
        for caller in callers:
            caller.result(timeout=60)
        wait_for(lambda: query(old_url, OPEN_JOBS) == [(0,)])
        days = {"from_day": "2024-01-01", "to_day": "2024-01-01"}
        [day] = http.get(f"/v1/sites/{SITE}/quality", params=days).json()["days"]
    load_settings.cache_clear()
    values = [value for (value,) in query(old_url, "SELECT value FROM sensor_readings")]
    starts = [start for (start,) in query(old_url, "SELECT starts_at FROM manual_blocks")]
    assert sorted(values) == client.accepted["file"]
    assert sorted(starts) == [block_start(number) for number in client.accepted["block"]]
    assert query(old_url, "SELECT DISTINCT status FROM jobs") == [("done",)]
    assert day["verdict"] == "exclude"
    assert set(client.answers) <= {200, 201, 202, 503}, client.answers
    assert client.without_pause == []
