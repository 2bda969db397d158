"""Prometheus metrics that tasks update.

Tasks run in child processes, but Prometheus scrapes the worker's main process. A metric updated in
a task sends each update to the main process through a pipe; elsewhere it counts directly.

    PLANS = TaskCounter("luna_planner_plans_total", "Plans by what made them.", ["method"])
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar

from prometheus_client import Counter, Histogram

# Holds thousands of updates between two drains. Linux grants that size to every user; elsewhere the
# default stays.
PIPE_BYTES = 2**20
_BUFFER_BYTES = 2**16


class MetricPipe:
    """A pipe for metric updates from a worker's processes to the main one.

    It is opened before the fork.

    Only the main process reads.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._owner = os.getpid()
        self._rest = b""
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        with suppress(AttributeError, OSError):
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def forward(self, name: str, labels: Iterable[str], amount: float) -> bool:
        """Send an update to the main process, return False in that one.

        Where the pipe is full, the update is dropped without blocking.
        """
        if os.getpid() == self._owner:
            return False
        # Below PIPE_BUF, so lines of several processes do not mix.
        line = json.dumps([name, list(labels), amount]).encode() + b"\n"
        with suppress(BlockingIOError):
            os.write(self._writer, line)
        return True

    def drain(self) -> None:
        """Apply the updates received since the last call."""
        with suppress(BlockingIOError):
            while data := os.read(self._reader, _BUFFER_BYTES):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    name, labels, amount = json.loads(line)
                    _STEPS[name](labels, amount)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class _Route:
    """The pipe for updates of this process's metrics; None: they count directly."""

    pipe: ClassVar[MetricPipe | None] = None


_STEPS: dict[str, Callable[[list[str], float], None]] = {}


def open_pipe() -> MetricPipe:
    """Send updates of processes forked from now on to this process.

    Return the pipe to drain.
    """
    _Route.pipe = MetricPipe()
    return _Route.pipe


def _forwards(metric: Any, amount: float) -> bool:
    return _Route.pipe is not None and _Route.pipe.forward(
        metric._name,  # noqa: SLF001
        metric._labelvalues,  # noqa: SLF001
        amount,
    )


class TaskCounter(Counter):
    """A counter that tasks may update."""

    def __init__(
        self, name: str, documentation: str, labelnames: Iterable[str] = (), **others: Any
    ) -> None:
        super().__init__(name, documentation, labelnames, **others)
        if "_labelvalues" not in others:
            _STEPS[self._name] = lambda labels, amount: (
                self.labels(*labels) if labels else self
            ).inc(amount)

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        if not _forwards(self, amount):
            super().inc(amount, exemplar)


class TaskHistogram(Histogram):
    """A histogram that tasks may update."""

    def __init__(
        self, name: str, documentation: str, labelnames: Iterable[str] = (), **others: Any
    ) -> None:
        super().__init__(name, documentation, labelnames, **others)
        if "_labelvalues" not in others:
            _STEPS[self._name] = lambda labels, amount: (
                self.labels(*labels) if labels else self
            ).observe(amount)

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        if not _forwards(self, amount):
            super().observe(amount, exemplar)
