"""Forecasts that nobody has to ask for: what is due of many sites is read together, made site by
site, and stored together. Tasks come through here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from luna.contracts.forecast import (
    RefreshForecastsReply,
    RefreshForecastsRequest,
    SiteRefresh,
    VersionIssue,
)
from luna.contracts.job import Job
from luna.energy.outlook import Forecast, Scenarios
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecast_scenarios,
    sites,
    weather_carbon,
)
from luna.platform.objects import ObjectStore
from luna.platform.queue.site_batch import SiteBatch
from luna.platform.queue.task_context import isolate
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.scenarios import service as scenario_jobs
from services.forecaster.scenarios.service import ForecastPast
from services.forecaster.service import (
    VERSIONS,
    IssueBasis,
    IssuedForecast,
    IssueFacts,
    issue_version,
    read_facts,
    store_issued,
)

# What drives the planner has to know the last hour, which is half of what tomorrow's plan acts on;
# shadows are compared by day.
OFTEN = timedelta(hours=1)
SELDOM = timedelta(hours=6)

log = structlog.get_logger("luna.forecaster")


@dataclass(frozen=True, slots=True)
class ForecastBatches:
    """How forecasts of many sites are issued side by side: at most ``most`` by one task, the others
    by jobs, which ``submit`` accepts under a key.
    """

    most: int
    submit: Callable[[RefreshForecastsRequest, str], Job]


def refresh_forecasts(
    connection: Connection,
    request: RefreshForecastsRequest,
    *,
    objects: ObjectStore,
    now: datetime,
    spread: ForecastBatches,
    progress: Progress = keep_quiet,
) -> RefreshForecastsReply:
    """Issue and store what is due at ``now``, each forecast the one that its site alone would get.

    What fails is named in the reply and stops nothing else.

    Instants of issue lie on full hours, or where the weather came back after hours, so that asking
    again changes nothing.

    Args:
        connection: of one unit of work: all that is stored is committed together.
        request: names the sites.
        objects: where models lie.
        now: the instant.
        spread: how more sites are issued for than one task takes.
        progress: hears of each site.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away; nothing was stored, and all of it is to be done
            again.
    """
    names = (
        [sites.load(connection, request.site_id).name]
        if request.site_id
        else request.site_ids or sites.names(connection)
    )
    batch = SiteBatch(connection, RefreshForecastsRequest.task)
    due = _find_due(batch, list(dict.fromkeys(names)), now)
    parts = [
        [name for name in names[first : first + spread.most] if name in due and due[name].versions]
        for first in range(0, len(names), spread.most)
    ]
    if len(parts) > 1 and not request.site_ids:
        # Cut from all sites: the open job of a part is found again whichever of its sites are due
        # now.
        jobs = [
            spread.submit(RefreshForecastsRequest(site_ids=part), f"part {number}")
            for number, part in enumerate(parts)
            if part
        ]
        return RefreshForecastsReply(sites=_reply(batch, {}), jobs=[job.job_id for job in jobs])
    work = _BatchIssue(batch, due, objects, now, progress)
    for at in sorted({at for each in due.values() for at in each.versions.values()}):
        work.issue(at)
    work.store()
    return RefreshForecastsReply(sites=_reply(batch, due))


@dataclass(frozen=True)
class DueSite:
    """What is due of a site: ``versions``, each with its instant, what drives the planner
    (``active``) first; and what became of it.
    """

    site: Site
    key: int
    active: str
    versions: Mapping[str, datetime]
    issued: list[IssuedForecast] = field(default_factory=list, repr=False)
    scenarios: list[Scenarios] = field(default_factory=list, repr=False)
    faults: list[str] = field(default_factory=list)

    def describe(self) -> list[VersionIssue]:
        """Return what was issued."""
        replies = [issued.reply() for issued in self.issued]
        return [
            VersionIssue(
                forecast_version=each.forecast_version,
                issued_at=each.issued_at[0],
                stage=str(each.stage),
                reasons=each.reasons,
            )
            for each in replies
        ]


def _find_due(batch: SiteBatch, names: Sequence[str], now: datetime) -> dict[str, DueSite]:
    """Return the due forecasts of each readable site, by its name."""
    connection = batch.connection
    stored = sites.read_configurations(connection, names)
    keys = sites.keys_of(connection, names)
    sited = batch.each(
        names,
        lambda name: (
            sites.parse_stored(name, stored[name])
            if name in stored
            else sites.load(connection, name)
        ),
    )
    sites_by_key = {keys[name]: site for name, site in sited.items()}
    active = forecast_activations.find_active_each(connection, sites_by_key)
    issued = forecast_issues.last_issued_each(connection, list(sites_by_key), until=now)
    returned = weather_carbon.find_returns(
        connection, list(sited), since=floor_to(now, OFTEN), until=now
    )
    return {
        site.name: DueSite(
            site,
            key,
            version := active[key].forecast_version,
            list_due(version, issued[key], now=now, weather_back=returned.get(site.name)),
        )
        for key, site in sites_by_key.items()
    }


def list_due(
    active: str,
    issued: Mapping[str, datetime],
    *,
    now: datetime,
    weather_back: datetime | None = None,
) -> dict[str, datetime]:
    """Return the versions that are due, each with the instant it is to be issued at, what drives
    the planner first.

    Args:
        active: the version that drives the planner.
        issued: version → when it was issued last, up to ``now``.
        now: the instant.
        weather_back: when, within this hour, weather came after hours without; what is issued every
            hour is issued then, for a plan that knows it.
    """
    often = max(floor_to(now, OFTEN), weather_back or now - OFTEN)
    grid = {
        version: often if version in (active, VERSION) else floor_to(now, SELDOM)
        for version in sorted(VERSIONS, key=lambda version: version != active)
    }
    return {
        version: at for version, at in grid.items() if version not in issued or issued[version] < at
    }


@dataclass(frozen=True)
class _BatchIssue:
    """The forecasts of a batch: read together, each site's made by itself, written together."""

    batch: SiteBatch
    due: Mapping[str, DueSite] = field(repr=False)
    objects: ObjectStore
    now: datetime
    progress: Progress

    def issue(self, at: datetime) -> None:
        """Make the forecasts that are due at an instant, and the scenarios beside those that drive
        planners.
        """
        connection = self.batch.connection
        due = self.due

        def read(names: Sequence[str]) -> dict[str, IssueFacts]:
            facts_by_key = read_facts(
                connection, {due[name].key: due[name].site for name in names}, [at]
            )
            return {name: facts_by_key[due[name].key] for name in names}

        facts = self.batch.together(
            [name for name, each in due.items() if at in each.versions.values()], read
        )
        driving: dict[str, Forecast] = self.batch.each(
            list(facts), lambda name: self._issue_versions(due[name], facts[name], at)
        )

        def read_past(names: Sequence[str]) -> dict[str, ForecastPast]:
            facts_by_key = {due[name].key: facts[name] for name in names}
            versions = {due[name].key: due[name].active for name in names}
            past = scenario_jobs.read_past(
                connection,
                facts_by_key,
                versions,
                Timeline(floor_to(at, SLOT), SLOT, HORIZON_SLOTS),
            )
            return {name: past[due[name].key] for name in names}

        past = self.batch.together(list(driving), read_past)
        scenarios_by_site = self.batch.each(
            list(past),
            lambda name: scenario_jobs.make_from_past(
                connection, past[name], driving[name], objects=self.objects
            ),
        )
        for name, each in scenarios_by_site.items():
            due[name].scenarios.append(each.scenarios)

    def _issue_versions(self, due: DueSite, facts: IssueFacts, at: datetime) -> Forecast | None:
        """Make what is due of a site at an instant, and return what drives its planner, where that
        is.
        """
        basis = IssueBasis.of(self.batch.connection, facts, now=self.now)

        def report_fault(version: str, error: Exception) -> None:
            log.error(
                "site has no new forecast",
                site=due.site.name,
                forecast_version=version,
                error=str(error),
                exc_info=error,
            )
            due.faults.append(f"{version}: {error}")

        for version in [version for version, due_at in due.versions.items() if due_at == at]:
            issued = isolate(
                partial(issue_version, basis, version, objects=self.objects),
                partial(report_fault, version),
            )
            due.issued.extend([] if issued is None else [issued])
        self.progress(
            sum(len(each.issued) for each in self.due.values()),
            sum(len(each.versions) for each in self.due.values()),
            due.site.name,
        )
        return next(
            (
                issued.batch.forecast(0)
                for issued in due.issued
                if issued.batch.version == due.active and issued.batch.issued_at[0] == at
            ),
            None,
        )

    def store(self) -> None:
        """Write what was made; of a site of which that fails, nothing was issued."""
        connection = self.batch.connection
        issued = {name: each for name, each in self.due.items() if each.issued}
        there = sites.hold(connection, list(issued))
        # Forecasts of a site that was removed meanwhile would be nobody's.
        self.batch.each(
            [name for name in issued if name not in there],
            lambda name: sites.load(connection, name),
        )
        written = self.batch.together(
            [name for name in issued if name in there], self._write_forecasts
        )
        for name in issued.keys() - written.keys():
            issued[name].issued.clear()
        self.batch.together(
            [name for name in written if issued[name].scenarios], self._write_scenarios
        )

    def _write_forecasts(self, names: Sequence[str]) -> dict[str, DueSite]:
        store_issued(
            self.batch.connection, {self.due[name].key: self.due[name].issued for name in names}
        )
        return {name: self.due[name] for name in names}

    def _write_scenarios(self, names: Sequence[str]) -> dict[str, DueSite]:
        """Write scenarios: without them forecasts stand all the same."""
        forecast_scenarios.save_each(
            self.batch.connection, {self.due[name].key: self.due[name].scenarios for name in names}
        )
        return {name: self.due[name] for name in names}


def _reply(batch: SiteBatch, due: Mapping[str, DueSite]) -> list[SiteRefresh]:
    failed = [
        SiteRefresh(site_id=name, faults=[str(error)])
        for name, error in batch.faults.items()
        if name not in due
    ]
    issued = [
        (
            name,
            each,
            [*each.faults, *(str(batch.faults[name]) for _ in range(name in batch.faults))],
        )
        for name, each in due.items()
    ]
    return [
        *failed,
        *(
            SiteRefresh(site_id=name, issued=each.describe(), faults=faults)
            for name, each, faults in issued
        ),
    ]
