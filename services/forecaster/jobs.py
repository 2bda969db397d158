"""The forecaster's edge: fetch, call, store. Tasks and commands both come through here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version as installed_version

import structlog
from sqlalchemy import Connection

from luna.contracts.forecast import IssueReply, IssueRequest, TrainReply, TrainRequest
from luna.database import forecast_activations, forecasts, observations, quality, sites, training_runs
from luna.database.training_runs import TrainingRun
from luna.errors import InvalidInputError, NotFoundError, UnavailableError
from luna.objects import ObjectStore
from luna.observations import Observations
from luna.site import Site
from luna.timeline import SLOT, Timeline, floor_to
from services.forecaster.artefact import ArtefactError, load_aurora, name_digest, save_aurora
from services.forecaster.aurora import VERSION, Aurora, Progress, TrainSettings, keep_quiet, train
from services.forecaster.baseline import BASELINES, Baseline
from services.forecaster.context import NO_CONTEXT, Context
from services.forecaster.context_source import read_context
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, Forecaster, join_batches
from services.forecaster.frame import MEMORY_DAYS

log = structlog.get_logger(__name__)
PART_ORIGINS = 240  # forecasts per call: enough to be fast, few enough for memory and a moving progress bar
VERSIONS = (VERSION, *BASELINES)


@dataclass(frozen=True, slots=True)
class Issued:
    """What an issue gave: the forecasts, and how long they took without reading and storing."""

    batch: Batch
    seconds: float

    def reply(self) -> IssueReply:
        """Return the message about it."""
        instants = list(self.batch.issued_at)
        return IssueReply(
            forecast_version=self.batch.version,
            stage=self.batch.stage,
            issued_at=instants,
            slots=self.batch.load_kwh.expected.shape[1],
            issue_milliseconds=1000 * self.seconds / len(instants),
        )


def train_site(
    connection: Connection, request: TrainRequest, *, objects: ObjectStore, settings: TrainSettings | None = None, progress: Progress = keep_quiet
) -> TrainReply:
    """Train Aurora on what a site measured before ``until``, store the model in ``objects`` and then its run; a model without a run is used by nobody.

    Days that are judged ``exclude`` are left out.

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
    context = read_context(connection, site, first=window.start, end=window.end)
    chosen = TrainSettings(seed=request.seed) if settings is None else settings.seeded(request.seed)
    began = time.perf_counter()
    aurora = train(history, site=site, until=window.end, settings=chosen, progress=progress, context=context)
    seconds = time.perf_counter() - began
    key = save_aurora(aurora, objects)
    metrics = aurora.metrics | {"known_days": aurora.known_days}
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


def issue_forecasts(connection: Connection, request: IssueRequest, *, objects: ObjectStore, progress: Progress = keep_quiet) -> Issued:
    """Issue and store forecasts at every instant asked for, each from nothing measured after it.

    The model is the activated one, else the latest, whose training ended before the first instant. Without one, or where it cannot be had, Aurora speaks from
    the site's profile in wide bands; the batch's ``stage`` and the log say so.

    Raises:
        NotFoundError: no such site or version.
        InvalidInputError: ``to`` lies before ``at``.
    """
    instants = list_instants(request.at, request.to or request.at, timedelta(minutes=request.every_minutes))
    site = sites.load(connection, request.site_id)
    forecaster = choose_forecaster(connection, site, request.forecast_version or VERSION, before=instants[0], objects=objects)
    history = read_history(connection, site, instants)
    context = read_surroundings(connection, site, instants)
    batch, seconds = issue_in_parts(forecaster, history, instants, context=context, progress=progress)
    forecasts.upsert(connection, request.site_id, list(batch))
    return Issued(batch, seconds)


def issue_in_parts(
    forecaster: Forecaster, history: Observations, instants: Sequence[datetime], *, context: Context = NO_CONTEXT, progress: Progress = keep_quiet
) -> tuple[Batch, float]:
    """Return the forecasts of all instants and the seconds they took; ``progress`` hears after each part."""
    batches: list[Batch] = []
    began = time.perf_counter()
    for first in range(0, len(instants), PART_ORIGINS):
        batches.append(forecaster.issue_many(history, instants[first : first + PART_ORIGINS], HORIZON_SLOTS, context=context))
        progress(min(first + PART_ORIGINS, len(instants)), len(instants), forecaster.version)
    return join_batches(batches), time.perf_counter() - began


def choose_forecaster(connection: Connection, site: Site, version: str, *, before: datetime, objects: ObjectStore) -> Forecaster:
    """Return the forecaster of a version, untrained where its model cannot be used: a forecast is issued all the same, and the log says why it is wide.

    Raises:
        NotFoundError: no such version.
    """
    try:
        return recall_forecaster(connection, site, version, before=before, objects=objects)
    except (ArtefactError, UnavailableError) as error:
        log.warning("forecast from the profile: the model cannot be used", site=site.name, reason=str(error))
        return Aurora(site)


def recall_forecaster(connection: Connection, site: Site, version: str, *, before: datetime, objects: ObjectStore) -> Forecaster:
    """Return the forecaster of a version; Aurora as activated, else as trained last, on nothing from after ``before``, or untrained where it never was.

    Raises:
        NotFoundError: no such version.
        ArtefactError: its model cannot be used.
        UnavailableError: the store of objects is away.
    """
    if version in BASELINES:
        return Baseline(version, site)
    if version != VERSION:
        raise NotFoundError("no such forecast version", field="forecast_version", value=version, remedy=f"Known are {', '.join(VERSIONS)}.")
    run = forecast_activations.find_run(connection, site.name, version=VERSION, before=before)
    if run is None or run.artefact_key is None:
        log.warning("forecast from the profile: no model was trained before", site=site.name, before=before.isoformat())
        return Aurora(site)
    return load_aurora(objects, run.artefact_key, site)


def read_history(connection: Connection, site: Site, instants: Sequence[datetime]) -> Observations:
    """Return what forecasts at the instants may look back on."""
    start = floor_to(min(instants), SLOT) - timedelta(days=MEMORY_DAYS)
    return observations.read(connection, site.name, Timeline(start, SLOT, (floor_to(max(instants), SLOT) - start) // SLOT))


def read_surroundings(connection: Connection, site: Site, instants: Sequence[datetime]) -> Context:
    """Return what forecasts at the instants may know of the site's surroundings, over what they look back on and ahead to."""
    start = floor_to(min(instants), SLOT) - timedelta(days=MEMORY_DAYS)
    return read_context(connection, site, first=start, end=max(instants) + HORIZON_SLOTS * SLOT)


def list_instants(first: datetime, last: datetime, every: timedelta) -> list[datetime]:
    """Return the instants from ``first`` to at most ``last``.

    Raises:
        InvalidInputError: the last lies before the first.
    """
    if last < first:
        raise InvalidInputError("the last instant lies before the first", field="to", value=last.isoformat(), remedy="Swap them.")
    return [first + step * every for step in range((last - first) // every + 1)]


def _learnable(connection: Connection, request: TrainRequest) -> Timeline:
    span = observations.span(connection, request.site_id)
    until = None if span is None else min(span[1], request.until or span[1])
    if span is None or until is None or floor_to(until, SLOT) <= span[0]:
        remedy = "Load observations first: luna data load FILE --kind observations."
        raise InvalidInputError("nothing was measured before", field="until", value=request.until and request.until.isoformat(), remedy=remedy)
    start = floor_to(span[0], SLOT)
    return Timeline(start, SLOT, (floor_to(until, SLOT) - start) // SLOT)
