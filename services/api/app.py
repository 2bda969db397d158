"""Builds the gateway's application: ``uvicorn --factory services.api.app:create_app``."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from importlib import import_module
from pkgutil import walk_packages

import structlog
from fastapi import FastAPI
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import services.api.pages
from luna.energy.refusals import refuse
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import engine
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.own_secrets import open_owner_token, open_token_key
from luna.platform.queue import Client
from luna.platform.queue.connection import connect
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import ensure_plain_lines, log_context, new_trace_id
from luna.platform.tracing import TRACEPARENT, configure_tracing, span, trace_of
from services.api.gateway import MAX_WAITING, Gateway
from services.api.identity.access_tokens import AccessTokens
from services.api.identity.audit import AuditRequests
from services.api.identity.headers import SecureHeaders, list_headers
from services.api.identity.identity import Identity
from services.api.identity.limits import REFUSED, Limiter
from services.api.ingress import BehindIngress
from services.api.openapi import describe
from services.api.pages.layout import answer_missing_page
from services.api.problems import add_problem_handlers, problem_response
from services.api.routes import (
    agent,
    answers,
    auth,
    declared,
    documentation,
    documents,
    health,
    jobs,
    metrics,
    plans,
    series,
    timeline,
    tools,
)
from services.api.routes import settings as setting_routes
from services.api.routes import uploads as upload_routes
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_UPLOADS

# Asked every few seconds by a monitor; measured, but no news.
_ROUTINE = ("/health/live", "/health/ready", "/health/services", "/metrics")
TRACE_HEADER = "x-trace-id"
# What others call it; said beside ours, and taken where ours is not given.
REQUEST_HEADER = "x-request-id"
_TRACE_HEADERS = (TRACE_HEADER.encode(), REQUEST_HEADER.encode())
REQUEST_SECONDS = Histogram("luna_api_request_seconds", "Time from a request to the end of its response.", ["route", "method", "status_class"])

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
        trace_id = new_trace_id(headers.get(TRACE_HEADER) or headers.get(REQUEST_HEADER) or trace_of(parent))
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *((name, trace_id.encode()) for name in _TRACE_HEADERS)]
            await send(message)

        begun = time.perf_counter()
        with log_context(trace_id=trace_id), span(f"{scope['method']} request", parent=parent, trace_id=trace_id):
            try:
                await self._app(scope, receive, send_traced)
            finally:
                seconds = time.perf_counter() - begun
                # A path that no route knows would make a time series of its own for each guess.
                template = getattr(scope.get("route"), "path", "unknown")
                REQUEST_SECONDS.labels(template, scope["method"], f"{status // 100}xx").observe(seconds)
                say = log.debug if template in _ROUTINE else log.info
                say("request", method=scope["method"], route=template, status=status, milliseconds=round(seconds * 1000, 1))


class LimitBody:
    """Refuses a body of more than ``max_bytes``, whatever its header says, and one that does not come in.

    ``larger`` holds patterns of the paths that take more. A body may pause for ``patience``, and comes in as fast as ``SLOWEST_BYTES_PER_SECOND`` after that.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, larger: Mapping[str, int] | None = None, patience: timedelta = timedelta(seconds=30)) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = {re.compile(pattern): most for pattern, most in (larger or {}).items()}
        self._patience_seconds = patience.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received, ended, begun = 0, False, time.monotonic()
        most = next((most for pattern, most in self._larger.items() if pattern.fullmatch(scope.get("path", ""))), self._max_bytes)

        async def receive_limited() -> Message:
            nonlocal received, ended
            if ended:
                # What is waited for after the body is that the caller hangs up.
                message = await receive()
            else:
                # By when the slowest body would have brought what is there.
                slowest_until = begun + received / SLOWEST_BYTES_PER_SECOND
                remaining_seconds = min(slowest_until - time.monotonic(), 0.0) + self._patience_seconds
                try:
                    message = await asyncio.wait_for(receive(), max(remaining_seconds, 0.0))
                except TimeoutError as exc:
                    raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in", {"Connection": "close"}) from exc
            received, ended = received + len(message.get("body", b"")), not message.get("more_body", False)
            if received > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {most} bytes", {"Connection": "close"})
            return message

        await self._app(scope, receive_limited if scope["type"] == "http" else receive, send)


