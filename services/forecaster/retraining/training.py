"""Training of a site's model: read what was measured, train, try, store.

Tasks and commands both use this module.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version as installed_version

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.contracts.forecast import TrainReply, TrainRequest
from luna.energy.errors import MachineError, UnavailableError
from luna.energy.observations import Observations
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, Timeline, floor_to, parse_zone
from luna.platform.database import (
    forecast_activations,
    forecast_status,
    quality,
    recorded_span,
    sites,
    training_runs,
)
from luna.platform.database.forecast_activations import Activation
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.forecaster.forecast_issue import issue_in_parts, list_instants, read_steering
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import Context, read_context
from services.forecaster.inputs.forecast_series import EVERY_SERIES
from services.forecaster.inputs.frame import frame_origins, pair_origins
from services.forecaster.inputs.preparation import Prepared, prepare_history
from services.forecaster.model.artefact import ArtefactError, load_aurora, name_digest, save_aurora
from services.forecaster.model.aurora import (
    VERSION,
    Aurora,
    Progress,
    TrainSettings,
    keep_quiet,
    train,
)
from services.forecaster.model.baseline import BASELINES, Baseline
from services.forecaster.model.card import save_card
from services.forecaster.retraining.card import Card
from services.forecaster.scoring import Score, score_batch

# A week holds every weekday once; with fewer than two days the weather decides a trial.
LONGEST = timedelta(days=7)
SHORTEST = timedelta(days=2)
# Two per cent of pinball loss are chance in a week of one household.
TOLERANCE = 1.02
TRIAL_EVERY = timedelta(hours=6)
NEW = "new"
IN_USE = "in_use"

Scores = Mapping[str, Mapping[str, Score]]  # by version, then by series


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """The decision whether a new model is used, and its reason.

    ``metrics`` has the figures of the trial by ``trial.<series>.<version>.<figure>``.
    """

    accepted: bool
    reason: str
    metrics: Mapping[str, float] = field(default_factory=dict)


def begin_trial(learned_until: datetime, until: datetime) -> datetime | None:
    """Return the first instant of a trial, or None if there are too few days.

    A trial begins after the data of the model in use.
    """
    begin = max(learned_until, until - LONGEST)
    return begin if until - begin >= SHORTEST else None


def judge_trial(scores: Scores) -> TrialVerdict:
    """Return the verdict on the version ``new`` beside ``in_use``.

    The pinball loss of load and PV together must not be worse. Other versions are only recorded.
    """
    metrics = _trial_metrics(scores)
    loss = _total_loss(scores[NEW])
    loss_in_use = _total_loss(scores[IN_USE])
    if loss_in_use == 0:
        reason = (
            "the model in use was right in every slot of the trial, or nothing was measured in it"
        )
        return TrialVerdict(loss == 0, reason, metrics)
    ratio = loss / loss_in_use
    reason = f"pinball loss in the trial is {ratio:.1%} of that of the model in use"
    if ratio <= TOLERANCE:
        return TrialVerdict(accepted=True, reason=reason, metrics=metrics)
    reason = f"{reason}: more than {TOLERANCE:.0%}"
    return TrialVerdict(accepted=False, reason=reason, metrics=metrics)


def _total_loss(series: Mapping[str, Score]) -> float:
    return float(sum(score.pinball for score in series.values() if score.slots))


def _trial_metrics(scores: Scores) -> dict[str, float]:
    metrics = {}
    for version, series in scores.items():
        for name, score in series.items():
            if not score.slots:
                continue
            prefix = f"trial.{name.removesuffix('_kwh')}.{version}"
            metrics[f"{prefix}.mae"] = score.mae
            metrics[f"{prefix}.pinball"] = score.pinball
            metrics[f"{prefix}.coverage_80"] = score.coverage_80
    return {name: float(figure) for name, figure in metrics.items() if np.isfinite(figure)}


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A site's trusted history, prepared, with its context over a window."""

    prepared: Prepared
    context: Context
    window: Timeline

    def fit(self, until: datetime, settings: TrainSettings, progress: Progress) -> Aurora:
        """Train a model on everything before ``until``."""
        history = self.prepared.history
        is_past = history.starts < np.datetime64(until.replace(tzinfo=None), "s")
        series = {"load_kwh": history.load_kwh[is_past], "pv_kwh": history.pv_kwh[is_past]}
        learned = Observations.of(history.starts[is_past], series)
        return train(
            learned,
            site=self.prepared.site,
            until=until,
            settings=settings,
            progress=progress,
            context=self.context,
        )


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model with its stored file's key, and the seconds of training and trial."""

    aurora: Aurora
    artefact_key: str
    train_seconds: float


