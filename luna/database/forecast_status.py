"""How the forecasts of a site stand: what drives its planner and why, how every version did in shadow, what was decided and trained."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import fmean

from sqlalchemy import Connection

from luna.contracts.forecast_versions import Decision, ForecastStatus, SeriesRecord, ShadowRecord, TrainingSummary, VersionRecord
from luna.database import forecast_activations, forecast_scores, sites, training_runs
from luna.database.forecast_activations import Activation
from luna.database.forecast_scores import DayScore
from luna.database.training_runs import TrainingRun

# A fortnight is what the rule needs, four weeks is what it looks at.
SPANS_DAYS = (14, 28)
DECISIONS, TRAININGS = 10, 5
# The only version that learns.
TRAINED_VERSION = "aurora_v1.0"


def read_status(connection: Connection, site_id: str) -> ForecastStatus:
    """Return how the forecasts of a site stand; shadow scores are those of the last days that were scored.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    active = forecast_activations.find_active(connection, site)
    return ForecastStatus(
        site_id=site_id,
        currency=site.currency,
        active_forecast_version=active.forecast_version,
        pinned=active.pinned,
        run_id=active.run_id,
        since=active.since,
        reason=active.reason,
        shadow=read_shadow(connection, site_id),
        decisions=[_decision(made) for made in forecast_activations.history(connection, site_id)[:DECISIONS]],
        trainings=[_training(run) for run in training_runs.list_latest(connection, site_id, version=TRAINED_VERSION, limit=TRAININGS)],
    )


def read_shadow(connection: Connection, site_id: str) -> list[ShadowRecord]:
    """Return what every version scored over the last days that were scored, once for each of ``SPANS_DAYS``; empty where none was."""
    last = forecast_scores.last_day(connection, site_id)
    if last is None:
        return []
    records = []
    for days in SPANS_DAYS:
        first = last - timedelta(days=days - 1)
        scores = forecast_scores.read(connection, site_id, first, last)
        versions = sorted({score.forecast_version for score in scores})
        regrets = forecast_scores.read_regrets(connection, site_id, versions, first=first, last=last)
        found = {version: summarise([score for score in scores if score.forecast_version == version], list(regrets[version].values())) for version in versions}
        records.append(ShadowRecord(from_day=first, to_day=last, versions=found))
    return records


def summarise(scores: Sequence[DayScore], regrets: Sequence[float]) -> VersionRecord:
    """Return the means over the days of one version's scores, and of what its errors cost."""
    series = {name: _average([score for score in scores if score.series == name]) for name in sorted({score.series for score in scores})}
    return VersionRecord(series=series, regret_per_day=fmean(regrets) if regrets else None, regret_days=len(regrets))


def _average(scores: Sequence[DayScore]) -> SeriesRecord:
    known = [score.coverage_80 for score in scores if score.coverage_80 is not None]
    means = {name: fmean(getattr(score, name) for score in scores) for name in ("mae", "rmse", "pinball")}
    return SeriesRecord(days=len(scores), coverage_80=fmean(known) if known else None, **means)


def _decision(made: Activation) -> Decision:
    names = ("forecast_version", "run_id", "decided_by", "decided_at", "reason")
    return Decision(**{name: getattr(made, name) for name in names}, evidence=dict(made.evidence))


def _training(run: TrainingRun) -> TrainingSummary:
    return TrainingSummary(**{name: getattr(run, name) for name in TrainingSummary.model_fields if name != "metrics"}, metrics=dict(run.metrics))
