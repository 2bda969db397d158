"""Send groups of a batch to processes of this machine.

Workers behind a queue implement the same protocol, in ``job_transport``.
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
    """The reply for a group: its rows ``runs``, or an error."""

    key: int
    rows: list[dict[str, Any]]
    error: str | None = None


class GroupTransport(Protocol):
    """Sends groups to other processes, several at a time."""

    @property
    def capacity(self) -> int:
        """Highest number of groups under way at a time."""
        ...

    def submit(self, key: int, document: dict[str, Any]) -> None:
        """Start ``simulate_group(document)``."""
        ...

    def wait(self) -> GroupReply:
        """Wait for the next finished group and return its reply."""
        ...


class LocalProcesses:
    """Worker processes of this machine, each with one group at a time.

    A process that dies is replaced, and only its own group is lost.
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
                # The idle process died, or the server that starts processes did.
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
        keys = {future: self._busy[future][0] for future in done}
        future = min(keys, key=keys.__getitem__)
        key, process = self._busy.pop(future)
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            process.shutdown(wait=False)
            process = _open_process()
        self._idle.append(process)
        if error:
            return GroupReply(key, [], f"{type(error).__name__}: {error}")
        return GroupReply(key, future.result())


def _open_process() -> ProcessPoolExecutor:
    # Processes start from one that has loaded what they need and has no threads.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    context.set_forkserver_preload([_PACKAGE])
    return ProcessPoolExecutor(1, mp_context=context, initializer=watch_parent)