def train_site(
    connection: Connection,
    request: TrainRequest,
    *,
    objects: ObjectStore,
    settings: TrainSettings | None = None,
    progress: Progress = keep_quiet,
) -> TrainReply:
    """Train Aurora on a site's measurements before ``until``, and store the model and its run.

    The model is stored in ``objects`` first; a model without a run is not used. Days that are
    judged ``exclude`` and standstills are left out, and the yield of a smaller roof is scaled to
    the present one. If a model is in use, one trained without the last days competes with it on
    them; a model that is worse is stored and not used, unless the training was forced.

    Args:
        settings: how to train; the request's seed is taken in any case.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: nothing was measured before ``until``.
        UnavailableError: the store of objects is away.
        MachineError: LightGBM lacks a system library; the store is full, cannot be written, or
            refuses Luna.
    """
    window = _training_window(connection, request)
    # Before minutes of training for a model that could not be stored.
    objects.probe()
    training_set = _read_training_set(connection, request.site_id, window)
    chosen = (settings or TrainSettings()).seeded(request.seed)
    began = time.perf_counter()
    verdict = _run_trial(
        connection,
        request,
        training_set,
        objects=objects,
        fit=partial(training_set.fit, settings=chosen, progress=_part(progress, 0)),
    )
    has_trial = bool(verdict.metrics)
    fit_progress = _part(progress, 1) if has_trial else progress
    aurora = training_set.fit(window.end, chosen, fit_progress)
    artefact_key = save_aurora(aurora, objects)
    model = TrainedModel(aurora, artefact_key, time.perf_counter() - began)
    run = _compose_run(request, training_set, model, verdict)
    save_card(_describe_training(connection, run, training_set, aurora), objects)
    training_runs.save(connection, request.site_id, run)
    stored = training_runs.load(connection, request.site_id, run.run_id)
    _activate(connection, request.site_id, stored)
    if not stored.accepted:
        log.warning("model is not used", run_id=stored.run_id, reason=stored.verdict)
    return TrainReply(
        run_id=stored.run_id,
        forecast_version=stored.version,
        days=int(stored.metrics["known_days"]),
        train_seconds=stored.train_seconds,
        metrics=dict(stored.metrics),
        accepted=stored.accepted,
        verdict=stored.verdict,
    )


