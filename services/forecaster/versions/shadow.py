"""Score all forecast versions on past days in shadow, and apply the promotion rule.

The planner is requested to compute what each version would have cost.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.forecast import IssueRequest
from luna.contracts.forecast_versions import (
    JudgeForecastsReply,
    JudgeForecastsRequest,
    SiteJudgement,
)
from luna.contracts.replay import ReplayRequest
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to, local_midnight, parse_zone
from luna.platform.database import (
    forecast_scores,
    observations,
    past_forecasts,
    prices,
    quality,
    recorded_span,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import OUTSIDE_VERSIONS
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.objects import ObjectStore
from luna.platform.queue.task_context import isolate
from services.forecaster.forecast_issue import (
    KNOWN_VERSIONS,
    VERSIONS,
    find_run,
    issue_forecasts,
    read_scorable,
)
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.scoring import SERIES, score_forecasts
from services.forecaster.versions.promotion import promote_by_rule

# Every version is issued at these hours of UTC, so that all are scored on the same instants.
ORIGINS_EVERY = timedelta(hours=6)
# The rule does not use older scores, so older missing days are not scored.
LOOK_BACK_DAYS = 35
# Most days per run, so that it ends within minutes; the next run continues.
DAYS_PER_RUN = 7


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """A local day of issue.

    Args:
        day: the day.
        window: its slots.
        issues: the origins and, where the day does not begin with one, the instant before, whose
            forecast the day's first plan uses.
        origins: the instants of issue.
        reach: all slots that forecasts of the origins cover.
    """

    day: date
    window: Timeline
    issues: Sequence[datetime]
    origins: Sequence[datetime]
    reach: Timeline


def describe_day(day: date, zone: ZoneInfo) -> ShadowDay:
    """Return the instants and slots on which versions are scored for a local day."""
    start = local_midnight(day, zone)
    end = local_midnight(day + timedelta(days=1), zone)
    issues = []
    at = floor_to(start, ORIGINS_EVERY)
    while at < end:
        issues.append(at)
        at += ORIGINS_EVERY
    slots = (end - start) // SLOT
    return ShadowDay(
        day=day,
        window=Timeline(start, SLOT, slots),
        issues=issues,
        origins=[at for at in issues if at >= start],
        reach=Timeline(start, SLOT, slots + HORIZON_SLOTS),
    )


def list_due(
    today: date,
    scored: Mapping[date, Collection[str]],
    versions: Collection[str],
    excluded: Collection[date],
) -> list[date]:
    """Return the days that lack a version's score, oldest first, without ``excluded`` ones.

    The forecasts of a day must have ended: 48 hours have passed since.

    Args:
        today: the site's local day.
        scored: by day, the versions that have a score.
        versions: the versions that need a score.
        excluded: days with the verdict ``exclude``.
    """
    last = today - timedelta(days=1 + HORIZON_SLOTS * SLOT // timedelta(days=1))
    due = []
    for days_before in reversed(range(LOOK_BACK_DAYS)):
        day = last - timedelta(days=days_before)
        missing = set(versions) - set(scored.get(day, ()))
        if missing and day not in excluded:
            due.append(day)
    return due


def find_missing(
    origins: Sequence[datetime], forecasts: Sequence[Forecast], *, near: timedelta
) -> list[datetime]:
    """Return the instants without a forecast issued within ``near`` before them."""
    issued = [forecast.issued_at for forecast in forecasts]
    missing = []
    for origin in origins:
        is_issued = any(origin - near < at <= origin for at in issued)
        if not is_issued:
            missing.append(origin)
    return missing


# Least measured share of a day's forecasts: below it, scores reflect the gaps.
LEAST_SHARE = 0.5
ORIGINS_MINUTES = ORIGINS_EVERY // timedelta(minutes=1)

log = structlog.get_logger("luna.forecaster")


@dataclass(frozen=True, slots=True)
class ShadowContext:
    """Dependencies of shadow scoring.

    ``submit`` submits a request as a job, unless an equal one is open.
    """

    engine: Engine
    objects: ObjectStore
    now: datetime
    submit: Callable[[ReplayRequest], object]


def judge_forecasts(
    context: ShadowContext, request: JudgeForecastsRequest, *, progress: Progress = keep_quiet
) -> JudgeForecastsReply:
    """Score every version on its due days, and apply the promotion rule.

    Each day is scored in its own transaction. A site's fault is reported and stops no other site.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away.
    """
    with unit_of_work(context.engine) as connection:
        if request.site_id:
            names = [sites.load(connection, request.site_id).name]
        else:
            names = sites.names(connection)
    judged = []
    for place, name in enumerate(names):
        judged.append(_judge_site(context, name, request))
        progress(place + 1, len(names), name)
    return JudgeForecastsReply(sites=judged)


def _judge_site(context: ShadowContext, name: str, request: JudgeForecastsRequest) -> SiteJudgement:
    # A fault leaves the days before it scored, and the reply names them.
    replays_by_day: dict[date, int] = {}

    def judge() -> SiteJudgement:
        with unit_of_work(context.engine) as connection:
            site = sites.load(connection, name)
            due = find_due(connection, site, request, now=context.now)
        anew = request.from_day is not None
        scored_days = _judge_days(context, site, due, anew=anew)
        most_days = None if anew else DAYS_PER_RUN
        replays_by_day.update(islice(scored_days, most_days))
        requested = sum(replays_by_day.values())
        with unit_of_work(context.engine) as connection:
            verdict = promote_by_rule(connection, site, now=context.now, awaits_costs=requested > 0)
        return verdict.model_copy(update={"days": list(replays_by_day), "replays": requested})

    def report_fault(error: Exception) -> SiteJudgement:
        log.error("versions are not judged", site=name, exc_info=error)
        return SiteJudgement(
            site_id=name,
            days=list(replays_by_day),
            replays=sum(replays_by_day.values()),
            faults=[str(error)],
        )

    return isolate(judge, report_fault)


def _judge_days(
    context: ShadowContext, site: Site, days: Sequence[date], *, anew: bool
) -> Iterator[tuple[date, int]]:
    """Score the days; yield those with new scores and their numbers of requested replays."""
    zone = parse_zone(site.timezone)
    for day in days:
        with unit_of_work(context.engine) as connection:
            judge = Judge(connection, site, context.objects)
            scored = judge.score_day(describe_day(day, zone), anew=anew)
            replay_requests = _list_cost_requests(connection, site, day, scored)
        # After the commit: the planner reads the issued forecasts.
        for replay_request in replay_requests:
            context.submit(replay_request)
        if scored:
            yield day, len(replay_requests)


def find_due(
    connection: Connection, site: Site, request: JudgeForecastsRequest, *, now: datetime
) -> list[date]:
    """Return the requested or due days of issue with forecasts wholly within the recorded span."""
    span = recorded_span.of_site(connection, site.name)
    if span is None:
        return []
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    if request.from_day:
        first = request.from_day
        last = request.to_day or request.from_day
    else:
        first = today - timedelta(days=LOOK_BACK_DAYS + 3)
        last = today
    qualities = quality.read(connection, site.name, first, last)
    excluded = {day.day for day in qualities if day.verdict == "exclude"}
    if request.from_day:
        named = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        due = [day for day in named if day not in excluded]
    else:
        scored: dict[date, set[str]] = {}
        for score in forecast_scores.read(connection, site.name, first, last):
            scored.setdefault(score.day, set()).add(score.forecast_version)
        due = list_due(today, scored, VERSIONS, excluded)
    recorded_from, recorded_until = span
    recorded_days = []
    for day in due:
        shadow = describe_day(day, zone)
        if recorded_from <= shadow.window.start and shadow.reach.end <= recorded_until:
            recorded_days.append(day)
    return recorded_days


@dataclass(frozen=True, slots=True)
class Judge:
    """Scores the versions of one site, in one transaction."""

    connection: Connection
    site: Site
    objects: ObjectStore

    def score_day(self, shadow: ShadowDay, *, anew: bool) -> list[str]:
        """Store every version's score on a day of issue, and return those scored now.

        Missing forecasts are made in hindsight from data known at each instant; Aurora's only with
        a training run from before.

        Args:
            shadow: the day of issue.
            anew: also versions that have a score.
        """
        trusted = read_scorable(self.connection, self.site, shadow.reach)
        if not any(np.isfinite(getattr(trusted, series)).any() for series in SERIES):
            return []
        stored = forecast_scores.read(self.connection, self.site.name, shadow.day, shadow.day)
        scored_before = {score.forecast_version for score in stored}
        scored_now = []
        for version in KNOWN_VERSIONS:
            due = anew or version not in scored_before
            if due and self._score_version(shadow, version, trusted):
                scored_now.append(version)
        return scored_now

    def _score_version(self, shadow: ShadowDay, version: str, trusted: Observations) -> bool:
        issued = self._gather(shadow, version)
        if not issued:
            return False
        least_slots = LEAST_SHARE * len(issued) * HORIZON_SLOTS
        rows = []
        for series, score in score_forecasts(issued, trusted, self.site).items():
            if score.slots < least_slots:
                continue
            coverage = None if np.isnan(score.coverage_80) else score.coverage_80
            rows.append(
                ForecastDayScore(
                    day=shadow.day,
                    forecast_version=version,
                    series=series,
                    origins=len(issued),
                    mae=score.mae,
                    rmse=score.rmse,
                    pinball=score.pinball,
                    coverage_80=coverage,
                )
            )
        forecast_scores.upsert(self.connection, self.site.name, rows)
        return bool(rows)

    def _gather(self, shadow: ShadowDay, version: str) -> list[Forecast]:
        """Return the forecasts at a day's origins, missing ones made in hindsight.

        None where Aurora was not trained before.
        """
        if version in OUTSIDE_VERSIONS:
            return self._gather_outside(shadow, version)
        issued = past_forecasts.read_past(
            self.connection, self.site.name, version=version, instants=shadow.issues
        )
        missing = find_missing(shadow.issues, issued, near=past_forecasts.NEAR)
        if missing and version == VERSION:
            run = find_run(self.connection, self.site, version, before=missing[0])
            if run is None:
                return []
        if missing and missing == shadow.issues:
            # A whole day is issued by one request.
            issue_spans = [(missing[0], missing[-1])]
        else:
            issue_spans = [(instant, instant) for instant in missing]
        for first, last in issue_spans:
            request = IssueRequest(
                site_id=self.site.name,
                at=first,
                to=last,
                every_minutes=ORIGINS_MINUTES,
                forecast_version=version,
            )
            issue_forecasts(self.connection, request, objects=self.objects)
        return past_forecasts.read_past(
            self.connection, self.site.name, version=version, instants=shadow.origins
        )

    def _gather_outside(self, shadow: ShadowDay, version: str) -> list[Forecast]:
        """Return an outside service's forecasts at a day's origins.

        There is no hindsight: a day with an origin at which nothing was fetched is not compared.
        """
        near = past_forecasts.OUTSIDE_NEAR
        issued = past_forecasts.read_past(
            self.connection, self.site.name, version=version, instants=shadow.origins, near=near
        )
        return [] if find_missing(shadow.origins, issued, near=near) else issued


def _list_cost_requests(
    connection: Connection, site: Site, day: date, versions: Sequence[str]
) -> list[ReplayRequest]:
    """Return the replays that cost a day by each version and by perfect foresight.

    None with gaps in prices or measurements, or without a battery.
    """
    if not site.batteries:
        return []
    window = describe_day(day, parse_zone(site.timezone)).window
    tariff = prices.read_tariff(connection, site, window, settled=True)
    if not all(np.isfinite(price).all() for price in tariff.values()):
        return []
    measured = observations.read(connection, site.name, window)
    if not all(np.isfinite(getattr(measured, series)).all() for series in SERIES):
        return []
    requests = []
    for version in versions:
        request = ReplayRequest(
            site_id=site.name,
            from_day=day,
            to_day=day,
            policies=list(forecast_scores.POLICIES),
            every_minutes=ORIGINS_MINUTES,
            system_id=forecast_scores.shadow_system(version),
            forecast_version=version,
        )
        requests.append(request)
    return requests
