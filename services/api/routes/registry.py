"""The routers of all routes for programs, in the order of the API documentation."""

from services.api.routes import (
    agent,
    alerts,
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
    settings,
    timeline,
    tools,
    uploads,
)
from services.api.routing import ResourceRouter

ROUTERS: tuple[ResourceRouter, ...] = (
    declared.router,
    plans.router,
    timeline.router,
    answers.router,
    series.router,
    uploads.router,
    agent.router,
    documents.router,
    tools.router,
    jobs.router,
    auth.router,
    settings.router,
    health.router,
    metrics.router,
    documentation.router,
    alerts.router,
)
