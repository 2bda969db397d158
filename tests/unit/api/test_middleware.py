"""How much a caller may send, and how many may wait.

Behind Home Assistant's ingress who is let in, and links that keep the path before them.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from services.api.middleware import SUPERVISOR, BehindIngress, LimitBody, LimitWaiting
from tests.support.suite.tables import each_row

PREFIX = "/api/hassio_ingress/a1-B2_c3"
PAGE = """<a href="/ui/home?a=1">x</a><a href='/docs'>y</a>
<form action="/ui/preferences"></form><script src="/static/page.js"></script>
<div hx-get="/ui/jobs/1" data-address="/v1/plans"></div>
<a href="//other.example/">z</a><a href="https://other.example/">z</a><a href="#here">z</a>
<a href="?until=1">z</a><p>href="/untouched" stands in a text</p>"""


async def measure(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))


async def never() -> AsyncIterator[bytes]:
    yield b"12"
    await asyncio.Event().wait()


def test_a_body_that_stops_coming_in_is_given_up() -> None:
    app = Starlette(routes=[Route("/plan", measure, methods=["POST"])])
    app.add_middleware(LimitBody, max_bytes=10, patience=timedelta(milliseconds=20))

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=StallingTransport(app), base_url="http://luna"
        ) as client:
            return await client.post("/plan", content=never())

    answer = asyncio.run(post())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


class StallingTransport(httpx.AsyncBaseTransport):
    """Hands an application a body piece by piece, as a server does."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # type: ignore[arg-type]
        pieces = aiter(request.stream)
        sent = []
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "headers": request.headers.raw,
            "query_string": b"",
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": await anext(pieces, b""), "more_body": True}

        async def send_back(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send_back)
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"])


def send(path: str, count: int) -> httpx.Response:
    app = Starlette(
        routes=[Route(name, measure, methods=["POST"]) for name in ("/plan", "/data/load")]
    )
    app.add_middleware(LimitBody, max_bytes=10, larger={"/data/load": 1000})

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://luna"
        ) as client:
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
        served = asyncio.Event()
        told = asyncio.Event()
        slow = asyncio.Semaphore(0)

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

        routes = [
            Route("/v1/slow", wait),
            Route("/v1/stream", tell),
            Route("/health/live", lambda _: PlainTextResponse("alive")),
        ]
        app = Starlette(routes=routes)
        app.add_middleware(LimitWaiting, most=2)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://luna"
        ) as client:
            stream = asyncio.create_task(client.get("/v1/stream"))
            await told.wait()
            # Whoever hears a stream already waits for nothing.
            waiting = [asyncio.create_task(client.get("/v1/slow")) for _ in range(2)]
            for _ in waiting:
                await slow.acquire()
            refused = await client.get("/v1/slow")
            alive = await client.get("/health/live")
            served.set()
            return [
                await stream,
                *[await each for each in waiting],
                await client.get("/v1/slow"),
                alive,
                refused,
            ]

    *answered, refused = asyncio.run(ask())
    assert [answer.status_code for answer in answered] == [200, 200, 200, 200, 200]
    assert (
        refused.status_code,
        refused.headers["retry-after"],
        refused.headers["content-type"],
    ) == (503, "5", "application/problem+json")


def client(peer: str = SUPERVISOR) -> TestClient:
    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def move(request: Request) -> Response:
        return RedirectResponse(request.query_params["to"], 303)

    async def data(_: Request) -> Response:
        return JSONResponse({"text": '<a href="/ui/home">'})

    app = Starlette(routes=[Route("/", page), Route("/move", move), Route("/data", data)])
    return TestClient(BehindIngress(app), client=(peer, 5), follow_redirects=False)


@pytest.mark.parametrize("peer", [SUPERVISOR, "127.0.0.1", "::1"])
def test_ingress_and_this_machine_are_let_in(peer: str) -> None:
    assert client(peer).get("/").status_code == 200


@each_row("peer", ["172.30.32.3", "192.168.1.5", "testclient", ""])
def test_nobody_else_is_whatever_they_say(peer: str) -> None:
    assert (
        client(peer)
        .get("/", headers={"X-Ingress-Path": PREFIX, "X-Forwarded-For": SUPERVISOR})
        .status_code
        == 403
    )


def test_links_of_a_page_stand_behind_the_path_and_those_of_others_do_not() -> None:
    answer = client().get("/", headers={"X-Ingress-Path": f"{PREFIX}/"})
    for link in (
        'href="/ui/home?a=1"',
        "href='/docs'",
        'action="/ui/preferences"',
        'src="/static/page.js"',
        'hx-get="/ui/jobs/1"',
        'data-address="/v1/plans"',
    ):
        name, _, address = link.partition("=")
        assert f"{name}={address[0]}{PREFIX}{address[1:]}" in answer.text
    for link in (
        'href="//other.example/"',
        'href="https://other.example/"',
        'href="#here"',
        'href="?until=1"',
    ):
        assert link in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_without_a_path_before_it_and_where_it_is_no_page_nothing_is_changed() -> None:
    assert client().get("/").text == PAGE
    assert client().get("/data", headers={"X-Ingress-Path": PREFIX}).json() == {
        "text": '<a href="/ui/home">'
    }


@each_row(
    ("to", "expected"),
    [
        ("/ui/home", f"{PREFIX}/ui/home"),
        (f"{PREFIX}/ui/home", f"{PREFIX}/ui/home"),
        ("//other/", "//other/"),
        ("https://other/", "https://other/"),
    ],
)
def test_a_redirection_stands_behind_the_path_once(to: str, expected: str) -> None:
    assert (
        client()
        .get("/move", params={"to": to}, headers={"X-Ingress-Path": PREFIX})
        .headers["location"]
        == expected
    )


@given(st.text(alphabet="/<>\"' abc\\.;:-", max_size=40).filter(lambda text: text.isascii()))
def test_no_header_brings_anything_into_a_page(said: str) -> None:
    text = client().get("/", headers={"X-Ingress-Path": said.strip()}).text
    assert text.count("<") == PAGE.count("<")
    assert text.count('"') == PAGE.count('"')
