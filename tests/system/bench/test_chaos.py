"""The ledger of what was acknowledged: an audit that finds what is lost, doubled and changed, on a
real gateway and database.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from bench.chaos.audit import audit
from bench.chaos.contents import SHED, Contents, describe_sites
from bench.chaos.faults import TARGETS, draw_moments
from bench.ledger import Ledger
from luna.platform.database import migrate
from luna.platform.embedded.supervisor import Addresses
from tests.support.database.databases import own_database
from tests.support.gateway.server import serve

CONTENTS = Contents(seed=1, day=datetime.now(UTC).date())
DONE = "UPDATE jobs SET status = 'done', reply = '{}'"
TWICE = (
    "INSERT INTO manual_blocks (site_key, device, action, starts_at, ends_at, added_by) SELECT "
    "site_key, device, action, starts_at, ends_at, added_by"
)
ANOTHER = (
    "INSERT INTO jobs (job_id, task, key, request, trace_id, status, reply) SELECT 'another', "
    "task, key, request, '', 'done', reply"
)
SENSOR = (
    "INSERT INTO sensors (site_key, name) SELECT site_key, %s FROM sites WHERE name = 'chaos-home'"
)
READING = "INSERT INTO sensor_readings SELECT sensor_key, clock_timestamp(), %s FROM sensors"


@pytest.fixture(scope="module")
def url(database_server: str) -> Iterator[str]:
    with own_database(database_server, "chaos") as url:
        migrate.upgrade(url.replace("postgresql://", "postgresql+psycopg://"))
        yield url


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    """A database in which nothing of another test is left."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE sites, jobs, sensor_readings, slot_forecasts, idempotent_answers CASCADE"
        )
        yield connection


@pytest.fixture
def api(url: str, database: psycopg.Connection, redis_url: str) -> Iterator[httpx.Client]:
    with serve(
        Addresses(
            database_url=url.replace("postgresql://", "postgresql+psycopg://"), redis_url=redis_url
        )
    ) as api:
        for site in describe_sites():
            api.post("/v1/sites", json=site).raise_for_status()
        yield api


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()


def test_a_block_that_is_gone_and_one_that_is_there_twice_are_found(
    api: httpx.Client, database: psycopg.Connection, ledger: Ledger
) -> None:
    for number in range(3):
        wanted = CONTENTS.block(number)
        stored = (
            api.post(
                f"/v1/sites/{SHED}/manual-blocks",
                json=wanted,
                headers={"Idempotency-Key": str(number)},
            )
            .raise_for_status()
            .json()
        )
        ledger.acknowledge("block", block_id=stored["block_id"], starts_at=wanted["from"])
    assert audit(ledger.read(), database).faults == []
    first, second, _ = [entry["block_id"] for entry in ledger.read()]
    database.execute("DELETE FROM manual_blocks WHERE block_id = %s", (first,))
    database.execute(f"{TWICE} FROM manual_blocks WHERE block_id = %s", (second,))
    found = audit(ledger.read(), database)
    assert (len(found.lost), len(found.doubled), len(found.faults)) == (1, 1, 2)


def test_a_job_without_an_end_one_of_a_second_answer_and_a_forecast_with_a_hole_are_found(
    api: httpx.Client, database: psycopg.Connection, ledger: Ledger
) -> None:
    for number in range(3):
        request = {
            "site_id": SHED,
            "at": CONTENTS.issued_at(number),
            "forecast_version": "baseline_7_day_avg",
        }
        order = {"task": "forecaster.forecast.issue", "request": request, "key": f"job-{number}"}
        job = api.post("/v1/jobs", json=order).raise_for_status().json()
        ledger.acknowledge("job", job_id=job["job_id"], key=job["key"], issued_at=request["at"])
    assert len(audit(ledger.read(), database).lost) == 3
    database.execute(DONE)
    found = audit(ledger.read(), database)
    # Nobody has made the forecasts.
    assert (len(found.wrong), len(found.faults)) == (3, 3)
    database.execute(f"{ANOTHER} FROM jobs LIMIT 1")
    assert len(audit(ledger.read(), database).doubled) == 1


def test_a_live_reading_that_comes_twice_and_one_that_never_came_are_found(
    api: httpx.Client, database: psycopg.Connection, ledger: Ledger
) -> None:
    assert api.get("/health/live").is_success
    database.execute(SENSOR, ("mqtt:chaos/meter [kWh]",))
    for value in (1, 2, 2, 4):
        database.execute(READING, (value,))
    for value in (1, 2, 3):
        ledger.acknowledge("live", value=value)
    found = audit(ledger.read(), database)
    assert (found.lost, found.doubled) == (["live reading 3"], ["live reading 2 is there 2 times"])
    # What nobody acknowledged may be there once.
    assert (found.unacknowledged["live reading"], len(found.faults)) == (1, 2)


def test_an_inverter_that_is_told_more_than_it_can_is_found(
    database: psycopg.Connection, ledger: Ledger
) -> None:
    for watts in ("5000", "0", "5001", "nan"):
        ledger.acknowledge("command", topic="inverter/power/set", value=watts)
    assert audit(ledger.read(), database).beyond_limits == [
        "the inverter was told 5001 W",
        "the inverter was told nan W",
    ]


def test_a_seed_says_the_same_moments_again_and_every_process_is_killed() -> None:
    moments = draw_moments(1, 100)
    assert moments == draw_moments(1, 100) != draw_moments(2, 100)
    killed = [moment.target for moment in moments if moment.fault == "kill"]
    assert (len(killed), set(killed)) == (100, set(TARGETS))
