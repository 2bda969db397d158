"""The ordinary life of the queue and of jobs, on shared servers with one shared worker.

What kills, restarts and pauses is in ``tests/system``.
"""

import errno
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, text

from luna.contracts import ResendReply
from luna.contracts.message import Request
from luna.energy.errors import (
    ConflictError,
    FullError,
    InvalidInputError,
    LunaError,
    NotFoundError,
    UnavailableError,
)
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client, Progress
from luna.platform.queue.job_attempt import JOB_RETRY, Conclude, DroppedError, EndedError, JobRunner
from luna.platform.queue.jobs import cancel_job, resend_due, retry_job, submit_job
from luna.platform.queue.task_base import Process
from luna.platform.queue.task_tracker import TaskTracker
from luna.platform.settings import Settings
from tests.integration import sample_tasks as sample
from tests.integration.errand_tasks import CrashRequest, ErrandRequest, RefusedRequest
from tests.support.worker.environment import ERRANDS, Place, errands_table, open_place, second_queue
from tests.support.worker.processes import free_port
from tests.support.worker.task_starts import count_starts
from tests.support.worker.workers import wait_for

SOON = timedelta(seconds=60)
RESULTS = "luna:celery-task-meta-*"
# Three are promised; the rest is for a machine that is busy.
A_FEW_SECONDS = 15


@pytest.fixture(scope="module")
def shared_place(database_url: str, redis_url: str) -> Iterator[Place]:
    """A queue with one worker, which runs the sample tasks and the errands."""
    with (
        errands_table(database_url),
        open_place(database_url, redis_url, sample.__name__, ERRANDS) as there,
    ):
        # Without what workers and messages of tests before have left.
        there.empty_queue()
        there.start_worker()
        there.client.call(sample.EchoRequest(value=0), timeout=SOON)
        yield there


@pytest.fixture
def served(shared_place: Place) -> Iterator[Place]:
    """The queue with the worker; every job of a test has ended when the test does."""
    yield shared_place
    shared_place.clear()


@pytest.fixture
def client(shared_place: Place) -> Client:
    return shared_place.client


@pytest.fixture
def place(shared_place: Place, database_url: str, redis_url: str) -> Iterator[Place]:
    """A queue of which no worker takes anything, beside the database with the table of the
    errands.
    """
    with open_place(database_url, second_queue(redis_url)) as there:
        there.empty_queue()
        yield there
        there.empty_queue()


@pytest.fixture
def errand(tmp_path: Path) -> ErrandRequest:
    return ErrandRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")


def test_a_request_comes_back_as_its_reply_model(client: Client) -> None:
    assert client.call(sample.EchoRequest(value=7), timeout=SOON) == sample.Echo(value=7)


def test_a_reply_that_was_waited_for_is_kept_for_minutes_and_one_that_was_not_for_an_hour(
    client: Client, redis_url: str
) -> None:
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


def test_redis_is_handed_a_reply_once(client: Client, redis_url: str) -> None:
    with (
        redis.Redis.from_url(redis_url) as store,
        store.pubsub(ignore_subscribe_messages=True) as published,
    ):
        published.psubscribe(RESULTS)
        published.get_message(timeout=5)
        assert client.call(sample.EchoRequest(value=7), timeout=SOON) == sample.Echo(value=7)
        assert published.get_message(timeout=0) is None


def test_a_submitted_task_can_be_fetched_later(client: Client) -> None:
    task_id = client.submit(sample.EchoRequest(value=7))
    wait_for(lambda: client.tasks.fetch(task_id, sample.EchoRequest).status == "succeeded")
    assert client.tasks.fetch(task_id, sample.EchoRequest).reply == sample.Echo(value=7)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"value": 1}, id="plain dictionary"),
        pytest.param(
            sample.EchoRequest.model_construct(value=-1), id="model built without validation"
        ),
    ],
)
def test_an_invalid_message_is_refused_at_the_sender(place: Place, message: Request) -> None:
    before = place.client.tasks.waiting("sample")
    with pytest.raises(InvalidInputError):
        place.client.submit(message)
    assert place.client.tasks.waiting("sample") == before


def test_an_error_crosses_the_queue_as_the_same_class_with_field_value_and_remedy(
    client: Client,
) -> None:
    with pytest.raises(ConflictError) as raised:
        client.call(sample.ConflictRequest(value=2), timeout=SOON)
    assert (raised.value.field, raised.value.value, raised.value.remedy) == (
        "site_id",
        2,
        "Wait for it.",
    )


