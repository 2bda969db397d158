"""Forecasts that nobody has to ask for: what is due is issued, site by site. Tasks come through here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.forecast import RefreshForecastsReply, RefreshForecastsRequest, SiteRefresh, VersionIssue
from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.contracts.job import Job
from luna.database import forecast_activations, forecast_issues, sites
from luna.database.engine import unit_of_work
from luna.objects import ObjectStore
from luna.queue.task_context import isolate
from luna.site import Site, parse_site
from luna.timeline import floor_to
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.scenarios import service as scenario_jobs
from services.forecaster.service import VERSIONS, IssueBasis, issue_from, read_basis

# What drives the planner has to know the last hour, which is half of what tomorrow's plan acts on; shadows are compared by day.
OFTEN, SELDOM = timedelta(hours=1), timedelta(hours=6)

log = structlog.get_logger("luna.forecaster")


@dataclass(frozen=True, slots=True)
class ForecastBatches:
    """How forecasts of many sites are issued side by side: at most ``most`` by one task, the others by jobs, which ``ask`` accepts under a key."""

    most: int
    ask: Callable[[RefreshForecastsRequest, str], Job]


def refresh_forecasts(
    engine: Engine, request: RefreshForecastsRequest, *, objects: ObjectStore, now: datetime, spread: ForecastBatches, progress: Progress = keep_quiet
) -> RefreshForecastsReply:
    """Issue and store what is due at ``now``, each forecast in a transaction of its own; what fails is named in the reply and stops nothing else.

    Instants of issue lie on full hours, so that asking again changes nothing.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away.
    """
    with unit_of_work(engine) as connection:
        names = [sites.load(connection, request.site_id).name] if request.site_id else request.site_ids or sites.names(connection)
        due, refreshed = _find_due(connection, names, now)
    parts = [[name for name in names[first : first + spread.most] if name in due and due[name][1]] for first in range(0, len(names), spread.most)]
    if len(parts) > 1 and not request.site_ids:
        # Cut from all sites: the open job of a part is found again whichever of its sites are due now.
        jobs = [spread.ask(RefreshForecastsRequest(site_ids=part), f"part {number}") for number, part in enumerate(parts) if part]
        return RefreshForecastsReply(sites=refreshed, jobs=[job.job_id for job in jobs])
    for place, (name, versions) in enumerate(due.items()):
        refreshed.append(_refresh_site(engine, name, versions, objects=objects, now=now))
        progress(place + 1, len(due), name)
    return RefreshForecastsReply(sites=refreshed)


# The versions that are due, each with its instant, what drives the planner first, and which that is.
DueVersions = tuple[str, dict[str, datetime]]


def _find_due(connection: Connection, names: Sequence[str], now: datetime) -> tuple[dict[str, DueVersions], list[SiteRefresh]]:
    """Return what is due of sites, and the faults of those that cannot be read."""
    stored, keys = sites.read_configurations(connection, names), sites.keys_of(connection, names)
    faults: list[SiteRefresh] = []

    def tell(name: str, error: Exception) -> None:
        faults.append(SiteRefresh(site_id=name, faults=[_tell_fault(name, error)]))

    def read(name: str) -> Site:
        return parse_site(stored[name]) if name in stored else sites.load(connection, name)

    read_sites = {name: isolate(partial(read, name), partial(tell, name)) for name in names}
    found = {keys[name]: site for name, site in read_sites.items() if site is not None}
    active = forecast_activations.find_active_each(connection, found)
    issued = forecast_issues.last_issued_each(connection, list(found), until=now)
    return {site.name: (version := active[key].forecast_version, list_due(version, issued[key], now=now)) for key, site in found.items()}, faults


def list_due(active: str, issued: Mapping[str, datetime], *, now: datetime) -> dict[str, datetime]:
    """Return the versions that are due, each with the instant it is to be issued at, what drives the planner first.

    Args:
        active: the version that drives the planner.
        issued: version → when it was issued last, up to ``now``.
    """
    grid = {version: floor_to(now, OFTEN if version in (active, VERSION) else SELDOM) for version in sorted(VERSIONS, key=lambda version: version != active)}
    return {version: at for version, at in grid.items() if version not in issued or issued[version] < at}


def _refresh_site(engine: Engine, name: str, versions: DueVersions, *, objects: ObjectStore, now: datetime) -> SiteRefresh:
    issued: list[VersionIssue] = []
    faults: list[str] = []
    active, due = versions
    # What is known at an instant is the same for all versions: most of what a forecast costs is to read it.
    known: dict[datetime, IssueBasis] = {}

    def tell(version: str, error: Exception) -> None:
        faults.append(_tell_fault(name, error, version))

    def issue(version: str, at: datetime) -> None:
        with unit_of_work(engine) as connection:
            known[at] = known.get(at) or read_basis(connection, name, [at], now=now)
            reply = issue_from(connection, known[at], version, objects=objects).reply()
        issued.append(VersionIssue(forecast_version=version, issued_at=at, stage=str(reply.stage), reasons=reply.reasons))
        if version == active:
            _add_scenarios(engine, IssueScenariosRequest(site_id=name, at=at, forecast_version=version), objects)

    for version, at in due.items():
        isolate(partial(issue, version, at), partial(tell, version))
    return SiteRefresh(site_id=name, issued=issued, faults=faults)


def _add_scenarios(engine: Engine, request: IssueScenariosRequest, objects: ObjectStore) -> None:
    """Store scenarios in a transaction of their own: without them the forecast stands all the same."""
    with unit_of_work(engine) as connection:
        scenario_jobs.issue_asked(connection, request, objects=objects)


def _tell_fault(name: str, error: Exception, version: str | None = None) -> str:
    log.error("site has no new forecast", site=name, forecast_version=version, error=str(error), exc_info=error)
    return f"{version}: {error}" if version else str(error)
