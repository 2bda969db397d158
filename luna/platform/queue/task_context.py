"""Give a task's body its context: unit of work, clock, settings, and progress reports."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import Connection, Engine

from luna.contracts.job import Progress
from luna.platform.clock import Clock, SystemClock
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import ObjectStore, open_objects
from luna.platform.settings import Settings

if TYPE_CHECKING:
    from luna.platform.queue.client import Client

T = TypeVar("T")


def isolate(act: Callable[[], T], otherwise: Callable[[Exception], T]) -> T:
    """Return the result of ``act``, or what ``otherwise`` makes of its exception.

    It isolates one site among many in a batch.

    Only the task's time limit passes through, and ends all of them.
    """
    try:
        return act()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - an edge, like that of a task
        return otherwise(error)


@dataclass
class TaskContext:
    """The context of one task.

    Everything written through ``connection`` is committed together, or not at all.

    Args:
        settings: the settings of the process.
        database: returns the engine; called at the first use of ``connection``.
        clock: the source of the current time.
        report: receives each ``progress``.
        queue: returns the queue's client; called at its first use.
    """

    settings: Settings
    database: Callable[[], Engine]
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
    report: Callable[[Progress], None] = lambda _: None
    queue: Callable[[], "Client"] = field(kw_only=True)

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self._steps: list[Callable[[], None]] = []

    @cached_property
    def connection(self) -> Connection:
        """The connection of this unit of work, opened at its first use."""
        return self._stack.enter_context(unit_of_work(self.database()))

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store, opened in this process."""
        return open_objects(self.settings)

    @property
    def client(self) -> "Client":
        """The queue's client."""
        return self.queue()

    def on_commit(self, step: Callable[[], None]) -> None:
        """Run ``step`` after the commit.

        Never where the transaction is rolled back or the process dies in between.
        """
        self._steps.append(step)

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Report to the caller that ``done`` of ``total`` steps are done."""
        self.report(Progress(done=done, total=total, label=label))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        swallowed = self._stack.__exit__(kind, error, trace)
        if kind is None:
            for step in self._steps:
                step()
        return swallowed
