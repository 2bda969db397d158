"""The queue against a real Redis, a real database and worker processes that get killed.

Its ordinary life is in ``tests/integration``.
"""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from luna.energy.errors import LunaError, UnavailableError
from luna.platform.embedded.supervisor import Servers
from luna.platform.queue import Client, Progress
from tests.integration import sample_tasks as sample
from tests.support.worker.environment import second_queue
from tests.support.worker.workers import Worker, kill, wait_for, worker_process

SOON = timedelta(seconds=60)
# Three are promised; the rest is for a machine that is busy.
A_FEW_SECONDS = 15
# Who is killed is missed after five of them.
BEAT_SECONDS = 0.3


@pytest.fixture(scope="module")
def client(redis_url: str, database_url: str) -> Iterator[Client]:
    """Speaks to a worker for the sample tasks, which all tests share that leave it alive."""
    with redis.Redis.from_url(redis_url) as admin:
        # Without what workers and messages of tests before have left.
        admin.flushdb()
    client = Client(redis_url)
    with worker_process(redis_url, database_url, sample.__name__):
        client.call(sample.EchoRequest(value=0), timeout=SOON)
        yield client
    client.close()


@pytest.fixture
def quiet_client(quiet_queue: str) -> Iterator[Client]:
    with closing(Client(quiet_queue)) as client:
        yield client


@pytest.fixture
def start_worker(quiet_queue: str, database_url: str) -> Iterator[Callable[[], Worker]]:
    """Starts a worker for what is sent to the quiet queue.

    Whatever is left of it ends with the test.
    """
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            worker_process(quiet_queue, database_url, sample.__name__, beat_seconds=BEAT_SECONDS)
        )


@pytest.fixture(scope="module")
def mortal_client(own_redis: Servers) -> Iterator[Client]:
    """Speaks to a worker on the Redis that tests may kill."""
    no_database = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    with (
        worker_process(own_redis.redis_url, no_database, sample.__name__),
        closing(Client(own_redis.redis_url)) as client,
    ):
        yield client


def end_redis(servers: Servers) -> None:
    with redis.Redis.from_url(servers.redis_url) as admin:
        os.kill(admin.info("server")["process_id"], signal.SIGKILL)


def test_a_retryable_error_comes_again_until_it_succeeds(client: Client, tmp_path: Path) -> None:
    reply = client.call(sample.FlakyRequest(value=2, path=tmp_path / "tries"), timeout=SOON)
    assert reply.tries == 3


def test_a_task_that_overruns_its_soft_limit_is_told_to_its_caller(client: Client) -> None:
    with pytest.raises(LunaError, match="longer than"):
        client.call(sample.EndlessRequest(value=1), timeout=SOON)


def test_progress_arrives_at_most_five_times_a_second_and_ends_complete(client: Client) -> None:
    seen: list[Progress] = []
    began = time.monotonic()
    client.call(sample.StepsRequest(value=800), timeout=SOON, on_progress=seen.append)
    assert 2 <= len(seen) <= 2 + 5 * (time.monotonic() - began)
    assert seen[-1] == Progress(done=800, total=800, label="counting")


