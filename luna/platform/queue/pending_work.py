"""Whether a scheduled request has work: checked before it is sent, so that no worker forks a process for nothing."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from luna.contracts import RefreshRollupsRequest, ResendRequest
from luna.contracts.fleet import FollowChangesRequest
from luna.contracts.message import Request
from luna.platform.clock import Clock
from luna.platform.database import control, engine, jobs, plan_causes, rollups
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings

log = structlog.get_logger("luna.beat")
Look = Callable[[Connection, Settings, datetime], bool]
# Of what is not here there may always be something to do.
LOOKS: Mapping[type[Request], Look] = {
    FollowChangesRequest: lambda connection, settings, now: plan_causes.is_any_due(
        connection, control.list_planned(connection, settings.plan_refresh), now=now
    ),
    ResendRequest: lambda connection, _settings, _now: jobs.is_any_due(connection),
    RefreshRollupsRequest: lambda connection, _settings, _now: rollups.is_any_marked(connection),
}


class PendingWork:
    """Asks the database, in a thread of its own: one that does not answer holds nothing else up.

    Args:
        settings: say which sites are planned when something of them changes.
        database_url: where the work stands.
        patience: how long an answer is waited for.
        clock: by which what was asked for before is late.
        looks: by request, what finds out.
    """

    def __init__(self, settings: Settings, database_url: str, *, patience: timedelta, clock: Clock, looks: Mapping[type[Request], Look] = LOOKS) -> None:
        self._settings, self._patience, self._clock, self._looks = settings, patience, clock, looks
        self._engine = engine.create(database_url, application_name="luna-beat", pool_size=1)
        self._answer: Future[bool] | None = None

    def is_there(self, request: type[Request]) -> bool:
        """Return whether there is work for a request, True also where that is not known in time: then the task itself reports the fault."""
        look = self._looks.get(request)
        if look is None or (self._answer is not None and not self._answer.done()):
            return True
        answer: Future[bool] = Future()
        self._answer = answer
        threading.Thread(target=self._ask, args=(look, answer), name="pending work", daemon=True).start()
        try:
            return answer.result(self._patience.total_seconds())
        except TimeoutError:
            return True

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _ask(self, look: Look, answer: "Future[bool]") -> None:
        try:
            with unit_of_work(self._engine) as connection:
                answer.set_result(look(connection, self._settings, self._clock.now()))
        except Exception as error:  # noqa: BLE001 - what cannot be found out may be something to do, and the task itself says what is wrong
            log.debug("not found out whether there is work", error=str(error))
            answer.set_result(True)
