"""How watched jobs stand, looked at once for everybody who watches: one reader, no thread or connection per watcher."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

import structlog
from anyio import to_thread
from fastapi.sse import ServerSentEvent

from luna.contracts.job import JobSummary
from luna.energy.errors import UnavailableError
from luna.platform.queue import Progress

LOOK_EVERY_SECONDS = 1.0

log = structlog.get_logger("luna.api")


class JobState(JobSummary):
    """How a job stands, and how far it is where it runs; what came of it is read at the job's own address."""

    progress: Progress | None = None

    def event(self) -> ServerSentEvent:
        """Return the state as it is told: ``end`` once the job has ended, else ``progress``. Equal states have equal ids."""
        text = self.model_dump_json()
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return ServerSentEvent(raw_data=text, event="progress" if self.finished_at is None else "end", id=digest)


class JobWatch:
    """Tells watchers of each change. Belongs to the event loop; the reader runs in a thread, while anybody watches.

    ``read_states`` returns the states of jobs by id; one that is gone is left out. It may raise UnavailableError: then the last states stand.
    """

    def __init__(self, read_states: Callable[[Iterable[str]], Mapping[str, JobState]]) -> None:
        self._read_states = read_states
        self._watchers: dict[asyncio.Queue[JobState | None], str] = {}
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, first: JobState, *, last_event_id: str | None = None) -> AsyncGenerator[ServerSentEvent]:
        """Yield the job's states as they change, the last of which is its end.

        Args:
            first: how it stands now.
            last_event_id: the id of the event that the watcher has seen; that state is not told again.
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
                await asyncio.sleep(LOOK_EVERY_SECONDS)
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
        for news, job_id in watched.items():
            # A slow watcher hears how things stand, not each step on the way.
            while not news.empty():
                news.get_nowait()
            # A job that was deleted ends its streams.
            news.put_nowait(states.get(job_id))
