"""Server-sent events: what happens is told to a caller that keeps listening. Source: WHATWG HTML, section 9.2.

    return sse_response(watcher.events(), limit=gateway.streams)

A stream costs a coroutine and a socket, no thread. Whoever has nothing to say is still heard: a comment every fifteen seconds keeps proxies from hanging up and
finds out callers that have gone.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta

from fastapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event
from starlette.types import Receive, Scope, Send

from luna.energy.refusals import refuse

HEARTBEAT = timedelta(seconds=15)
# After how long a caller whose connection broke comes again.
RETRY_MS = 3000
# Marks a request whose answer has no end of its own, so that a server that stops does not wait for it.
ENDLESS = "luna.endless"
MOST_STREAMS = 500
# What a route's description says of such an answer.
EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class StreamLimit:
    """How many streams this process keeps open at most. Belongs to the event loop."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self.open = 0

    def require_room(self) -> None:
        """Return if another stream may be opened.

        Raises:
            UnavailableError: as many are open as may be.
        """
        if self.open >= self._most:
            raise refuse("streams-open", most=self._most)


class _Stream(EventSourceResponse):
    """A response that counts as open for as long as it is sent."""

    def __init__(self, frames: AsyncIterator[bytes], limit: StreamLimit) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._limit = limit
        # From here on, so that of two that ask at once the second one is counted.
        limit.open += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ENDLESS] = True
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._limit.open -= 1


def sse_response(events: AsyncIterator[ServerSentEvent], *, limit: StreamLimit, heartbeat: timedelta = HEARTBEAT) -> EventSourceResponse:
    """Return a response that tells ``events`` as they come, and ends with them; whatever ends it, an async generator is closed.

    Raises:
        UnavailableError: as many streams are open as may be.
    """
    limit.require_room()
    return _Stream(_frames(events, heartbeat.total_seconds()), limit)


async def _frames(events: AsyncIterator[ServerSentEvent], heartbeat_seconds: float) -> AsyncGenerator[bytes]:
    yield format_sse_event(retry=RETRY_MS)
    coming: asyncio.Task[ServerSentEvent | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            # Not wait_for, which would take from the iterator and lose what comes at the last moment.
            await asyncio.wait((coming,), timeout=heartbeat_seconds)
            if not coming.done():
                yield format_sse_event(comment="")
                continue
            event, coming = coming.result(), None
            if event is None:
                return
            # The event as sent; its data are `raw_data`, text or markup as it is.
            yield format_sse_event(data_str=event.raw_data, event=event.event, id=event.id, retry=event.retry, comment=event.comment)
    finally:
        if coming is not None:
            coming.cancel()
            # Its generator runs until it has been told.
            await asyncio.wait((coming,))
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def _next(events: AsyncIterator[ServerSentEvent]) -> ServerSentEvent | None:
    return await anext(events, None)
