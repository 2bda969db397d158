"""A database, a queue, and the workers that a test starts there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, text

from luna.contracts.job import Job
from luna.database import engine, jobs
from luna.database.engine import unit_of_work
from luna.queue import Client
from luna.queue.jobs import submit_job
from tests.integration.errand_tasks import ErrandRequest
from tests.workers import Worker, worker_process

MODULES = ("tests.integration.errand_tasks", "services.ingest.tasks")


@dataclass
class Place:
    """A database, a queue, and the workers a test starts there."""

    database: Engine
    client: Client
    redis_url: str
    workers: ExitStack

    def start_worker(self, *, health_port: int = 0) -> Worker:
        url = self.database.url.render_as_string(hide_password=False)
        return self.workers.enter_context(worker_process(self.redis_url, url, *MODULES, health_port=health_port))

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
            connection.execute(text("UPDATE jobs SET sent_at = sent_at - make_interval(mins => :minutes) WHERE job_id = :job_id"), times)


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
