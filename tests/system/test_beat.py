"""Beat as a process of its own: it asks for what is due, there is one that leads, and a frozen one
is noticed.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from luna.platform.embedded.supervisor import start
from luna.platform.queue import Client
from luna.platform.queue.heartbeats import LeaderLock
from tests.support.worker.processes import (
    Process,
    checks,
    failing,
    free_port,
    is_silent,
    luna_process,
    says,
)
from tests.support.worker.task_starts import count_starts
from tests.support.worker.workers import wait_for

TURN = "0.3"
# Named, not imported: in this process the service itself may answer the same requests.
UPKEEP_TASKS = "tests.integration.upkeep_tasks"
NOWHERE = "postgresql://luna@127.0.0.1:9/none"
Start = Callable[..., tuple[Process, int]]


@pytest.fixture
def own_redis(quiet_queue: str) -> str:
    """A queue without signs of workers that other tests have killed: beat asks for what they would
    serve.
    """
    return quiet_queue


@pytest.fixture
def start_beat(own_redis: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a beat and returns it with the port of its health, once it lives."""
    with ExitStack() as stack:

        def run(*arguments: str, **settings: str) -> tuple[Process, int]:
            port = free_port()
            own = {
                "redis_url": own_redis,
                "database_url": NOWHERE,
                "data_folder": str(tmp_path),
            } | settings
            process = stack.enter_context(
                luna_process(
                    "luna.platform.queue.beat",
                    "--turn-seconds",
                    TURN,
                    "--health-port",
                    str(port),
                    *arguments,
                    **own,
                )
            )
            wait_for(lambda: says(port, "live", 200))
            return process, port

        yield run


@pytest.fixture
def client(own_redis: str) -> Iterator[Client]:
    client = Client(own_redis)
    yield client
    client.close()


def part(port: int) -> str:
    """Return what a beat says of its part; nothing where it does not answer."""
    return str(checks(port).get("schedule", {}).get("detail"))


def test_what_is_due_is_asked_for_again_and_again_and_only_while_somebody_serves_it(
    start_beat: Start, client: Client, own_redis: str, tmp_path: Path
) -> None:
    _, port = start_beat("--resend-seconds", "1", "--retention-seconds", "3600")
    wait_for(lambda: part(port) == "leads")
    # Nobody serves the queue: what is due stays due, and nothing piles up.
    assert client.tasks.waiting("ingest") == 0
    assert not (tmp_path / "resent").exists()

    worker = {
        "redis_url": own_redis,
        "database_url": NOWHERE,
        "data_folder": str(tmp_path),
        "worker_processes": "1",
    }
    with luna_process(
        "luna.platform.queue.worker",
        "ingest",
        "--modules",
        UPKEEP_TASKS,
        "--beat-seconds",
        "0.3",
        **worker,
    ):
        wait_for(lambda: count_starts(tmp_path / "resent") >= 3)
    assert count_starts(tmp_path / "retained") == 1
    sign = client.heartbeats.beat()
    assert sign is not None
    assert set(sign.asked_at) == {
        f"ingest.{what}"
        for what in (
            "jobs.resend",
            "rollups.refresh",
            "retention.apply",
            "quality.judge",
            "prices.fetch",
            "carbon.fetch",
            "limits.fetch",
            "pv.fetch",
            "weather.fetch",
            "logs.archive",
        )
    }


def test_one_beat_leads_and_another_takes_over_when_it_ends_or_dies(start_beat: Start) -> None:
    first, first_port = start_beat()
    wait_for(lambda: part(first_port) == "leads")
    second, second_port = start_beat()
    wait_for(lambda: part(second_port).startswith("waits, for"))
    assert part(first_port) == "leads"
    assert says(second_port, "ready", 200)

    first.terminate()
    assert first.wait(timeout=60) == 0
    wait_for(lambda: part(second_port) == "leads")

    _, third_port = start_beat()
    wait_for(lambda: part(third_port).startswith("waits, for"))
    second.kill()
    wait_for(lambda: part(third_port) == "leads")


def test_a_frozen_beat_shows_by_its_file_and_its_sign_and_leaves_the_lead_to_another(
    start_beat: Start, client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "heartbeat"
    frozen, port = start_beat(heartbeat_file=str(file))
    wait_for(lambda: client.heartbeats.beat() is not None)
    first = client.heartbeats.beat()
    wait_for(lambda: client.heartbeats.beat() != first)

    frozen.send_signal(signal.SIGSTOP)
    wait_for(lambda: is_silent(port))
    last = client.heartbeats.beat()
    touched = file.stat().st_mtime_ns
    assert last is not None
    assert last.is_late(last.turned_at + timedelta(seconds=1))
    _, other_port = start_beat()
    wait_for(lambda: part(other_port) == "leads")
    assert file.stat().st_mtime_ns == touched

    frozen.send_signal(signal.SIGCONT)
    wait_for(lambda: part(port).startswith("waits, for"))
    assert part(other_port) == "leads"
    wait_for(lambda: file.stat().st_mtime_ns > touched)


def test_without_redis_beat_keeps_turning_says_so_and_leads_as_soon_as_it_is_back(
    start_beat: Start, servers_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "heartbeat"
    with (
        start(servers_folder, services=("redis",)) as servers,
        redis.Redis.from_url(servers.redis_url) as admin,
    ):
        _, port = start_beat(redis_url=servers.redis_url, heartbeat_file=str(file))
        wait_for(lambda: part(port) == "leads")
        os.kill(admin.info("server")["process_id"], signal.SIGKILL)
        wait_for(lambda: part(port) == "does not reach Redis")
        wait_for(lambda: failing(port) == ["redis"])
        touched = file.stat().st_mtime_ns
        wait_for(lambda: file.stat().st_mtime_ns > touched)
        assert says(port, "live", 200)
        servers.bring_up(("redis",))
        wait_for(lambda: part(port) == "leads")


def test_a_lead_that_another_has_taken_is_not_taken_back(own_redis: str) -> None:
    with redis.Redis.from_url(own_redis) as connection:
        first, second = (
            LeaderLock(connection, name, turn=timedelta(seconds=10)) for name in ("first", "second")
        )
        assert first.hold()
        assert first.hold()
        assert not second.hold()
        # The first one freezes for longer than the lock lives.
        connection.delete("luna:beat-lock")
        assert second.hold()
        assert not first.hold()
        first.leave()
        assert second.holder() == "second"
        second.leave()
        assert first.hold()


def test_the_lead_of_a_dead_beat_is_free_soon_also_where_the_clock_was_put_back(
    own_redis: str,
) -> None:
    turn = timedelta(seconds=0.1)
    with redis.Redis.from_url(own_redis) as connection:
        dead, second = (LeaderLock(connection, name, turn=turn) for name in ("dead", "second"))
        assert dead.hold()
        # Redis keeps the end of a lease as a time of day: put back by a day, it is a day off.
        connection.pexpire("luna:beat-lock", timedelta(days=1))
        wait_for(second.hold)
        second.leave()


def test_where_no_beat_ever_turned_there_is_no_sign(client: Client) -> None:
    assert client.heartbeats.beat() is None
