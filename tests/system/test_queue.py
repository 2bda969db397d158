"""The queue against a real Redis, a real database and worker processes that get killed."""

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
from sqlalchemy import Engine, text

from luna.contracts.message import Request
from luna.embedded import start
from luna.errors import ConflictError, InvalidInputError, LunaError, UnavailableError
from luna.queue import Client, Progress
from tests.integration import sample_tasks as sample
from tests.processes import free_port
from tests.workers import Worker, kill, wait_for, worker_process

SOON = timedelta(seconds=60)
RESULTS = "luna:celery-task-meta-*"
# Three are promised; the rest is for a machine that is busy.
A_FEW_SECONDS = 15


@pytest.fixture(scope="module")
def start_worker(redis_url: str, database_url: str) -> Iterator[Callable[[], Worker]]:
    """Starts a worker for the sample tasks; whatever is left of it ends with the module."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(worker_process(redis_url, database_url, sample.__name__))


@pytest.fixture(scope="module")
def client(redis_url: str) -> Iterator[Client]:
    with redis.Redis.from_url(redis_url) as admin:
        # Without what workers and messages of tests before have left.
        admin.flushdb()
    client = Client(redis_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def worker(start_worker: Callable[[], Worker], client: Client) -> Worker:
    process = start_worker()
    client.call(sample.EchoRequest(value=0), timeout=SOON)
    return process


@pytest.mark.usefixtures("worker")
def test_a_request_comes_back_as_its_reply_model(client: Client) -> None:
    assert client.call(sample.EchoRequest(value=7), timeout=SOON) == sample.Echo(value=7)


@pytest.mark.usefixtures("worker")
def test_a_reply_that_was_waited_for_is_kept_for_minutes_and_one_that_was_not_for_an_hour(client: Client, redis_url: str) -> None:
    with closing(redis.Redis.from_url(redis_url)) as store:
        before = set(store.scan_iter(RESULTS))
        client.call(sample.EchoRequest(value=7), timeout=SOON)
        client.ask(sample.EchoRequest(value=8), timeout=SOON)
        waited_for = set(store.scan_iter(RESULTS)) - before
        submitted = client.submit(sample.EchoRequest(value=9))
        wait_for(lambda: client.tasks.fetch(submitted, sample.EchoRequest).status == "succeeded")
        assert len(waited_for) == 2
        assert all(0 < store.ttl(key) <= 120 for key in waited_for)
        assert store.ttl(f"luna:celery-task-meta-{submitted}") > 1800


@pytest.mark.usefixtures("worker")
def test_a_submitted_task_can_be_fetched_later(client: Client) -> None:
    task_id = client.submit(sample.EchoRequest(value=7))
    wait_for(lambda: client.tasks.fetch(task_id, sample.EchoRequest).status == "succeeded")
    assert client.tasks.fetch(task_id, sample.EchoRequest).reply == sample.Echo(value=7)


@pytest.mark.parametrize(
    "message",
    [pytest.param({"value": 1}, id="plain dictionary"), pytest.param(sample.EchoRequest.model_construct(value=-1), id="model built without validation")],
)
def test_an_invalid_message_is_refused_at_the_sender(client: Client, message: Request) -> None:
    before = client.tasks.waiting("sample")
    with pytest.raises(InvalidInputError):
        client.submit(message)
    assert client.tasks.waiting("sample") == before


@pytest.mark.usefixtures("worker")
def test_an_error_crosses_the_queue_as_the_same_class_with_field_value_and_remedy(client: Client) -> None:
    with pytest.raises(ConflictError) as raised:
        client.call(sample.ConflictRequest(value=2), timeout=SOON)
    assert (raised.value.field, raised.value.value, raised.value.remedy) == ("site_id", 2, "Wait for it.")


@pytest.mark.usefixtures("worker")
def test_an_unforeseen_error_reaches_the_caller_without_internals(client: Client) -> None:
    with pytest.raises(LunaError) as raised:
        client.call(sample.CrashRequest(value=2), timeout=SOON)
    assert type(raised.value) is LunaError
    assert "inner detail" not in str(raised.value)


@pytest.mark.usefixtures("worker")
def test_a_retryable_error_comes_again_until_it_succeeds(client: Client, tmp_path: Path) -> None:
    reply = client.call(sample.FlakyRequest(value=2, path=tmp_path / "tries"), timeout=SOON)
    assert reply.tries == 3


@pytest.mark.usefixtures("worker")
def test_a_task_that_overruns_its_soft_limit_is_told_to_its_caller(client: Client) -> None:
    with pytest.raises(LunaError, match="longer than"):
        client.call(sample.EndlessRequest(value=1), timeout=SOON)


@pytest.mark.usefixtures("worker")
def test_progress_arrives_at_most_five_times_a_second_and_ends_complete(client: Client) -> None:
    seen: list[Progress] = []
    began = time.monotonic()
    client.call(sample.StepsRequest(value=800), timeout=SOON, on_progress=seen.append)
    assert 2 <= len(seen) <= 2 + 5 * (time.monotonic() - began)
    assert seen[-1] == Progress(done=800, total=800, label="counting")


@pytest.fixture
def sample_values(database: Engine) -> Iterator[Callable[[], list[int]]]:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE sample_values (value integer)"))

    def read() -> list[int]:
        with database.begin() as connection:
            return list(connection.scalars(text("SELECT value FROM sample_values")))

    yield read
    with database.begin() as connection:
        connection.execute(text("DROP TABLE sample_values"))


@pytest.mark.usefixtures("worker")
def test_a_unit_of_work_is_committed_with_its_reply_and_rolled_back_with_its_error(client: Client, sample_values: Callable[[], list[int]]) -> None:
    client.call(sample.StoreRequest(value=4), timeout=SOON)
    with pytest.raises(LunaError):
        client.call(sample.StoreRequest(value=0), timeout=SOON)
    assert sample_values() == [4]


@pytest.mark.usefixtures("worker")
def test_a_task_that_kills_its_process_is_dead_after_three_starts_and_visible(client: Client, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    with pytest.raises(LunaError, match="ended its worker 3 times"):
        client.call(sample.PoisonRequest(value=1, path=starts), timeout=SOON)
    assert len(starts.read_text().splitlines()) == 3
    assert client.tasks.dead()[0].task == "sample.value.poison"


def test_equal_requests_at_the_same_time_are_not_taken_for_poison(client: Client, worker: Worker) -> None:
    tasks = [client.submit(sample.StepsRequest(value=100)) for _ in range(8)]
    wait_for(lambda: all(client.tasks.fetch(task, sample.StepsRequest).status == "succeeded" for task in tasks))


def test_a_task_whose_worker_is_killed_is_finished_once_by_another(client: Client, worker: Worker, start_worker: Callable[[], Worker], tmp_path: Path) -> None:
    starts = tmp_path / "starts"
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


def test_messages_that_come_again_after_their_task_was_done_take_no_place_for_good(client: Client, start_worker: Callable[[], Worker], redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as queue:
        task_id = client.submit(sample.StepsRequest(value=1))
        message = json.loads(queue.lindex("luna:sample", 0))
        worker = start_worker()
        wait_for(lambda: client.tasks.fetch(task_id, sample.StepsRequest).status == "succeeded")
        # As where a worker was taken for gone: its messages are put back, whatever became of their tasks.
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


def test_a_running_task_outlives_a_restart_of_redis(servers_folder: Path) -> None:
    no_database = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    with start(servers_folder, services=("redis",)) as servers, worker_process(servers.redis_url, no_database, sample.__name__):
        client = Client(servers.redis_url)
        task_id = client.submit(sample.StepsRequest(value=1000))
        wait_for(lambda: client.tasks.fetch(task_id, sample.StepsRequest).status == "running")
        os.kill(redis.Redis.from_url(servers.redis_url).info("server")["process_id"], signal.SIGKILL)
        servers.bring_up(("redis",))
        wait_for(lambda: client.tasks.fetch(task_id, sample.StepsRequest).status == "succeeded")
        assert client.call(sample.EchoRequest(value=1), timeout=SOON) == sample.Echo(value=1)
        client.close()


def test_who_has_patience_is_answered_though_redis_dies_while_they_wait_and_before_they_ask(servers_folder: Path) -> None:
    no_database = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    with start(servers_folder, services=("redis",)) as servers, worker_process(servers.redis_url, no_database, sample.__name__), ThreadPoolExecutor() as pool:
        client = Client(servers.redis_url)

        def end_redis() -> None:
            os.kill(redis.Redis.from_url(servers.redis_url).info("server")["process_id"], signal.SIGKILL)

        seen: list[Progress] = []
        waits = pool.submit(client.call, sample.StepsRequest(value=1000), timeout=SOON, on_progress=seen.append, patience=SOON)
        wait_for(lambda: bool(seen))
        end_redis()
        servers.bring_up(("redis",))
        assert waits.result(timeout=2 * SOON.total_seconds()) == sample.Echo(value=1000)
        end_redis()
        asks = pool.submit(client.call, sample.EchoRequest(value=2), timeout=SOON, patience=SOON)
        with pytest.raises(TimeoutError):
            asks.result(timeout=1)
        servers.bring_up(("redis",))
        assert asks.result(timeout=2 * SOON.total_seconds()) == sample.Echo(value=2)
        client.close()


def test_a_call_without_a_worker_is_unavailable_in_time(client: Client, redis_url: str) -> None:
    with pytest.raises(UnavailableError, match="no reply within"):
        client.call(sample.EchoRequest(value=1), timeout=timedelta(seconds=0.3))
    redis.Redis.from_url(redis_url).delete("luna:sample")


def test_a_caller_may_give_up(client: Client, redis_url: str) -> None:
    given_up = threading.Event()
    with ThreadPoolExecutor() as pool:
        call = pool.submit(client.call, sample.EchoRequest(value=1), timeout=timedelta(minutes=5), given_up=given_up)
        wait_for(lambda: client.tasks.waiting("sample") == 1)
        given_up.set()
        with pytest.raises(UnavailableError, match="nobody waits"):
            call.result(timeout=60)
    redis.Redis.from_url(redis_url).delete("luna:sample")


@pytest.mark.parametrize("url", ["http://:secret@queue:6379", "redis://:secret@queue:port/0"], ids=["another protocol", "no number for a port"])
def test_an_address_that_is_no_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError, match="LUNA_REDIS_URL") as raised:
        Client(url)
    assert "secret" not in str(raised.value)


def test_redis_away_is_unavailable_within_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        Client(f"redis://127.0.0.1:{free_port()}/0").call(sample.EchoRequest(value=1), timeout=SOON)
    assert time.monotonic() - began < A_FEW_SECONDS


def test_redis_that_accepts_and_says_nothing_is_unavailable_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            Client(f"redis://127.0.0.1:{silent.getsockname()[1]}/0").call(sample.EchoRequest(value=1), timeout=SOON)
    assert time.monotonic() - began < A_FEW_SECONDS


def test_redis_that_is_full_says_so_and_takes_messages_again_when_it_is_not(servers_folder: Path) -> None:
    with start(servers_folder, services=("redis",)) as servers, redis.Redis.from_url(servers.redis_url) as admin:
        client = Client(servers.redis_url)
        admin.config_set("maxmemory", 1)
        with pytest.raises(UnavailableError, match=r"full.*Free some space"):
            client.submit(sample.EchoRequest(value=1))
        admin.config_set("maxmemory", 0)
        client.submit(sample.EchoRequest(value=1))
        assert client.tasks.waiting("sample") == 1
        client.close()
