"""Share database reads among concurrent callers.

They read the plan in force, the state of sites, and the state of watched jobs.
"""

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import structlog
from anyio import to_thread
from fastapi.sse import ServerSentEvent
from sqlalchemy import Engine

from luna.contracts.job import JobSummary
from luna.energy.errors import NotFoundError, UnavailableError
from luna.platform.clock import Clock
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Progress

# A plan of two days is some hundred kilobytes.
MOST_PLANS = 64
LOOK_EVERY = timedelta(seconds=1)
EVENT = "news"
Key = tuple[str, str]

log = structlog.get_logger("luna.api")


class LatestPlan(NamedTuple):
    """A plan's id and its JSON, plain and by gzip (a tenth of the size)."""

    plan_id: str
    text: bytes
    packed: bytes


class LatestPlans:
    """Reads the plan in force of a site and system for concurrent callers.

    Invariants:
        A reply is never older than its request: a caller that comes during a read waits for the
        next one, which all callers until then share.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._plans: OrderedDict[Key, LatestPlan] = OrderedDict()
        self._running: dict[Key, asyncio.Task[LatestPlan]] = {}
        self._next: dict[Key, asyncio.Task[LatestPlan]] = {}

    async def read(self, key: Key) -> LatestPlan:
        """Return the plan in force of a site and system.

        Where none is in force, the one issued last.

        Raises:
            NotFoundError: no such site, or no plan of it.
        """
        reading = self._next.get(key)
        if reading is None:
            reading = self._next[key] = asyncio.create_task(self._take_turn(key))
            reading.add_done_callback(_retrieve_exception)
        # A caller that disconnects must not cancel the read that others share.
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
            plan_id = plans.latest_id(
                connection, site_id, now=self._clock.now(), system_id=system_id
            )
            latest = self._plans.get(key)
            if latest is None or latest.plan_id != plan_id:
                text = plans.read_text(connection, plan_id).encode()
                latest = LatestPlan(plan_id, text, gzip.compress(text))
        self._plans[key] = latest
        while len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return latest


def _retrieve_exception(task: asyncio.Task[LatestPlan]) -> None:
    # asyncio would log an exception that nobody retrieves: every waiting caller may be gone.
    if not task.cancelled():
        task.exception()


class SitePulse:
    """Polls the state of watched sites, each once per ``every`` for all its watchers.

    Polling, because worker, executor, commands and gateway change the database and notify nobody. A
    change during an outage shows at the next poll.

    Args:
        read_state: returns the state of a site as text. May raise UnavailableError: watchers then
            keep the last state.
        every: the interval; all watchers poll at its multiples on the event loop's clock.
    """

    def __init__(self, read_state: Callable[[str], str], *, every: timedelta = LOOK_EVERY) -> None:
        self._read_state = read_state
        self._every_seconds = every.total_seconds()
        self._states: dict[str, tuple[int, str]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def look(self, site_id: str, *, fresh: bool = False) -> str:
        """Return the state of a site, read at most ``every`` ago.

        ``fresh``: read now, for a page rendered after the last poll.

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
        """Yield the site's state ``first``, then each change; end when the site is deleted."""
        last = first
        yield ServerSentEvent(raw_data=first, event=EVENT)
        while True:
            await asyncio.sleep(
                self._every_seconds - asyncio.get_running_loop().time() % self._every_seconds
            )
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


class JobState(JobSummary):
    """State of a job, and its progress while it runs.

    What came of it is read at the job's own address.
    """

    progress: Progress | None = None

    def event(self) -> ServerSentEvent:
        """Return the state as an event: ``end`` once the job has ended, else ``progress``.

        Equal states have equal ids.
        """
        text = self.model_dump_json()
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return ServerSentEvent(
            raw_data=text, event="progress" if self.finished_at is None else "end", id=digest
        )


class JobWatch:
    """Polls the state of watched jobs and streams the changes.

    Belongs to the event loop; the reader runs in a thread while there are watchers.

    ``read_states`` returns the states of jobs by id, without deleted jobs. It may raise
    UnavailableError: watchers then keep the last states.
    """

    def __init__(self, read_states: Callable[[Iterable[str]], Mapping[str, JobState]]) -> None:
        self._read_states = read_states
        self._watchers: dict[asyncio.Queue[JobState | None], str] = {}
        self._reader: asyncio.Task[None] | None = None

    async def follow(
        self, first: JobState, *, last_event_id: str | None = None
    ) -> AsyncGenerator[ServerSentEvent]:
        """Yield the job's state and each change, up to its end.

        Args:
            first: the current state.
            last_event_id: the id of the event that the watcher received last; that state is not
                sent again.
        """
        news: asyncio.Queue[JobState | None] = asyncio.Queue()
        self._watchers[news] = first.job_id
        self._reader = self._reader or asyncio.create_task(self._look_on())
        try:
            state: JobState | None = first
            while state is not None:
                event = state.event()
                if event.id != last_event_id:
                    yield event
                last_event_id = event.id
                state = None if state.finished_at is not None else await news.get()
        finally:
            del self._watchers[news]

    async def _look_on(self) -> None:
        try:
            while self._watchers:
                await asyncio.sleep(LOOK_EVERY.total_seconds())
                await self._look()
        finally:
            self._reader = None

    async def _look(self) -> None:
        watched = dict(self._watchers)
        try:
            states = await to_thread.run_sync(self._read_states, set(watched.values()))
        except UnavailableError as error:
            log.warning("jobs cannot be watched", error=str(error))
            return
        except Exception:
            # The edge of the reader's task: what failed may succeed a second later, and without a
            # reader the watchers would wait for ever.
            log.exception("jobs cannot be watched")
            return
        for news, job_id in watched.items():
            # A slow watcher gets the latest state alone.
            while not news.empty():
                news.get_nowait()
            # A job that was deleted ends its streams.
            news.put_nowait(states.get(job_id))
