"""A gateway that dies while it answers a request with an idempotency key: another one answers it at
once, and nothing is done twice.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, Table, func, select, text

from luna.energy.site import Site
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.plans import manual_blocks, plan_history
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from services.api.gateway import PLANS
from tests.support.database.site import issue_half_a_kilowatt, stored_site
from tests.support.gateway.server import OWNER, OWNER_TOKEN, serve
from tests.support.worker.processes import free_port
from tests.support.worker.workers import kill, wait_for, worker_process

BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
BLOCK = {
    "from": "2099-03-12T18:00:00Z",
    "to": "2099-03-12T21:00:00Z",
    "device": "battery",
    "action": "hold",
}
START = datetime(2024, 3, 12, tzinfo=UTC)
KEY = {"Idempotency-Key": "sent-again"}


@pytest.fixture
def home(database: Engine) -> Iterator[Site]:
    with stored_site(database, batteries=[BATTERY]) as site:
        yield site
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM idempotent_answers"))


@pytest.fixture
def other(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    """Another gateway."""
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url),
        plan_timeout=timedelta(seconds=60),
    ) as client:
        yield client


@contextmanager
def mortal_gateway(
    redis_url: str, database_url: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Yield a gateway in a process of its own, and a client of it."""
    port = free_port()
    servers = {
        "LUNA_REDIS_URL": redis_url,
        "LUNA_DATABASE_URL": database_url,
        "LUNA_API_PORT": str(port),
    }
    own = servers | {
        "LUNA_PLAN_TIMEOUT": "PT60S",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "LUNA_OWNER_TOKEN": OWNER_TOKEN,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.api"],
        env=os.environ | own,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers=OWNER) as client:
            wait_for(lambda: answers(client))
            yield process, client
    finally:
        kill(process)
        process.wait(timeout=60)


def answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/health/live").is_success
    return False


def waits_for_lock(database: Engine, statement: str) -> bool:
    """Return whether a session waits for a lock with a statement that begins so."""
    with unit_of_work(database) as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
            "datname = current_database() AND query LIKE :query"
        )
        return bool(connection.scalar(waiting, {"query": f"{statement}%"}))


def count_rows(database: Engine, table: Table) -> int:
    with unit_of_work(database) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_what_a_dead_gateway_had_written_without_an_answer_is_written_once_by_the_next(
    redis_url: str, database_url: str, database: Engine, home: Site, other: httpx.Client
) -> None:
    at = f"/v1/sites/{home.name}/manual-blocks"
    before = count_rows(database, manual_blocks)
    with (
        mortal_gateway(redis_url, database_url) as (gateway, client),
        ThreadPoolExecutor() as pool,
        database.connect() as holder,
    ):
        with database.connect() as table_holder:
            table_holder.execute(text("LOCK TABLE manual_blocks IN SHARE MODE"))
            first: Future[httpx.Response] = pool.submit(client.post, at, json=BLOCK, headers=KEY)
            wait_for(lambda: waits_for_lock(database, "INSERT INTO manual_blocks"))
            while_it_lives = other.post(at, json=BLOCK, headers=KEY)
            holder.execute(text("SELECT FROM idempotent_answers FOR UPDATE"))
        # The block is inserted now, and the answer waits to be stored.
        wait_for(lambda: waits_for_lock(database, "UPDATE idempotent_answers"))
        kill(gateway)
        assert isinstance(first.exception(timeout=60), httpx.TransportError)
        holder.rollback()
        wait_for(lambda: not waits_for_lock(database, "UPDATE idempotent_answers"))
        after_the_death = count_rows(database, manual_blocks)
        again, once_more = (other.post(at, json=BLOCK, headers=KEY) for _ in range(2))
    assert (while_it_lives.status_code, after_the_death - before, again.status_code) == (
        409,
        0,
        201,
    )
    assert (
        once_more.headers["Idempotent-Replayed"],
        once_more.json(),
        count_rows(database, manual_blocks) - before,
    ) == ("true", again.json(), 1)


def test_a_plan_that_a_dead_gateway_had_asked_for_is_made_once_and_told_by_the_next(
    redis_url: str, database_url: str, database: Engine, home: Site, other: httpx.Client
) -> None:
    with unit_of_work(database) as connection:
        issue_half_a_kilowatt(connection, home.name, START)
    question = {
        "site_id": home.name,
        "start": START.isoformat(),
        "state": {"batteries": {"battery": {"soc": 0.5}}},
    }
    before = count_rows(database, plan_history)
    queue = Client(redis_url)
    with mortal_gateway(redis_url, database_url) as (gateway, client), ThreadPoolExecutor() as pool:
        first: Future[httpx.Response] = pool.submit(
            client.post, "/v1/plans", json=question, headers=KEY
        )
        wait_for(lambda: queue.tasks.waiting(PLANS) == 1)
        kill(gateway)
        assert isinstance(first.exception(timeout=60), httpx.TransportError)
        again: Future[httpx.Response] = pool.submit(
            other.post, "/v1/plans", json=question, headers=KEY
        )
        with worker_process(redis_url, database_url, "services.planner.tasks"):
            answer = again.result(timeout=90)
            wait_for(lambda: queue.tasks.waiting(PLANS) == 0)
    queue.close()
    assert (answer.status_code, count_rows(database, plan_history) - before) == (200, 1)
