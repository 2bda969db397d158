"""Issuing at the forecaster's edge: fetch, call, store. Tasks and commands both come through here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

import structlog
from sqlalchemy import Connection

from luna.contracts.forecast import IssueReply, IssueRequest
from luna.database import forecast_activations, forecast_issues, forecasts, observations, recorded_span, sites
from luna.database.forecast_issues import ForecastIssue
from luna.database.training_runs import TrainingRun
from luna.errors import InvalidInputError, MachineError, NotFoundError, UnavailableError
from luna.learning_reset import find_forgotten
from luna.objects import ObjectStore
from luna.observations import Observations
from luna.site import Site
from luna.timeline import SLOT, Timeline, floor_to
from luna.weather import WeatherVintages
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, Forecaster, join_batches
from services.forecaster.input_quality import Circumstances, judge_origins, widen
from services.forecaster.inputs.context import NO_CONTEXT, Context, read_context
from services.forecaster.inputs.frame import MEMORY_DAYS
from services.forecaster.inputs.preparation import Prepared, prepare_history
from services.forecaster.model.artefact import ArtefactError, load_aurora
from services.forecaster.model.aurora import VERSION, Aurora, Progress, keep_quiet
from services.forecaster.model.baseline import BASELINES, Baseline

log = structlog.get_logger(__name__)
DAY = timedelta(days=1)
LEARNED_WEATHER = 0.2  # share of the training's slots with weather from which on a model has learned from it
PART_ORIGINS = 240  # forecasts per call: enough to be fast, few enough for memory and a moving progress bar
VERSIONS = (VERSION, *BASELINES)


@dataclass(frozen=True, slots=True)
class IssuedForecast:
    """What an issue gave: the forecasts, and how long they took without reading and storing; ``run_id`` names the training whose model spoke."""

    batch: Batch
    seconds: float
    run_id: str | None = None

    def reply(self) -> IssueReply:
        """Return the message about it."""
        instants = list(self.batch.issued_at)
        return IssueReply(
            forecast_version=self.batch.version,
            stage=self.batch.stage,
            issued_at=instants,
            slots=self.batch.load_kwh.expected.shape[1],
            issue_milliseconds=1000 * self.seconds / len(instants),
            reasons=list(dict.fromkeys(code for codes in self.batch.reasons for code in codes)),
        )


@dataclass(frozen=True, slots=True)
class SelectedModel:
    """Who forecasts: with which training's model, and a code where it has none that should be there."""

    forecaster: Forecaster
    run: TrainingRun | None = None
    lack: str | None = None

    def weather(self, context: Context) -> WeatherVintages | None:
        """Return the weather where the model learned from it, else None."""
        learned = self.run is not None and self.lack is None and self.run.metrics.get("weather_share", 0.0) >= LEARNED_WEATHER
        return context.weather if learned else None


def issue_forecasts(
    connection: Connection, request: IssueRequest, *, objects: ObjectStore, now: datetime | None = None, progress: Progress = keep_quiet
) -> IssuedForecast:
    """Issue and store forecasts at every instant asked for, each from nothing measured after it, and beside each what it rests on.

    The model is the activated one, else the latest, whose training ended before the first instant. Without one, or where it cannot be had, Aurora speaks from
    the site's profile in wide bands; the batch's ``stage``, its ``reasons`` and the log say so.

    Args:
        now: readings dated later are not used; None believes every date.

    Raises:
        NotFoundError: no such site or version.
        InvalidInputError: ``to`` lies before ``at``.
    """
    instants = list_instants(request.at, request.to or request.at, timedelta(minutes=request.every_minutes))
    basis = read_basis(connection, request.site_id, instants, now=now)
    return issue_from(connection, basis, request.forecast_version or VERSION, objects=objects, progress=progress)


@dataclass(frozen=True, slots=True)
class IssueBasis:
    """What forecasts of a site at some instants are made from, whatever their version: what was ``measured``, ``prepared``, and what goes on around it.

    ``reads_future`` says whether anything claims to have been measured after now.
    """

    site: Site
    instants: Sequence[datetime]
    measured: Observations
    prepared: Prepared
    context: Context
    reads_future: bool


