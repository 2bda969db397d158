"""Progress of many steps at once, on stderr: a bar each in a terminal, elsewhere a line for each that is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.cli.console import err


class Bar:
    """One step's bar; callable with steps done, steps in all and what is being done."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int, label: str = "") -> None:
        self._progress.update(self._task, completed=done, total=total, label=label)


class Bars:
    """The bars of a command. Threads may share them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @classmethod
    @contextmanager
    def shown(cls) -> Iterator[Self]:
        """Yield bars that are drawn until the block ends."""
        columns = (TextColumn("{task.description:<26}"), BarColumn(bar_width=32), TimeElapsedColumn(), TextColumn("{task.fields[label]}", style="dim"))
        with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
            yield cls(progress)

    @contextmanager
    def step(self, name: str) -> Iterator[Bar]:
        """Yield a step's bar; it is full, or its line is written, when the block ends well."""
        began = monotonic()
        task = self._progress.add_task(name, total=None, label="")
        yield Bar(self._progress, task)
        total = next(each.total for each in self._progress.tasks if each.id == task) or 1
        self._progress.update(task, completed=total, total=total, label="")
        if self._progress.disable:
            err.print(f"{name}: {monotonic() - began:.1f} s", soft_wrap=True)
