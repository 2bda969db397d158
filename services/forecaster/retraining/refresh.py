"""Regular forecasts of many sites: read together, made site by site, and stored together.

Tasks use this module.
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
from services.forecaster.forecast_issue import (
    VERSIONS,
    IssueBasis,
    IssuedForecast,
    IssueFacts,
    issue_version,
    read_facts,
    store_issued,
)
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.scenarios import joint_scenarios
from services.forecaster.scenarios.joint_scenarios import ForecastPast

# The version that drives the planner must know the last hour; shadows are compared by day.
OFTEN = timedelta(hours=1)
SELDOM = timedelta(hours=6)

log = structlog.get_logger("luna.forecaster")


@dataclass(frozen=True, slots=True)
class ForecastBatches:
    """Sizes of the batches that forecasts of many sites are issued in.

    One task takes at most ``most`` sites, jobs take the others; ``submit`` accepts them under a
    key.
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
    """Issue and store the due forecasts, each as its site alone would get it.

    A failure is named in the reply and stops nothing else.

    Instants of issue lie on full hours, or where the weather came back after hours, so that a
    repeated request changes nothing.

    Args:
        connection: of one unit of work: everything stored is committed together.
        request: names the sites.
        objects: store of the models.
        now: the instant.
        spread: how forecasts for more sites than one task takes are issued.
        progress: called for each site.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away; nothing was stored, and all of it is to be done
            again.
    """
    if request.site_id:
        names = [sites.load(connection, request.site_id).name]
    else:
        names = list(request.site_ids or sites.names(connection))
    batch = SiteBatch(connection, RefreshForecastsRequest.task)
    due = _find_due(batch, list(dict.fromkeys(names)), now)
    if len(names) > spread.most and not request.site_ids:
        job_ids = _submit_parts(names, due, spread)
        return RefreshForecastsReply(sites=_reply(batch, {}), jobs=job_ids)
    work = _BatchIssue(batch=batch, due=due, objects=objects, now=now, progress=progress)
    instants: set[datetime] = set()
    for due_site in due.values():
        instants.update(due_site.versions.values())
    for at in sorted(instants):
        work.issue(at)
    work.store()
    return RefreshForecastsReply(sites=_reply(batch, due))


def _submit_parts(
    names: Sequence[str], due: Mapping[str, "DueSite"], spread: ForecastBatches
) -> list[str]:
    """Submit a job for each part of all sites, and return their ids.

    The parts are cut from all sites, so that a part's open job is found again whichever of its
    sites are due.
    """
    job_ids = []
    for number, first in enumerate(range(0, len(names), spread.most)):
        of_part = names[first : first + spread.most]
        part = [name for name in of_part if name in due and due[name].versions]
        if part:
            job = spread.submit(RefreshForecastsRequest(site_ids=part), f"part {number}")
            job_ids.append(job.job_id)
    return job_ids


@dataclass(frozen=True)
class DueSite:
    """The due forecasts of a site, and their results.

    ``versions`` has each version's instant, first the one that drives the planner (``active``).
    """

    site: Site
    key: int
    active: str
    versions: Mapping[str, datetime]
    issued: list[IssuedForecast] = field(default_factory=list, repr=False)
    scenarios: list[Scenarios] = field(default_factory=list, repr=False)
    faults: list[str] = field(default_factory=list)

    def describe(self) -> list[VersionIssue]:
        described = []
        for issued in self.issued:
            reply = issued.reply()
            issue = VersionIssue(
                forecast_version=reply.forecast_version,
                issued_at=reply.issued_at[0],
                stage=str(reply.stage),
                reasons=reply.reasons,
            )
            described.append(issue)
        return described


def _find_due(batch: SiteBatch, names: Sequence[str], now: datetime) -> dict[str, DueSite]:
    """Return the due forecasts of each readable site, by its name."""
    connection = batch.connection
    stored = sites.read_configurations(connection, names)
    keys = sites.keys_of(connection, names)

    def read_site(name: str) -> Site:
        if name in stored:
            return sites.parse_stored(name, stored[name])
        return sites.load(connection, name)

    read = batch.each(names, read_site)
    sites_by_key = {keys[name]: site for name, site in read.items()}
    active = forecast_activations.find_active_each(connection, sites_by_key)
    issued = forecast_issues.last_issued_each(connection, list(sites_by_key), until=now)
    returned = weather_carbon.find_returns(
        connection, list(read), since=floor_to(now, OFTEN), until=now
    )
    due = {}
    for key, site in sites_by_key.items():
        version = active[key].forecast_version
        weather_back = returned.get(site.name)
        versions = list_due(version, issued[key], now=now, weather_back=weather_back)
        due[site.name] = DueSite(site, key, version, versions)
    return due


