"""How workers say they are: over HTTP, by a file's age, by what the gateway knows of them, and
while servers come and go.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis

from luna.platform.embedded.supervisor import Servers
from luna.platform.queue import Client
from luna.platform.queue.consumption import EXIT_STARVED
from tests.integration import upkeep_messages as upkeep
from tests.support.worker.fork_server import run_python
from tests.support.worker.processes import (
    Process,
    ask,
    failing,
    free_port,
    is_silent,
    luna_process,
    says,
)
from tests.support.worker.task_starts import count_starts
from tests.support.worker.thread_log_worker import FORKS
from tests.support.worker.workers import kill, wait_for

SOON = timedelta(seconds=60)
BEAT = "0.3"
WORKER = "luna.platform.queue.worker"
# Named, not imported: in this process the service itself may answer the same requests.
UPKEEP_TASKS = "tests.integration.upkeep_tasks"
NOWHERE = "postgresql://luna@127.0.0.1:9/none"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the workers."""
    return tmp_path_factory.mktemp("workers")


@dataclass(frozen=True)
class Workers:
    """Starts workers of one process on a database and a queue.

    They end with the block of ``processes``.
    """

    servers: dict[str, str]
    processes: ExitStack

    def begin(self, *queues: str, **settings: str) -> tuple[Process, int]:
        """Start a worker for queues, and return it with the port of its health."""
        port = free_port()
        arguments = (*queues, "--beat-seconds", BEAT, "--health-port", str(port))
        process = self.processes.enter_context(
            luna_process(WORKER, *arguments, **self.servers | {"worker_processes": "1"} | settings)
        )
        return process, port


@dataclass(frozen=True)
class Services:
    """Three live workers of services with their ports: two of them are told of stores that are
    away.
    """

    agent: tuple[Process, int]
    rag: int
    planner: int
    heartbeat: Path


@pytest.fixture(scope="module")
def services(redis_url: str, database_url: str, folder: Path) -> Iterator[Services]:
    """Workers that tests share; whatever test ends the agent's is the last that uses it."""
    away = {
        "vectors_url": "http://127.0.0.1:9",
        "language_url": "http://127.0.0.1:9",
        "objects_url": "http://127.0.0.1:9",
        "objects_secret_key": "none",
    }
    heartbeat = folder / "heartbeat"
    with redis.Redis.from_url(redis_url) as admin, ExitStack() as stack:
        admin.delete("luna:nodes")
        workers = Workers(
            {"redis_url": redis_url, "database_url": database_url, "data_folder": str(folder)},
            stack,
        )
        agent = workers.begin("agent", heartbeat_file=str(heartbeat))
        _, rag = workers.begin("rag", **away)
        _, planner = workers.begin("planner", **away)
        for port in (agent[1], rag, planner):
            wait_for(lambda: says(port, "live", 200))  # noqa: B023
        yield Services(agent, rag, planner, heartbeat)


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    client = Client(redis_url)
    yield client
    client.close()


@pytest.fixture
def own_client(quiet_queue: str) -> Iterator[Client]:
    client = Client(quiet_queue)
    yield client
    client.close()


@dataclass(frozen=True)
class Bereft:
    """A live worker on the Redis that tests may kill."""

    port: int
    heartbeat: Path


@pytest.fixture(scope="module")
def bereft(own_redis: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bereft]:
    folder = tmp_path_factory.mktemp("bereft")
    heartbeat = folder / "heartbeat"
    with ExitStack() as stack:
        workers = Workers(
            {"redis_url": own_redis.redis_url, "database_url": NOWHERE, "data_folder": str(folder)},
            stack,
        )
        _, port = workers.begin("ingest", "--modules", UPKEEP_TASKS, heartbeat_file=str(heartbeat))
        wait_for(lambda: says(port, "ready", 200))
        yield Bereft(port, heartbeat)


def find_process(servers: Servers) -> int:
    """Return the number of Redis' process."""
    with redis.Redis.from_url(servers.redis_url) as admin:
        return int(admin.info("server")["process_id"])


def live(client: Client, queue: str) -> bool:
    return any(queue in queues for queues in client.heartbeats.workers().values())


def test_a_missing_store_is_named_by_the_service_that_needs_it_and_by_no_other(
    services: Services,
) -> None:
    wait_for(lambda: says(services.planner, "ready", 200))
    status, document = ask(services.rag, "ready")
    assert (status, document["type"]) == (503, "urn:luna:problem:unavailable")
    wait_for(lambda: failing(services.rag) == ["objects", "vectors", "language"])
    assert says(services.rag, "live", 200)


