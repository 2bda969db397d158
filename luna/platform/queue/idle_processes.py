"""A worker's processes that are there while there is something to do.

A process keeps the libraries that a task has loaded, and each page that it wrote into: one that never worked holds 10 MB of its own, one that planned 30, one
that trained or forecast 70. One that is forked for the next task shares what the worker has loaded, and loads the rest where the task needs it.
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

# Tasks that follow one another find the libraries loaded.
REST_SECONDS = 10.0
AGAIN_SECONDS = 0.05
# Most tasks of beat end sooner, and are asked for together: one process does them all.
SOON_SECONDS = 0.3
END_SECONDS = 1.0
# A process that has grown by more since it was forked goes at its next rest, whatever small tasks come meanwhile: they find a new one that shares what it has.
MOST_GROWN_BYTES = 24_000_000
# How long a task waits at most for the one before it to end, where memory is short.
MOST_TURN_SECONDS = 60.0

log = structlog.get_logger("luna.queue")


class IdleTimes:
    """Since when each process of a pool has had nothing to do. Busy is looked for once a second; most tasks are begun and ended between two looks."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def end_task(self, pid: int) -> None:
        """Note that a process ended a task: its idle time is counted anew, from the next look on."""
        self._since.pop(pid, None)

    def list_rested(self, idle: Collection[int], now: float, *, rest_seconds: float) -> set[int]:
        """Look: return those of the processes that have nothing to do now which have had nothing to do for ``rest_seconds``."""
        self._since = {pid: self._since.get(pid, now) for pid in idle}
        return {pid for pid, since in self._since.items() if now - since >= rest_seconds}


def count_late(waited_seconds: Iterable[float], *, turn_seconds: float, memory_is_short: Callable[[], bool]) -> int:
    """Return how many tasks have waited for longer than their turn may take; where memory is short, for longer than ``MOST_TURN_SECONDS``."""
    late = [seconds for seconds in waited_seconds if seconds >= turn_seconds]
    return sum(seconds >= MOST_TURN_SECONDS for seconds in late) if late and memory_is_short() else len(late)


class SparingPool(AsynPool):  # type: ignore[misc]
    """Celery's pool, with no more processes than tasks wait or run; one that rests is ended. Belongs to the event loop.

    Where ``turn_seconds`` are set, one process does all tasks in the order in which they came, and another takes its place once it has grown; a task that has
    waited for that long begins beside it, where memory is short after ``MOST_TURN_SECONDS``.
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
        has_grown = process is not None and resident_bytes(process.pid) - resident_bytes() >= MOST_GROWN_BYTES
        if has_grown and self.turn_seconds is not None and (loop := get_event_loop()) is not None:
            # It stays among those that are busy, so that it is given no task.
            loop.call_soon(self._replace, process)  # type: ignore[no-untyped-call]
            return
        super().on_job_ready(job, place, answer, pipe)
        if process is not None and not has_grown:
            self._idle_times.end_task(process.pid)

    def end_rested(self) -> None:
        """End those that have had nothing to do for long enough; where memory is short, all that have nothing to do, as where another works in turn."""
        busy = self._busy_workers | self._active_writes
        idle = [process.pid for process in self._pool if process.inqW_fd not in busy]
        pids = self._idle_times.list_rested(idle, time.monotonic(), rest_seconds=self.rest_seconds)
        if idle and (is_short() or (self.turn_seconds is not None and len(self._pool) > 1)):
            pids |= set(idle)
        rested = [process for process in self._pool if process.pid in pids]
        # One that a task waits for may still begin.
        for process in rested[: max(0, len(self._pool) - len(self._cache))]:
            _end(process)
        self.maintain_pool()

    def _replace(self, process: Any) -> None:
        _end(process)
        self.maintain_pool()

    def _repopulate_pool(self, exitcodes: object) -> None:
        """Fork what is missing, while none of the worker's threads run.

        What a thread holds at that moment, such as the lock of a module that is being imported, the new process would wait for as long as it lives. A probe
        that is late waits for an answer, and holds none.
        """
        now = time.monotonic()
        needed = min(self._processes, self._count_due(now))
        if len(self._pool) >= needed:
            self._waits_since = None
            return
        self._waits_since = self._waits_since or now
        waited_seconds = now - self._waits_since
        with self.readiness.at_rest() as free:
            if (free and (waited_seconds >= SOON_SECONDS or not self._pool)) or waited_seconds >= PATIENCE.total_seconds():
                while len(self._pool) < needed:
                    self._create_worker_process(self._avail_index())
                self._waits_since = None
            elif (loop := get_event_loop()) is not None:
                loop.call_later(AGAIN_SECONDS, self.maintain_pool)  # type: ignore[no-untyped-call]

    def _count_due(self, now: float) -> int:
        """Return how many of the tasks that wait or run should have a process by now."""
        if self.turn_seconds is None:
            return len(self._cache)
        waited_seconds: list[float] = [now - task.submitted_at for task in self._cache.values() if not task.accepted()]
        return min(len(self._cache), 1 + count_late(waited_seconds, turn_seconds=self.turn_seconds, memory_is_short=is_short))


def _end(process: Any) -> None:
    # Told to end, it would take a second for it, in which it could be given a task.
    process._controlled_termination = True  # noqa: SLF001 - so that nobody takes it for a death
    os.kill(process.pid, signal.SIGKILL)
    process.join(END_SECONDS)
    log.debug("process at rest ended", pid=process.pid)


def sparing_pool(readiness: Readiness, *, rest_seconds: float, turn_seconds: float | None = None) -> type[TaskPool]:
    """Return a class of pools whose processes end after ``rest_seconds`` without a task, and are forked while ``readiness`` is at rest."""
    pool = type("Pool", (SparingPool,), {"readiness": readiness, "rest_seconds": rest_seconds, "turn_seconds": turn_seconds})
    return type("Processes", (TaskPool,), {"Pool": pool})
