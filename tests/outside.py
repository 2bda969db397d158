"""Outside services as tests see them: recorded replies, handed out through a transport, and what was asked of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

REPLIES = Path(__file__).parent / "replies"
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def recorded(name: str, *, status: int = 200) -> httpx.Response:
    """Return a recorded reply."""
    return httpx.Response(status, content=(REPLIES / name).read_bytes())


def document(content: Any) -> httpx.Response:
    """Return a reply of JSON."""
    return httpx.Response(200, content=json.dumps(content).encode())


class Service(httpx.BaseTransport):
    """Gives one reply after the other, the last one for good; keeps what was asked and how long the caller waited in between."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        return _give(self.replies[min(len(self.asked), len(self.replies)) - 1], request)

    def wait(self, seconds: float) -> None:
        """Take the place of sleeping."""
        self.pauses.append(seconds)


def _give(reply: Reply, request: httpx.Request) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, httpx.Response):
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
    return reply(request)
