"""How much a caller may send."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.api.app import LimitBody


async def measure(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))


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
