"""One transaction for the work on many sites: what is wrong with one of them becomes its fault, and keeps no other waiting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.queue.task_context import isolate

log = structlog.get_logger("luna.queue")

T = TypeVar("T")


@dataclass(frozen=True)
class SiteBatch:
    """The connection of a batch, the task that it is the work of, and what went wrong with which of its sites."""

    connection: Connection
    task: str
    faults: dict[str, LunaError] = field(default_factory=dict)

    def each(self, names: Sequence[str], act: Callable[[str], T | None]) -> dict[str, T]:
        """Return what ``act``, which stores nothing, makes of each site by itself; what fails is noted, and what makes nothing is left out.

        Raises:
            UnavailableError: the database is away; nothing is anybody's fault then.
        """
        points = [self.connection.begin_nested()]

        def note(name: str, error: Exception) -> None:
            # After a statement that failed nothing else could be asked; a savepoint for each site would cost as much as what few of them ask.
            points.pop().rollback()
            points.append(self.connection.begin_nested())
            self.note(name, error)

        results = [(name, isolate(partial(act, name), partial(note, name))) for name in names]
        points.pop().commit()
        return {name: result for name, result in results if result is not None}

    def together(self, names: Sequence[str], act: Callable[[Sequence[str]], Mapping[str, T]]) -> dict[str, T]:
        """Return what ``act`` makes of all sites at once; where that fails, of one after the other, so that the one at fault shows.

        Raises:
            UnavailableError: the database is away.
        """
        if not names:
            return {}
        try:
            with self.connection.begin_nested():
                return dict(act(names))
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - an edge: whose fault it is shows when each is asked by itself
            log.warning("sites are taken one by one", task=self.task, sites=len(names), error=str(error))
            # What fails takes back what it wrote, and is noted.
            results = ((name, isolate(partial(self._alone, act, name), partial(self.note, name))) for name in names)
            return {name: result for name, result in results if result is not None}

    def note(self, name: str, error: Exception) -> None:
        """Note what went wrong with a site, as its caller would be told of it."""
        if isinstance(error, UnavailableError):
            raise error
        if isinstance(error, LunaError):
            log.info("site failed", task=self.task, site_id=name, error=str(error), code=error.code)
            self.faults[name] = error
            return
        log.error("site failed", task=self.task, site_id=name, exc_info=error)
        self.faults[name] = refuse("task-failed", field="task", value=self.task)

    def _alone(self, act: Callable[[Sequence[str]], Mapping[str, T]], name: str) -> T:
        with self.connection.begin_nested():
            return act([name])[name]
