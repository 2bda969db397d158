"""Accepted work against real servers and worker processes that get killed: nothing is lost, nothing is done twice."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Connection, Engine, text

from luna.contracts import ResendReply, ResendRequest
from luna.contracts.job import Job
from luna.database import engine, jobs, migrate
from luna.database.engine import unit_of_work
from luna.embedded import Servers, start
from luna.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from luna.queue import Client, Progress
from luna.queue.attempt import MAX_ATTEMPTS, EndedError, Runner
from luna.queue.jobs import resend_due, retry_job, submit_job
from luna.queue.ledger import Ledger
from tests.integration.errand_tasks import AwayRequest, ErrandRequest, PoisonRequest, RefusedRequest, count_starts
from tests.workers import Worker, kill, wait_for, worker_process

SOON = timedelta(seconds=20)
MODULES = ("tests.integration.errand_tasks", "services.ingest.tasks")


@dataclass
class Place:
    """A database, a queue, and the workers a test starts there."""

    database: Engine
    client: Client
    redis_url: str
    workers: ExitStack

    def start_worker(self) -> Worker:
        url = self.database.url.render_as_string(hide_password=False)
        return self.workers.enter_context(worker_process(self.redis_url, url, *MODULES))

    def submit(self, request: ErrandRequest) -> Job:
        return submit_job(self.database, self.client, request)

    def look_at(self, job: Job) -> Job:
        with unit_of_work(self.database) as connection:
            return jobs.load(connection, job.job_id)

    def has(self, job: Job, status: str) -> Callable[[], bool]:
        return lambda: self.look_at(job).status == status

    def values(self) -> list[int]:
        with unit_of_work(self.database) as connection:
            return list(connection.scalars(text("SELECT value FROM errands")))

    def grow_old(self, job: Job, minutes: int = 5) -> None:
        """Put what is known of a job back in time."""
        with unit_of_work(self.database) as connection:
            age(connection, job, submitted=f"{minutes} minutes", sent=f"{minutes} minutes")


@contextmanager
def open_place(database_url: str, redis_url: str) -> Iterator[Place]:
    pool, client = engine.create(database_url), Client(redis_url)
    with unit_of_work(pool) as connection:
        connection.execute(text("CREATE TABLE errands (value integer)"))
    with ExitStack() as workers:
        yield Place(pool, client, redis_url, workers)
    with unit_of_work(pool) as connection:
        connection.execute(text("DROP TABLE errands; DELETE FROM jobs"))
    pool.dispose()
    client.close()


@pytest.fixture
def place(database_url: str, redis_url: str) -> Iterator[Place]:
    """The servers that all tests share."""
    with open_place(database_url, redis_url) as there, redis.Redis.from_url(redis_url) as queue:
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
    wait_for(lambda: place.client.progress(job.job_id) == Progress(done=1, total=2, label="at the gate"))
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
    own_place.grow_old(job)
    own_place.start_worker()
    assert own_place.client.call(ResendRequest(), timeout=SOON) == ResendReply(sent=1, begun_before=1)
    wait_for(own_place.has(job, "done"))
    assert (own_place.look_at(job).attempts, own_place.values()) == (2, [1])


def test_a_job_delivered_twice_at_the_same_time_runs_once(place: Place, errand: ErrandRequest) -> None:
    place.start_worker()
    job = place.submit(errand)
    place.client.ring(job)
    begun(place, job, errand)
    place.client.ring(job)
    wait_for(lambda: place.client.waiting("errand") == 0)
    errand.gate.touch()
    wait_for(place.has(job, "done"))
    place.client.ring(job)
    wait_for(lambda: place.client.waiting("errand") == 0)
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
    wait_for(own_place.has(job, "done"), seconds=40)
    assert (own_place.look_at(job).attempts, own_place.values()) == (2, [1])


def test_a_message_that_finds_no_database_comes_again(own_servers: Servers, own_place: Place, errand: ErrandRequest) -> None:
    errand.gate.touch()
    job = own_place.submit(errand)
    kill_server(own_servers, "postgres")
    own_place.start_worker()
    wait_for(lambda: own_place.client.waiting("errand") == 0)
    own_servers.bring_up(["postgres"])
    wait_for(own_place.has(job, "done"), seconds=40)
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


def test_a_job_comes_again_where_something_was_away(place: Place, tmp_path: Path) -> None:
    place.start_worker()
    job = place.submit(AwayRequest(value=1, starts=tmp_path / "starts", gate=tmp_path / "gate"))
    wait_for(place.has(job, "done"))
    assert place.look_at(job).attempts == 2


def test_a_job_that_kills_its_process_is_dead_after_three_starts_and_can_be_tried_again(place: Place, tmp_path: Path) -> None:
    request = PoisonRequest(starts=tmp_path / "starts", gate=tmp_path / "gate")
    place.start_worker()
    job = place.submit(request)
    wait_for(place.has(job, "dead"), seconds=40)
    assert (count_starts(request.starts), place.look_at(job).attempts) == (3, 3)
    assert "begun 3 times" in place.look_at(job).error["detail"]
    assert [task.task_id for task in place.client.dead()] == [job.job_id]
    place.client.ring(job)

    request.gate.touch()
    retry_job(place.database, place.client, job.job_id)
    wait_for(place.has(job, "done"))
    assert (count_starts(request.starts), place.look_at(job).attempts) == (4, 1)
    assert place.client.dead() == []


@pytest.fixture
def runner(place: Place) -> Runner:
    """Runs jobs in this process; whatever they ask for is away."""

    def find_nothing(_text: str, _conclude: object) -> str:
        raise UnavailableError("the store of objects is away")

    return Runner(place.database, Ledger(redis.Redis.from_url(place.redis_url)), find_nothing, lambda error: error)


def test_a_job_fails_when_what_it_needs_stays_away(place: Place, errand: ErrandRequest, runner: Runner) -> None:
    job = place.submit(errand)
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(UnavailableError):
            runner.run(job.job_id)
        assert place.look_at(job).status == "queued"
    with pytest.raises(EndedError):
        runner.run(job.job_id)
    ended = place.look_at(job)
    assert (ended.status, ended.attempts, ended.error["status"]) == ("failed", MAX_ATTEMPTS, 503)


def test_a_message_without_a_row_is_refused(place: Place, runner: Runner) -> None:
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


def test_an_ended_job_makes_room_for_an_equal_one_which_then_bars_its_retry(place: Place, errand: ErrandRequest, runner: Runner) -> None:
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


def accept(connection: Connection, key: str = "one") -> Job:
    return jobs.accept(connection, task="errand.value.store", key=key, request="{}", trace_id="trace-0001")


def age(connection: Connection, job: Job, *, submitted: str, sent: str) -> None:
    times = {"submitted": submitted, "sent": sent, "job_id": job.job_id}
    query = "UPDATE jobs SET submitted_at = now() - CAST(:submitted AS interval), sent_at = now() - CAST(:sent AS interval) WHERE job_id = :job_id"
    connection.execute(text(query), times)


def due(connection: Connection) -> list[str]:
    return [job.key for job in jobs.take_due(connection)]


def test_a_job_never_sent_is_due_and_one_just_sent_is_not(connection: Connection) -> None:
    accept(connection, "never")
    jobs.mark_sent(connection, [accept(connection, "now").job_id])
    assert due(connection) == ["never"]


@pytest.mark.parametrize(
    ("submitted", "sent", "expected"),
    [
        pytest.param("110 seconds", "110 seconds", [], id="sent less than two minutes ago"),
        pytest.param("130 seconds", "130 seconds", ["one"], id="sent more than two minutes ago"),
        pytest.param("9 minutes", "4 minutes", [], id="sent again after five minutes, silent for four"),
        pytest.param("11 minutes", "6 minutes", ["one"], id="sent again after five minutes, silent for six"),
        pytest.param("2 days", "16 minutes", ["one"], id="at the latest after a quarter of an hour"),
    ],
)
def test_a_silent_job_is_due_after_as_long_again(connection: Connection, submitted: str, sent: str, expected: list[str]) -> None:
    age(connection, accept(connection), submitted=submitted, sent=sent)
    assert due(connection) == expected


def test_a_running_job_is_due_only_where_no_worker_holds_its_lock(connection: Connection, database: Engine) -> None:
    job = accept(connection)
    jobs.begin(connection, job.job_id)
    age(connection, job, submitted="1 hour", sent="1 hour")
    with jobs.hold(database, job.job_id) as held:
        assert (held, due(connection)) == (True, [])
    assert due(connection) == ["one"]


def test_an_ended_job_is_not_due(connection: Connection) -> None:
    job = accept(connection)
    jobs.finish(connection, jobs.begin(connection, job.job_id), status="done", reply="{}")
    assert due(connection) == []


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


def test_a_lock_has_one_holder_and_is_free_when_its_block_ends(database: Engine) -> None:
    with jobs.hold(database, "one") as first, jobs.hold(database, "one") as second, jobs.hold(database, "two") as other:
        assert (first, second, other) == (True, False, True)
    with jobs.hold(database, "one") as next_one:
        assert next_one


def test_an_attempt_that_was_superseded_stores_nothing(connection: Connection) -> None:
    job = accept(connection)
    lost = jobs.begin(connection, job.job_id)
    current = jobs.begin(connection, job.job_id)
    with pytest.raises(jobs.SupersededError):
        jobs.finish(connection, lost, status="done", reply='{"by": 1}')
    jobs.put_back(connection, lost)
    jobs.finish(connection, current, status="done", reply='{"by": 2}')
    assert jobs.load(connection, job.job_id).reply == {"by": 2}
    with pytest.raises(jobs.SupersededError):
        jobs.begin(connection, job.job_id)


def test_a_request_that_the_database_cannot_hold_is_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError, match="cannot be stored"):
        jobs.accept(connection, task="errand.value.store", key="one", request='{"site_id": "a\\u0000b"}', trace_id="trace-0001")


def test_jobs_are_listed_newest_first_and_counted_by_status(connection: Connection) -> None:
    before = jobs.count(connection)
    old, new, dead = (accept(connection, key) for key in ("old", "new", "dead"))
    age(connection, old, submitted="1 day", sent="1 day")
    age(connection, new, submitted="1 second", sent="1 second")
    age(connection, dead, submitted="1 hour", sent="1 hour")
    jobs.begin(connection, new.job_id)
    jobs.finish(connection, jobs.begin(connection, dead.job_id), status="dead", error={"detail": "killed"})
    assert [job.key for job in jobs.list_newest(connection)][:3] == ["new", "dead", "old"]
    assert [job.key for job in jobs.list_newest(connection, limit=1)] == ["new"]
    assert [job.key for job in jobs.list_newest(connection, status="open")] == ["new", "old"]
    assert [job.error for job in jobs.list_newest(connection, status="dead")] == [{"detail": "killed"}]
    census = jobs.count(connection)
    assert (census.queued - before.queued, census.running - before.running, census.dead - before.dead) == (1, 1, 1)
    assert census.oldest_open_seconds == pytest.approx(86_400, abs=60)
