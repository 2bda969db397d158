"""Connections that never become a request, or take their time."""

import asyncio
import json
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from services.api.server import GatewayProtocol


class QuickProtocol(GatewayProtocol):
    header_seconds = 0.05


async def answer_at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(4 * QuickProtocol.header_seconds)
    await answer_at_once(scope, receive, send)


class Caller(asyncio.Protocol):
    """Keeps what a server says, however the connection ends: one that hangs up on a byte on its way
    resets it, after its answer.
    """

    def __init__(self) -> None:
        self.said = b""
        self.answered, self.ended = (asyncio.get_running_loop().create_future() for _ in range(2))

    def data_received(self, data: bytes) -> None:
        self.said += data
        if not self.answered.done():
            self.answered.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set_result(None)


def exchange(*pieces: bytes, app: Any = answer_at_once, pause_seconds: float = 0.0) -> bytes:
    """Send pieces with pauses between them to a server, many of them until it answers, and return
    all that it says until it hangs up.
    """

    async def speak() -> bytes:
        loop = asyncio.get_running_loop()
        config = uvicorn.Config(app, log_config=None, timeout_keep_alive=1)
        state = ServerState()
        server = await loop.create_server(lambda: QuickProtocol(config, state, {}), "127.0.0.1", 0)
        transport, caller = await loop.create_connection(Caller, *server.sockets[0].getsockname())
        for piece in pieces:
            transport.write(piece)
            if (
                await asyncio.wait(
                    (caller.answered, caller.ended),
                    timeout=pause_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            )[0] and len(pieces) > 2:
                break
        await caller.ended
        server.close()
        return caller.said

    return asyncio.run(speak())


def problem(said: bytes) -> tuple[int, dict[str, Any]]:
    """Read the last response."""
    head, _, body = said[said.rindex(b"HTTP/1.1 4") :].partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"Connection: close" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"GET / HTTP/1.1\r\nHost: luna\r\n"], id="headers that stop"),
        # A byte every 20 ms would come in within any pause.
        pytest.param([b"GET / HTTP/1.1\r\nHost: ", *[b"a"] * 1000], id="a byte now and then"),
        pytest.param(
            [b"GET / HTTP/1.1\r\nHost: luna\r\n\r\n", b"GET /again HTTP/1.1\r\n"],
            id="a second request that stops",
        ),
    ],
)
def test_headers_that_do_not_come_in_are_given_up_and_named(pieces: list[bytes]) -> None:
    status, document = problem(exchange(*pieces, pause_seconds=0.02))
    assert (status, document["field"], document["title"]) == (408, "headers", "Request Timeout")
    assert document["remedy"]


def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    assert exchange() == b""


def test_an_answer_may_take_its_time() -> None:
    assert exchange(b"GET / HTTP/1.1\r\nHost: luna\r\n\r\n", app=answer_late).startswith(
        b"HTTP/1.1 204"
    )


def test_what_is_no_http_is_refused_with_a_problem_document() -> None:
    status, document = problem(exchange(b"\x16\x03\x01 hello\r\n\r\n"))
    assert (status, document["field"]) == (400, "request")
