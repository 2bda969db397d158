"""The gateway behind Home Assistant's ingress: it answers nobody else, and what it links to keeps the path that ingress put before it.

Ingress takes its own path off before it asks, and says it in a header; pages are written as if they stood at the root of an address of their own.

Source: Home Assistant developer documentation, "Presenting your app": ingress, X-Ingress-Path, and that only 172.30.32.2 may connect.
"""

import re
from http import HTTPStatus
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SUPERVISOR = "172.30.32.2"
# What may stand before an address: nothing that means something in HTML or in a header.
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
# Attributes that name an address of the gateway's own; ``//`` would be another one's.
_LINK = re.compile(rb"(?P<before>\s(?:href|src|action|formaction|sse-connect|hx-(?:get|post|put|patch|delete|push-url)|data-[a-z-]+)=[\"'])(?=/(?!/))")
_REDIRECTS = ("location", "hx-redirect", "hx-location", "hx-push-url")


class BehindIngress:
    """Lets in ingress and this machine alone, and writes the path of ingress before every link of a page and every redirection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _may_connect(scope):
            await PlainTextResponse("Luna is found in Home Assistant's side bar.\n", HTTPStatus.FORBIDDEN)(scope, receive, send)
            return
        prefix = Headers(scope=scope).get("x-ingress-path", "").rstrip("/")
        await self._app(scope, receive, _Links(prefix, send) if _PREFIX.fullmatch(prefix) else send)


class _Links:
    """Sends an answer with the prefix before its links; a page is sent whole, everything else as it comes."""

    def __init__(self, prefix: str, send: Send) -> None:
        self._prefix = prefix
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in _REDIRECTS:
                if (target := headers.get(name)) is not None and target.startswith("/") and not target.startswith(("//", f"{self._prefix}/")):
                    headers[name] = f"{self._prefix}{target}"
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            page = _LINK.sub(rb"\g<before>" + self._prefix.encode(), bytes(self._body))
            MutableHeaders(scope=self._start)["content-length"] = str(len(page))
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": page})


def _may_connect(scope: Scope) -> bool:
    peer = (scope.get("client") or ("", 0))[0]
    try:
        return peer == SUPERVISOR or ip_address(peer).is_loopback
    except ValueError:
        return False
