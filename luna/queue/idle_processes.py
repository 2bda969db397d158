"""Gives back what a worker's processes hold while they have nothing to do.

A process keeps the libraries that a task has loaded, and each page that it wrote into. One that is forked in its place shares what the worker has loaded, and
loads the rest for the next task that needs it.
"""

import os
import signal
import time
from typing import Any

import structlog

from luna.health import Readiness
from luna.queue.memory import read_own_bytes

# Tasks that follow one another find the libraries loaded.
REST_SECONDS = 30.0
# One that has done nothing yet has 10 MB of its own, one that planned 30, one that trained or forecast 70.
MOST_OWN_BYTES = 20_000_000
END_SECONDS = 1.0

log = structlog.get_logger("luna.queue")


class IdleProcesses:
    """Renews processes that rest and hold much. Belongs to the event loop, where no process is given a task meanwhile.

    Args:
        readiness: of this worker. A process is forked only while none of its threads run: what one holds at that moment, such as the lock of a module that is
            being imported, the new process would wait for as long as it lives.
        rest_seconds: how long a process has had nothing to do.
        most_own_bytes: what one that rests may hold of its own.
    """

    def __init__(self, readiness: Readiness, *, rest_seconds: float = REST_SECONDS, most_own_bytes: int = MOST_OWN_BYTES) -> None:
        self._readiness, self._rest_seconds, self._most_own_bytes = readiness, rest_seconds, most_own_bytes
        self._idle_since: dict[int, float] = {}
        self._renewed: set[int] = set()

    def look(self, pool: Any) -> None:
        """Renew those for which it is time; where a probe is under way, at the next look."""
        now, processes = time.monotonic(), pool._pool  # noqa: SLF001 - Celery shows neither its processes nor which of them are busy
        busy = processes._busy_workers | processes._active_writes  # noqa: SLF001
        idle = [process for process in processes._pool if process.inqW_fd not in busy]  # noqa: SLF001
        self._idle_since = {process.pid: self._idle_since.get(process.pid, now) for process in idle}
        self._renewed &= {process.pid for process in processes._pool}  # noqa: SLF001
        for process in idle:
            if now - self._idle_since[process.pid] < self._rest_seconds:
                continue
            has_worked = processes._on_ready_counters[process.pid].value > 0  # noqa: SLF001
            # One that was forked before the worker had begun shares nothing of what the worker has written since.
            if process.pid in self._renewed and not (has_worked and read_own_bytes(process.pid) > self._most_own_bytes):
                self._idle_since[process.pid] = now
            else:
                self._renew(process, pool)

    def _renew(self, process: Any, pool: Any) -> None:
        processes = pool._pool  # noqa: SLF001
        with self._readiness.at_rest() as free:
            if not free:
                return
            before = {each.pid for each in processes._pool}  # noqa: SLF001
            # Told to end, it would take a second for it, in which it could be given a task.
            process._controlled_termination = True  # noqa: SLF001 - so that nobody takes it for a death
            os.kill(process.pid, signal.SIGKILL)
            process.join(END_SECONDS)
            pool.maintain_pool()
        self._renewed |= {each.pid for each in processes._pool} - before  # noqa: SLF001
        log.debug("process at rest renewed", pid=process.pid)
