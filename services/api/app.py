"""The gateway's FastAPI application: ``uvicorn --factory services.api.app:create_app``."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import cache, partial
from itertools import chain

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import Lifespan

from luna.platform.clock import Clock, SystemClock
from luna.platform.database import engine
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.own_secrets import open_owner_token, open_token_key
from luna.platform.queue import Client
from luna.platform.queue.connection import connect
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import ensure_plain_lines
from luna.platform.tracing import configure_tracing
from services.api.gateway import MAX_WAITING, Gateway
from services.api.identity.access_tokens import AccessTokens
from services.api.identity.audit import AuditRequests
from services.api.identity.identity import Identity
from services.api.identity.rate_limits import Limiter
from services.api.json_body import CheckedRoute
from services.api.middleware import (
    BehindIngress,
    LimitBody,
    LimitWaiting,
    MeasureRequests,
    SecureHeaders,
    list_headers,
)
from services.api.openapi import Schema, describe
from services.api.pages.layout import answer_broken_page, answer_missing_page
from services.api.pages.registry import PAGE_ROUTERS
from services.api.problems import add_problem_handlers
from services.api.routes.registry import ROUTERS
from services.api.uploads import MAX_UPLOADS

MAX_BODY_BYTES = 5_000_000
# 200 besides those that wait for a worker or an upload: one or two seconds of work on a busy core.
MAX_WAITING_REQUESTS = MAX_WAITING + MAX_UPLOADS + 200


def _list_parameters(route: CheckedRoute) -> list[bool]:
    """Return for each segment of the path whether it is a parameter."""
    return [segment.startswith("{") for segment in route.path.split("/")]


# Starlette takes the first route that matches: a fixed segment of a path goes before a parameter.
PAGES: list[CheckedRoute] = sorted(
    chain.from_iterable(router.routes for router in PAGE_ROUTERS), key=_list_parameters
)
RESOURCES: list[CheckedRoute] = list(chain.from_iterable(router.routes for router in ROUTERS))
ROUTES: tuple[CheckedRoute, ...] = (*RESOURCES, *PAGES)
OPERATIONS = tuple(dict.fromkeys(route.operation for route in ROUTES))


def create_app(
    settings: Settings | None = None,
    addresses: Addresses | None = None,
    *,
    clock: Clock | None = None,
) -> FastAPI:
    """Return the gateway.

    Args:
        settings: default: read from the environment.
        addresses: of database and queue; default: those of the settings, else embedded servers that
            start with the application.
        clock: of pages and timeline; default: the machine's.
    """
    ensure_plain_lines()
    settings = settings or load_settings()
    configure_tracing("api", settings.traces_url)
    clock = clock or SystemClock()
    app = _create_bare_app(partial(_connect, settings=settings, addresses=addresses, clock=clock))
    add_problem_handlers(app)
    app.add_exception_handler(HTTPException, answer_missing_page)
    app.add_exception_handler(Exception, answer_broken_page)
    app.state.headers = list_headers(settings)
    app.openapi = describe_routes  # type: ignore[method-assign]
    larger = {}
    for route in ROUTES:
        if route.operation.most_bytes is not None:
            larger[route.path_regex.pattern] = route.operation.most_bytes
    app.add_middleware(LimitBody, max_bytes=MAX_BODY_BYTES, larger=larger)
    app.add_middleware(AuditRequests)
    app.add_middleware(LimitWaiting, most=MAX_WAITING_REQUESTS)
    app.add_middleware(SecureHeaders, settings=settings)
    app.add_middleware(MeasureRequests)
    if settings.api_ingress:
        app.add_middleware(BehindIngress)
    return app


def _create_bare_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    app = FastAPI(
        title="Luna",
        summary="Plans battery, car, heater and grid on your own machine.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    # Instead of include_router: each nested router would match its routes twice per request.
    app.router.routes.extend(ROUTES)
    return app


@cache
def describe_routes() -> Schema:
    """Return the OpenAPI document.

    It takes more than a second, and is the same for all gateways of a process.
    """
    return describe(_create_bare_app())


@asynccontextmanager
async def _connect(
    app: FastAPI, *, settings: Settings, addresses: Addresses | None, clock: Clock
) -> AsyncIterator[None]:
    running_servers: AbstractContextManager[Addresses] = (
        nullcontext(addresses) if addresses else running(settings)
    )
    with running_servers as servers:
        gateway = Gateway(
            settings,
            engine.create(servers.database_url, application_name="luna-api"),
            Client(servers.redis_url),
            clock,
        )
        rate_limits = connect(servers.redis_url)
        identity = Identity(
            settings=settings,
            database=gateway.database,
            limiter=Limiter(rate_limits),
            tokens=AccessTokens(open_token_key(settings)),
            owner_token=open_owner_token(settings),
        )
        app.state.gateway = gateway
        app.state.identity = identity
        try:
            await identity.announce()
            yield
        finally:
            rate_limits.close()
            gateway.close()
