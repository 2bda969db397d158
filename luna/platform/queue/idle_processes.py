"""Fork a worker's processes on demand and end idle ones, to save memory.

A process keeps loaded libraries and every page it wrote to: an unused one holds 10 MB of its own,
one that planned 30, one that trained or forecast 70. A newly forked one shares what the worker has
loaded, and loads the rest when the task needs it.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import structlog
from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool
from kombu.asynchronous import get_event_loop

from luna.platform.health.probes import PATIENCE
from luna.platform.health.readiness import Readiness
from luna.platform.memory import is_short, resident_bytes

# Consecutive tasks reuse the loaded libraries.
REST_SECONDS = 10.0
AGAIN_SECONDS = 0.05
# Most of beat's tasks end sooner and arrive together: one process executes all of them.
SOON_SECONDS = 0.3
END_SECONDS = 1.0
# A process that grew by more since its fork is replaced after its task, however many small tasks
# follow.
MOST_GROWN_BYTES = 24_000_000
# Longest wait of a task for the one before it, where memory is short.
MOST_TURN_SECONDS = 60.0

log = structlog.get_logger("luna.queue")


class IdleTimes:
    """The time since which each process of a pool is idle.

    Sampled once a second; most tasks begin and end between two samples.
    """

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def end_task(self, pid: int) -> None:
        """Restart a process's idle time after a task, from the next sample on."""
        self._since.pop(pid, None)

    def list_rested(self, idle: Collection[int], now: float, *, rest_seconds: float) -> set[int]:
        """Sample: return the processes that have been idle for ``rest_seconds``."""
        self._since = {pid: self._since.get(pid, now) for pid in idle}
        return {pid for pid, since in self._since.items() if now - since >= rest_seconds}


def count_late(
    waited_seconds: Iterable[float], *, turn_seconds: float, memory_is_short: Callable[[], bool]
) -> int:
    """Return how many tasks have waited longer than ``turn_seconds``.

    Where memory is short, longer than ``MOST_TURN_SECONDS``.
    """
    late = [seconds for seconds in waited_seconds if seconds >= turn_seconds]
    if late and memory_is_short():
        return sum(seconds >= MOST_TURN_SECONDS for seconds in late)
    return len(late)


class SparingPool(AsynPool):  # type: ignore[misc]
    """Celery's pool with no more processes than tasks that wait or run; idle ones are ended.

    With ``turn_seconds`` one process executes all tasks in order and is replaced once it has grown.
    A task that has waited for that long starts in a second process; where memory is short, only
    after ``MOST_TURN_SECONDS``. Called from the event loop.
    """

    readiness: Readiness
    rest_seconds: float
    turn_seconds: float | None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._idle_times = IdleTimes()
        self._waits_since: float | None = None
        super().__init__(*arguments, **options)

    def apply_async(self, *arguments: Any, **options: Any) -> Any:
        result = super().apply_async(*arguments, **options)
        result.submitted_at = time.monotonic()
        self.maintain_pool()
        return result

    def on_job_ready(self, job: Any, place: int | None, answer: object, pipe: int) -> None:
        process = next((process for process in self._pool if process.inqW_fd == pipe), None)
        has_grown = False
        if process is not None:
            grown_bytes = resident_bytes(process.pid) - resident_bytes()
            has_grown = grown_bytes >= MOST_GROWN_BYTES
        loop = get_event_loop()
        if has_grown and self.turn_seconds is not None and loop is not None:
            # Still marked busy, so that it gets no task.
            loop.call_soon(self._replace, process)  # type: ignore[no-untyped-call]
            return
        super().on_job_ready(job, place, answer, pipe)
        if process is not None and not has_grown:
            self._idle_times.end_task(process.pid)

    def end_rested(self) -> None:
        """End processes that were idle for long enough.

        Where memory is short, or another process executes tasks in order: all idle ones.
        """
        busy = self._busy_workers | self._active_writes
        idle = [process.pid for process in self._pool if process.inqW_fd not in busy]
        pids = self._idle_times.list_rested(idle, time.monotonic(), rest_seconds=self.rest_seconds)
        works_in_order = self.turn_seconds is not None and len(self._pool) > 1
        if idle and (works_in_order or is_short()):
            pids |= set(idle)
        rested = [process for process in self._pool if process.pid in pids]
        # Keep one per task: a waiting task may be about to start.
        for process in rested[: max(0, len(self._pool) - len(self._cache))]:
            _end(process)
        self.maintain_pool()

    def _replace(self, process: Any) -> None:
        _end(process)
        self.maintain_pool()

    def _repopulate_pool(self, exitcodes: object) -> None:
        """Fork missing processes while none of the worker's threads run.

        A lock that a thread holds at the fork, such as a module's import lock, would stay locked in
        the new process for ever. A probe beyond its patience only waits for an answer and holds
        none.
        """
        now = time.monotonic()
        needed = min(self._processes, self._count_due(now))
        if len(self._pool) >= needed:
            self._waits_since = None
            return
        self._waits_since = self._waits_since or now
        waited_seconds = now - self._waits_since
        with self.readiness.at_rest() as free:
            has_waited = waited_seconds >= SOON_SECONDS or not self._pool
            loop = get_event_loop()
            if (free and has_waited) or waited_seconds >= PATIENCE.total_seconds():
                while len(self._pool) < needed:
                    self._create_worker_process(self._avail_index())
                self._waits_since = None
            elif loop is not None:
                loop.call_later(AGAIN_SECONDS, self.maintain_pool)  # type: ignore[no-untyped-call]

    def _count_due(self, now: float) -> int:
        """Return how many of the waiting and running tasks should have a process by now."""
        if self.turn_seconds is None:
            return len(self._cache)
        waiting = [task for task in self._cache.values() if not task.accepted()]
        late = count_late(
            [now - task.submitted_at for task in waiting],
            turn_seconds=self.turn_seconds,
            memory_is_short=is_short,
        )
        return min(len(self._cache), 1 + late)


def _end(process: Any) -> None:
    # SIGKILL: a regular end takes a second, in which it could be given a task.
    process._controlled_termination = True  # noqa: SLF001 - or Celery reports a lost worker
    os.kill(process.pid, signal.SIGKILL)
    process.join(END_SECONDS)
    log.debug("process at rest ended", pid=process.pid)


def sparing_pool(
    readiness: Readiness, *, rest_seconds: float, turn_seconds: float | None = None
) -> type[TaskPool]:
    """Return a pool class that ends processes after ``rest_seconds`` idle.

    They are forked while ``readiness`` is at rest.
    """
    pool = type(
        "Pool",
        (SparingPool,),
        {"readiness": readiness, "rest_seconds": rest_seconds, "turn_seconds": turn_seconds},
    )
    return type("Processes", (TaskPool,), {"Pool": pool})