def test_a_frozen_worker_shows_by_its_file_and_to_others_and_thaws(
    services: Services, client: Client
) -> None:
    file = services.heartbeat
    frozen, port = services.agent
    wait_for(lambda: live(client, "agent"))
    first = file.stat().st_mtime_ns
    wait_for(lambda: file.stat().st_mtime_ns > first)

    frozen.send_signal(signal.SIGSTOP)
    wait_for(lambda: not live(client, "agent"))
    last = file.stat().st_mtime_ns
    assert time.time() - last / 1e9 > float(BEAT)
    assert is_silent(port)
    assert says(services.rag, "live", 200)

    frozen.send_signal(signal.SIGCONT)
    wait_for(lambda: live(client, "agent"))
    wait_for(lambda: file.stat().st_mtime_ns > last)
    wait_for(lambda: says(port, "live", 200))


# The last that uses the agent's worker: it ends it.
def test_a_service_without_tasks_serves_its_queue_in_health(
    services: Services, client: Client
) -> None:
    process, port = services.agent
    wait_for(lambda: live(client, "agent"))
    wait_for(lambda: says(port, "ready", 200))
    status, document = ask(port, "ready")
    assert (status, document["status"]) == (200, "ready")
    assert [check["name"] for check in document["checks"]] == [
        "heartbeat",
        "messages",
        "database",
        "redis",
        "objects",
    ]
    assert all(check["latency_ms"] >= 0 for check in document["checks"])
    assert says(port, "unknown", 404)
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    assert 'luna_health_dependency_up{dependency="database"} 1.0' in metrics
    assert 'luna_health_dependency_seconds{dependency="redis"}' in metrics

    process.terminate()
    assert process.wait(timeout=60) == 0
    assert not live(client, "agent")


def test_without_redis_a_worker_lives_on_is_not_ready_and_works_as_soon_as_it_is_back(
    own_redis: Servers, bereft: Bereft, tmp_path: Path
) -> None:
    port = bereft.port
    file = bereft.heartbeat
    wait_for(lambda: says(port, "ready", 200))
    os.kill(find_process(own_redis), signal.SIGKILL)
    wait_for(lambda: says(port, "ready", 503))
    wait_for(lambda: failing(port) == ["redis"])
    # Far longer than the three beats after which a loop counts as standing still.
    young = [file.stat().st_mtime_ns]
    for _ in range(3):
        wait_for(lambda: file.stat().st_mtime_ns > young[-1])
        young.append(file.stat().st_mtime_ns)
    assert says(port, "live", 200)

    own_redis.bring_up(("redis",))
    wait_for(lambda: says(port, "ready", 200))
    client = Client(own_redis.redis_url)
    gate = tmp_path / "gate"
    gate.touch()
    assert client.call(
        upkeep.GateRequest(starts=tmp_path / "starts", gate=gate), timeout=SOON
    ) == upkeep.Through(starts=1)
    client.close()


def test_a_redis_that_says_nothing_stops_no_loop_for_good(
    own_redis: Servers, bereft: Bereft
) -> None:
    file = bereft.heartbeat
    client = Client(own_redis.redis_url)
    wait_for(lambda: live(client, "ingest"))
    client.close()
    silent = find_process(own_redis)
    os.kill(silent, signal.SIGSTOP)
    try:
        # What was under way when it fell silent ends; then the loop stands, gives up, and turns
        # again.
        wait_for(lambda: time.time() - file.stat().st_mtime > 2)
        touched = file.stat().st_mtime_ns
        wait_for(lambda: file.stat().st_mtime_ns > touched)
    finally:
        os.kill(silent, signal.SIGCONT)


def test_a_port_in_use_is_named_with_its_remedy(
    redis_url: str, database_url: str, tmp_path: Path
) -> None:
    servers = {
        "LUNA_REDIS_URL": redis_url,
        "LUNA_DATABASE_URL": database_url,
        "LUNA_DATA_FOLDER": str(tmp_path),
    }
    port = redis.Redis.from_url(redis_url).connection_pool.connection_kwargs["port"]
    code, errors = run_python(
        WORKER, "agent", "--health-port", str(port), environment=os.environ | servers
    )
    assert code == 1
    assert "--health-port" in json.loads(errors.splitlines()[-1])["error"]


def test_no_thread_runs_while_processes_are_forked(
    redis_url: str, database_url: str, tmp_path: Path
) -> None:
    # A process that was forked while a probe's thread imported a module waited for that module's
    # lock for ever: its worker said it was ready.
    port = free_port()
    own = {"redis_url": redis_url, "database_url": database_url, "data_folder": str(tmp_path)}
    with luna_process(
        "tests.support.worker.thread_log_worker",
        "agent",
        "--processes",
        "2",
        "--health-port",
        str(port),
        **own,
    ):
        wait_for(lambda: says(port, "ready", 200))
    assert (tmp_path / FORKS).read_text(encoding="utf-8").splitlines() == ["['MainThread']"] * 2


