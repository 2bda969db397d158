"""The plan of each site that holds now, read once for all who ask at the same time and kept as the text that is stored."""

import asyncio
import gzip
from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from anyio import to_thread
from sqlalchemy import Engine

from luna.platform.clock import Clock
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work

# A plan of two days is some hundred kilobytes.
MOST_PLANS = 64


class LatestPlan(NamedTuple):
    """A plan's id, its text, and its text by gzip: a tenth."""

    plan_id: str
    text: bytes
    packed: bytes


Key = tuple[str, str]


class LatestPlans:
    """Reads the plan of a site and system that holds now, or the newest.

    Invariants:
        Nobody is told what was true only before he asked: who asks while a read is under way waits for the next one, with all who ask by then.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._plans: OrderedDict[Key, LatestPlan] = OrderedDict()
        self._running: dict[Key, asyncio.Task[LatestPlan]] = {}
        self._next: dict[Key, asyncio.Task[LatestPlan]] = {}

    async def read(self, key: Key) -> LatestPlan:
        """Return the plan of a site and system that holds now; where none does, the one issued last.

        Raises:
            NotFoundError: no such site, or no plan of it.
        """
        reading = self._next.get(key)
        if reading is None:
            reading = self._next[key] = asyncio.create_task(self._take_turn(key))
            # What went wrong is told to those who wait; where all have hung up, to nobody.
            reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        # Who hangs up must not end what others wait for.
        return await asyncio.shield(reading)

    async def _take_turn(self, key: Key) -> LatestPlan:
        while (running := self._running.get(key)) is not None:
            await asyncio.wait([running])
        self._running[key] = self._next.pop(key)
        try:
            return await to_thread.run_sync(partial(self._look, key))
        finally:
            del self._running[key]

    def _look(self, key: Key) -> LatestPlan:
        site_id, system_id = key
        with unit_of_work(self._engine) as connection:
            plan_id = plans.latest_id(connection, site_id, now=self._clock.now(), system_id=system_id)
            latest = self._plans.get(key)
            if latest is None or latest.plan_id != plan_id:
                text = plans.read_text(connection, plan_id).encode()
                latest = LatestPlan(plan_id, text, gzip.compress(text))
        self._plans[key] = latest
        while len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return latest
