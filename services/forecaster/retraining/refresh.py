"""Forecasts that nobody has to ask for: what is due is issued, site by site. Tasks come through here."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine

from luna.contracts.forecast import IssueRequest, RefreshForecastsReply, RefreshForecastsRequest, SiteRefresh, VersionIssue
from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.database import forecast_activations, forecast_issues, sites
from luna.database.engine import unit_of_work
from luna.objects import ObjectStore
from luna.queue.task_context import isolate
from luna.timeline import floor_to
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.scenarios import service as scenario_jobs
from services.forecaster.service import VERSIONS, issue_forecasts

# What drives the planner has to know the last hour, which is half of what tomorrow's plan acts on; shadows are compared by day.
OFTEN, SELDOM = timedelta(hours=1), timedelta(hours=6)

log = structlog.get_logger("luna.forecaster")


def refresh_forecasts(
    engine: Engine, request: RefreshForecastsRequest, *, objects: ObjectStore, now: datetime, progress: Progress = keep_quiet
) -> RefreshForecastsReply:
    """Issue and store what is due at ``now``, each forecast in a transaction of its own; what fails is named in the reply and stops nothing else.

    Instants of issue lie on full hours, so that asking again changes nothing.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away.
    """
    with unit_of_work(engine) as connection:
        names = [sites.load(connection, request.site_id).name] if request.site_id else sites.names(connection)
    refreshed = []
    for place, name in enumerate(names):
        refreshed.append(_refresh_site(engine, name, objects=objects, now=now))
        progress(place + 1, len(names), name)
    return RefreshForecastsReply(sites=refreshed)


def list_due(active: str, issued: Mapping[str, datetime], *, now: datetime) -> dict[str, datetime]:
    """Return the versions that are due, each with the instant it is to be issued at, what drives the planner first.

    Args:
        active: the version that drives the planner.
        issued: version → when it was issued last, up to ``now``.
    """
    grid = {version: floor_to(now, OFTEN if version in (active, VERSION) else SELDOM) for version in sorted(VERSIONS, key=lambda version: version != active)}
    return {version: at for version, at in grid.items() if version not in issued or issued[version] < at}


def _refresh_site(engine: Engine, name: str, *, objects: ObjectStore, now: datetime) -> SiteRefresh:
    issued: list[VersionIssue] = []
    faults: list[str] = []

    def tell(version: str | None, error: Exception) -> None:
        faults.append(_tell_fault(name, error, version))

    def issue(version: str, at: datetime, *, active: bool) -> None:
        with unit_of_work(engine) as connection:
            request = IssueRequest(site_id=name, at=at, forecast_version=version)
            reply = issue_forecasts(connection, request, objects=objects, now=now).reply()
        issued.append(VersionIssue(forecast_version=version, issued_at=at, stage=str(reply.stage), reasons=reply.reasons))
        if active:
            _add_scenarios(engine, IssueScenariosRequest(site_id=name, at=at, forecast_version=version), objects)

    def issue_due() -> None:
        with unit_of_work(engine) as connection:
            active = forecast_activations.find_active(connection, sites.load(connection, name)).forecast_version
            due = list_due(active, forecast_issues.last_issued(connection, name, until=now), now=now)
        for version, at in due.items():
            isolate(partial(issue, version, at, active=version == active), partial(tell, version))

    isolate(issue_due, partial(tell, None))
    return SiteRefresh(site_id=name, issued=issued, faults=faults)


def _add_scenarios(engine: Engine, request: IssueScenariosRequest, objects: ObjectStore) -> None:
    """Store scenarios in a transaction of their own: without them the forecast stands all the same."""
    with unit_of_work(engine) as connection:
        scenario_jobs.issue_asked(connection, request, objects=objects)


def _tell_fault(name: str, error: Exception, version: str | None = None) -> str:
    log.error("site has no new forecast", site=name, forecast_version=version, error=str(error), exc_info=error)
    return f"{version}: {error}" if version else str(error)
