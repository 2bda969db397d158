"""One delivery of a job's message: at most one worker at a time runs a job, and its row says how that ended.

```
lock taken? ──no──▶ drop: another worker runs it, and lives
    │ yes
row open? ───no──▶ drop: the row holds the answer already
    │ yes
begun too often without an end? ──yes──▶ dead
    │ no
begin ─▶ body ─▶ done, in the body's own transaction
             ├─▶ queued again, with a pause: something was away, a disk full, or another job has to end first
             └─▶ failed, with the problem document: also where something stays away, but never because a disk stays full
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

# Nobody waits for a job: its pauses are together long enough for a server to be repaired, and chance spreads them.
JOB_RETRY = RetryPolicy(timedelta(seconds=2), growth=3, longest=timedelta(minutes=5), tries=8, jitter=1.0)

Conclude = Callable[[Connection, str], None]

log = structlog.get_logger("luna.queue")


class DroppedError(Exception):
    """This delivery has nothing to do: the job runs elsewhere, has ended, or waits for room."""


class AbortedError(Exception):
    """A library ended the process of the attempt before, as some do where memory ends; it would do so again."""


class EndedError(Exception):
    """The job has failed or is dead, as its row says."""

    def __init__(self, error: LunaError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class JobRunner:
    """Runs the jobs of one task.

    Args:
        engine: of the database that holds the rows.
        tracker: counts starts that took their process down.
        perform: runs the body on the request's text and calls its second argument within the body's transaction, with the reply's text.
        explain: returns what a job's row is to say of an error.
        worker: runs the jobs.
        is_alive: whether a worker of a name gives signs of life.
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
            DroppedError: there is nothing to do for now.
            EndedError: the job has failed or is dead.
            UnavailableError: something is away; the job is open, and its message is to come again.
            NotFoundError: no job of that id.
        """
        try:
            with jobs.hold(self.engine, job_id, worker=self.worker, is_alive=self.is_alive) as is_locked:
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
        try:
            return self.perform(json.dumps(job.request), lambda connection, reply: jobs.finish(connection, job, status="done", reply=reply))
        except jobs.SupersededError:
            raise
        except AwaitsJobError:
            self._put_back(job, counted=False)
            raise
        except Exception as error:
            # None where another try cannot help. What was accepted waits for room on a full disk as for a server.
            passing = error if isinstance(error, UnavailableError) else find_full_disk(error)
            if isinstance(passing, FullError):
                raise self._put_back_for_room(job, passing) from error
            if passing is None or JOB_RETRY.gives_up(job.attempts):
                raise self._fail(job, error) from error
            self._put_back(job)
            raise passing from error

    def _begin(self, job_id: str) -> Job:
        with unit_of_work(self.engine) as connection:
            return jobs.begin(connection, job_id)

    def _put_back(self, job: Job, *, counted: bool = True) -> None:
        with unit_of_work(self.engine) as connection:
            jobs.put_back(connection, job, counted=counted)

    def _put_back_for_room(self, job: Job, full: FullError) -> UnavailableError | DroppedError:
        """Queue a job again that found no room, and say so in its row. The owner makes some in a minute or in a week: nothing counts as an attempt.

        For the first minutes its message comes again by itself. Then it is dropped, and the job sent again like a silent one, after pauses that double up to
        a quarter of an hour: of messages that came twice, each would come again as long as there is no room.
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
        dead = DeadTask(task_id=job.job_id, task=job.task, key=job.job_id, starts=crashes, died_at=SystemClock().now(), request=json.dumps(job.request))
        self.tracker.dead_letter(dead)
        log.error("job dead", key=job.key, starts=crashes, attempts=job.attempts)
        return EndedError(error)

    @contextmanager
    def _counted(self, job_id: str) -> Iterator[int]:
        """Yield how many starts of this job ended without a word; they count under the job's id, whichever message brought them."""
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
                # The row says how it ended; at worst this start counts as one without an end.
                log.warning("queue does not answer", error=str(exc))
