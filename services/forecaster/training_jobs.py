"""Training at the forecaster's edge: fetch, call, store. Tasks and commands both come through here."""

import time
from datetime import datetime
from importlib.metadata import version as installed_version

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast import TrainReply, TrainRequest
from luna.database import observations, quality, sites, training_runs
from luna.database.training_runs import TrainingRun
from luna.errors import InvalidInputError
from luna.objects import ObjectStore
from luna.timeline import SLOT, Timeline, floor_to
from services.forecaster.artefact import name_digest, save_aurora
from services.forecaster.aurora import VERSION, Progress, TrainSettings, keep_quiet, train
from services.forecaster.context_source import read_context
from services.forecaster.preparation import prepare_history


def train_site(
    connection: Connection,
    request: TrainRequest,
    *,
    objects: ObjectStore,
    settings: TrainSettings | None = None,
    progress: Progress = keep_quiet,
) -> TrainReply:
    """Train Aurora on what a site measured before ``until``, store the model in ``objects`` and then its run; a model without a run is used by nobody.

    Days that are judged ``exclude`` and standstills are left out, and what a smaller roof yielded is scaled to the present one.

    Args:
        settings: how to train; the request's seed is taken in any case.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: nothing was measured before ``until``.
        UnavailableError: the store of objects is away.
        MachineError: LightGBM lacks a system library; the store is full, cannot be written, or refuses Luna.
    """
    site = sites.load(connection, request.site_id)
    window = _learnable(connection, request)
    objects.probe()  # before minutes of training for a model that could not be stored
    history = quality.read_trusted(connection, site, window)
    prepared = prepare_history(history, site, before=window.end)
    context = read_context(connection, site, first=window.start, end=window.end)
    chosen = TrainSettings(seed=request.seed) if settings is None else settings.seeded(request.seed)
    began = time.perf_counter()
    aurora = train(prepared.history, site=prepared.site, until=window.end, settings=chosen, progress=progress, context=context)
    seconds = time.perf_counter() - began
    key = save_aurora(aurora, objects)
    metrics = aurora.metrics | {"known_days": aurora.known_days, "weather_share": np.unique(context.weather.slot).size / window.count}
    run = TrainingRun(
        run_id=f"{VERSION}.{request.site_id}.{window.end:%Y%m%dT%H%MZ}.{name_digest(key)[:16]}",
        version=VERSION,
        data_from=window.start,
        data_until=window.end,
        code_version=installed_version("luna-energy"),
        seed=chosen.seed,
        train_seconds=seconds,
        metrics=metrics,
        artefact_key=key,
    )
    training_runs.save(connection, request.site_id, run)
    return TrainReply(run_id=run.run_id, forecast_version=VERSION, days=int(aurora.known_days), train_seconds=seconds, metrics=metrics)


def stop_at(request: TrainRequest, now: datetime) -> TrainRequest:
    """Return the request to learn from nothing dated after ``now``: such readings were not measured then."""
    return request.model_copy(update={"until": min(request.until or now, now)})


def _learnable(connection: Connection, request: TrainRequest) -> Timeline:
    span = observations.span(connection, request.site_id)
    until = None if span is None else min(span[1], request.until or span[1])
    if span is None or until is None or floor_to(until, SLOT) <= span[0]:
        remedy = "Load observations first: luna data load FILE --kind observations."
        raise InvalidInputError("nothing was measured before", field="until", value=request.until and request.until.isoformat(), remedy=remedy)
    start = floor_to(span[0], SLOT)
    return Timeline(start, SLOT, (floor_to(until, SLOT) - start) // SLOT)
