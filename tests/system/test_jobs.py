"""Accepted work against real servers and worker processes that get killed: nothing is lost, nothing is done twice."""

import errno
import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

import httpx
import pytest
import redis
from sqlalchemy import text

from luna.contracts import ResendReply, ResendRequest
from luna.contracts.job import Job
from luna.database import jobs, migrate
from luna.database.engine import unit_of_work
from luna.embedded import Servers, start
from luna.errors import ConflictError, FullError, InvalidInputError, LunaError, NotFoundError, UnavailableError
from luna.queue import Client, Progress
from luna.queue.attempt import JOB_RETRY, Conclude, DroppedError, EndedError, JobRunner
from luna.queue.jobs import cancel_job, resend_due, retry_job, submit_job
from luna.queue.task_base import Process
from luna.queue.task_tracker import TaskTracker
from luna.settings import Settings
from tests.integration.errand_tasks import AwayRequest, CrashRequest, EndlessRequest, ErrandRequest, GreedyRequest, PoisonRequest, RefusedRequest
from tests.places import Place, open_place
from tests.processes import free_port
from tests.starts import count_starts
from tests.workers import kill, wait_for

SOON = timedelta(seconds=60)


@pytest.fixture
def place(database_url: str, redis_url: str) -> Iterator[Place]:
    """The servers that all tests share."""
    with open_place(database_url, redis_url) as there, redis.Redis.from_url(redis_url) as queue:
        queue.flushdb()
        yield there
        queue.flushdb()


@pytest.fixture
def own_servers(kept_folder: Path) -> Iterator[Servers]:
    """Servers that a test may kill."""
    with start(kept_folder) as servers:
        migrate.upgrade(servers.database_url)
        yield servers


@pytest.fixture
def own_place(own_servers: Servers) -> Iterator[Place]:
    with open_place(own_servers.database_url, own_servers.redis_url) as there:
        yield there


@pytest.fixture
def errand(tmp_path: Path) -> ErrandRequest:
    return ErrandRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")


def begun(place: Place, job: Job, errand: ErrandRequest, starts: int = 1) -> None:
    """Wait until a worker is in the middle of a job."""
    wait_for(lambda: count_starts(errand.starts) == starts and place.look_at(job).status == "running")


def kill_server(servers: Servers, name: str) -> None:
    os.kill(int((servers.folder / f"{name}.lock").read_text()), signal.SIGKILL)


def test_an_accepted_job_is_done_and_its_row_holds_the_reply(place: Place, errand: ErrandRequest) -> None:
    place.start_worker()
    errand.gate.touch()
    job = place.submit(errand)
    wait_for(place.has(job, "done"))
    ended = place.look_at(job)
    assert (ended.reply, ended.error, ended.attempts) == ({"value": 1, "starts": 1}, None, 1)
    assert ended.submitted_at < ended.started_at < ended.finished_at
    assert place.values() == [1]


def test_a_running_job_says_how_far_it_is(place: Place, errand: ErrandRequest) -> None:
    place.start_worker()
    job = place.submit(errand)
    wait_for(lambda: place.client.tasks.progress(job.job_id) == Progress(done=1, total=2, label="at the gate"))
    errand.gate.touch()
    wait_for(place.has(job, "done"))


