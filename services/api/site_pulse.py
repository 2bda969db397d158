"""Tells watchers that a site has something new: a plan, a slot, a measurement, an owner's word. What it is, each of them asks for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

import structlog
from anyio import to_thread
from fastapi.sse import ServerSentEvent

from luna.errors import UnavailableError

LOOK_EVERY = timedelta(seconds=2)
EVENT = "news"

log = structlog.get_logger("luna.api")


class SitePulse:
    """How sites stand, as texts that change with anything new; however many watch a site, it is looked at once every ``every``.

    Args:
        read: returns the text of a site. May raise UnavailableError: then the last one stands.
        every: the time between two looks.
    """

    def __init__(self, read: Callable[[str], str], *, every: timedelta = LOOK_EVERY) -> None:
        self._read = read
        self._every_seconds = every.total_seconds()
        self._seen: dict[str, tuple[float, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def look(self, site_id: str) -> str:
        """Return how a site stands, at most ``every`` ago.

        Raises:
            NotFoundError: no such site.
            UnavailableError: it was never read, and cannot be.
        """
        async with self._locks.setdefault(site_id, asyncio.Lock()):
            at, state = self._seen.get(site_id, (float("-inf"), ""))
            now = asyncio.get_running_loop().time()
            if now - at < self._every_seconds:
                return state
            state = await to_thread.run_sync(self._read, site_id)
            self._seen[site_id] = (now, state)
            return state

    async def follow(self, site_id: str, first: str) -> AsyncGenerator[ServerSentEvent]:
        """Yield how the site stands, then each change."""
        known = first
        yield ServerSentEvent(raw_data=first, event=EVENT)
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                state = await self.look(site_id)
            except UnavailableError as error:
                log.warning("a site cannot be watched", site_id=site_id, error=str(error))
                continue
            if state != known:
                known = state
                yield ServerSentEvent(raw_data=state, event=EVENT)