def test_a_task_that_kills_its_process_is_dead_after_three_starts_and_visible(
    client: Client, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    with pytest.raises(LunaError) as refused:
        client.call(sample.PoisonRequest(value=1, path=starts), timeout=SOON)
    assert (refused.value.reason, refused.value.parameters) == ("task-ended-worker", {"starts": 3})
    assert len(starts.read_text().splitlines()) == 3
    assert client.tasks.dead()[0].task == "sample.value.poison"


def test_a_task_whose_worker_is_killed_is_finished_once_by_another(
    quiet_client: Client, start_worker: Callable[[], Worker], tmp_path: Path
) -> None:
    client = quiet_client
    starts = tmp_path / "starts"
    worker = start_worker()
    task_id = client.submit(sample.SlowRequest(value=1, path=starts))
    wait_for(starts.exists)
    kill(worker)
    successor = start_worker()
    wait_for(lambda: client.tasks.fetch(task_id, sample.SlowRequest).status == "succeeded")
    assert client.tasks.fetch(task_id, sample.SlowRequest).reply == sample.Echo(value=1, tries=2)
    assert client.tasks.waiting("sample") == 0

    # SIGTERM lets what runs finish: the last reply is stored before the process ends.
    last = client.submit(sample.StepsRequest(value=500))
    wait_for(lambda: client.tasks.fetch(last, sample.StepsRequest).status == "running")
    successor.terminate()
    assert successor.wait(timeout=60) == 0
    assert client.tasks.fetch(last, sample.StepsRequest).status == "succeeded"
    assert not any("sample" in queues for queues in client.heartbeats.workers().values())


@pytest.mark.parametrize(
    "options",
    [("--rest-seconds", "0.1"), ("--rest-seconds", "3600", "--turn-seconds", "60")],
    ids=["rests", "has grown and takes turns"],
)
def test_a_process_gives_back_what_it_holds_and_the_next_one_answers(
    quiet_client: Client, quiet_queue: str, database_url: str, options: tuple[str, ...]
) -> None:
    with worker_process(
        quiet_queue, database_url, sample.__name__, options=("--processes", "1", *options)
    ):
        holding = quiet_client.call(sample.HoldRequest(value=64), timeout=SOON).value
        wait_for(lambda: not Path(f"/proc/{holding}").exists())
        assert quiet_client.call(sample.HoldRequest(value=0), timeout=SOON).value != holding


def test_what_has_processes_of_its_own_waits_for_no_job_and_takes_none_of_theirs(
    quiet_client: Client, quiet_queue: str, database_url: str, tmp_path: Path
) -> None:
    starts = [tmp_path / "first", tmp_path / "second"]
    options = ("--only", "jobs", "--processes", "1", "--own", "1", "sample.interactive")
    with worker_process(quiet_queue, database_url, sample.__name__, options=options):
        for path in starts:
            quiet_client.submit(sample.SlowRequest(value=1, path=path))
        wait_for(lambda: any(path.exists() for path in starts))
        for value in range(3):
            assert (
                json.loads(quiet_client.ask(sample.EchoRequest(value=value), timeout=SOON))["value"]
                == value
            )
        assert [path.exists() for path in starts].count(True) == 1
        assert quiet_client.tasks.waiting("sample") == 1


def test_tasks_in_turn_share_one_process_and_what_has_waited_for_long_begins_beside_what_runs(
    quiet_client: Client, quiet_queue: str, database_url: str, tmp_path: Path
) -> None:
    turn_seconds = 2
    options = (
        "--only",
        "jobs",
        "--processes",
        "1",
        "--own",
        "1",
        "sample.interactive",
        "--turn-seconds",
        str(turn_seconds),
    )
    with worker_process(quiet_queue, database_url, sample.__name__, options=options) as worker:
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
        quiet_client.submit(sample.SlowRequest(value=1, path=tmp_path / "starts"))
        wait_for((tmp_path / "starts").exists)
        # The job holds the process for a minute; those that the worker was started with have ended.
        wait_for(lambda: len(children.read_text().split()) == 1)
        [busy] = children.read_text().split()
        begun = time.monotonic()
        assert json.loads(quiet_client.ask(sample.HoldRequest(value=0), timeout=SOON))[
            "value"
        ] != int(busy)
        assert time.monotonic() - begun > turn_seconds


def test_messages_that_come_again_after_their_task_was_done_take_no_place_for_good(
    quiet_client: Client, start_worker: Callable[[], Worker], quiet_queue: str
) -> None:
    client = quiet_client
    with redis.Redis.from_url(quiet_queue) as queue:
        task_id = client.submit(sample.StepsRequest(value=1))
        message = json.loads(queue.lindex("luna:sample", 0))
        worker = start_worker()
        wait_for(lambda: client.tasks.fetch(task_id, sample.StepsRequest).status == "succeeded")
        # As where a worker was taken for gone: its messages are put back, whatever became of their
        # tasks.
        message["headers"]["redelivered"] = True
        message["properties"]["delivery_info"]["redelivered"] = True
        # More of them than a worker on any machine takes at a time.
        for number in range(4 * (os.cpu_count() or 1)):
            message["properties"]["delivery_tag"] = f"again-{number}"
            queue.lpush("luna:sample", json.dumps(message))
        wait_for(lambda: queue.llen("luna:sample") == 0)
    assert client.call(sample.EchoRequest(value=5), timeout=SOON) == sample.Echo(value=5)
    assert client.tasks.waiting("sample") == 0
    worker.terminate()
    assert worker.wait(timeout=60) == 0


def test_a_running_task_outlives_a_restart_of_redis(
    own_redis: Servers, mortal_client: Client
) -> None:
    task_id = mortal_client.submit(sample.StepsRequest(value=1000))
    wait_for(lambda: mortal_client.tasks.fetch(task_id, sample.StepsRequest).status == "running")
    end_redis(own_redis)
    own_redis.bring_up(("redis",))
    wait_for(lambda: mortal_client.tasks.fetch(task_id, sample.StepsRequest).status == "succeeded")
    assert mortal_client.call(sample.EchoRequest(value=1), timeout=SOON) == sample.Echo(value=1)


def test_who_has_patience_is_answered_though_redis_dies_while_they_wait_and_before_they_ask(
    own_redis: Servers, mortal_client: Client
) -> None:
    seen: list[Progress] = []
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(
            mortal_client.call,
            sample.StepsRequest(value=1000),
            timeout=SOON,
            on_progress=seen.append,
            patience=SOON,
        )
        wait_for(lambda: bool(seen))
        end_redis(own_redis)
        own_redis.bring_up(("redis",))
        assert waits.result(timeout=2 * SOON.total_seconds()) == sample.Echo(value=1000)
        end_redis(own_redis)
        asks = pool.submit(
            mortal_client.call, sample.EchoRequest(value=2), timeout=SOON, patience=SOON
        )
        with pytest.raises(TimeoutError):
            asks.result(timeout=1)
        own_redis.bring_up(("redis",))
        assert asks.result(timeout=2 * SOON.total_seconds()) == sample.Echo(value=2)


def test_a_caller_may_give_up(quiet_client: Client) -> None:
    abandoned = threading.Event()
    with ThreadPoolExecutor() as pool:
        call = pool.submit(
            quiet_client.call,
            sample.EchoRequest(value=1),
            timeout=timedelta(minutes=5),
            abandoned=abandoned,
        )
        wait_for(lambda: quiet_client.tasks.waiting("sample") == 1)
        abandoned.set()
        with pytest.raises(UnavailableError, match="nobody waits"):
            call.result(timeout=60)


def test_redis_that_accepts_and_says_nothing_is_unavailable_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            Client(f"redis://127.0.0.1:{silent.getsockname()[1]}/0").call(
                sample.EchoRequest(value=1), timeout=SOON
            )
    assert time.monotonic() - began < A_FEW_SECONDS


def test_redis_that_is_full_says_so_and_takes_messages_again_when_it_is_not(
    own_redis: Servers,
) -> None:
    # Nobody takes anything of this queue, so that what waits can be counted.
    with (
        redis.Redis.from_url(own_redis.redis_url) as admin,
        closing(Client(second_queue(own_redis.redis_url))) as client,
    ):
        admin.config_set("maxmemory", 1)
        with pytest.raises(UnavailableError, match=r"full.*Free some space"):
            client.submit(sample.EchoRequest(value=1))
        admin.config_set("maxmemory", 0)
        client.submit(sample.EchoRequest(value=1))
        assert client.tasks.waiting("sample") == 1
