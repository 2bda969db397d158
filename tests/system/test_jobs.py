"""Accepted work against real servers and worker processes that get killed: nothing is lost, nothing
is done twice.

The ordinary life of jobs is in ``tests/integration``.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

import httpx
import psutil
import pytest
import redis

from luna.contracts import ResendReply, ResendRequest
from luna.contracts.job import Job
from luna.energy.errors import ConflictError
from luna.platform.database import migrate
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers, start
from luna.platform.queue.jobs import cancel_job, resend_due, retry_job
from tests.integration.errand_tasks import (
    AwayRequest,
    EndlessRequest,
    ErrandRequest,
    GreedyRequest,
    PoisonRequest,
)
from tests.support.suite.depth import LONG
from tests.support.worker.environment import ERRANDS, Place, errands_table, open_place, second_queue
from tests.support.worker.processes import free_port
from tests.support.worker.task_starts import count_starts
from tests.support.worker.workers import kill, wait_for

SOON = timedelta(seconds=60)
# Who is killed is missed after five of them.
BEAT_SECONDS = 0.5


@pytest.fixture(scope="module")
def errands(database_url: str) -> Iterator[None]:
    with errands_table(database_url):
        yield


@pytest.fixture(scope="module")
def health_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def shared_place(
    errands: None, database_url: str, redis_url: str, health_port: int
) -> Iterator[Place]:
    """A queue with a worker whose jobs get little memory."""
    with (
        pytest.MonkeyPatch.context() as environment,
        open_place(database_url, redis_url, ERRANDS) as there,
    ):
        environment.setenv("LUNA_JOB_MEMORY_BYTES", "100000000")
        there.empty_queue()
        there.start_worker(health_port=health_port)
        yield there


@pytest.fixture
def served(shared_place: Place) -> Iterator[Place]:
    """The queue with the worker, for tests that leave it alive.

    Every job of theirs has ended when they do.
    """
    yield shared_place
    [worker] = shared_place.started
    assert worker.poll() is None
    shared_place.clear()


@pytest.fixture
def place(errands: None, database_url: str, redis_url: str) -> Iterator[Place]:
    """A queue of which only those workers take something that a test starts."""
    with open_place(database_url, second_queue(redis_url), ERRANDS) as there:
        there.empty_queue()
        yield there
        there.empty_queue()


@pytest.fixture(scope="module")
def mortal_servers(kept_folder: Path) -> Iterator[Servers]:
    with start(kept_folder) as servers:
        migrate.upgrade(servers.database_url)
        with errands_table(servers.database_url):
            yield servers
            servers.bring_up()


@pytest.fixture
def own_servers(mortal_servers: Servers) -> Servers:
    """Servers that a test may kill, running whatever tests before have done."""
    mortal_servers.bring_up()
    return mortal_servers


@pytest.fixture
def own_place(own_servers: Servers) -> Iterator[Place]:
    with open_place(own_servers.database_url, own_servers.redis_url, ERRANDS) as there:
        there.empty_queue()
        yield there


@pytest.fixture
def resending_place(own_servers: Servers) -> Iterator[Place]:
    """One whose workers also send jobs again that were not rung for."""
    with open_place(own_servers.database_url, own_servers.redis_url) as there:
        there.empty_queue()
        yield there


@pytest.fixture
def errand(tmp_path: Path) -> ErrandRequest:
    return ErrandRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")


def begun(place: Place, job: Job, errand: ErrandRequest, starts: int = 1) -> None:
    """Wait until a worker is in the middle of a job."""
    wait_for(
        lambda: count_starts(errand.starts) == starts and place.look_at(job).status == "running"
    )


def kill_server(servers: Servers, name: str) -> None:
    """Kill a server and wait until none of its processes is left.

    PostgreSQL's processes end by themselves after their parent, and one of them may still commit.
    """
    server = psutil.Process(int((servers.folder / f"{name}.lock").read_text()))
    processes = [server, *server.children(recursive=True)]
    server.kill()
    _, alive = psutil.wait_procs(processes, timeout=SOON.total_seconds())
    assert alive == []


def test_a_job_accepted_while_redis_is_away_runs_when_it_is_back(
    own_servers: Servers, resending_place: Place, errand: ErrandRequest
) -> None:
    kill_server(own_servers, "redis")
    errand.gate.touch()
    job = resending_place.submit(errand)
    assert (job.status, resending_place.look_at(job).sent_at) == ("queued", None)
    own_servers.bring_up(["redis"])
    resending_place.start_worker()
    assert resending_place.client.call(ResendRequest(), timeout=SOON) == ResendReply(
        sent=1, begun_before=0
    )
    wait_for(resending_place.has(job, "done"))
    assert resending_place.values() == [1]


def test_a_job_whose_worker_is_killed_is_done_once_by_another(
    place: Place, errand: ErrandRequest
) -> None:
    worker = place.start_worker(beat_seconds=BEAT_SECONDS)
    job = place.submit(errand)
    begun(place, job, errand)
    kill(worker)
    place.start_worker(beat_seconds=BEAT_SECONDS)
    begun(place, job, errand, starts=2)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    ended = place.look_at(job)
    assert (ended.attempts, ended.reply) == (2, {"value": 1, "starts": 2})
    assert place.values() == [1]


def test_a_job_whose_worker_stands_still_is_done_once_by_another(
    place: Place, errand: ErrandRequest
) -> None:
    worker = place.start_worker(beat_seconds=BEAT_SECONDS)
    job = place.submit(errand)
    begun(place, job, errand)
    # Its connections stay open: what it holds in the database nobody but another worker can take
    # from it.
    os.killpg(worker.pid, signal.SIGSTOP)
    place.start_worker(beat_seconds=BEAT_SECONDS)
    begun(place, job, errand, starts=2)
    os.killpg(worker.pid, signal.SIGCONT)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    last = place.submit(errand.model_copy(update={"value": 2}))
    wait_for(place.has(last, "done"))
    assert (place.look_at(job).attempts, sorted(place.values())) == (2, [1, 2])


def test_a_job_survives_its_worker_and_everything_redis_knew(
    own_servers: Servers, resending_place: Place, errand: ErrandRequest
) -> None:
    worker = resending_place.start_worker()
    job = resending_place.submit(errand)
    begun(resending_place, job, errand)
    kill(worker)
    kill_server(own_servers, "redis")
    for file in (own_servers.folder / "redis").rglob("appendonly.aof*"):
        file.unlink()
    own_servers.bring_up(["redis"])
    with redis.Redis.from_url(resending_place.redis_url) as queue:
        assert queue.dbsize() == 0
    errand.gate.touch()
    resending_place.fall_silent(job)
    resending_place.start_worker()
    assert resending_place.client.call(ResendRequest(), timeout=SOON) == ResendReply(
        sent=1, begun_before=1
    )
    wait_for(resending_place.has(job, "done"))
    assert (resending_place.look_at(job).attempts, resending_place.values()) == (2, [1])


def test_a_job_delivered_twice_at_the_same_time_runs_once(
    served: Place, errand: ErrandRequest
) -> None:
    job = served.submit(errand)
    served.client.notify_job(job)
    begun(served, job, errand)
    served.client.notify_job(job)
    wait_for(lambda: served.client.tasks.waiting("errand") == 0)
    errand.gate.touch()
    wait_for(served.has(job, "done"))
    served.client.notify_job(job)
    wait_for(lambda: served.client.tasks.waiting("errand") == 0)
    # The next one is taken by the same worker, after what came before it.
    last = served.submit(errand.model_copy(update={"value": 2}))
    wait_for(served.has(last, "done"))
    assert (served.look_at(job).attempts, sorted(served.values())) == (1, [1, 2])


def test_a_job_outlives_a_restart_of_the_database(
    own_servers: Servers, own_place: Place, errand: ErrandRequest
) -> None:
    own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill_server(own_servers, "postgres")
    errand.gate.touch()
    own_servers.bring_up(["postgres"])
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (2, [1])


def test_a_message_that_finds_no_database_comes_again(
    own_servers: Servers, own_place: Place, errand: ErrandRequest
) -> None:
    errand.gate.touch()
    job = own_place.submit(errand)
    kill_server(own_servers, "postgres")
    own_place.start_worker()
    wait_for(lambda: own_place.client.tasks.waiting("errand") == 0)
    own_servers.bring_up(["postgres"])
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (1, [1])


def test_a_job_goes_on_while_redis_is_away(
    own_servers: Servers, own_place: Place, errand: ErrandRequest
) -> None:
    own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill_server(own_servers, "redis")
    errand.gate.touch()
    wait_for(own_place.has(job, "done"))
    own_servers.bring_up(["redis"])
    assert (own_place.look_at(job).attempts, own_place.values()) == (1, [1])


def test_a_job_that_takes_too_long_has_failed_and_says_how_long_it_may_take(
    served: Place, tmp_path: Path
) -> None:
    job = served.submit(EndlessRequest(starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(served.has(job, "failed"))
    assert "the task took longer than 0:00:01" in served.look_at(job).error["detail"]
    assert "inner detail" not in str(served.look_at(job).error)


def test_a_job_comes_again_where_something_was_away_and_each_outcome_is_counted_once(
    served: Place, health_port: int, tmp_path: Path
) -> None:
    job = served.submit(AwayRequest(value=1, starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(served.has(job, "done"))
    assert served.look_at(job).attempts == 2
    served.client.notify_job(job)
    wait_for(lambda: served.client.tasks.waiting("errand") == 0)
    outcomes = {"retried": "1.0", "succeeded": "1.0"}
    wait_for(lambda: count_outcomes(health_port, job.task) == outcomes)


def count_outcomes(port: int, task: str) -> dict[str, str]:
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    found = (
        re.fullmatch(rf'luna_queue_tasks_total{{outcome="(\w+)",task="{task}"}} (.*)', line)
        for line in lines
    )
    return {match[1]: match[2] for match in found if match}


def test_a_job_that_kills_its_process_is_dead_after_three_starts_and_can_be_tried_again(
    served: Place, tmp_path: Path
) -> None:
    request = PoisonRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    job = served.submit(request)
    wait_for(served.has(job, "dead"))
    assert (count_starts(request.starts), served.look_at(job).attempts) == (3, 3)
    assert "started 3 times" in served.look_at(job).error["detail"]
    assert [task.task_id for task in served.client.tasks.dead()] == [job.job_id]
    served.client.notify_job(job)

    request.gate.touch()
    retry_job(served.database, served.client, job.job_id)
    wait_for(served.has(job, "done"))
    assert (count_starts(request.starts), served.look_at(job).attempts) == (4, 1)
    assert served.client.tasks.dead() == []


@pytest.mark.parametrize(
    "way", ["python", "numpy", "threads", "abort"] if LONG else ["python", "abort"]
)
def test_a_job_that_takes_too_much_memory_has_failed_at_once_and_the_worker_lives_on(
    served: Place, tmp_path: Path, way: Literal["python", "numpy", "threads", "abort"]
) -> None:
    [worker] = served.started
    greedy = GreedyRequest(value=400, way=way, starts=tmp_path / "starts", gate=tmp_path / "gate")
    job = served.submit(greedy)
    modest = served.submit(greedy.model_copy(update={"value": 20, "starts": tmp_path / "modest"}))
    wait_for(lambda: served.look_at(job).finished_at is not None)
    ended = served.look_at(job)
    assert (ended.status, ended.error["field"], count_starts(greedy.starts)) == (
        "failed",
        "task",
        1,
    )
    assert "more memory than 100 MB" in ended.error["detail"]
    assert "LUNA_JOB_MEMORY_BYTES" in ended.error["remedy"]
    wait_for(served.has(modest, "done"))
    assert (served.values(), worker.poll()) == ([20], None)


def test_a_cancelled_job_is_ended_in_the_middle_leaves_nothing_and_the_worker_lives_on(
    served: Place, errand: ErrandRequest
) -> None:
    [worker] = served.started
    job = served.submit(errand)
    begun(served, job, errand)
    cancelled = cancel_job(served.database, served.client, job.job_id)
    assert (cancelled.status, cancelled.finished_at is None) == ("cancelled", False)
    assert cancel_job(served.database, served.client, job.job_id) == cancelled
    wait_for(lambda: free_to_try_again(served, job))
    errand.gate.touch()
    # The pool has both its processes again, and what was cancelled is no death.
    others = [served.submit(errand.model_copy(update={"value": value})) for value in (2, 3)]
    for each in (job, *others):
        wait_for(served.has(each, "done"))
    assert (sorted(served.values()), worker.poll(), served.client.tasks.dead()) == (
        [1, 2, 3],
        None,
        [],
    )
    assert count_starts(errand.starts) == 4
    with pytest.raises(ConflictError) as refused:
        cancel_job(served.database, served.client, job.job_id)
    assert (refused.value.reason, refused.value.parameters) == ("job-not-open", {"status": "done"})


def free_to_try_again(place: Place, job: Job) -> bool:
    with suppress(ConflictError):
        return retry_job(place.database, place.client, job.job_id).status == "queued"
    return False


def test_a_job_cancelled_while_it_waits_never_begins_also_when_its_message_comes_again(
    place: Place, errand: ErrandRequest
) -> None:
    errand.gate.touch()
    job = place.submit(errand)
    cancel_job(place.database, place.client, job.job_id)
    place.client.notify_job(job)
    place.start_worker()
    last = place.submit(errand.model_copy(update={"value": 2}))
    wait_for(place.has(last, "done"))
    wait_for(lambda: place.client.tasks.waiting("errand") == 0)
    assert (place.look_at(job).status, place.look_at(job).attempts, place.values()) == (
        "cancelled",
        0,
        [2],
    )
    assert retry_job(place.database, place.client, job.job_id).status == "queued"
    wait_for(place.has(job, "done"))


def test_a_job_cancelled_while_redis_is_away_commits_nothing_and_is_ended_when_it_is_back(
    own_servers: Servers, own_place: Place, errand: ErrandRequest
) -> None:
    own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill_server(own_servers, "redis")
    assert cancel_job(own_place.database, own_place.client, job.job_id).status == "cancelled"
    own_servers.bring_up(["redis"])
    with unit_of_work(own_place.database) as connection:
        resend_due(connection, own_place.client)
    wait_for(lambda: free_to_try_again(own_place, job))
    assert own_place.values() == []