def test_an_unknown_queue_is_named(redis_url: str, database_url: str) -> None:
    servers = {"LUNA_REDIS_URL": redis_url, "LUNA_DATABASE_URL": database_url}
    code, errors = run_python(WORKER, "kitchen", environment=os.environ | servers)
    assert code == 1
    assert "kitchen" in json.loads(errors.splitlines()[-1])["error"]


@pytest.fixture
def start_gatekeeper(
    quiet_queue: str, database_url: str, tmp_path: Path
) -> Iterator[Callable[[], Process]]:
    """Starts a worker whose task waits at a gate."""
    with ExitStack() as stack:
        workers = Workers(
            {"redis_url": quiet_queue, "database_url": database_url, "data_folder": str(tmp_path)},
            stack,
        )
        yield lambda: workers.begin("ingest", "--modules", UPKEEP_TASKS)[0]


def test_a_worker_told_to_end_finishes_its_task_which_nobody_else_begins(
    start_gatekeeper: Callable[[], Process], own_client: Client, tmp_path: Path
) -> None:
    request = upkeep.GateRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    ending = start_gatekeeper()
    task_id = own_client.submit(request)
    wait_for(request.starts.exists)
    [ending_name] = own_client.heartbeats.workers()
    start_gatekeeper()
    wait_for(lambda: len(own_client.heartbeats.workers()) == 2)

    ending.terminate()
    # Longer than another worker waits before it takes over from one without a sign of life; told
    # again, it still finishes.
    time.sleep(3 * 3 * float(BEAT))
    ending.terminate()
    wait_for(lambda: ending_name in own_client.heartbeats.workers())
    request.gate.touch()
    assert ending.wait(timeout=60) == 0
    assert own_client.tasks.fetch(task_id, upkeep.GateRequest).reply == upkeep.Through(starts=1)
    assert count_starts(request.starts) == 1
    assert own_client.tasks.waiting("ingest") == 0


def test_a_worker_killed_while_it_ends_loses_nothing(
    start_gatekeeper: Callable[[], Process], own_client: Client, tmp_path: Path
) -> None:
    request = upkeep.GateRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    ending = start_gatekeeper()
    task_id = own_client.submit(request)
    wait_for(request.starts.exists)
    ending.terminate()
    ending.terminate()
    kill(ending)
    start_gatekeeper()
    wait_for(lambda: count_starts(request.starts) == 2)
    request.gate.touch()
    wait_for(lambda: own_client.tasks.fetch(task_id, upkeep.GateRequest).status == "succeeded")
    assert own_client.tasks.fetch(task_id, upkeep.GateRequest).reply == upkeep.Through(starts=2)


def test_a_worker_that_died_before_the_clock_was_put_back_is_missed_soon(
    start_gatekeeper: Callable[[], Process], own_client: Client, quiet_queue: str, tmp_path: Path
) -> None:
    request = upkeep.GateRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    dead = start_gatekeeper()
    task_id = own_client.submit(request)
    wait_for(request.starts.exists)
    [name] = own_client.heartbeats.workers()
    kill(dead)
    with redis.Redis.from_url(quiet_queue) as queue:
        # Seen from a day before, its sign of life ends in a day, and it took the message then.
        queue.pexpire(f"luna:node:{name}", timedelta(days=1))
        taken = f"luna:unacked_index_key:{name}"
        assert queue.zcard(taken) == 1
        for message, at in queue.zrange(taken, 0, -1, withscores=True):
            queue.zadd(taken, {message: at + timedelta(days=1).total_seconds()})
    start_gatekeeper()
    wait_for(lambda: count_starts(request.starts) == 2)
    request.gate.touch()
    wait_for(lambda: own_client.tasks.fetch(task_id, upkeep.GateRequest).status == "succeeded")


def test_a_worker_that_takes_no_messages_says_so_and_ends_to_be_started_again(
    quiet_queue: str, database_url: str, own_client: Client, tmp_path: Path
) -> None:
    port = free_port()
    own = {
        "redis_url": quiet_queue,
        "database_url": database_url,
        "data_folder": str(tmp_path),
        "worker_processes": "1",
    }
    arguments = (
        "ingest",
        "--modules",
        UPKEEP_TASKS,
        "--beat-seconds",
        "1",
        "--health-port",
        str(port),
    )
    with luna_process("tests.support.worker.unresponsive_worker", *arguments, **own) as worker:
        wait_for(lambda: says(port, "ready", 200))
        own_client.submit(upkeep.GateRequest(starts=tmp_path / "starts", gate=tmp_path / "gate"))
        wait_for(lambda: failing(port) == ["messages"])
        assert worker.wait(60) == EXIT_STARVED
    # What it left waits for the next one.
    assert own_client.tasks.waiting("ingest") == 1