def read_basis(connection: Connection, site_id: str, instants: Sequence[datetime], *, now: datetime | None) -> IssueBasis:
    """Return what forecasts at some instants are made from; ``now`` as in ``issue_forecasts``.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    measured = _forget_today(connection, site, _drop_future(read_history(connection, site, instants), now), instants)
    prepared, context = prepare_history(measured, site, before=instants[0]), read_surroundings(connection, site, instants)
    return IssueBasis(site, instants, measured, prepared, context, now is not None and _reads_future(connection, site, instants, now))


def issue_from(connection: Connection, basis: IssueBasis, version: str, *, objects: ObjectStore, progress: Progress = keep_quiet) -> IssuedForecast:
    """Issue and store the forecasts of a version, as ``issue_forecasts`` does.

    Raises:
        NotFoundError: no such version.
    """
    prepared, instants = basis.prepared, basis.instants
    speaker = choose_speaker(connection, prepared.site, version, before=instants[0], objects=objects)
    circumstances = Circumstances(speaker.lack, speaker.weather(basis.context), prepared.growth, basis.reads_future)
    reasons = judge_origins(basis.measured, basis.site, instants, circumstances)
    batch, seconds = issue_in_parts(speaker.forecaster, prepared.history, instants, context=basis.context, progress=progress)
    issued = IssuedForecast(widen(batch, reasons, prepared.site), seconds, speaker.run.run_id if speaker.run else None)
    _store(connection, basis.site.name, issued)
    return issued


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


def choose_speaker(connection: Connection, site: Site, version: str, *, before: datetime, objects: ObjectStore) -> SelectedModel:
    """Return the forecaster of a version, untrained where its model cannot be used: a forecast is issued all the same, and says why it is wide.

    Raises:
        NotFoundError: no such version.
    """
    run = find_run(connection, site, version, before=before)
    if version in BASELINES:
        return SelectedModel(Baseline(version, site))
    if run is None:
        return SelectedModel(Aurora(site), lack="untrained")
    try:
        return SelectedModel(_load(objects, run, site), run)
    except (ArtefactError, MachineError, UnavailableError) as error:
        log.warning("forecast from the profile: the model cannot be used", site=site.name, run_id=run.run_id, reason=str(error))
        return SelectedModel(Aurora(site), lack="model_away" if isinstance(error, UnavailableError) else "model_unusable")


def find_run(connection: Connection, site: Site, version: str, *, before: datetime) -> TrainingRun | None:
    """Return the training whose model speaks for a version: as activated, else the last, on nothing from after ``before``; None where there is none.

    Raises:
        NotFoundError: no such version.
    """
    if version not in VERSIONS:
        raise NotFoundError("no such forecast version", field="forecast_version", value=version, remedy=f"Known are {', '.join(VERSIONS)}.")
    run = forecast_activations.find_run(connection, site.name, version=version, before=before) if version == VERSION else None
    return run if run is not None and run.artefact_key is not None else None


def recall_forecaster(connection: Connection, site: Site, version: str, *, before: datetime, objects: ObjectStore) -> Forecaster:
    """Return the forecaster of a version; Aurora with the model of ``find_run``, or untrained where there is none.

    Raises:
        NotFoundError: no such version.
        ArtefactError: its model cannot be used.
        UnavailableError: the store of objects is away.
    """
    run = find_run(connection, site, version, before=before)
    if version in BASELINES:
        return Baseline(version, site)
    if run is None:
        log.warning("forecast from the profile: no model was trained before", site=site.name, before=before.isoformat())
        return Aurora(site)
    return _load(objects, run, site)


def _load(objects: ObjectStore, run: TrainingRun, site: Site) -> Aurora:
    return load_aurora(objects, str(run.artefact_key), site)


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


def _drop_future(history: Observations, now: datetime | None) -> Observations:
    """Return the history without what claims to have been measured after ``now``."""
    return history if now is None else history.without([(floor_to(now, SLOT), datetime.max.replace(tzinfo=UTC))])


def _forget_today(connection: Connection, site: Site, history: Observations, instants: Sequence[datetime]) -> Observations:
    """Return the history without what its owner wants forgotten today; of instants on several days each day counts for the others."""
    forgotten = find_forgotten(connection, site, instants[0]) if len(instants) == 1 else None
    return history if forgotten is None else history.without([forgotten])


def _reads_future(connection: Connection, site: Site, instants: Sequence[datetime], now: datetime) -> bool:
    """Return whether anything claims to have been measured after ``now``; who asks about days long gone is not told."""
    span = recorded_span.of_site(connection, site.name) if now - instants[-1] < DAY else None
    return span is not None and span[1] > floor_to(now, SLOT) + SLOT


def _store(connection: Connection, site_id: str, issued: IssuedForecast) -> None:
    batch = issued.batch
    forecasts.upsert(connection, site_id, list(batch))
    parts = zip_longest(batch.issued_at, batch.reasons, batch.levels)
    kept = [ForecastIssue(batch.version, at, batch.stage, codes, issued.run_id, level) for at, codes, level in parts]
    forecast_issues.upsert(connection, site_id, kept)
