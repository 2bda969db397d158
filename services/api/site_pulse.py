"""Tells watchers what changed of a site: a plan, a measurement, an owner's word. How it is now, each of them asks for.

Whoever changes something writes to the database and to nobody else: worker, executor, command and gateway alike. So the database is asked, once a second for
all who watch a site; what was missed while it or the watcher was away shows at the next look.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

import structlog
from anyio import to_thread
from fastapi.sse import ServerSentEvent

from luna.energy.errors import NotFoundError, UnavailableError

LOOK_EVERY = timedelta(seconds=1)
EVENT = "news"

log = structlog.get_logger("luna.api")


class SitePulse:
    """How sites stand, as texts that change with anything new; however many watch a site, it is read once in ``every``.

    Args:
        read: returns the text of a site. May raise UnavailableError: then the last one stands.
        every: the time between two looks, at whose full multiples all watchers look.
    """

    def __init__(self, read_state: Callable[[str], str], *, every: timedelta = LOOK_EVERY) -> None:
        self._read_state = read_state
        self._every_seconds = every.total_seconds()
        self._states: dict[str, tuple[int, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def look(self, site_id: str, *, fresh: bool = False) -> str:
        """Return how a site stands, at most ``every`` ago; ``fresh``: now, for a page that was written since then.

        Raises:
            NotFoundError: no such site.
            UnavailableError: it cannot be read.
        """
        async with self._locks.setdefault(site_id, asyncio.Lock()):
            turn = int(asyncio.get_running_loop().time() // self._every_seconds)
            last_turn, state = self._states.get(site_id, (None, ""))
            if fresh or last_turn != turn:
                state = await to_thread.run_sync(self._read_state, site_id)
                self._states[site_id] = (turn, state)
            return state

    async def follow(self, site_id: str, first: str) -> AsyncGenerator[ServerSentEvent]:
        """Yield how the site stands, then each change; ends with the site."""
        last = first
        yield ServerSentEvent(raw_data=first, event=EVENT)
        while True:
            await asyncio.sleep(self._every_seconds - asyncio.get_running_loop().time() % self._every_seconds)
            try:
                state = await self.look(site_id)
            except NotFoundError:
                return
            except UnavailableError as error:
                log.warning("a site cannot be watched", site_id=site_id, error=str(error))
                continue
            if state != last:
                last = state
                yield ServerSentEvent(raw_data=state, event=EVENT)
