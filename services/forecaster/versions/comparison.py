"""Score forecast versions on a stored site's past days, by rolling origin."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast import EvaluateReply, EvaluateRequest, SeriesScore, VersionScore
from luna.energy.observations import Observations
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, Timeline, floor_to, local_days
from luna.platform.database import forecast_scores, past_forecasts, sites
from luna.platform.database.forecast_activations import OUTSIDE_VERSIONS
from luna.platform.objects import ObjectStore
from services.forecaster.forecast_issue import (
    issue_in_parts,
    list_instants,
    load_forecaster,
    look_back,
    read_history,
    read_scorable,
    read_steering,
    read_surroundings,
)
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.model.baseline import BASELINES
from services.forecaster.scoring import Score, measure_skill, score_batch, score_forecasts
from services.forecaster.versions.hindsight import ensure_trained


@dataclass(frozen=True, slots=True)
class VersionScores:
    """One version's scores by series, and its times of training and of one issue."""

    scores: dict[str, Score]
    train_seconds: float
    issue_milliseconds: float


@dataclass(frozen=True, slots=True)
class Past:
    """Inputs of past forecasts, and the measurements for their scores.

    ``history`` is prepared as it was known at the first issue; ``trusted`` leaves out faults.
    """

    history: Observations
    trusted: Observations
    context: Context = NO_CONTEXT


def evaluate_versions(
    connection: Connection,
    request: EvaluateRequest,
    *,
    objects: ObjectStore,
    progress: Progress = keep_quiet,
) -> EvaluateReply:
    """Score versions on a stored site, without days of quality ``exclude``.

    Aurora uses its model from before the first day; without one it is trained now. Versions of
    outside services have what was fetched then; one without any is left out.

    Raises:
        NotFoundError: no such site or version.
        InvalidInputError: the window is upside down, or nothing was measured in it.
        ArtefactError: Aurora's model cannot be used; a profile is not scored in its name.
        UnavailableError: the store of objects is away.
    """
    site = sites.load(connection, request.site_id)
    if request.to_day < request.from_day:
        raise refuse("ends-before-start", field="to_day", value=request.to_day.isoformat())
    window = local_days(request.from_day, request.to_day, ZoneInfo(site.timezone))
    instants = list_instants(
        window.start, window.end - timedelta(minutes=1), timedelta(minutes=request.every_minutes)
    )
    begin = floor_to(min(instants), SLOT)
    ahead = Timeline(begin, SLOT, (floor_to(max(instants), SLOT) - begin) // SLOT + HORIZON_SLOTS)
    context = read_surroundings(connection, site, instants)
    steering = read_steering(connection, site, look_back(instants))
    prepared = prepare_history(
        read_history(connection, site, instants),
        site,
        before=instants[0],
        steering=steering,
        weather=context.weather,
    )
    past = Past(prepared.history, read_scorable(connection, site, ahead), context)
    judged = {}
    for place, version in enumerate(dict.fromkeys(request.versions)):
        if version in OUTSIDE_VERSIONS:
            stored = past_forecasts.read_past(
                connection,
                site.name,
                version=version,
                instants=instants,
                near=past_forecasts.OUTSIDE_NEAR,
            )
            if stored:
                scores = score_forecasts(stored, past.trusted, site)
                judged[version] = VersionScores(scores, train_seconds=0.0, issue_milliseconds=0.0)
            progress(place + 1, len(request.versions), version)
            continue
        train_seconds = 0.0
        if version == VERSION:
            train_seconds = ensure_trained(connection, site, before=instants[0], objects=objects)
        forecaster = load_forecaster(connection, site, version, before=instants[0], objects=objects)
        batch, _ = issue_in_parts(forecaster, past.history, instants, context=past.context)
        began = time.perf_counter()
        forecaster.issue_many(past.history, instants[-1:], HORIZON_SLOTS, context=past.context)
        milliseconds = 1000 * (time.perf_counter() - began)
        judged[version] = VersionScores(
            score_batch(batch, past.trusted, site), train_seconds, milliseconds
        )
        progress(place + 1, len(request.versions), version)
    if not judged:
        raise refuse("window-unmeasured", field="from_day")
    regrets = forecast_scores.read_regrets(
        connection, site.name, list(judged), first=request.from_day, last=request.to_day
    )
    daily_regrets = {version: list(days.values()) for version, days in regrets.items()}
    return _describe_scores(judged, daily_regrets, origins=len(instants))


def _describe_scores(
    judged: Mapping[str, VersionScores], regrets: Mapping[str, Sequence[float]], *, origins: int
) -> EvaluateReply:
    """Return the message about versions.

    Skill is relative to the first baseline among them, or to the first version without one.

    Args:
        regrets: costs of each version's errors in the plan, on the days with a shadow score.

    Raises:
        InvalidInputError: a series was measured in no slot of the window.
    """
    baselines = [version for version in judged if version in BASELINES]
    reference = baselines[0] if baselines else next(iter(judged))
    versions = {}
    for version, judged_version in judged.items():
        series = {}
        for name, score in judged_version.scores.items():
            if not score.slots:
                continue
            reference_mae = judged[reference].scores[name].mae
            series[name] = SeriesScore(
                mae=score.mae,
                rmse=score.rmse,
                pinball=score.pinball,
                coverage_80=float(np.nan_to_num(score.coverage_80)),
                skill=measure_skill(score.mae, reference_mae),
            )
        if not series:
            raise refuse("window-unmeasured", field="from_day")
        daily_regrets = regrets[version]
        versions[version] = VersionScore(
            series=series,
            train_seconds=judged_version.train_seconds,
            issue_milliseconds=judged_version.issue_milliseconds,
            regret_per_day=fmean(daily_regrets) if daily_regrets else None,
            regret_days=len(daily_regrets),
        )
    return EvaluateReply(versions=versions, origins=origins)