def _training_window(connection: Connection, request: TrainRequest) -> Timeline:
    """Return the slots from a site's first measurement until its last, or the requested end.

    Raises:
        InvalidInputError: there are none.
    """
    span = recorded_span.of_site(connection, request.site_id)
    if span is not None:
        first, end = span
        start = floor_to(first, SLOT)
        until = floor_to(min(end, request.until or end), SLOT)
        if until > first:
            return Timeline(start, SLOT, (until - start) // SLOT)
    requested = request.until.isoformat() if request.until else None
    raise refuse("nothing-measured-before", field="until", value=requested)


def _read_training_set(connection: Connection, site_id: str, window: Timeline) -> TrainingSet:
    site = sites.load(connection, site_id)
    context = read_context(connection, site, first=window.start, end=window.end)
    steering = read_steering(connection, site, window)
    measured = quality.read_trusted(connection, site, window)
    prepared = prepare_history(
        measured, site, before=window.end, steering=steering, weather=context.weather
    )
    return TrainingSet(prepared, context, window)


def train_and_tell(
    connection: Connection,
    request: TrainRequest,
    *,
    objects: ObjectStore,
    now: datetime,
    progress: Progress = keep_quiet,
) -> TrainReply:
    """Train on everything dated until ``now``, and add to the reply what drives the planner."""
    reply = train_site(connection, stop_at(request, now), objects=objects, progress=progress)
    site = sites.load(connection, request.site_id)
    driving = forecast_status.describe_driving(connection, site, at=now)
    return reply.model_copy(update={"driving": driving})


def stop_at(request: TrainRequest, now: datetime) -> TrainRequest:
    """Return the request without data dated after ``now``, which cannot be measured."""
    return request.model_copy(update={"until": min(request.until or now, now)})


def find_training(
    connection: Connection, site_id: str, run_id: str | None, *, now: datetime
) -> TrainingRun:
    """Return a site's training by name, by default that of the model in use at ``now``.

    Raises:
        NotFoundError: no such site or training, or nothing was trained.
    """
    if run_id is not None:
        return training_runs.load(connection, site_id, run_id)
    run = forecast_activations.find_run(connection, site_id, version=VERSION, before=now)
    if run is None:
        raise refuse("forecast-untrained", field="site", value=site_id, site=site_id)
    return run


def _compose_run(
    request: TrainRequest, training_set: TrainingSet, model: TrainedModel, verdict: TrialVerdict
) -> TrainingRun:
    window = training_set.window
    digest = name_digest(model.artefact_key)[:16]
    weather_share = np.unique(training_set.context.weather.slot).size / window.count
    metrics = {
        **model.aurora.metrics,
        "known_days": model.aurora.known_days,
        "weather_share": min(weather_share, 1.0),
        **verdict.metrics,
    }
    return TrainingRun(
        run_id=f"{VERSION}.{request.site_id}.{window.end:%Y%m%dT%H%MZ}.{digest}",
        version=VERSION,
        data_from=window.start,
        data_until=window.end,
        code_version=installed_version("luna-energy"),
        seed=request.seed,
        train_seconds=model.train_seconds,
        metrics=metrics,
        artefact_key=model.artefact_key,
        trigger=request.trigger,
        accepted=verdict.accepted,
        verdict=verdict.reason,
    )


def _run_trial(
    connection: Connection,
    request: TrainRequest,
    training_set: TrainingSet,
    *,
    objects: ObjectStore,
    fit: Callable[[datetime], Aurora],
) -> TrialVerdict:
    """Return the verdict of a trial against the model in use."""
    until = training_set.window.end
    if request.trigger == "force":
        return TrialVerdict(accepted=True, reason="forced")
    in_use = forecast_activations.find_run(
        connection, request.site_id, version=VERSION, before=until
    )
    if in_use is None or in_use.artefact_key is None:
        return TrialVerdict(accepted=True, reason="there was none before")
    begin = begin_trial(in_use.data_until, until)
    if begin is None:
        reason = f"too little was measured since {in_use.run_id} for a trial"
        return TrialVerdict(accepted=True, reason=reason)
    site = training_set.prepared.site
    try:
        incumbent = load_aurora(objects, in_use.artefact_key, site)
    except (ArtefactError, MachineError, UnavailableError) as error:
        reason = f"the model in use cannot be used: {error.message}"
        return TrialVerdict(accepted=True, reason=reason)
    baselines = {version: Baseline(version, site) for version in BASELINES}
    forecasters: dict[str, Forecaster] = {NEW: fit(begin), IN_USE: incumbent, **baselines}
    history = training_set.prepared.history
    instants = list_instants(begin, until - TRIAL_EVERY, TRIAL_EVERY)
    scores = {}
    for version, forecaster in forecasters.items():
        batch, _ = issue_in_parts(forecaster, history, instants, context=training_set.context)
        scores[version] = score_batch(batch, history, site)
    return judge_trial(scores)


def _describe_training(
    connection: Connection, run: TrainingRun, training_set: TrainingSet, aurora: Aurora
) -> Card:
    site = aurora.site
    window = training_set.window
    growth = training_set.prepared.growth
    zone = parse_zone(site.timezone)
    first = window.start.astimezone(zone).date()
    last = (window.end - SLOT).astimezone(zone).date()
    verdicts = [day.verdict for day in quality.read(connection, site.name, first, last)]
    days = {**Counter[str](verdicts), "unjudged": (last - first).days + 1 - len(verdicts)}
    history = training_set.prepared.history
    frame = frame_origins(history, site, [window.end], 1, context=training_set.context)
    pairs = pair_origins(frame, [window.end], 1)
    features = {series.name: series.view(frame, pairs).names for series in EVERY_SERIES}
    grown = f"{growth.factor:.2f} times since {growth.since}" if growth else None
    return Card(
        run=run,
        site_id=site.name,
        stage=aurora.stage,
        days_by_quality=days,
        features=features,
        growth=grown,
        timezone=site.timezone,
    )


def _activate(connection: Connection, site_id: str, run: TrainingRun) -> None:
    """Put an accepted model into use where Aurora drives the planner.

    It does not replace a model with newer data.
    """
    current = forecast_activations.current(connection, site_id)
    if not run.accepted or current is None or current.run_id is None:
        return
    if current.forecast_version != VERSION:
        return
    if training_runs.load(connection, site_id, current.run_id).data_until <= run.data_until:
        evidence = {"trigger": run.trigger, "metrics": dict(run.metrics)}
        activation = Activation(
            forecast_version=VERSION,
            reason=run.verdict,
            decided_by="training",
            run_id=run.run_id,
            evidence=evidence,
        )
        forecast_activations.activate(connection, site_id, activation)


def _part(progress: Progress, place: int) -> Progress:
    """Return the progress of the first or the second of two trainings."""

    def report(count: int, total: int, label: str) -> None:
        progress(place * total + count, 2 * total, label)

    return report
