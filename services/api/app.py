"""Builds the gateway's application: ``uvicorn --factory services.api.app:create_app``."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from fastapi import FastAPI
from starlette.exceptions import HTTPException

import services.api.pages
import services.api.routes
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
from services.api.identity.limits import Limiter
from services.api.json_body import CheckedRoute
from services.api.middleware import BehindIngress, LimitBody, LimitWaiting, MeasureRequests, SecureHeaders, list_headers
from services.api.openapi import describe
from services.api.pages.layout import answer_missing_page
from services.api.problems import add_problem_handlers
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_UPLOADS

MAX_BODY_BYTES = 5_000_000
# Beside those that wait for a plan: one or two seconds of work for a gateway whose core is full.
MOST_WAITING = MAX_WAITING + MAX_UPLOADS + 200

# As the documentation shows them; others follow by their names.
_ORDER = (
    "declared", "plans", "timeline", "answers", "series", "uploads", "agent", "documents", "tools", "jobs", "auth", "settings", "health", "metrics",
    "documentation",
)  # fmt: skip


def _find_routes(package: ModuleType, *first: str) -> Iterator[CheckedRoute]:
    """Yield the routes that the modules of a package declare: those of the ``first``, then those of the others by their names."""
    prefix = f"{package.__name__}."
    for name in dict.fromkeys((*(f"{prefix}{each}" for each in first), *(each.name for each in walk_packages(package.__path__, prefix)))):
        router = vars(import_module(name)).get("router")
        if isinstance(router, ResourceRouter):
            yield from router.routes


# A path with a word goes before one that takes any word in its place.
PAGES = sorted(_find_routes(services.api.pages), key=lambda route: [part.startswith("{") for part in route.path.split("/")])
ROUTES = (*_find_routes(services.api.routes, *_ORDER), *PAGES)
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