def test_an_unforeseen_error_reaches_the_caller_without_internals(client: Client) -> None:
    with pytest.raises(LunaError) as raised:
        client.call(sample.CrashRequest(value=2), timeout=SOON)
    assert type(raised.value) is LunaError
    assert "inner detail" not in str(raised.value)


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


def test_a_unit_of_work_is_committed_with_its_reply_and_rolled_back_with_its_error(
    client: Client, sample_values: Callable[[], list[int]]
) -> None:
    client.call(sample.StoreRequest(value=4), timeout=SOON)
    with pytest.raises(LunaError):
        client.call(sample.StoreRequest(value=0), timeout=SOON)
    assert sample_values() == [4]


def test_equal_requests_at_the_same_time_are_not_taken_for_poison(client: Client) -> None:
    tasks = [client.submit(sample.StepsRequest(value=100)) for _ in range(8)]
    wait_for(
        lambda: all(
            client.tasks.fetch(task, sample.StepsRequest).status == "succeeded" for task in tasks
        )
    )


def test_a_call_without_a_worker_is_unavailable_in_time(place: Place) -> None:
    with pytest.raises(UnavailableError, match="no answer within"):
        place.client.call(sample.EchoRequest(value=1), timeout=timedelta(seconds=0.3))


@pytest.mark.parametrize(
    "url",
    ["http://:secret@queue:6379", "redis://:secret@queue:port/0"],
    ids=["another protocol", "no number for a port"],
)
def test_an_address_that_is_no_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError, match="LUNA_REDIS_URL") as raised:
        Client(url)
    assert "secret" not in str(raised.value)


def test_redis_away_is_unavailable_within_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        Client(f"redis://127.0.0.1:{free_port()}/0").call(sample.EchoRequest(value=1), timeout=SOON)
    assert time.monotonic() - began < A_FEW_SECONDS


def test_what_is_asked_for_later_twice_is_done_once_and_may_then_be_asked_for_again(
    served: Place, client: Client, errand: ErrandRequest
) -> None:
    errand.gate.touch()
    for count in (1, 2):
        for _ in range(2):
            client.submit_later(errand, after=timedelta(seconds=1))
        wait_for(lambda count=count: count_starts(errand.starts) == count)
        # The claim ends before its task begins.
    assert count_starts(errand.starts) == 2


def test_an_accepted_job_is_done_and_its_row_holds_the_reply(
    served: Place, errand: ErrandRequest
) -> None:
    errand.gate.touch()
    job = served.submit(errand)
    wait_for(served.has(job, "done"))
    ended = served.look_at(job)
    assert (ended.reply, ended.error, ended.attempts) == ({"value": 1, "starts": 1}, None, 1)
    assert ended.submitted_at < ended.started_at < ended.finished_at
    assert served.values() == [1]


def test_a_running_job_says_how_far_it_is(served: Place, errand: ErrandRequest) -> None:
    job = served.submit(errand)
    wait_for(
        lambda: (
            served.client.tasks.progress(job.job_id)
            == Progress(done=1, total=2, label="at the gate")
        )
    )
    errand.gate.touch()
    wait_for(served.has(job, "done"))


def test_a_refused_job_has_failed_with_a_problem_document_and_can_be_tried_again(
    served: Place, tmp_path: Path
) -> None:
    request = RefusedRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    job = served.submit(request)
    wait_for(served.has(job, "failed"))
    refused = served.look_at(job)
    assert (
        refused.error
        == InvalidInputError(
            "nobody stores this", field="value", value=1, remedy="Open the gate."
        ).problem()
    )
    assert (refused.attempts, refused.reply) == (1, None)

    request.gate.touch()
    assert retry_job(served.database, served.client, job.job_id).status == "queued"
    wait_for(served.has(job, "done"))
    assert (served.look_at(job).attempts, served.look_at(job).error) == (1, None)


