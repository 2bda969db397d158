"""Server-sent events: what goes over the wire, how a stream ends, and how many there may be."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.types import Message, Scope

from luna.energy.errors import UnavailableError
from services.api.events import ENDLESS, StreamLimit, sse_response

SCOPE: Scope = {"type": "http", "asgi": {"spec_version": "2.3"}}


async def told(response: EventSourceResponse, *, hang_up: asyncio.Event | None = None) -> str:
    """Serve a response and return its body; the caller hangs up when ``hang_up`` is set."""
    sent: list[bytes] = []

    async def receive() -> Message:
        await (hang_up or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    await response(SCOPE.copy(), receive, send)
    return b"".join(sent).decode()


async def two_events() -> AsyncGenerator[ServerSentEvent]:
    yield ServerSentEvent(raw_data="<p>one</p>\n<p>line more</p>", event="slot", id="a1")
    yield ServerSentEvent(raw_data="two")


def test_events_are_told_as_they_are_with_when_to_come_again_and_the_stream_ends_with_them() -> (
    None
):
    said = asyncio.run(told(sse_response(two_events(), limit=StreamLimit())))
    assert said == (
        "retry: 3000\n\nevent: slot\ndata: <p>one</p>\ndata: <p>line more</p>\nid: a1\n\n"
        "data: two\n\n"
    )


def test_while_nothing_happens_comments_keep_the_stream_open_and_no_event_is_lost() -> None:
    async def listen() -> str:
        quiet = asyncio.Event()

        async def late() -> AsyncGenerator[ServerSentEvent]:
            asyncio.get_running_loop().call_later(0.05, quiet.set)
            await quiet.wait()
            yield ServerSentEvent(raw_data="at last")

        return await told(
            sse_response(late(), limit=StreamLimit(), heartbeat=timedelta(milliseconds=5))
        )

    first, *comments, event, rest = asyncio.run(listen()).split("\n\n")
    assert (first, event, rest) == ("retry: 3000", "data: at last", "")
    assert set(comments) == {": "}


def test_a_caller_that_hangs_up_closes_what_it_listened_to_and_makes_room() -> None:
    closed: list[str] = []
    limit = StreamLimit(most=1)

    async def endless() -> AsyncGenerator[ServerSentEvent]:
        try:
            while True:
                yield ServerSentEvent(raw_data="on")
                await asyncio.Event().wait()
        finally:
            closed.append("closed")

    async def hang_up_at_once() -> None:
        gone = asyncio.Event()
        response = sse_response(endless(), limit=limit)
        with pytest.raises(UnavailableError, match="1 streams are open"):
            sse_response(endless(), limit=limit)
        asyncio.get_running_loop().call_later(0.02, gone.set)
        await told(response, hang_up=gone)

    asyncio.run(hang_up_at_once())
    assert (closed, limit.open) == (["closed"], 0)


def test_a_stream_says_of_itself_that_it_has_no_end() -> None:
    async def serve() -> Scope:
        scope = SCOPE.copy()

        async def receive() -> Message:
            return await asyncio.Event().wait() or {}

        async def send(_message: Message) -> None:
            return

        await sse_response(two_events(), limit=StreamLimit())(scope, receive, send)
        return scope

    assert asyncio.run(serve())[ENDLESS] is True
