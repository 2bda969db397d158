"""How much a caller may send, and how many may wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from services.api.app import LimitBody, LimitWaiting


async def measure(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))


async def never() -> AsyncIterator[bytes]:
    yield b"12"
    await asyncio.Event().wait()


def test_a_body_that_stops_coming_in_is_given_up() -> None:
    app = Starlette(routes=[Route("/plan", measure, methods=["POST"])])
    app.add_middleware(LimitBody, max_bytes=10, patience=timedelta(milliseconds=20))

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=StallingTransport(app), base_url="http://luna") as client:
            return await client.post("/plan", content=never())

    answer = asyncio.run(post())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


class StallingTransport(httpx.AsyncBaseTransport):
    """Hands an application a body piece by piece, as a server does."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pieces, sent = aiter(request.stream), []  # type: ignore[arg-type]
        scope = {"type": "http", "method": request.method, "path": request.url.path, "headers": request.headers.raw, "query_string": b""}

        async def receive() -> Message:
            return {"type": "http.request", "body": await anext(pieces, b""), "more_body": True}

        async def send_back(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send_back)
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"])


def send(path: str, count: int) -> httpx.Response:
    app = Starlette(routes=[Route(name, measure, methods=["POST"]) for name in ("/plan", "/data/load")])
    app.add_middleware(LimitBody, max_bytes=10, larger={"/data/load": 1000})

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://luna") as client:
            return await client.post(path, content=bytes(count))

    return asyncio.run(post())


@pytest.mark.parametrize(("path", "count"), [("/plan", 10), ("/data/load", 1000)])
def test_what_is_not_too_much_passes(path: str, count: int) -> None:
    assert send(path, count).text == str(count)


@pytest.mark.parametrize(("path", "count"), [("/plan", 11), ("/data/load", 1001)])
def test_what_is_too_much_is_refused(path: str, count: int) -> None:
    assert send(path, count).status_code == 413


def test_who_comes_while_too_many_wait_is_told_when_to_come_again() -> None:
    async def ask() -> list[httpx.Response]:
        served, told, slow = asyncio.Event(), asyncio.Event(), asyncio.Semaphore(0)

        async def wait(_request: Request) -> PlainTextResponse:
            slow.release()
            await served.wait()
            return PlainTextResponse("done")

        async def tell(_request: Request) -> StreamingResponse:
            return StreamingResponse(listen(), media_type="text/plain")

        async def listen() -> AsyncIterator[bytes]:
            yield b"begun"
            told.set()
            await served.wait()

        routes = [Route("/v1/slow", wait), Route("/v1/stream", tell), Route("/health/live", lambda _: PlainTextResponse("alive"))]
        app = Starlette(routes=routes)
        app.add_middleware(LimitWaiting, most=2)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://luna") as client:
            stream = asyncio.create_task(client.get("/v1/stream"))
            await told.wait()
            # Whoever hears a stream already waits for nothing.
            waiting = [asyncio.create_task(client.get("/v1/slow")) for _ in range(2)]
            for _ in waiting:
                await slow.acquire()
            refused, alive = await client.get("/v1/slow"), await client.get("/health/live")
            served.set()
            return [await stream, *[await each for each in waiting], await client.get("/v1/slow"), alive, refused]

    *answered, refused = asyncio.run(ask())
    assert [answer.status_code for answer in answered] == [200, 200, 200, 200, 200]
    assert (refused.status_code, refused.headers["retry-after"], refused.headers["content-type"]) == (503, "5", "application/problem+json")
