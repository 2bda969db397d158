"""A database, a queue, and the workers that a test starts there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import redis
from sqlalchemy import Engine, text

from luna.contracts.job import Job
from luna.platform.database import engine, jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from tests.integration.errand_tasks import ErrandRequest
from tests.support.worker.workers import Worker, worker_process

ERRANDS = "tests.integration.errand_tasks"
MODULES = (ERRANDS, "services.ingest.tasks")
# Redis has sixteen numbered databases, and a run at most five processes.
SECOND_QUEUES = 8


@dataclass
class Place:
    """A database, a queue, and the workers a test starts there."""

    database: Engine
    client: Client
    redis_url: str
    workers: ExitStack
    modules: tuple[str, ...] = MODULES
    started: list[Worker] = field(default_factory=list)

    def start_worker(self, *, health_port: int = 0, beat_seconds: float = 1) -> Worker:
        url = self.database.url.render_as_string(hide_password=False)
        process = worker_process(
            self.redis_url, url, *self.modules, health_port=health_port, beat_seconds=beat_seconds
        )
        self.started.append(self.workers.enter_context(process))
        return self.started[-1]

    def empty_queue(self) -> None:
        """Remove what workers and messages have left.

        Nothing but a worker that starts afterwards may use the queue.
        """
        with redis.Redis.from_url(self.redis_url) as queue:
            queue.flushdb()

    def clear(self) -> None:
        """Remove the jobs and what they have stored."""
        with unit_of_work(self.database) as connection:
            connection.execute(text("DELETE FROM errands; DELETE FROM jobs"))

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

    def fall_silent(self, job: Job, minutes: int = 5) -> None:
        """Put back in time when a job's message was sent."""
        with unit_of_work(self.database) as connection:
            times = {"minutes": minutes, "job_id": job.job_id}
            connection.execute(
                text(
                    "UPDATE jobs SET sent_at = sent_at - make_interval(mins => :minutes) "
                    "WHERE job_id = :job_id"
                ),
                times,
            )


@contextmanager
def errands_table(database_url: str) -> Iterator[None]:
    """The table that errands store in."""
    pool = engine.create(database_url)
    with unit_of_work(pool) as connection:
        connection.execute(text("CREATE TABLE errands (value integer)"))
    yield
    with unit_of_work(pool) as connection:
        connection.execute(text("DROP TABLE errands"))
    pool.dispose()


@contextmanager
def open_place(database_url: str, redis_url: str, *modules: str) -> Iterator[Place]:
    """Open a place on a database with ``errands_table``, for workers that run the tasks of
    ``modules`` (default: ``MODULES``).
    """
    pool = engine.create(database_url)
    client = Client(redis_url)
    with ExitStack() as workers:
        place = Place(pool, client, redis_url, workers, modules or MODULES)
        yield place
    place.clear()
    pool.dispose()
    client.close()


def second_queue(redis_url: str) -> str:
    """Return the address of another queue on the same Redis: no worker of the first one takes what
    is sent there.
    """
    server, number = redis_url.rsplit("/", 1)
    return f"{server}/{int(number) + SECOND_QUEUES}"
