"""Server-sent events: responses that stream events. Source: WHATWG HTML, section 9.2.

    return sse_response(watcher.events(), limit=gateway.streams)

A stream costs a coroutine and a socket, no thread. As a heartbeat, an idle stream sends a comment
every fifteen seconds: it keeps proxies from closing the connection and reveals callers that have
gone.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta

from fastapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event
from starlette.types import Receive, Scope, Send

from luna.energy.refusals import refuse

HEARTBEAT = timedelta(seconds=15)
# A client whose connection broke reconnects after this.
RETRY_MS = 3000
# Marks a request in its ASGI scope: on shutdown the server does not wait for its response.
ENDLESS = "luna.endless"
MOST_STREAMS = 500
# OpenAPI content of such a response.
EVENT_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class StreamLimit:
    """Limit of a process's open streams. Belongs to the event loop."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self.open = 0

    def require_room(self) -> None:
        """Refuse another stream at the limit.

        Raises:
            UnavailableError: the limit is reached.
        """
        if self.open >= self._most:
            raise refuse("streams-open", most=self._most)


class _Stream(EventSourceResponse):
    """A response that counts as an open stream until it is sent."""

    def __init__(self, frames: AsyncIterator[bytes], limit: StreamLimit) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._limit = limit
        # Counted here and not in __call__: a second request may check the limit before this one is
        # sent.
        limit.open += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ENDLESS] = True
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._limit.open -= 1


def sse_response(
    events: AsyncIterator[ServerSentEvent], *, limit: StreamLimit, heartbeat: timedelta = HEARTBEAT
) -> EventSourceResponse:
    """Return a response that streams ``events`` and ends with them.

    An async generator is closed in any case.

    Raises:
        UnavailableError: the limit of open streams is reached.
    """
    limit.require_room()
    return _Stream(_frames(events, heartbeat.total_seconds()), limit)


async def _frames(
    events: AsyncIterator[ServerSentEvent], heartbeat_seconds: float
) -> AsyncGenerator[bytes]:
    yield format_sse_event(retry=RETRY_MS)
    coming: asyncio.Task[ServerSentEvent | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            # Not wait_for: its time-out cancels anext, and loses an event that comes at that
            # moment.
            await asyncio.wait((coming,), timeout=heartbeat_seconds)
            if not coming.done():
                yield format_sse_event(comment="")
                continue
            event = coming.result()
            coming = None
            if event is None:
                return
            # `raw_data` is sent unencoded: text or markup.
            yield format_sse_event(
                data_str=event.raw_data,
                event=event.event,
                id=event.id,
                retry=event.retry,
                comment=event.comment,
            )
    finally:
        if coming is not None:
            coming.cancel()
            # A running generator cannot be closed.
            await asyncio.wait((coming,))
        if isinstance(events, AsyncGenerator):
            await events.aclose()


async def _next(events: AsyncIterator[ServerSentEvent]) -> ServerSentEvent | None:
    return await anext(events, None)
