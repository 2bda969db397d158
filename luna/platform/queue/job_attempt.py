"""Execute one delivery of a job's message.

At most one worker runs a job at a time, and the job's row records how it ended.

```
lock free? ──no──▶ drop: another live worker runs it
    │ yes
row open? ───no──▶ drop: the job has ended already
    │ yes
too many starts without an end? ──yes──▶ dead
    │ no
begin ─▶ body ─▶ done, in the body's own transaction
             ├─▶ queued again after a back-off: a dependency is away, a disk is full, or another
             │   job has to end first
             └─▶ failed, with the problem document: also after too many tries, but never because
                 a disk stays full
```
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import redis
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.job import Job
from luna.energy.errors import FullError, LunaError, UnavailableError, find_full_disk
from luna.energy.refusals import refuse
from luna.platform.clock import SystemClock
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.task import AwaitsJobError
from luna.platform.queue.task_tracker import MAX_STARTS, DeadTask, TaskTracker
from luna.platform.retry import RetryPolicy

# No caller waits for a job: its back-off in sum outlasts the repair of a server; jitter spreads the
# retries.
JOB_RETRY = RetryPolicy(
    timedelta(seconds=2), growth=3, longest=timedelta(minutes=5), tries=8, jitter=1.0
)

Conclude = Callable[[Connection, str], None]

log = structlog.get_logger("luna.queue")


class DroppedError(Exception):
    """The delivery is dropped: its job runs elsewhere, has ended, or waits for disk space."""


class AbortedError(Exception):
    """A library aborted the process of the previous attempt, as some do without memory.

    A retry would abort again.
    """


class EndedError(Exception):
    """The job has failed or is dead, as its row records."""

    def __init__(self, error: LunaError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class JobRunner:
    """Runs the jobs of one task.

    Args:
        engine: of the database with the rows.
        tracker: counts starts that ended their process.
        perform: runs the body on the request's JSON and calls its second argument within the body's
            transaction, with the reply's JSON.
        explain: converts an exception to the error in the job's row.
        worker: the name of this worker.
        is_alive: whether the named worker has a heartbeat.
    """

    engine: Engine
    tracker: TaskTracker
    perform: Callable[[str, Conclude], str]
    explain: Callable[[Exception], LunaError]
    worker: str
    is_alive: Callable[[str], bool]

    def run(self, job_id: str) -> str:
        """Run a job and return its reply as stored.

        Raises:
            DroppedError: the delivery is dropped.
            EndedError: the job has failed or is dead.
            UnavailableError: a dependency is away; the job stays open, and its message is delivered
                again.
            NotFoundError: no job of that id.
        """
        try:
            with jobs.hold(
                self.engine, job_id, worker=self.worker, is_alive=self.is_alive
            ) as is_locked:
                if not is_locked:
                    raise DroppedError("the job runs elsewhere")
                return self._run_locked(job_id)
        except jobs.SupersededError as error:
            raise DroppedError(str(error)) from error

    def _run_locked(self, job_id: str) -> str:
        with unit_of_work(self.engine) as connection:
            job = jobs.load(connection, job_id)
        if job.finished_at is not None:
            raise DroppedError(f"the job is {job.status}")
        with self._counted(job_id) as crashes:
            if crashes and self.tracker.forget_abort(job_id):
                raise self._fail(self._begin(job_id), AbortedError())
            if crashes >= MAX_STARTS or JOB_RETRY.gives_up(job.attempts):
                raise self._bury(job, crashes)
            return self._attempt(job_id)

    def _attempt(self, job_id: str) -> str:
        job = self._begin(job_id)

        def conclude(connection: Connection, reply: str) -> None:
            jobs.finish(connection, job, status="done", reply=reply)

        try:
            return self.perform(json.dumps(job.request), conclude)
        except jobs.SupersededError:
            raise
        except AwaitsJobError:
            self._put_back(job, counted=False)
            raise
        except Exception as error:
            # None: a retry cannot help. A lack of disk space is temporary, as an absent server is.
            temporary = error if isinstance(error, UnavailableError) else find_full_disk(error)
            if isinstance(temporary, FullError):
                raise self._put_back_for_room(job, temporary) from error
            if temporary is None or JOB_RETRY.gives_up(job.attempts):
                raise self._fail(job, error) from error
            self._put_back(job)
            raise temporary from error

    def _begin(self, job_id: str) -> Job:
        with unit_of_work(self.engine) as connection:
            return jobs.begin(connection, job_id)

    def _put_back(self, job: Job, *, counted: bool = True) -> None:
        with unit_of_work(self.engine) as connection:
            jobs.put_back(connection, job, counted=counted)

    def _put_back_for_room(self, job: Job, full: FullError) -> UnavailableError | DroppedError:
        """Queue a job again after a lack of disk space, which its row records.

        The lack may last minutes or weeks, so it does not count as an attempt. In the first minutes
        Celery redelivers the message. After that the message is dropped, and the reconciler sends a
        new one at intervals that double up to a quarter of an hour: otherwise each duplicate of the
        message would be retried as long as the disk is full.
        """
        with unit_of_work(self.engine) as connection:
            jobs.put_back(connection, job, counted=False, error=full.problem())
        if job.started_at is None or job.started_at - job.submitted_at < JOB_RETRY.longest:
            return full
        log.warning("job waits for room", error=str(full))
        return DroppedError("the job waits for room")

    def _fail(self, job: Job, error: Exception) -> EndedError:
        reason = self.explain(error)
        with unit_of_work(self.engine) as connection:
            jobs.finish(connection, job, status="failed", error=reason.problem())
        return EndedError(reason)

    def _bury(self, job: Job, crashes: int) -> EndedError:
        error = refuse("job-begun-in-vain", field="task", value=job.task, attempts=job.attempts)
        with unit_of_work(self.engine) as connection:
            jobs.finish(connection, job, status="dead", error=error.problem())
        dead = DeadTask(
            task_id=job.job_id,
            task=job.task,
            key=job.job_id,
            starts=crashes,
            died_at=SystemClock().now(),
            request=json.dumps(job.request),
        )
        self.tracker.dead_letter(dead)
        log.error("job dead", key=job.key, starts=crashes, attempts=job.attempts)
        return EndedError(error)

    @contextmanager
    def _counted(self, job_id: str) -> Iterator[int]:
        """Yield the number of starts of this job, over all its messages, that had no outcome."""
        try:
            crashes = self.tracker.start(job_id, job_id)
        except redis.RedisError as exc:
            raise refuse("queue-away-job-open", field="redis_url") from exc
        try:
            yield crashes
        finally:
            try:
                self.tracker.end(job_id, job_id)
            except redis.RedisError as exc:
                # The row has the outcome; at worst this start counts as one without.
                log.warning("queue does not answer", error=str(exc))
