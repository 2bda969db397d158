"""Builds the gateway's application: ``uvicorn --factory services.api.app:create_app``."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext

from fastapi import FastAPI

from luna.database import engine
from luna.embedded import Addresses, running
from luna.queue import Client
from luna.settings import Settings, load_settings
from services.api import uploads
from services.api.gateway import Gateway
from services.api.middleware import LimitBody, MeasureRequests
from services.api.problems import Problem, add_problem_handlers
from services.api.routes import alternatives, data, documentation, explanations, forecasts, health, jobs, manual, metrics, plans, quarantine

MAX_BODY_BYTES = 5_000_000


def create_app(settings: Settings | None = None, addresses: Addresses | None = None) -> FastAPI:
    """Return the gateway.

    Args:
        settings: default: those of the environment.
        addresses: of the servers; default: those the settings name, else the embedded ones, started with the application.
    """
    settings = settings or load_settings()
    app = FastAPI(
        title="Luna",
        summary="Plans battery, car, heater and grid on your own machine.",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, addresses),
        responses={"default": {"model": Problem, "description": "What was wrong, where, and what to do (RFC 9457, application/problem+json)."}},
    )
    for routes in (plans, alternatives, jobs, manual, data, forecasts, explanations, quarantine, health, metrics, documentation):
        app.include_router(routes.router)
    add_problem_handlers(app)
    app.add_middleware(LimitBody, max_bytes=MAX_BODY_BYTES, larger={"/data/load": uploads.MAX_FILE_BYTES})
    app.add_middleware(MeasureRequests)
    return app


def _lifespan(settings: Settings, addresses: Addresses | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        servers: AbstractContextManager[Addresses] = nullcontext(addresses) if addresses else running(settings)
        with servers as there:
            gateway = Gateway(settings, engine.create(there.database_url, application_name="luna-api"), Client(there.redis_url))
            app.state.gateway = gateway
            try:
                yield
            finally:
                gateway.close()

    return lifespan