class LimitWaiting:
    """Refuses a request while ``most`` others wait for their answer to begin: who comes again later is served sooner than who waits behind all of them.

    Monitors are always answered. Whoever listens to a stream waits for nothing.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._waiting: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("path") in _ROUTINE:
            await self._app(scope, receive, send)
            return
        if len(self._waiting) >= self._most:
            REFUSED.labels("waiting").inc()
            error = refuse("requests-waiting", most=self._most)
            await problem_response(error)(scope, receive, send)
            return
        place = id(scope)
        self._waiting.add(place)

        async def send_on(message: Message) -> None:
            self._waiting.discard(place)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            self._waiting.discard(place)


MAX_BODY_BYTES = 5_000_000
# Beside those that wait for a plan: one or two seconds of work for a gateway whose core is full.
MOST_WAITING = MAX_WAITING + MAX_UPLOADS + 200
SLOWEST_BYTES_PER_SECOND = 1_000


# In the order in which the documentation shows them.
ROUTERS = (
    *declared.ROUTERS,
    plans.router,
    timeline.router,
    answers.router,
    series.router,
    upload_routes.router,
    agent.router,
    documents.router,
    tools.router,
    jobs.router,
    auth.router,
    setting_routes.router,
    health.router,
    metrics.router,
    documentation.router,
)

# A path with a word goes before one that takes any word in its place.
_PAGES = (vars(import_module(each.name)).get("router") for each in walk_packages(services.api.pages.__path__, "services.api.pages."))
PAGES = sorted(
    (route for router in _PAGES if isinstance(router, ResourceRouter) for route in router.routes),
    key=lambda route: [part.startswith("{") for part in route.path.split("/")],
)
ROUTES = (*(route for router in ROUTERS for route in router.routes), *PAGES)
OPERATIONS = tuple(dict.fromkeys(route.operation for route in ROUTES))


def create_app(settings: Settings | None = None, addresses: Addresses | None = None, *, clock: Clock | None = None) -> FastAPI:
    """Return the gateway.

    Args:
        settings: default: those of the environment.
        addresses: of the servers; default: those the settings name, else the embedded ones, started with the application.
        clock: what pages and the timeline take for now; default: the machine's.
    """
    ensure_plain_lines()
    settings = settings or load_settings()
    configure_tracing("api", settings.traces_url)
    app = FastAPI(
        title="Luna",
        summary="Plans battery, car, heater and grid on your own machine.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=partial(_connect, settings=settings, addresses=addresses, clock=clock or SystemClock()),
    )
    # Not included but taken over: each router between would look through its routes twice for every request.
    app.router.routes.extend(ROUTES)
    add_problem_handlers(app)
    app.add_exception_handler(HTTPException, answer_missing_page)
    app.state.headers = list_headers(settings)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    larger = {route.path_regex.pattern: route.operation.most_bytes for route in ROUTES if route.operation.most_bytes is not None}
    app.add_middleware(LimitBody, max_bytes=MAX_BODY_BYTES, larger=larger)
    app.add_middleware(AuditRequests)
    app.add_middleware(LimitWaiting, most=MOST_WAITING)
    app.add_middleware(SecureHeaders, settings=settings)
    app.add_middleware(MeasureRequests)
    if settings.api_ingress:
        app.add_middleware(BehindIngress)
    return app


@asynccontextmanager
async def _connect(app: FastAPI, *, settings: Settings, addresses: Addresses | None, clock: Clock) -> AsyncIterator[None]:
    servers: AbstractContextManager[Addresses] = nullcontext(addresses) if addresses else running(settings)
    with servers as there:
        gateway = Gateway(settings, engine.create(there.database_url, application_name="luna-api"), Client(there.redis_url), clock)
        budgets = connect(there.redis_url)
        identity = Identity(settings, gateway.database, Limiter(budgets), AccessTokens(open_token_key(settings)), open_owner_token(settings))
        app.state.gateway, app.state.identity = gateway, identity
        try:
            await identity.announce()
            yield
        finally:
            budgets.close()
            gateway.close()