def test_a_job_accepted_while_redis_is_away_runs_when_it_is_back(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    kill_server(own_servers, "redis")
    errand.gate.touch()
    job = own_place.submit(errand)
    assert (job.status, own_place.look_at(job).sent_at) == ("queued", None)
    own_servers.bring_up(["redis"])
    own_place.start_worker()
    assert own_place.client.call(ResendRequest(), timeout=SOON) == ResendReply(sent=1, begun_before=0)
    wait_for(own_place.has(job, "done"))
    assert own_place.values() == [1]


def test_a_job_whose_worker_is_killed_is_done_once_by_another(place: Place, errand: ErrandRequest) -> None:
    worker = place.start_worker()
    job = place.submit(errand)
    begun(place, job, errand)
    kill(worker)
    place.start_worker()
    begun(place, job, errand, starts=2)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    ended = place.look_at(job)
    assert (ended.attempts, ended.reply) == (2, {"value": 1, "starts": 2})
    assert place.values() == [1]


def test_a_job_whose_worker_stands_still_is_done_once_by_another(place: Place, errand: ErrandRequest) -> None:
    worker = place.start_worker()
    job = place.submit(errand)
    begun(place, job, errand)
    # Its connections stay open: what it holds in the database nobody but another worker can take from it.
    os.killpg(worker.pid, signal.SIGSTOP)
    place.start_worker()
    begun(place, job, errand, starts=2)
    os.killpg(worker.pid, signal.SIGCONT)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    last = place.submit(errand.model_copy(update={"value": 2}))
    wait_for(place.has(last, "done"))
    assert (place.look_at(job).attempts, sorted(place.values())) == (2, [1, 2])


def test_a_job_survives_its_worker_and_everything_redis_knew(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    worker = own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill(worker)
    kill_server(own_servers, "redis")
    for file in (own_servers.folder / "redis").glob("**/*.aof"):
        file.unlink()
    own_servers.bring_up(["redis"])
    with redis.Redis.from_url(own_place.redis_url) as queue:
        assert queue.dbsize() == 0
    errand.gate.touch()
    own_place.fall_silent(job)
    own_place.start_worker()
    assert own_place.client.call(ResendRequest(), timeout=SOON) == ResendReply(sent=1, begun_before=1)
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (2, [1])


def test_a_job_delivered_twice_at_the_same_time_runs_once(place: Place, errand: ErrandRequest) -> None:
    place.start_worker()
    job = place.submit(errand)
    place.client.notify_job(job)
    begun(place, job, errand)
    place.client.notify_job(job)
    wait_for(lambda: place.client.tasks.waiting("errand") == 0)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    place.client.notify_job(job)
    wait_for(lambda: place.client.tasks.waiting("errand") == 0)
    # The next one is taken by the same worker, after what came before it.
    last = place.submit(errand.model_copy(update={"value": 2}))
    wait_for(place.has(last, "done"))
    assert (place.look_at(job).attempts, sorted(place.values())) == (1, [1, 2])


def test_a_job_outlives_a_restart_of_the_database(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill_server(own_servers, "postgres")
    errand.gate.touch()
    own_servers.bring_up(["postgres"])
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (2, [1])


def test_a_message_that_finds_no_database_comes_again(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    errand.gate.touch()
    job = own_place.submit(errand)
    kill_server(own_servers, "postgres")
    own_place.start_worker()
    wait_for(lambda: own_place.client.tasks.waiting("errand") == 0)
    own_servers.bring_up(["postgres"])
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (1, [1])


def test_a_job_goes_on_while_redis_is_away(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    own_place.start_worker()
    job = own_place.submit(errand)
    begun(own_place, job, errand)
    kill_server(own_servers, "redis")
    errand.gate.touch()
    wait_for(own_place.has(job, "done"))
    own_servers.bring_up(["redis"])
    assert (own_place.look_at(job).attempts, own_place.values()) == (1, [1])


def test_a_refused_job_has_failed_with_a_problem_document_and_can_be_tried_again(place: Place, tmp_path: Path) -> None:
    request = RefusedRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    place.start_worker()
    job = place.submit(request)
    wait_for(place.has(job, "failed"))
    refused = place.look_at(job)
    assert refused.error == InvalidInputError("nobody stores this", field="value", value=1, remedy="Open the gate.").problem()
    assert (refused.attempts, refused.reply) == (1, None)

    request.gate.touch()
    assert retry_job(place.database, place.client, job.job_id).status == "queued"
    wait_for(place.has(job, "done"))
    assert (place.look_at(job).attempts, place.look_at(job).error) == (1, None)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param(CrashRequest, "the task failed unexpectedly", id="unforeseen error"),
        pytest.param(EndlessRequest, "the task took longer than 0:00:01", id="too slow"),
    ],
)
def test_a_job_that_cannot_end_well_has_failed_and_says_nothing_of_the_inside(place: Place, tmp_path: Path, kind: type[ErrandRequest], said: str) -> None:
    place.start_worker()
    job = place.submit(kind(starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(place.has(job, "failed"))
    assert said in place.look_at(job).error["detail"]
    assert "inner detail" not in str(place.look_at(job).error)


def test_a_job_comes_again_where_something_was_away_and_each_outcome_is_counted_once(place: Place, tmp_path: Path) -> None:
    port = free_port()
    place.start_worker(health_port=port)
    job = place.submit(AwayRequest(value=1, starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(place.has(job, "done"))
    assert place.look_at(job).attempts == 2
    place.client.notify_job(job)
    wait_for(lambda: place.client.tasks.waiting("errand") == 0)
    outcomes = {"retried": "1.0", "succeeded": "1.0"}
    wait_for(lambda: count_outcomes(port, job.task) == outcomes)


def count_outcomes(port: int, task: str) -> dict[str, str]:
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    found = (re.fullmatch(rf'luna_queue_tasks_total{{outcome="(\w+)",task="{task}"}} (.*)', line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_a_task_may_compute_for_hours_between_two_statements(database_url: str, redis_url: str) -> None:
    process = Process(Settings(), database_url, redis_url, "tests")
    with unit_of_work(process.engine) as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "150min"
    process.engine.dispose()


def test_a_job_that_kills_its_process_is_dead_after_three_starts_and_can_be_tried_again(place: Place, tmp_path: Path) -> None:
    request = PoisonRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    place.start_worker()
    job = place.submit(request)
    wait_for(place.has(job, "dead"))
    assert (count_starts(request.starts), place.look_at(job).attempts) == (3, 3)
    assert "begun 3 times" in place.look_at(job).error["detail"]
    assert [task.task_id for task in place.client.tasks.dead()] == [job.job_id]
    place.client.notify_job(job)

    request.gate.touch()
    retry_job(place.database, place.client, job.job_id)
    wait_for(place.has(job, "done"))
    assert (count_starts(request.starts), place.look_at(job).attempts) == (4, 1)
    assert place.client.tasks.dead() == []


def explain(error: Exception) -> LunaError:
    return error if isinstance(error, LunaError) else LunaError(str(error))


def runner_of(place: Place, perform: Callable[[str, Conclude], str]) -> JobRunner:
    """Runs jobs in this process."""
    return JobRunner(place.database, TaskTracker(redis.Redis.from_url(place.redis_url)), perform, explain, "tests", lambda _: True)


@pytest.fixture
def runner(place: Place) -> JobRunner:
    """Runs jobs in this process; whatever they ask for is away."""

    def find_nothing(_text: str, _conclude: Conclude) -> str:
        raise UnavailableError("the store of objects is away")

    return runner_of(place, find_nothing)


def test_a_job_fails_when_what_it_needs_stays_away(place: Place, errand: ErrandRequest, runner: JobRunner) -> None:
    job = place.submit(errand)
    *before, last = JOB_RETRY.attempts()
    for _ in before:
        with pytest.raises(UnavailableError):
            runner.run(job.job_id)
        assert place.look_at(job).status == "queued"
    with pytest.raises(EndedError):
        runner.run(job.job_id)
    ended = place.look_at(job)
    assert (ended.status, ended.attempts, ended.error["detail"]) == ("failed", last, "the store of objects is away.")


def test_a_job_waits_for_room_on_a_full_disk_as_long_as_it_takes_and_says_so(place: Place, errand: ErrandRequest) -> None:
    def write(_text: str, conclude: Conclude) -> str:
        if not errand.gate.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        with unit_of_work(place.database) as connection:
            conclude(connection, reply)
        return reply

    def send_again() -> int:
        with unit_of_work(place.database) as connection:
            return resend_due(connection, place.client).sent

    runner, reply, job = runner_of(place, write), '{"value": 1, "starts": 1}', place.submit(errand)
    for _ in [*JOB_RETRY.attempts(), "one more"]:
        with pytest.raises(FullError):
            runner.run(job.job_id)
    waiting = place.look_at(job)
    assert (waiting.status, waiting.attempts, waiting.error["title"]) == ("queued", 0, "No space left")

    # From now on no message comes again by itself; one is sent when the job has been silent.
    with unit_of_work(place.database) as connection:
        connection.execute(text("UPDATE jobs SET submitted_at = submitted_at - interval '6 minutes' WHERE job_id = :job_id"), {"job_id": job.job_id})
    with pytest.raises(DroppedError):
        runner.run(job.job_id)
    assert send_again() == 0
    place.fall_silent(job, minutes=4)
    assert (send_again(), send_again()) == (1, 0)

    errand.gate.touch()
    runner.run(job.job_id)
    ended = place.look_at(job)
    assert (ended.status, ended.attempts, ended.error) == ("done", 1, None)


@pytest.mark.parametrize("way", ["python", "numpy", "threads", "abort"])
def test_a_job_that_takes_too_much_memory_has_failed_at_once_and_the_worker_lives_on(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Literal["python", "numpy", "threads", "abort"]
) -> None:
    monkeypatch.setenv("LUNA_JOB_MEMORY_BYTES", "100000000")
    worker = place.start_worker()
    greedy = GreedyRequest(value=400, way=way, starts=tmp_path / "starts", gate=tmp_path / "gate")
    job = place.submit(greedy)
    modest = place.submit(greedy.model_copy(update={"value": 20, "starts": tmp_path / "modest"}))
    wait_for(lambda: place.look_at(job).finished_at is not None)
    ended = place.look_at(job)
    assert (ended.status, ended.error["field"], count_starts(greedy.starts)) == ("failed", "task", 1)
    assert "more memory than 100 MB" in ended.error["detail"]
    assert "LUNA_JOB_MEMORY_BYTES" in ended.error["remedy"]
    wait_for(place.has(modest, "done"))
    assert (place.values(), worker.poll()) == ([20], None)


def test_a_message_without_a_row_is_refused(place: Place, runner: JobRunner) -> None:
    with pytest.raises(NotFoundError):
        runner.run("unknown")


def test_an_equal_open_job_is_not_accepted_twice(place: Place, errand: ErrandRequest) -> None:
    with ThreadPoolExecutor(4) as pool:
        accepted = {job.job_id for job in pool.map(place.submit, [errand] * 12)}
    other = place.submit(errand.model_copy(update={"value": 2}))
    assert len(accepted) == 1
    assert other.job_id not in accepted


def test_a_key_names_a_piece_of_work_in_whatever_words(place: Place, errand: ErrandRequest) -> None:
    one = submit_job(place.database, place.client, errand, key="tonight")
    two = submit_job(place.database, place.client, errand.model_copy(update={"value": 2}), key="tonight")
    assert (one.job_id, two.request["value"]) == (two.job_id, 1)


def test_an_ended_job_makes_room_for_an_equal_one_which_then_bars_its_retry(place: Place, errand: ErrandRequest, runner: JobRunner) -> None:
    job = place.submit(errand)
    with unit_of_work(place.database) as connection:
        jobs.finish(connection, jobs.begin(connection, job.job_id), status="failed", error={"detail": "no"})
    again = place.submit(errand)
    assert again.job_id != job.job_id
    with pytest.raises(ConflictError, match="an equal job is open"):
        retry_job(place.database, place.client, job.job_id)
    with pytest.raises(ConflictError, match="the job is queued"):
        retry_job(place.database, place.client, again.job_id)
    with pytest.raises(NotFoundError):
        retry_job(place.database, place.client, "unknown")


def test_jobs_stay_due_where_redis_is_away(place: Place, errand: ErrandRequest) -> None:
    away = Client("redis://127.0.0.1:9/0")
    job = submit_job(place.database, away, errand)
    with pytest.raises(UnavailableError), unit_of_work(place.database) as connection:
        resend_due(connection, away)
    assert place.look_at(job).sent_at is None
    with unit_of_work(place.database) as connection:
        assert resend_due(connection, place.client) == ResendReply(sent=1, begun_before=0)
    assert place.look_at(job).sent_at is not None
    away.close()


def test_a_cancelled_job_is_ended_in_the_middle_leaves_nothing_and_the_worker_lives_on(place: Place, errand: ErrandRequest) -> None:
    worker = place.start_worker()
    job = place.submit(errand)
    begun(place, job, errand)
    cancelled = cancel_job(place.database, place.client, job.job_id)
    assert (cancelled.status, cancelled.finished_at is None) == ("cancelled", False)
    assert cancel_job(place.database, place.client, job.job_id) == cancelled
    wait_for(lambda: free_to_try_again(place, job))
    errand.gate.touch()
    # The pool has both its processes again, and what was cancelled is no death.
    others = [place.submit(errand.model_copy(update={"value": value})) for value in (2, 3)]
    for each in (job, *others):
        wait_for(place.has(each, "done"))
    assert (sorted(place.values()), worker.poll(), place.client.tasks.dead()) == ([1, 2, 3], None, [])
    assert count_starts(errand.starts) == 4
    with pytest.raises(ConflictError, match="the job is done"):
        cancel_job(place.database, place.client, job.job_id)


def free_to_try_again(place: Place, job: Job) -> bool:
    with suppress(ConflictError):
        return retry_job(place.database, place.client, job.job_id).status == "queued"
    return False


def test_a_job_cancelled_while_it_waits_never_begins_also_when_its_message_comes_again(place: Place, errand: ErrandRequest) -> None:
    errand.gate.touch()
    job = place.submit(errand)
    cancel_job(place.database, place.client, job.job_id)
    place.client.notify_job(job)
    place.start_worker()
    last = place.submit(errand.model_copy(update={"value": 2}))
    wait_for(place.has(last, "done"))
    wait_for(lambda: place.client.tasks.waiting("errand") == 0)
    assert (place.look_at(job).status, place.look_at(job).attempts, place.values()) == ("cancelled", 0, [2])
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


def test_of_a_cancel_and_an_end_at_the_same_time_one_counts(place: Place, tmp_path: Path) -> None:
    place.start_worker()
    gates = [tmp_path / f"gate {value}" for value in range(6)]
    errands = [ErrandRequest(value=value, starts=tmp_path / f"starts {value}", gate=gate) for value, gate in enumerate(gates)]
    accepted = [place.submit(errand) for errand in errands]
    for job, errand in zip(accepted, errands, strict=True):
        wait_for(lambda: count_starts(errand.starts) == 1)  # noqa: B023
        errand.gate.touch()
        with suppress(ConflictError):
            cancel_job(place.database, place.client, job.job_id)
    wait_for(lambda: all(place.look_at(job).finished_at for job in accepted))
    done = [value for value, job in enumerate(accepted) if place.look_at(job).status == "done"]
    assert {place.look_at(job).status for job in accepted} <= {"done", "cancelled"}
    assert sorted(place.values()) == done
