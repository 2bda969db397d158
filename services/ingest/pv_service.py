"""Fetching of PV forecasts from outside, each stored as a forecast version of its own.

The versions compete with Luna's own: they are scored, and promoted, by the same rule.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.data import FetchPvReply, FetchPvRequest, SitePvReply
from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import Clock
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecasts,
    quality,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import (
    BLENDED_VERSION,
    OUTSIDE_VERSIONS,
    ActiveVersion,
)
from luna.platform.database.forecast_status import TRAINED_VERSION
from luna.platform.settings import Settings
from luna.simulated_home.site import SITE_NAME as SIMULATED_HOME
from services.ingest.pv_blend import MeasuredPv, Skill, blend, compare_skill, weigh
from services.ingest.pv_forecast import build_forecast
from services.ingest.sources.pv.estimate import PvSource
from services.ingest.sources.pv.forecast_solar import ForecastSolar
from services.ingest.sources.pv.solcast import Solcast
from services.ingest.sources.source import SourceError, SourceRefusedError, SourceUnreachedError
from services.ingest.sources.web import Web

HORIZON_SLOTS = 192  # 48 hours, as Luna's own versions
# Eight of a free account's ten calls a day. Each of the instants at which versions are compared
# (0, 6, 12 and 18 hours of UTC) has one in the hour before it.
EVERY = timedelta(hours=3)
FIRST = timedelta(hours=2)
CALLS_PER_DAY = 10
INTERVAL = timedelta(seconds=0.2)
DAY = timedelta(days=1)
# Earlier days are of another season.
SKILL_DAYS = 28

log = structlog.get_logger("luna.ingest")


def fetch_pv_forecasts(
    engine: Engine,
    request: FetchPvRequest,
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> FetchPvReply:
    """Fetch the due PV forecasts, and store each with Luna's load forecast.

    Nothing is fetched where ``outside_services`` is off. No transaction is open during requests.
    The reply lists the faults of the services.

    Raises:
        NotFoundError: no such site.
    """
    if not settings.outside_services:
        return FetchPvReply(sites=[])
    now = clock.now()
    with unit_of_work(engine) as connection:
        homes = _list_homes(connection, request)
    replies = []
    reached = True
    for source in _open_sources(settings, transport):
        fault = _find_misfit(source, homes)
        if fault is not None:
            replies.append(SitePvReply(site_id=homes[0].name, faults=[fault]))
            continue
        for home in homes:
            with unit_of_work(engine) as connection:
                calls = forecasts.read_instants(
                    connection,
                    home.name,
                    version=source.name,
                    first=now - timedelta(days=1),
                    last=now,
                )
            if not is_due(calls, now=now):
                continue
            try:
                replies.append(_fetch_home(engine, home, source=source, now=now))
            except (SourceError, SourceRefusedError) as error:
                reached = reached and not isinstance(error, SourceUnreachedError)
                fault = f"{source.name} {error}"
                replies.append(SitePvReply(site_id=home.name, faults=[fault]))
    fetched = {reply.site_id for reply in replies if reply.issued_at is not None}
    for home in homes:
        if home.name in fetched:
            with unit_of_work(engine) as connection:
                blended = _blend_home(connection, home, now=now)
            replies += [blended] if blended else []
    return FetchPvReply(sites=replies, reached=reached)


def is_due(calls: list[datetime], *, now: datetime) -> bool:
    """Return whether a service is asked again.

    Args:
        calls: instants of the last day's stored issues, so that a restart forgets none.
        now: the instant.
    """
    today = [at for at in calls if at.date() == now.date()]
    if len(today) >= CALLS_PER_DAY:
        return False
    turn = floor_to(now - FIRST, EVERY) + FIRST
    return not any(at >= turn for at in calls)


def _list_homes(connection: Connection, request: FetchPvRequest) -> list[Site]:
    """Return the homes with PV; the simulated one has no roof under a real sky."""
    if request.site_id is not None:
        stored = [sites.load(connection, request.site_id)]
    else:
        stored = list(sites.load_all(connection).sites)
    return [site for site in stored if site.pv and site.name != SIMULATED_HOME]


def _open_sources(settings: Settings, transport: httpx.BaseTransport | None) -> Iterator[PvSource]:
    """Yield the services that the owner has chosen."""
    if settings.solcast_token is not None:
        token = settings.solcast_token.get_secret_value()
        yield Solcast(Web(Solcast.name, transport, INTERVAL), token)
    if settings.forecast_solar:
        yield ForecastSolar(Web(ForecastSolar.name, transport, INTERVAL))


def _find_misfit(source: PvSource, homes: list[Site]) -> str | None:
    """Return why a service cannot be asked; None where it can."""
    if source.name == Solcast.name and len(homes) > 1:
        return f"{source.name}: the token names one roof, and {len(homes)} homes have PV"
    return None


def _fetch_home(engine: Engine, site: Site, *, source: PvSource, now: datetime) -> SitePvReply:
    """Fetch one forecast and store it.

    Raises:
        SourceError: the service is away, or its answer is of no use.
        SourceRefusedError: the service refuses.
    """
    version = source.name
    timeline = Timeline(floor_to(now, SLOT), SLOT, HORIZON_SLOTS)
    with unit_of_work(engine) as connection:
        active = forecast_activations.find_active(connection, site).forecast_version
        base = _read_own(connection, site, active, timeline, now=now)
    if base is None:
        # No call is spent on a forecast that would lack the load.
        fault = f"{version}: no forecast of the load yet"
        return SitePvReply(site_id=site.name, faults=[fault])
    estimate = source.fetch(site, timeline)
    built = build_forecast(version, now, estimate, base, peak_kw=site.peak_kw)
    with unit_of_work(engine) as connection:
        forecasts.upsert(connection, site.name, [built.forecast])
        _describe_like(connection, site, base, version=version, now=now)
    return SitePvReply(
        site_id=site.name,
        forecast_version=version,
        issued_at=now,
        drives=version == active,
        faults=built.faults,
    )


def _blend_home(connection: Connection, site: Site, *, now: datetime) -> SitePvReply | None:
    """Store the blend of Luna's own PV with what services have just answered.

    None, and nothing is stored, where no skill is known and no plan waits for it.
    """
    active = forecast_activations.find_active(connection, site).forecast_version
    timeline = Timeline(floor_to(now, SLOT), SLOT, HORIZON_SLOTS)
    base = _read_own(connection, site, active, timeline, now=now)
    if base is None:
        return None
    past = Timeline(timeline.start - SKILL_DAYS * DAY, SLOT, SKILL_DAYS * DAY // SLOT)
    pv_kwh = quality.read_usable(connection, site, past, ("pv_kwh",))["pv_kwh"]
    measured = MeasuredPv(past, pv_kwh)
    own_issues = forecasts.read_expected(
        connection, site.name, version=base.version, first=past.start, last=past.end
    )
    present: dict[str, Quantiles] = {}
    skills: dict[str, Skill] = {}
    for version in (Solcast.name, ForecastSolar.name):
        issues = forecasts.read_all(connection, site.name, version=version, first=now, last=now)
        if issues:
            present[version] = issues[0].pv_kwh
            earlier = forecasts.read_expected(
                connection, site.name, version=version, first=past.start, last=past.end
            )
            skills[version] = compare_skill(earlier, own_issues, measured)
    weights = weigh(skills, base.timeline.count)
    outside = np.sum(list(weights.values()), axis=0)
    drives = active == BLENDED_VERSION
    if not outside.any() and not drives:
        return None
    pv = blend(base.pv_kwh, present, weights)
    blended = Forecast(
        timeline=base.timeline,
        issued_at=now,
        version=BLENDED_VERSION,
        load_kwh=base.load_kwh,
        pv_kwh=pv,
    )
    forecasts.upsert(connection, site.name, [blended])
    # Its last hours may lie beyond Luna's own forecast.
    sun_kwh = np.nan_to_num(pv.expected)
    percent = round(100 * float(outside @ sun_kwh) / max(float(sun_kwh.sum()), 1e-9))
    reason = f"pv_blended:{percent}"
    _describe_like(connection, site, base, version=BLENDED_VERSION, now=now, reason=reason)
    return SitePvReply(
        site_id=site.name, forecast_version=BLENDED_VERSION, issued_at=now, drives=drives
    )


def _read_own(
    connection: Connection, site: Site, active: str, timeline: Timeline, *, now: datetime
) -> Forecast | None:
    """Return Luna's own forecast with the load, or None."""
    # The load of an outside version is Luna's own of an hour ago.
    version = TRAINED_VERSION if active in OUTSIDE_VERSIONS else active
    key = sites.key_of(connection, site.name)
    driving = forecasts.read_driving_each(
        connection, {key: site}, {key: ActiveVersion(version)}, timeline, known_at=now
    )
    return driving[key].forecast if key in driving else None


def _describe_like(
    connection: Connection,
    site: Site,
    base: Forecast,
    *,
    version: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Store the record of an issue: it rests on as much history as the load it has."""
    records = forecast_issues.read_all(
        connection, site.name, version=base.version, first=base.issued_at, last=base.issued_at
    )
    added = (reason,) if reason else ()
    issues = [
        forecast_issues.ForecastIssue(version, now, record.stage, (*added, *record.reasons))
        for record in records
    ]
    forecast_issues.upsert(connection, site.name, issues)


def list_scenario_requests(reply: FetchPvReply) -> list[IssueScenariosRequest]:
    """Return the requests for scenarios of the forecasts that plans use."""
    requests = []
    for site in reply.sites:
        if site.drives and site.issued_at is not None:
            request = IssueScenariosRequest(
                site_id=site.site_id, at=site.issued_at, forecast_version=site.forecast_version
            )
            requests.append(request)
    return requests


def tell(reply: FetchPvReply) -> FetchPvReply:
    """Log a reply, one line per forecast, and return it."""
    for site in reply.sites:
        if site.faults:
            log.warning("pv forecast has faults", **site.model_dump(mode="json"))
        else:
            log.info("pv forecast fetched", **site.model_dump(mode="json"))
    return reply
