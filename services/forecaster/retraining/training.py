"""Training at the forecaster's edge: fetch, call, store.

Tasks and commands both come through here.
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
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import Context, read_context
from services.forecaster.inputs.frame import frame_origins, pair_origins
from services.forecaster.inputs.preparation import Prepared, prepare_history
from services.forecaster.inputs.series import EVERY_SERIES
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
from services.forecaster.service import issue_in_parts, list_instants, read_steering

# A week holds every weekday once; of fewer than two days the weather decides.
LONGEST = timedelta(days=7)
SHORTEST = timedelta(days=2)
# Two per cent of pinball loss are chance on a week of one household.
TOLERANCE = 1.02
TRIAL_EVERY = timedelta(hours=6)
NEW = "new"
IN_USE = "in_use"

Scores = Mapping[str, Mapping[str, Score]]  # by version, then by series


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """Whether a new model is used, why, and the figures that say so, by
    ``trial.<series>.<who>.<what>``.
    """

    accepted: bool
    reason: str
    metrics: Mapping[str, float] = field(default_factory=dict)


def begin_trial(learned_until: datetime, until: datetime) -> datetime | None:
    """Return the first instant of the days on which both are judged, None where there are too few
    since the model in use was trained.
    """
    begin = max(learned_until, until - LONGEST)
    return begin if until - begin >= SHORTEST else None


def judge_trial(scores: Scores) -> TrialVerdict:
    """Return the verdict on the version ``new`` beside ``in_use``: the pinball loss of load and PV
    together must not be worse; other versions are noted.
    """
    losses = {
        version: float(sum(score.pinball for score in series.values() if score.slots))
        for version, series in scores.items()
    }
    metrics = {
        f"trial.{name.removesuffix('_kwh')}.{version}.{what}": value
        for version, series in scores.items()
        for name, score in series.items()
        for what in ("mae", "pinball", "coverage_80")
        if score.slots and np.isfinite(value := float(getattr(score, what)))
    }
    if losses[IN_USE] == 0:
        return TrialVerdict(
            losses[NEW] == 0,
            "the model in use was right in every slot of the trial, or nothing was measured in it",
            metrics,
        )
    ratio = losses[NEW] / losses[IN_USE]
    comparison = f"pinball loss in the trial is {ratio:.1%} of that of the model in use"
    return TrialVerdict(
        ratio <= TOLERANCE,
        comparison if ratio <= TOLERANCE else f"{comparison}: more than {TOLERANCE:.0%}",
        metrics,
    )


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a site has to learn from: its trusted history, prepared, with what surrounded it, over a
    window.
    """

    prepared: Prepared
    context: Context
    window: Timeline

    def fit(self, until: datetime, settings: TrainSettings, progress: Progress) -> Aurora:
        """Return what is learned from everything before ``until``."""
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
    """A model with the key under which it is stored, and how long learning took, a trial
    included.
    """

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
    """Train Aurora on what a site measured before ``until``, store the model in ``objects`` and
    then its run; a model without a run is used by nobody.

    Days that are judged ``exclude`` and standstills are left out, and what a smaller roof yielded
    is scaled to the present one. Where a model is in use, one trained without the last days stands
    a trial on them beside it; a model that is worse is stored and not used, unless the training was
    forced.

    Args:
        settings: how to train; the request's seed is taken in any case.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: nothing was measured before ``until``.
        UnavailableError: the store of objects is away.
        MachineError: LightGBM lacks a system library; the store is full, cannot be written, or
            refuses Luna.
    """
    span = recorded_span.of_site(connection, request.site_id)
    until = None if span is None else min(span[1], request.until or span[1])
    if span is None or until is None or floor_to(until, SLOT) <= span[0]:
        raise refuse(
            "nothing-measured-before",
            field="until",
            value=request.until and request.until.isoformat(),
        )
    start = floor_to(span[0], SLOT)
    window = Timeline(start, SLOT, (floor_to(until, SLOT) - start) // SLOT)
    objects.probe()  # before minutes of training for a model that could not be stored
    site = sites.load(connection, request.site_id)
    context = read_context(connection, site, first=window.start, end=window.end)
    steering = read_steering(connection, site, window)
    measured = quality.read_trusted(connection, site, window)
    training_set = TrainingSet(
        prepare_history(
            measured, site, before=window.end, steering=steering, weather=context.weather
        ),
        context,
        window,
    )
    chosen = TrainSettings(seed=request.seed) if settings is None else settings.seeded(request.seed)
    began = time.perf_counter()
    verdict = _run_trial(
        connection,
        request,
        training_set,
        objects=objects,
        fit=partial(training_set.fit, settings=chosen, progress=_part(progress, 0)),
    )
    aurora = training_set.fit(
        window.end, chosen, _part(progress, 1) if verdict.metrics else progress
    )
    model = TrainedModel(aurora, save_aurora(aurora, objects), time.perf_counter() - began)
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


def train_and_tell(
    connection: Connection,
    request: TrainRequest,
    *,
    objects: ObjectStore,
    now: datetime,
    progress: Progress = keep_quiet,
) -> TrainReply:
    """Train as ``train_site`` does on what was dated by ``now``, and say what drives the planner
    after it.
    """
    reply = train_site(connection, stop_at(request, now), objects=objects, progress=progress)
    driving = forecast_status.describe_driving(
        connection, sites.load(connection, request.site_id), at=now
    )
    return reply.model_copy(update={"driving": driving})


def stop_at(request: TrainRequest, now: datetime) -> TrainRequest:
    """Return the request to learn from nothing dated after ``now``: such readings were not measured
    then.
    """
    return request.model_copy(update={"until": min(request.until or now, now)})


def find_training(
    connection: Connection, site_id: str, run_id: str | None, *, now: datetime
) -> TrainingRun:
    """Return a training of a site by name, by default the one whose model speaks at ``now``.

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
    cover = np.unique(training_set.context.weather.slot).size / training_set.window.count
    return TrainingRun(
        run_id=(
            f"{VERSION}.{request.site_id}.{window.end:%Y%m%dT%H%MZ}"
            f".{name_digest(model.artefact_key)[:16]}"
        ),
        version=VERSION,
        data_from=window.start,
        data_until=window.end,
        code_version=installed_version("luna-energy"),
        seed=request.seed,
        train_seconds=model.train_seconds,
        metrics=model.aurora.metrics
        | {"known_days": model.aurora.known_days, "weather_share": min(cover, 1.0)}
        | dict(verdict.metrics),
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
    """Return what a trial beside the model in use says; without one the new model is used."""
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
        return TrialVerdict(
            accepted=True, reason=f"too little was measured since {in_use.run_id} for a trial"
        )
    try:
        incumbent = load_aurora(objects, in_use.artefact_key, training_set.prepared.site)
    except (ArtefactError, MachineError, UnavailableError) as error:
        return TrialVerdict(
            accepted=True, reason=f"the model in use cannot be used: {error.message}"
        )
    baselines = {version: Baseline(version, training_set.prepared.site) for version in BASELINES}
    forecasters: dict[str, Forecaster] = {NEW: fit(begin), IN_USE: incumbent, **baselines}
    site = training_set.prepared.site
    history = training_set.prepared.history
    instants = list_instants(begin, training_set.window.end - TRIAL_EVERY, TRIAL_EVERY)
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
    judged = Counter[str](day.verdict for day in quality.read(connection, site.name, first, last))
    unjudged = (last - first).days + 1 - judged.total()
    frame = frame_origins(
        training_set.prepared.history, site, [window.end], 1, context=training_set.context
    )
    features = {
        series.name: series.view(frame, pair_origins(frame, [window.end], 1)).names
        for series in EVERY_SERIES
    }
    grown = f"{growth.factor:.2f} times since {growth.since}" if growth else None
    return Card(
        run,
        site.name,
        aurora.stage,
        {**judged, "unjudged": unjudged},
        features,
        grown,
        site.timezone,
    )


def _activate(connection: Connection, site_id: str, run: TrainingRun) -> None:
    """Let an accepted model speak where Aurora drives the planner.

    One that knows less than the model that speaks does not take its place.
    """
    current = forecast_activations.current(connection, site_id)
    if (
        not run.accepted
        or current is None
        or current.forecast_version != VERSION
        or current.run_id is None
    ):
        return
    if training_runs.load(connection, site_id, current.run_id).data_until <= run.data_until:
        evidence = {"trigger": run.trigger, "metrics": dict(run.metrics)}
        forecast_activations.activate(
            connection, site_id, Activation(VERSION, run.verdict, "training", run.run_id, evidence)
        )


def _part(progress: Progress, place: int) -> Progress:
    """Return the progress of the first or the second of two trainings."""
    return lambda count, total, label: progress(place * total + count, 2 * total, label)
