"""Arrivals at a rate that does not ask how the server is."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np

from bench.http_load import NO_ANSWER, arrive

STALL_SECONDS = 0.4
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
    b"close\r\n\r\n"
)


class Server:
    """Answers one request at a time: the fifth after a stall, every tenth with a refusal.

    The last not at all.
    """

    def __init__(self, requests: int) -> None:
        self._requests = requests
        self._seen = 0
        self._turn = asyncio.Lock()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with_answers = True
        while with_answers and await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            async with self._turn:
                self._seen += 1
                await asyncio.sleep(STALL_SECONDS * (self._seen == 5))
            with_answers = self._seen < self._requests
            writer.write((FULL if self._seen % 10 == 0 else GOOD) if with_answers else b"")
        writer.close()


@contextmanager
def serving(server: Server) -> Iterator[int]:
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        ended = asyncio.Event()
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
            started.set_result(
                (listener.sockets[0].getsockname()[1], asyncio.get_running_loop(), ended)
            )
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    port, loop, ended = started.result()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def test_who_is_due_while_the_server_stalls_waits_from_then_on() -> None:
    with serving(Server(101)) as port:
        found = arrive(
            port, lambda _: b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", rate=100, seconds=0.3
        )
    assert found.statuses.size == 30
    # Twenty are due within the first half of the stall: a client that waits for one answer before
    # it asks again would know of one.
    assert (found.waited_ms > STALL_SECONDS * 500).sum() >= 20
    np.testing.assert_allclose(np.diff(found.due_s), 0.01)


def test_refusals_and_answers_that_never_come_are_told_apart() -> None:
    with serving(Server(21)) as port:
        found = arrive(
            port, lambda _: b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", rate=200, seconds=0.105
        )
    assert sorted(found.statuses.tolist()) == [NO_ANSWER] + 18 * [200] + 2 * [503]
    assert (found.says_when == (found.statuses == 503)).all()
    assert found.served.sum() == 18