def list_due(
    active: str,
    issued: Mapping[str, datetime],
    *,
    now: datetime,
    weather_back: datetime | None = None,
) -> dict[str, datetime]:
    """Return the due versions with their instants, first the one that drives the planner.

    Args:
        active: the version that drives the planner.
        issued: version → instant of its last issue, up to ``now``.
        now: the instant.
        weather_back: instant within this hour at which weather came after hours without; hourly
            versions are issued then, for a plan that knows it.
    """
    often = max(floor_to(now, OFTEN), weather_back or now - OFTEN)
    seldom = floor_to(now, SELDOM)
    others = [version for version in VERSIONS if version != active]
    due = {}
    for version in [active, *others] if active in VERSIONS else others:
        at = often if version in (active, VERSION) else seldom
        if version not in issued or issued[version] < at:
            due[version] = at
    return due


@dataclass(frozen=True)
class _BatchIssue:
    """The forecasts of a batch: read together, made site by site, written together."""

    batch: SiteBatch
    due: Mapping[str, DueSite] = field(repr=False)
    objects: ObjectStore
    now: datetime
    progress: Progress

    def issue(self, at: datetime) -> None:
        """Make the forecasts due at an instant, and scenarios of those that drive planners."""
        connection = self.batch.connection
        due = self.due

        def read(names: Sequence[str]) -> dict[str, IssueFacts]:
            sites_by_key = {due[name].key: due[name].site for name in names}
            facts_by_key = read_facts(connection, sites_by_key, [at])
            return {name: facts_by_key[due[name].key] for name in names}

        def read_past(names: Sequence[str]) -> dict[str, ForecastPast]:
            facts_by_key = {due[name].key: facts[name] for name in names}
            versions = {due[name].key: due[name].active for name in names}
            ahead = Timeline(floor_to(at, SLOT), SLOT, HORIZON_SLOTS)
            past_by_key = joint_scenarios.read_past(connection, facts_by_key, versions, ahead)
            return {name: past_by_key[due[name].key] for name in names}

        def make_versions(name: str) -> Forecast | None:
            return self._issue_versions(due[name], facts[name], at)

        def make_scenarios(name: str) -> joint_scenarios.IssuedScenarios:
            return joint_scenarios.make_from_past(
                connection, past[name], driving[name], objects=self.objects
            )

        names = [name for name, due_site in due.items() if at in due_site.versions.values()]
        facts = self.batch.together(names, read)
        driving: dict[str, Forecast] = self.batch.each(list(facts), make_versions)
        past = self.batch.together(list(driving), read_past)
        for name, issued in self.batch.each(list(past), make_scenarios).items():
            due[name].scenarios.append(issued.scenarios)

    def _issue_versions(self, due: DueSite, facts: IssueFacts, at: datetime) -> Forecast | None:
        """Make a site's forecasts of an instant, and return the one that drives its planner."""
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

        for version, due_at in due.versions.items():
            if due_at != at:
                continue
            issued = isolate(
                partial(issue_version, basis, version, objects=self.objects),
                partial(report_fault, version),
            )
            if issued is not None:
                due.issued.append(issued)
        done = sum(len(due_site.issued) for due_site in self.due.values())
        total = sum(len(due_site.versions) for due_site in self.due.values())
        self.progress(done, total, due.site.name)
        for issued in due.issued:
            if issued.batch.version == due.active and issued.batch.issued_at[0] == at:
                return issued.batch.forecast(0)
        return None

    def store(self) -> None:
        """Write the forecasts; a site whose writing fails counts as without any."""
        connection = self.batch.connection
        issued = {name: due_site for name, due_site in self.due.items() if due_site.issued}
        locked = sites.hold(connection, list(issued))

        def load(name: str) -> Site:
            return sites.load(connection, name)

        # A site that was removed meanwhile gets its error here, and no forecasts.
        self.batch.each([name for name in issued if name not in locked], load)
        present = [name for name in issued if name in locked]
        written = self.batch.together(present, self._write_forecasts)
        for name in issued.keys() - written.keys():
            issued[name].issued.clear()
        with_scenarios = [name for name in written if issued[name].scenarios]
        self.batch.together(with_scenarios, self._write_scenarios)

    def _write_forecasts(self, names: Sequence[str]) -> dict[str, DueSite]:
        forecasts_by_key = {self.due[name].key: self.due[name].issued for name in names}
        store_issued(self.batch.connection, forecasts_by_key)
        return {name: self.due[name] for name in names}

    def _write_scenarios(self, names: Sequence[str]) -> dict[str, DueSite]:
        """Write scenarios; the forecasts stay even if this fails."""
        scenarios_by_key = {self.due[name].key: self.due[name].scenarios for name in names}
        forecast_scenarios.save_each(self.batch.connection, scenarios_by_key)
        return {name: self.due[name] for name in names}


def _reply(batch: SiteBatch, due: Mapping[str, DueSite]) -> list[SiteRefresh]:
    replies = []
    for name, error in batch.faults.items():
        if name not in due:
            replies.append(SiteRefresh(site_id=name, faults=[str(error)]))
    for name, due_site in due.items():
        faults = list(due_site.faults)
        if name in batch.faults:
            faults.append(str(batch.faults[name]))
        replies.append(SiteRefresh(site_id=name, issued=due_site.describe(), faults=faults))
    return replies
