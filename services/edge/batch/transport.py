"""Simulate groups of a batch with processes of this machine.

Others, over a queue, speak the same protocol.
"""

import multiprocessing
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from luna.energy.errors import MachineError
from luna.platform.child_processes import watch_parent
from services.edge.simulation.group import simulate_group

_PACKAGE = "services.edge.simulation"
# How long to wait before each further try to start a process.
_PAUSES_S = (0.0, 0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class GroupReply:
    """The reply of a group: rows ``runs``, or why there are none."""

    key: int
    rows: list[dict[str, Any]]
    error: str | None = None


class GroupTransport(Protocol):
    """Has groups simulated elsewhere, several at a time."""

    @property
    def capacity(self) -> int:
        """Number of groups accepted before the caller has to wait for one."""
        ...

    def submit(self, key: int, document: dict[str, Any]) -> None:
        """Have ``simulate_group(document)`` done."""
        ...

    def wait(self) -> GroupReply:
        """Return the reply of one of the submitted groups, as soon as one is done."""
        ...


class LocalProcesses:
    """So many processes of this machine, each with one group at a time.

    One that dies is replaced, and only its own group is lost.
    """

    def __init__(self, workers: int) -> None:
        self._idle = [_open_process() for _ in range(workers)]
        self._busy: dict[Future[list[dict[str, Any]]], tuple[int, ProcessPoolExecutor]] = {}
        self.capacity = workers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in [*self._idle, *(process for _, process in self._busy.values())]:
            process.shutdown(wait=error is None, cancel_futures=True)

    def submit(self, key: int, document: dict[str, Any]) -> None:
        process = self._idle.pop()
        for pause_s in _PAUSES_S:
            try:
                self._busy[process.submit(simulate_group, document)] = key, process
            except (BrokenProcessPool, OSError, EOFError):
                # It died while it had nothing to do, or what starts processes did.
                process.shutdown(wait=False)
                time.sleep(pause_s)
                process = _open_process()
            else:
                return
        raise MachineError(
            "no process can be started",
            field="global.workers",
            value=self.capacity,
            remedy="Ask for fewer, and run it again: it goes on.",
        )

    def wait(self) -> GroupReply:
        done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
        future = min(done, key=lambda each: self._busy[each][0])
        key, process = self._busy.pop(future)
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            process.shutdown(wait=False)
            process = _open_process()
        self._idle.append(process)
        return (
            GroupReply(key, [], f"{type(error).__name__}: {error}")
            if error
            else GroupReply(key, future.result())
        )


def _open_process() -> ProcessPoolExecutor:
    # Processes start from one that has loaded what they need and has no threads.
    context = multiprocessing.get_context(
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    )
    context.set_forkserver_preload([_PACKAGE])
    return ProcessPoolExecutor(1, mp_context=context, initializer=watch_parent)
