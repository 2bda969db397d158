"""Metrics of what tasks do.

A worker runs its tasks in processes of their own, and what Prometheus reads is the worker's first process. So a metric that a task's body moves
tells each step to that process through a pipe; everywhere else it counts where it stands.

    PLANS = TaskCounter("luna_planner_plans_total", "Plans by what made them.", ["method"])
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar

from prometheus_client import Counter, Histogram

# Thousands of steps between two looks; Linux grants that much to everybody. Elsewhere the pipe stays as it is.
PIPE_BYTES = 2**20
_BUFFER_BYTES = 2**16


class MetricPipe:
    """A pipe of metrics from a worker's processes to its first one, opened before they are forked; only the first one reads."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._owner = os.getpid()
        self._rest = b""
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        with suppress(AttributeError, OSError):
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def forward(self, name: str, labels: Iterable[str], amount: float) -> bool:
        """Forward a step of a metric to the first process, False in that one itself; a full pipe loses the step, never the task's time."""
        if os.getpid() == self._owner:
            return False
        # Shorter than what the kernel writes whole, so lines of several processes do not mix.
        line = json.dumps([name, list(labels), amount]).encode() + b"\n"
        with suppress(BlockingIOError):
            os.write(self._writer, line)
        return True

    def drain(self) -> None:
        """Count what was forwarded since the last look."""
        with suppress(BlockingIOError):
            while data := os.read(self._reader, _BUFFER_BYTES):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    name, labels, amount = json.loads(line)
                    _STEPS[name](labels, amount)

    def close(self) -> None:
        """Close both ends."""
        os.close(self._reader)
        os.close(self._writer)


class _Route:
    """Where the metrics of this process tell their steps; None: nowhere, they count themselves."""

    pipe: ClassVar[MetricPipe | None] = None


_STEPS: dict[str, Callable[[list[str], float], None]] = {}


def open_pipe() -> MetricPipe:
    """Have the processes forked from now on tell this one their steps, and return the pipe to drain."""
    _Route.pipe = MetricPipe()
    return _Route.pipe


def _forwards(metric: Any, amount: float) -> bool:
    return _Route.pipe is not None and _Route.pipe.forward(metric._name, metric._labelvalues, amount)  # noqa: SLF001 - prometheus_client names them so


class TaskCounter(Counter):
    """A counter that the bodies of tasks move."""

    def __init__(self, name: str, documentation: str, labelnames: Iterable[str] = (), **others: Any) -> None:
        super().__init__(name, documentation, labelnames, **others)
        if "_labelvalues" not in others:
            _STEPS[self._name] = lambda labels, amount: (self.labels(*labels) if labels else self).inc(amount)

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Add ``amount``."""
        if not _forwards(self, amount):
            super().inc(amount, exemplar)


class TaskHistogram(Histogram):
    """A histogram that the bodies of tasks move."""

    def __init__(self, name: str, documentation: str, labelnames: Iterable[str] = (), **others: Any) -> None:
        super().__init__(name, documentation, labelnames, **others)
        if "_labelvalues" not in others:
            _STEPS[self._name] = lambda labels, amount: (self.labels(*labels) if labels else self).observe(amount)

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count ``amount``."""
        if not _forwards(self, amount):
            super().observe(amount, exemplar)
