"""ASGI middleware of the gateway.

Metrics and trace id, limits of body size and concurrency, security headers, Home Assistant's
ingress.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luna.energy.refusals import refuse
from luna.platform.settings import Settings
from luna.platform.telemetry import log_context, new_trace_id
from luna.platform.tracing import TRACEPARENT, span, trace_of
from services.api.identity.rate_limits import REFUSED
from services.api.operation import Operation
from services.api.problems import TRACE_HEADERS, problem_response

# Polled by monitors every few seconds: logged at debug level, and answered under any load.
_MONITORED = ("/health/live", "/health/ready", "/health/services", "/metrics")
_TRACE_HEADERS = tuple(name.encode() for name in TRACE_HEADERS)
REQUEST_SECONDS = Histogram(
    "luna_api_request_seconds",
    "Time from a request to the end of its response.",
    ["route", "method", "status_class"],
)

log = structlog.get_logger("luna.api")


class MeasureRequests:
    """Binds the trace id to log lines and response, and measures per route template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        parent = headers.get(TRACEPARENT)
        trace_id = new_trace_id(
            next(filter(None, map(headers.get, TRACE_HEADERS)), None) or trace_of(parent)
        )
        # For the answer to an unforeseen error, which is made outside of this context.
        scope.setdefault("state", {})["trace_id"] = trace_id
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *((name, trace_id.encode()) for name in _TRACE_HEADERS),
                ]
            await send(message)

        started = time.perf_counter()
        with (
            log_context(trace_id=trace_id),
            span(f"{scope['method']} request", parent=parent, trace_id=trace_id),
        ):
            try:
                await self._app(scope, receive, send_traced)
            finally:
                seconds = time.perf_counter() - started
                # Unknown paths share one label: each guessed path would be a time series of its
                # own.
                template = getattr(scope.get("route"), "path", "unknown")
                REQUEST_SECONDS.labels(template, scope["method"], f"{status // 100}xx").observe(
                    seconds
                )
                write = log.debug if template in _MONITORED else log.info
                write(
                    "request",
                    method=scope["method"],
                    route=template,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


SLOWEST_BYTES_PER_SECOND = 1_000


class LimitBody:
    """Refuses a body of more than ``max_bytes``, and one that arrives too slowly.

    Bytes are counted, whatever Content-Length says.

    ``larger`` maps patterns of paths to larger limits. A body may lag up to ``patience`` behind
    ``SLOWEST_BYTES_PER_SECOND``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Mapping[str, int] | None = None,
        patience: timedelta = timedelta(seconds=30),
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = {re.compile(pattern): most for pattern, most in (larger or {}).items()}
        self._patience_seconds = patience.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        ended = False
        started = time.monotonic()
        most = self._find_limit(scope.get("path", ""))

        async def receive_limited() -> Message:
            nonlocal received, ended
            if ended:
                # After the body the only message left is the disconnect, for which there is no
                # limit.
                message = await receive()
            else:
                # When the slowest accepted body would have brought these bytes; a faster one may
                # not pause for longer.
                expected_at = started + received / SLOWEST_BYTES_PER_SECOND
                lag_seconds = max(time.monotonic() - expected_at, 0.0)
                remaining_seconds = self._patience_seconds - lag_seconds
                try:
                    message = await asyncio.wait_for(receive(), max(remaining_seconds, 0.0))
                except TimeoutError as exc:
                    raise HTTPException(
                        HTTPStatus.REQUEST_TIMEOUT,
                        "the body did not come in",
                        {"Connection": "close"},
                    ) from exc
            received = received + len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if received > most:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {most} bytes",
                    {"Connection": "close"},
                )
            return message

        await self._app(scope, receive_limited if scope["type"] == "http" else receive, send)

    def _find_limit(self, path: str) -> int:
        for pattern, most in self._larger.items():
            if pattern.fullmatch(path):
                return most
        return self._max_bytes


class LimitWaiting:
    """Refuses a request while ``most`` others wait for their response to start.

    A retry later is served sooner than the end of a long queue.

    Monitors are always answered. An open stream has started and does not count.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._waiting: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("path") in _MONITORED:
            await self._app(scope, receive, send)
            return
        if len(self._waiting) >= self._most:
            REFUSED.labels("waiting").inc()
            error = refuse("requests-waiting", most=self._most, more="gateways")
            await problem_response(error)(scope, receive, send)
            return
        request_id = id(scope)
        self._waiting.add(request_id)

        async def send_started(message: Message) -> None:
            self._waiting.discard(request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_started)
        finally:
            self._waiting.discard(request_id)


class SecureHeaders:
    """Adds security headers to every response, except those that the route sets itself.

    They are encoded once, for every response passes here.

    Source: OWASP HTTP Headers Cheat Sheet; Mozilla Observatory.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._headers = [_encode(name, value) for name, value in list_headers(settings).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                state = scope.get("state", {})
                headers = [*self._headers]
                source = state.get("source")
                operation = state.get("operation")
                if source is not None and source.secure:
                    headers.append(_HTTPS_ONLY)
                # A browser or proxy must not serve one person's response to the next.
                if operation is not None and _is_personal(operation):
                    headers.append(_NO_STORE)
                missing = [header for header in headers if header[0] not in present]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


def _is_personal(operation: Operation) -> bool:
    return operation.scope != "public" or operation.path.startswith("/v1/auth/")


def _encode(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), value.encode("latin-1")


_HTTPS_ONLY = _encode("Strict-Transport-Security", f"max-age={365 * 86_400}")
_NO_STORE = _encode("Cache-Control", "no-store")


def list_headers(settings: Settings) -> dict[str, str]:
    """Return the security headers of every response by name."""
    ancestors = f"'{settings.frame_ancestors}'"
    return {
        "Content-Security-Policy": (
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri "
            f"'none'; form-action 'self'; frame-ancestors {ancestors}"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY" if settings.frame_ancestors == "none" else "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": (
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), "
            "microphone=(), payment=(), usb=()"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


SUPERVISOR = "172.30.32.2"
# A path without any character that has a meaning in HTML or in a header.
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
# Attributes with an absolute path of this host; ``//`` would begin another host's name.
_LINK = re.compile(
    rb"(?P<before>\s(?:href|src|action|formaction|sse-connect|hx-(?:get|post|put|patch|"
    rb"delete|push-url)|data-[a-z-]+)=[\"'])(?=/(?!/))"
)
_REDIRECTS = ("location", "hx-redirect", "hx-location", "hx-push-url")


class BehindIngress:
    """Accepts connections of Home Assistant's ingress and this machine alone.

    It puts ingress's path before every link and redirect.

    Ingress strips its path from the request and names it in a header; pages are rendered as if at
    the root of a host.

    Source: Home Assistant developer documentation, "Presenting your app": ingress, X-Ingress-Path,
    and that only 172.30.32.2 may connect.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _may_connect(scope):
            remedy = "Luna is found in Home Assistant's side bar.\n"
            refusal = PlainTextResponse(remedy, HTTPStatus.FORBIDDEN)
            await refusal(scope, receive, send)
            return
        prefix = Headers(scope=scope).get("x-ingress-path", "").rstrip("/")
        if _PREFIX.fullmatch(prefix):
            send = _PrefixLinks(prefix, send)
        await self._app(scope, receive, send)


class _PrefixLinks:
    """Sends a response with the prefix before its links.

    A page is sent once it is complete, everything else as it comes.
    """

    def __init__(self, prefix: str, send: Send) -> None:
        self._prefix = prefix
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name in _REDIRECTS:
                target = headers.get(name, "")
                is_prefixed = target.startswith(f"{self._prefix}/")
                # Two slashes begin another host's name.
                is_local = target.startswith("/") and not target.startswith("//")
                if is_local and not is_prefixed:
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