def test_a_job_that_fails_unexpectedly_says_nothing_of_the_inside(
    served: Place, tmp_path: Path
) -> None:
    job = served.submit(CrashRequest(starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(served.has(job, "failed"))
    assert "the task failed unexpectedly" in served.look_at(job).error["detail"]
    assert "inner detail" not in str(served.look_at(job).error)


def test_a_task_may_compute_for_hours_between_two_statements(
    database_url: str, redis_url: str
) -> None:
    process = Process(Settings(), database_url, redis_url, "tests")
    with unit_of_work(process.engine) as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "150min"
    process.engine.dispose()


def explain(error: Exception) -> LunaError:
    return error if isinstance(error, LunaError) else LunaError(str(error))


def runner_of(place: Place, perform: Callable[[str, Conclude], str]) -> JobRunner:
    """Runs jobs in this process."""
    return JobRunner(
        place.database,
        TaskTracker(redis.Redis.from_url(place.redis_url)),
        perform,
        explain,
        "tests",
        lambda _: True,
    )


@pytest.fixture
def runner(place: Place) -> JobRunner:
    """Runs jobs in this process; whatever they ask for is away."""

    def find_nothing(_text: str, _conclude: Conclude) -> str:
        raise UnavailableError("the store of objects is away")

    return runner_of(place, find_nothing)


def test_a_job_fails_when_what_it_needs_stays_away(
    place: Place, errand: ErrandRequest, runner: JobRunner
) -> None:
    job = place.submit(errand)
    *before, last = JOB_RETRY.attempts()
    for _ in before:
        with pytest.raises(UnavailableError):
            runner.run(job.job_id)
        assert place.look_at(job).status == "queued"
    with pytest.raises(EndedError):
        runner.run(job.job_id)
    ended = place.look_at(job)
    assert (ended.status, ended.attempts, ended.error["detail"]) == (
        "failed",
        last,
        "the store of objects is away.",
    )


def test_a_job_waits_for_room_on_a_full_disk_as_long_as_it_takes_and_says_so(
    place: Place, errand: ErrandRequest
) -> None:
    def write(_text: str, conclude: Conclude) -> str:
        if not errand.gate.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        with unit_of_work(place.database) as connection:
            conclude(connection, reply)
        return reply

    def send_again() -> int:
        with unit_of_work(place.database) as connection:
            return resend_due(connection, place.client).sent

    runner = runner_of(place, write)
    reply = '{"value": 1, "starts": 1}'
    job = place.submit(errand)
    for _ in [*JOB_RETRY.attempts(), "one more"]:
        with pytest.raises(FullError):
            runner.run(job.job_id)
    waiting = place.look_at(job)
    assert (waiting.status, waiting.attempts, waiting.error["title"]) == (
        "queued",
        0,
        "No space left",
    )

    # From now on no message comes again by itself; one is sent when the job has been silent.
    with unit_of_work(place.database) as connection:
        connection.execute(
            text(
                "UPDATE jobs SET submitted_at = submitted_at - interval '6 minutes' WHERE "
                "job_id = :job_id"
            ),
            {"job_id": job.job_id},
        )
    with pytest.raises(DroppedError):
        runner.run(job.job_id)
    assert send_again() == 0
    place.fall_silent(job, minutes=4)
    assert (send_again(), send_again()) == (1, 0)

    errand.gate.touch()
    runner.run(job.job_id)
    ended = place.look_at(job)
    assert (ended.status, ended.attempts, ended.error) == ("done", 1, None)


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
    two = submit_job(
        place.database, place.client, errand.model_copy(update={"value": 2}), key="tonight"
    )
    assert (one.job_id, two.request["value"]) == (two.job_id, 1)


def test_an_ended_job_makes_room_for_an_equal_one_which_then_bars_its_retry(
    place: Place, errand: ErrandRequest, runner: JobRunner
) -> None:
    job = place.submit(errand)
    with unit_of_work(place.database) as connection:
        jobs.finish(
            connection, jobs.begin(connection, job.job_id), status="failed", error={"detail": "no"}
        )
    again = place.submit(errand)
    assert again.job_id != job.job_id
    with pytest.raises(ConflictError) as refused:
        retry_job(place.database, place.client, job.job_id)
    assert refused.value.reason == "equal-job-open"
    with pytest.raises(ConflictError) as still_open:
        retry_job(place.database, place.client, again.job_id)
    assert (still_open.value.reason, still_open.value.parameters) == (
        "job-not-ended-badly",
        {"status": "queued"},
    )
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


def test_of_a_cancel_and_an_end_at_the_same_time_one_counts(served: Place, tmp_path: Path) -> None:
    gates = [tmp_path / f"gate {value}" for value in range(6)]
    errands = [
        ErrandRequest(value=value, starts=tmp_path / f"starts {value}", gate=gate)
        for value, gate in enumerate(gates)
    ]
    accepted = [served.submit(errand) for errand in errands]
    for job, errand in zip(accepted, errands, strict=True):
        wait_for(lambda: count_starts(errand.starts) == 1)  # noqa: B023
        errand.gate.touch()
        with suppress(ConflictError):
            cancel_job(served.database, served.client, job.job_id)
    wait_for(lambda: all(served.look_at(job).finished_at for job in accepted))
    done = [value for value, job in enumerate(accepted) if served.look_at(job).status == "done"]
    assert {served.look_at(job).status for job in accepted} <= {"done", "cancelled"}
    assert sorted(served.values()) == done
