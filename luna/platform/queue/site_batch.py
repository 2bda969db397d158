"""Process many sites in one transaction.

The error of a site becomes its fault, and the others continue.
"""

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
    """The connection and task of a batch, and the faults of its sites."""

    connection: Connection
    task: str
    faults: dict[str, LunaError] = field(default_factory=dict)

    def each(self, names: Sequence[str], act: Callable[[str], T | None]) -> dict[str, T]:
        """Return the results of ``act``, which stores nothing, per site.

        Failures are noted, and results of None left out.

        Raises:
            UnavailableError: the database is away, which is no site's fault.
        """
        points = [self.connection.begin_nested()]

        def note(name: str, error: Exception) -> None:
            # A failed statement aborts the transaction. One savepoint per failure: one per site
            # would cost as much as the queries.
            points.pop().rollback()
            points.append(self.connection.begin_nested())
            self.note(name, error)

        results = [(name, isolate(partial(act, name), partial(note, name))) for name in names]
        points.pop().commit()
        return {name: result for name, result in results if result is not None}

    def together(
        self, names: Sequence[str], act: Callable[[Sequence[str]], Mapping[str, T]]
    ) -> dict[str, T]:
        """Return the results of ``act`` for all sites at once.

        If that fails, ``act`` is called site by site, to find the faulty one.

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
        except Exception as error:  # noqa: BLE001 - an edge: the retry site by site finds the fault
            log.warning(
                "sites are taken one by one", task=self.task, sites=len(names), error=str(error)
            )
            # The writes of a failed site are rolled back.
            results = {}
            for name in names:
                result = isolate(partial(self._alone, act, name), partial(self.note, name))
                if result is not None:
                    results[name] = result
            return results

    def note(self, name: str, error: Exception) -> None:
        """Record the fault of a site as its caller would receive it."""
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
