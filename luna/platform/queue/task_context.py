"""What a task's body is given: one unit of work, a clock, the settings, a way to tell how far it is."""

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
    """Return what ``act`` returns, or what ``otherwise`` makes of its failure: the edge of one site's work among that of many.

    Whatever is wrong with one site keeps no other waiting; a time limit ends them all.
    """
    try:
        return act()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - an edge, like that of a task
        return otherwise(error)


@dataclass
class TaskContext:
    """One unit of work: everything done through ``connection`` is committed together, or not at all.

    Args:
        settings: the settings of the process.
        database: returns the engine; asked only when the body wants a connection.
        clock: where "now" comes from.
        report: receives each ``progress``.
        queue: returns what sends messages; asked only when the body sends one.
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
        """The connection of this unit of work, opened when first asked for."""
        return self._stack.enter_context(unit_of_work(self.database()))

    @cached_property
    def objects(self) -> ObjectStore:
        """The store of objects, opened in the process that asks."""
        return open_objects(self.settings)

    @property
    def client(self) -> "Client":
        """What sends messages to other tasks."""
        return self.queue()

    def on_commit(self, step: Callable[[], None]) -> None:
        """Have ``step`` done once everything is committed; not at all where it is not, or where this process dies in between."""
        self._steps.append(step)

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Tell the caller that ``done`` of ``total`` steps are done."""
        self.report(Progress(done=done, total=total, label=label))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        swallowed = self._stack.__exit__(kind, error, trace)
        if kind is None:
            for step in self._steps:
                step()
        return swallowed
