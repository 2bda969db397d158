"""Says when Home has something new: a plan, a slot, a measurement, an owner's word; each page then asks for what it shows."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from anyio import to_thread

from luna.database import pulse
from luna.database.engine import unit_of_work
from luna.timeline import SLOT, floor_to
from services.api.gateway import Gateway

LOOK_EVERY = timedelta(seconds=2)
# Proxies close what is silent for a minute.
BREATHE_EVERY = timedelta(seconds=20)


class HomePulse:
    """What the pages of a site were told last; however many watch it, the database is asked every ``LOOK_EVERY`` at most."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._seen: dict[str, tuple[float, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def read(self, site_id: str) -> str:
        """Return what changes with every plan, slot, measurement and override of a site."""
        async with self._locks.setdefault(site_id, asyncio.Lock()):
            at, state = self._seen.get(site_id, (float("-inf"), ""))
            now = asyncio.get_running_loop().time()
            if now - at >= LOOK_EVERY.total_seconds():
                state = await to_thread.run_sync(self._look, site_id)
                self._seen[site_id] = (now, state)
            return state

    def _look(self, site_id: str) -> str:
        now: datetime = self._gateway.clock.now()
        with unit_of_work(self._gateway.database) as connection:
            return json.dumps([floor_to(now, SLOT).isoformat(), *pulse.read(connection, site_id)])


async def watch(pulse_of: HomePulse, site_id: str) -> AsyncIterator[str]:
    """Yield an event whenever something is new, and a comment where long nothing was."""
    known, silent = await pulse_of.read(site_id), timedelta()
    yield _event(known)
    while True:
        await asyncio.sleep(LOOK_EVERY.total_seconds())
        silent += LOOK_EVERY
        state = await pulse_of.read(site_id)
        if state != known:
            known, silent = state, timedelta()
            yield _event(state)
        elif silent >= BREATHE_EVERY:
            silent = timedelta()
            yield ": still here\n\n"


def _event(state: str) -> str:
    return f"event: home\ndata: {state}\n\n"
