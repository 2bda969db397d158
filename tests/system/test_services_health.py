"""What the gateway reports of every service."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from luna.contracts.health import ControlledDevice, ControlledSite, ControlSign, RecorderSign
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.control.inverters import DEVICES, describe_devices
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.worker.processes import luna_process
from tests.support.worker.workers import wait_for

AWAY = "http://127.0.0.1:9"
EVERYBODY = ["api", "planner", "forecaster", "ingest", "agent", "rag", "notifier", "beat"]


@pytest.fixture
def addresses(redis_url: str, database_url: str, database: Engine) -> Addresses:
    """The servers, without what workers, beats and armed sites before left there."""
    roles = ("beat", "beat-lock", "nodes", "recorder", "executor", "home-assistant")
    with redis.Redis.from_url(redis_url) as admin:
        admin.delete(*(f"luna:{role}" for role in roles))
    # For a site that another test left armed an executor is missed.
    with unit_of_work(database) as connection:
        for name in sites.names(connection):
            control.disarm(connection, name)
    return Addresses(database_url=database_url, redis_url=redis_url)


@pytest.fixture
def own(addresses: Addresses, tmp_path: Path) -> dict[str, str]:
    """Settings of a process that uses them."""
    servers = {"redis_url": addresses.redis_url, "database_url": addresses.database_url}
    return servers | {"data_folder": str(tmp_path), "worker_processes": "1"}


@pytest.fixture
def api(addresses: Addresses) -> Iterator[httpx.Client]:
    with serve(addresses) as client:
        yield client


def report(api: httpx.Client) -> dict[str, Any]:
    """Return what is said of each service, by name."""
    answer = api.get("/health/services")
    assert answer.status_code == 200
    return {service["service"]: service for service in answer.json()["services"]}


def figure(api: httpx.Client, name: str) -> float:
    [line] = [line for line in api.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def test_services_that_are_not_there_are_listed_as_missing(api: httpx.Client) -> None:
    services = report(api)
    assert list(services) == EVERYBODY
    assert services["api"]["missing"] == ["worker"]
    assert all(services[name]["missing"] == ["instance"] for name in EVERYBODY[1:])
    assert not any(service["ready"] for service in services.values())
    assert figure(api, "luna_beat_age_seconds") == float("inf")
    metrics = api.get("/metrics").text
    assert all(
        f'luna_queue_live_workers{{queue="{name}"}} 0.0' in metrics for name in EVERYBODY[1:-1]
    )
    assert 'luna_health_dependency_up{dependency="worker"} 0.0' in metrics


def test_a_missing_store_is_told_of_the_service_that_needs_it_and_planning_stays_ready(
    api: httpx.Client, own: dict[str, str]
) -> None:
    # One worker for both: it needs more than planning does.
    with luna_process(
        "luna.platform.queue.worker", "planner", "rag", **own, vectors_url=AWAY, language_url=AWAY
    ):
        wait_for(lambda: report(api)["planner"]["ready"])
        services = report(api)
        assert (services["rag"]["ready"], services["rag"]["missing"]) == (
            False,
            ["vectors", "language"],
        )
        assert services["planner"]["missing"] == services["api"]["missing"] == []
        [planner] = services["planner"]["instances"]
        assert planner["queues"] == ["planner", "planner.interactive", "rag", "rag.interactive"]
        assert [check["name"] for check in planner["checks"]] == [
            "heartbeat",
            "messages",
            "database",
            "redis",
        ]
        assert all(check["latency_ms"] >= 0 for check in planner["checks"])
        assert planner["version"] == services["api"]["instances"][0]["version"]
        ready = api.get("/health/ready")
        assert ready.status_code == 200
        assert [check["name"] for check in ready.json()["checks"]] == [
            "database",
            "redis",
            "worker",
        ]


def test_a_frozen_beat_is_not_ready_and_its_age_grows(
    api: httpx.Client, own: dict[str, str]
) -> None:
    with luna_process("luna.platform.queue.beat", "--turn-seconds", "0.3", **own) as beat:
        wait_for(lambda: report(api)["beat"]["ready"])
        beat.send_signal(signal.SIGSTOP)
        wait_for(lambda: not report(api)["beat"]["ready"])
        assert report(api)["beat"]["missing"] == ["heartbeat"]
        age = figure(api, "luna_beat_age_seconds")
        assert age > 3 * 0.3
        wait_for(lambda: figure(api, "luna_beat_age_seconds") > age)


def test_without_redis_the_report_says_what_keeps_it_from_seeing() -> None:
    with serve(
        Addresses(
            database_url="postgresql+psycopg://luna@127.0.0.1:9/luna",
            redis_url="redis://127.0.0.1:9/0",
        )
    ) as api:
        services = report(api)
        assert list(services) == EVERYBODY
        assert services["api"]["missing"] == ["database", "redis", "worker"]
        assert all(services[name]["missing"] == ["redis"] for name in EVERYBODY[1:])


def test_a_recorder_is_listed_while_it_runs_and_no_more_when_told_to_end(
    api: httpx.Client, own: dict[str, str]
) -> None:
    assert "recorder" not in report(api)
    with luna_process("services.ingest.live", **own) as recorder:
        wait_for(lambda: report(api).get("recorder", {}).get("ready"))
        [instance] = report(api)["recorder"]["instances"]
        assert [check["name"] for check in instance["checks"]] == [
            "heartbeat",
            "database",
            "redis",
            "profile",
            "sources",
        ]
        recorder.terminate()
        recorder.wait(60)
        assert "recorder" not in report(api)


def test_a_recorder_that_fell_silent_is_missed(api: httpx.Client, redis_url: str) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    sign = RecorderSign(
        name="silent",
        version="1",
        started_at=hour_ago,
        turned_at=hour_ago,
        turn=timedelta(seconds=5),
    )
    with redis.Redis.from_url(redis_url) as admin:
        admin.set("luna:recorder", sign.model_dump_json())
    assert (report(api)["recorder"]["ready"], report(api)["recorder"]["missing"]) == (
        False,
        ["heartbeat"],
    )


def test_a_recorder_that_the_settings_ask_for_is_missed(addresses: Addresses) -> None:
    with serve(addresses, mqtt_url="mqtt://127.0.0.1:9") as api:
        assert report(api)["recorder"]["missing"] == ["instance"]


def test_an_executor_is_missed_while_a_site_is_armed(api: httpx.Client, database: Engine) -> None:
    site = {"name": "driven", "timezone": "UTC", "control": describe_devices("dry_run")} | DEVICES
    with unit_of_work(database) as connection:
        store_site(connection, **site)
        control.arm(connection, "driven", at=datetime.now(UTC), by="owner")
    missing = report(api)["executor"]["missing"]
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'driven'"))
    assert missing == ["instance"]
    assert "executor" not in report(api)


def test_an_executor_tells_how_the_sites_stand_that_it_drives(
    api: httpx.Client, redis_url: str
) -> None:
    now = datetime.now(UTC)
    device = ControlledDevice(
        device="pv",
        slot_start=now,
        told={"pv": "free"},
        reason="no_plan",
        confirmed_at=now,
        fallback=True,
    )
    site = ControlledSite(
        site="home", armed_at=now, by="mqtt", plan_issued_at=None, devices=(device,)
    )
    sign = ControlSign(
        name="one",
        version="1",
        started_at=now,
        turned_at=now,
        turn=timedelta(minutes=5),
        sites=(site,),
    )
    with redis.Redis.from_url(redis_url) as admin:
        admin.set("luna:executor", sign.model_dump_json())
    executor = report(api)["executor"]
    assert executor["ready"]
    assert executor["instances"][0]["sites"][0]["devices"][0]["fallback"]
