"""Describe the forecasts of a site.

The active version and its reason, shadow scores, decisions and trainings.
"""

import shlex
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import fmean

from sqlalchemy import Connection

from luna.contracts.forecast import DrivingVersion, WaitingVersion
from luna.contracts.forecast_versions import (
    DAYS_TO_PROVE,
    ForecastStatus,
    SeriesRecord,
    ShadowRecord,
    TrainingSummary,
    VersionDecision,
    VersionRecord,
)
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import forecast_activations, forecast_scores, sites, training_runs
from luna.platform.database.forecast_activations import Activation, ActiveVersion
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.training_runs import TrainingRun

# Days that the rule needs, and days that it considers.
SPANS_DAYS = (DAYS_TO_PROVE, 28)
# Longer than the days it considers, because some days cannot be scored.
REVIEW_DAYS = sum(SPANS_DAYS)
# A day of issue is scored once the 48 hours after it have passed.
SCORED_AFTER_DAYS = 3
DECISIONS = 10
TRAININGS = 5
# The only trained version.
TRAINED_VERSION = "aurora_v1.0"


def read_status(connection: Connection, site_id: str, *, at: datetime) -> ForecastStatus:
    """Return the state of a site's forecasts at an instant.

    Shadow scores are those of the last scored days.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    active = forecast_activations.find_active(connection, site)
    activations = forecast_activations.history(connection, site_id)
    runs = training_runs.list_latest(connection, site_id, version=TRAINED_VERSION, limit=TRAININGS)
    return ForecastStatus(
        site_id=site_id,
        currency=site.currency,
        active_forecast_version=active.forecast_version,
        pinned=active.pinned,
        run_id=active.run_id,
        since=active.since,
        reason=active.reason,
        driving=describe_driving(connection, site, at=at),
        shadow=_read_shadow(connection, site_id),
        decisions=[_decision(activation) for activation in activations[:DECISIONS]],
        trainings=[_training(run) for run in runs],
    )


def describe_driving(connection: Connection, site: Site, *, at: datetime) -> DrivingVersion:
    """Return a site's active version with its reason, and the waiting one.

    Plan, replay, training and status share this answer.

    Args:
        connection: to the database.
        site: a stored one.
        at: the instant of the status.
    """
    active = forecast_activations.find_active(connection, site)
    waiting = None if active.pinned else _find_waiting(connection, site, active, at=at)
    return DrivingVersion(
        forecast_version=active.forecast_version,
        pinned=active.pinned,
        run_id=active.run_id,
        since=active.since,
        reason=active.reason,
        waiting=waiting,
    )


def find_waiting_each(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    active: Mapping[int, ActiveVersion],
    *,
    at: datetime,
) -> dict[int, WaitingVersion]:
    """Return the trained versions that wait for promotion, by the sites' keys.

    See ``describe_driving``; sites without one are left out.
    """
    trained = training_runs.list_trained(connection, list(sites_by_key), version=TRAINED_VERSION)
    waiting: dict[int, WaitingVersion] = {}
    for key in trained:
        if active[key].pinned:
            continue
        version = _find_waiting(connection, sites_by_key[key], active[key], at=at)
        if version is not None:
            waiting[key] = version
    return waiting


def _find_waiting(
    connection: Connection, site: Site, active: ActiveVersion, *, at: datetime
) -> WaitingVersion | None:
    run = training_runs.latest(connection, site.name, version=TRAINED_VERSION)
    if run is None or not run.has_enough_data or active.forecast_version == TRAINED_VERSION:
        return None
    zone = parse_zone(site.timezone)
    scored = _list_scored(connection, site, active)[-SPANS_DAYS[1] :]
    last = scored[-1] if scored else run.data_until.astimezone(zone).date()
    earliest = last + timedelta(days=DAYS_TO_PROVE - len(scored) + SCORED_AFTER_DAYS)
    is_unproven = len(scored) < DAYS_TO_PROVE
    is_ahead = earliest > at.astimezone(zone).date()
    return WaitingVersion(
        forecast_version=TRAINED_VERSION,
        days=len(scored),
        needed=DAYS_TO_PROVE,
        earliest=earliest if is_unproven and is_ahead else None,
        command=(
            f"luna forecast promote --site {shlex.quote(site.name)} --version {TRAINED_VERSION}"
        ),
    )


def _list_scored(connection: Connection, site: Site, active: ActiveVersion) -> list[date]:
    """Return the days with scores of both the active and the trained version, in order."""
    last_day = forecast_scores.last_day(connection, site.name)
    if last_day is None:
        return []
    first_day = find_review_start(site, active, last_day)
    scores = forecast_scores.read(connection, site.name, first_day, last_day)
    days_of_active = {
        score.day for score in scores if score.forecast_version == active.forecast_version
    }
    days_of_trained = {score.day for score in scores if score.forecast_version == TRAINED_VERSION}
    return sorted(days_of_active & days_of_trained)


def find_review_start(site: Site, active: ActiveVersion, last_day: date) -> date:
    """Return the first day of issue that the promotion rule considers.

    After a manual promotion or rollback only later days count: the rule must not revert a person's
    decision by data that the person knew.
    """
    first = last_day - timedelta(days=REVIEW_DAYS - 1)
    last_decision = active.last
    if last_decision is None or last_decision.decided_at is None:
        return first
    if last_decision.decided_by not in ("hand", "rollback"):
        return first
    decided_on = last_decision.decided_at.astimezone(parse_zone(site.timezone)).date()
    return max(first, decided_on + timedelta(days=1))


def _read_shadow(connection: Connection, site_id: str) -> list[ShadowRecord]:
    """Return all versions' scores over the last scored days, once for each of ``SPANS_DAYS``.

    Empty without scores.
    """
    last = forecast_scores.last_day(connection, site_id)
    if last is None:
        return []
    records = []
    for days in SPANS_DAYS:
        first = last - timedelta(days=days - 1)
        scores = forecast_scores.read(connection, site_id, first, last)
        versions = sorted({score.forecast_version for score in scores})
        regrets = forecast_scores.read_regrets(
            connection, site_id, versions, first=first, last=last
        )
        summaries = {}
        for version in versions:
            version_scores = [score for score in scores if score.forecast_version == version]
            summaries[version] = summarise(version_scores, list(regrets[version].values()))
        records.append(ShadowRecord(from_day=first, to_day=last, versions=summaries))
    return records


def summarise(scores: Sequence[ForecastDayScore], regrets: Sequence[float]) -> VersionRecord:
    """Return the means of a version's daily scores and of its regret."""
    series = {}
    for name in sorted({score.series for score in scores}):
        series_scores = [score for score in scores if score.series == name]
        coverages = [score.coverage_80 for score in series_scores if score.coverage_80 is not None]
        series[name] = SeriesRecord(
            days=len(series_scores),
            mae=fmean(score.mae for score in series_scores),
            rmse=fmean(score.rmse for score in series_scores),
            pinball=fmean(score.pinball for score in series_scores),
            coverage_80=fmean(coverages) if coverages else None,
        )
    regret_per_day = fmean(regrets) if regrets else None
    return VersionRecord(series=series, regret_per_day=regret_per_day, regret_days=len(regrets))


def _decision(activation: Activation) -> VersionDecision:
    return VersionDecision(
        forecast_version=activation.forecast_version,
        run_id=activation.run_id,
        decided_by=activation.decided_by,
        decided_at=activation.decided_at,
        reason=activation.reason,
        evidence=dict(activation.evidence),
    )


def _training(run: TrainingRun) -> TrainingSummary:
    names = TrainingSummary.model_fields.keys() - {"metrics"}
    fields = {name: getattr(run, name) for name in names}
    return TrainingSummary(**fields, metrics=dict(run.metrics))
