"""Issues a site's forecasts: reads its history, selects the model, predicts and stores.

Tasks and commands both call it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain, zip_longest
from typing import Self

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.contracts.forecast import IssueReply, IssueRequest
from luna.energy.errors import MachineError, UnavailableError
from luna.energy.observations import SERIES, Observations
from luna.energy.outlook import Forecast
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.steered_slots import Steering
from luna.energy.timeline import SLOT, SLOTS_PER_DAY, Timeline, floor_to
from luna.energy.weather import NO_WEATHER, WeatherVintages
from luna.house.learning_reset import find_forgotten_each
from luna.platform.database import (
    control,
    forecast_activations,
    forecast_issues,
    forecasts,
    observations,
    quality,
    recorded_span,
    sites,
    weather_carbon,
)
from luna.platform.database.forecast_activations import OUTSIDE_VERSIONS
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.database.recorded_span import Span
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, Forecaster, join_batches
from services.forecaster.input_quality import Circumstances, InputQuality, judge_origins, widen
from services.forecaster.inputs.context import (
    NO_CONTEXT,
    Context,
    Vacation,
    read_context,
    read_vacations,
)
from services.forecaster.inputs.curtailment import estimate_potential
from services.forecaster.inputs.forecast_series import OriginViews
from services.forecaster.inputs.frame import MEMORY_DAYS
from services.forecaster.inputs.preparation import Prepared, drop_runs, prepare_history
from services.forecaster.model.artefact import ArtefactError, load_aurora
from services.forecaster.model.aurora import VERSION, Aurora, Progress, keep_quiet
from services.forecaster.model.baseline import BASELINES, Baseline

log = structlog.get_logger(__name__)
DAY = timedelta(days=1)
# Least share of the training's slots with weather for the model to be given weather
LEARNED_WEATHER = 0.2
# Forecasts per call: enough to be fast, few enough for memory and a moving progress bar
PART_ORIGINS = 240
VERSIONS = (VERSION, *BASELINES)
# Those that outside services issue are stored where they are fetched; here they are only judged.
KNOWN_VERSIONS = (*VERSIONS, *OUTSIDE_VERSIONS)
ENERGIES = SERIES[:-1]  # all of them: feed-in, import and battery show where PV was curtailed


@dataclass(frozen=True, slots=True)
class IssuedForecast:
    """Forecasts of one version, as they are stored.

    ``seconds`` is the time of prediction alone, ``run_id`` the model's training run.
    """

    batch: Batch
    seconds: float
    run_id: str | None = None

    def reply(self) -> IssueReply:
        """Return the message about the forecasts, each reason named once."""
        batch = self.batch
        instants = list(batch.issued_at)
        reasons = dict.fromkeys(chain.from_iterable(batch.reasons))
        return IssueReply(
            forecast_version=batch.version,
            stage=batch.stage,
            issued_at=instants,
            slots=batch.load_kwh.expected.shape[1],
            issue_milliseconds=1000 * self.seconds / len(instants),
            reasons=list(reasons),
        )

    def describe(self) -> list[ForecastIssue]:
        """Return the stored record of each forecast: stage, reasons, training run and level."""
        batch = self.batch
        records = []
        for at, codes, level in zip_longest(batch.issued_at, batch.reasons, batch.levels):
            records.append(
                ForecastIssue(
                    forecast_version=batch.version,
                    issued_at=at,
                    stage=batch.stage,
                    reasons=codes,
                    run_id=self.run_id,
                    level=level,
                )
            )
        return records


@dataclass(frozen=True, slots=True)
class SelectedModel:
    """Forecaster of a version, with its training run.

    ``fallback_reason`` is a code where a trained model is missing.
    """

    forecaster: Forecaster
    run: TrainingRun | None = None
    fallback_reason: str | None = None

    def weather(self, context: Context) -> WeatherVintages | None:
        """Return the weather where the model was trained with it, else None."""
        learned = (
            self.run is not None
            and self.fallback_reason is None
            and self.run.metrics.get("weather_share", 0.0) >= LEARNED_WEATHER
        )
        return context.weather if learned else None


def issue_forecasts(
    connection: Connection,
    request: IssueRequest,
    *,
    objects: ObjectStore,
    now: datetime | None = None,
    progress: Progress = keep_quiet,
) -> IssuedForecast:
    """Issue and store a forecast at every requested instant, from nothing measured after it.

    The model is the activated one, else the latest, whose training ended before the first instant.
    Without one, or where it cannot be loaded, Aurora forecasts from the site's profile in wide
    bands; the batch's ``stage``, its ``reasons`` and the log say so.

    Args:
        now: readings dated later are ignored; None: no reading is.

    Raises:
        NotFoundError: no such site or version.
        InvalidInputError: ``to`` lies before ``at``.
    """
    last = request.to or request.at
    instants = list_instants(request.at, last, timedelta(minutes=request.every_minutes))
    site = sites.load(connection, request.site_id)
    key = sites.key_of(connection, site.name)
    facts = read_facts(connection, {key: site}, instants)
    basis = IssueBasis.of(connection, facts[key], now=now)
    issued = issue_version(
        basis, request.forecast_version or VERSION, objects=objects, progress=progress
    )
    store_issued(connection, {key: [issued]})
    return issued


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """A site's stored facts for forecasts of any version at some instants.

    Args:
        site: the site.
        instants: of issue.
        recorded: the measured energies.
        span: from the first measurement of any kind to the last.
        forgotten: the day so far before a learning reset.
        away: vacation mode.
        steering: the commands to devices.
        has_weather: whether any weather is stored.
        run: the training run of Aurora's model.
    """

    site: Site
    instants: Sequence[datetime]
    recorded: Observations
    span: Span | None
    forgotten: Span | None
    away: Vacation
    steering: Steering
    has_weather: bool
    run: TrainingRun | None


def read_facts(
    connection: Connection, sites_by_key: Mapping[int, Site], instants: Sequence[datetime]
) -> dict[int, IssueFacts]:
    """Return the facts of sites, by their keys, for forecasts at some instants.

    Every query reads all sites at once.
    """
    before = look_back(instants)
    end = max(instants) + HORIZON_SLOTS * SLOT
    recorded = observations.read_each(
        connection, dict.fromkeys(sites_by_key, before), names=ENERGIES
    )
    spans = recorded_span.of_each(connection, sites_by_key)
    # A learning reset hides the day so far from that day's forecasts; instants on several days use
    # each other's days.
    forgotten = (
        find_forgotten_each(connection, sites_by_key, instants[0]) if len(instants) == 1 else {}
    )
    away = read_vacations(connection, sites_by_key, first=before.start, end=end)
    steering = control.read_steering_each(
        connection, sites_by_key, first=before.start, end=before.end
    )
    site_names = [site.name for site in sites_by_key.values()]
    with_weather = weather_carbon.list_places(connection, site_names, first=before.start, end=end)
    active = forecast_activations.find_active_each(connection, sites_by_key)
    named = {key: (site.name, active[key]) for key, site in sites_by_key.items()}
    runs = forecast_activations.find_runs_each(
        connection, named, version=VERSION, before=instants[0]
    )
    facts = {}
    for key, site in sites_by_key.items():
        facts[key] = IssueFacts(
            site=site,
            instants=instants,
            recorded=recorded[key],
            span=spans.get(key),
            forgotten=forgotten.get(key),
            away=away[key],
            steering=steering[key],
            has_weather=site.name in with_weather,
            run=runs.get(key),
        )
    return facts


@dataclass(frozen=True)
class IssueBasis:
    """Inputs of a site's forecasts.

    Args:
        facts: the stored facts.
        measured: the valid measurements.
        prepared: the cleaned history.
        context: weather and vacations.
        reads_future: whether readings are dated after now.
    """

    facts: IssueFacts
    measured: Observations
    prepared: Prepared
    context: Context
    reads_future: bool

    @classmethod
    def of(cls, connection: Connection, facts: IssueFacts, *, now: datetime | None) -> Self:
        """Return the inputs of forecasts.

        ``now`` as in ``issue_forecasts``. Weather is read here, site by site: it takes megabytes.
        """
        measured = facts.recorded
        if now is not None:
            future = (floor_to(now, SLOT), datetime.max.replace(tzinfo=UTC))
            measured = measured.without([future])
        if facts.forgotten is not None:
            measured = measured.without([facts.forgotten])
        weather = NO_WEATHER
        if facts.has_weather:
            weather = read_surroundings(connection, facts.site, facts.instants).weather
        prepared = prepare_history(
            measured, facts.site, before=facts.instants[0], steering=facts.steering, weather=weather
        )
        reads_future = now is not None and _has_future_reading(facts, now)
        return cls(
            facts=facts,
            measured=measured,
            prepared=prepared,
            context=Context(weather, facts.away),
            reads_future=reads_future,
        )

    @cached_property
    def origin_views(self) -> OriginViews:
        """The feature matrices of the instants, shared by all versions."""
        return OriginViews.of(
            self.prepared.history,
            self.prepared.site,
            self.facts.instants,
            HORIZON_SLOTS,
            context=self.context,
        )

    @cached_property
    def quality(self) -> InputQuality:
        """The quality of the measured history."""
        return InputQuality.of(
            self.measured,
            self.facts.site,
            curtailed=self.prepared.curtailed,
            ceiling_kwh=self.prepared.ceiling_kwh,
        )


def _has_future_reading(facts: IssueFacts, now: datetime) -> bool:
    # A forecast of days long past says nothing of the clock's present error.
    if facts.span is None or now - facts.instants[-1] >= DAY:
        return False
    last_reading = facts.span[1]
    return last_reading > floor_to(now, SLOT) + SLOT


def issue_version(
    basis: IssueBasis, version: str, *, objects: ObjectStore, progress: Progress = keep_quiet
) -> IssuedForecast:
    """Return the forecasts of a version, as ``issue_forecasts`` stores them.

    Raises:
        NotFoundError: no such version.
    """
    prepared = basis.prepared
    instants = basis.facts.instants
    run = basis.facts.run
    selected = select_model(prepared.site, version, run, objects=objects)
    circumstances = Circumstances(
        selected.fallback_reason,
        selected.weather(basis.context),
        prepared.growth,
        basis.reads_future,
    )
    reasons = judge_origins(basis.quality, instants, circumstances)
    if len(instants) <= PART_ORIGINS:
        began = time.perf_counter()
        batch = selected.forecaster.issue_from_views(basis.origin_views)
        seconds = time.perf_counter() - began
        progress(len(instants), len(instants), version)
    else:
        batch, seconds = issue_in_parts(
            selected.forecaster,
            prepared.history,
            instants,
            context=basis.context,
            progress=progress,
        )
    run_id = selected.run.run_id if selected.run else None
    return IssuedForecast(widen(batch, reasons, prepared.site), seconds, run_id)


def store_issued(connection: Connection, issued: Mapping[int, Sequence[IssuedForecast]]) -> None:
    """Store forecasts of sites by their keys, each with its record.

    Those issued again replace the first.
    """
    forecasts_by_site: dict[int, list[Forecast]] = {}
    records_by_site: dict[int, list[ForecastIssue]] = {}
    for key, versions in issued.items():
        forecasts_by_site[key] = []
        records_by_site[key] = []
        for version in versions:
            forecasts_by_site[key].extend(version.batch)
            records_by_site[key].extend(version.describe())
    forecasts.upsert_each(connection, forecasts_by_site)
    forecast_issues.upsert_each(connection, records_by_site)


def issue_in_parts(
    forecaster: Forecaster,
    history: Observations,
    instants: Sequence[datetime],
    *,
    context: Context = NO_CONTEXT,
    progress: Progress = keep_quiet,
) -> tuple[Batch, float]:
    """Return the forecasts of all instants and the seconds they took.

    ``progress`` is called after each part.
    """
    batches: list[Batch] = []
    began = time.perf_counter()
    for first in range(0, len(instants), PART_ORIGINS):
        part = instants[first : first + PART_ORIGINS]
        batches.append(forecaster.issue_many(history, part, HORIZON_SLOTS, context=context))
        progress(first + len(part), len(instants), forecaster.version)
    return join_batches(batches), time.perf_counter() - began


def select_model(
    site: Site, version: str, run: TrainingRun | None, *, objects: ObjectStore
) -> SelectedModel:
    """Return the forecaster of a version.

    Aurora without a usable model falls back to the site's profile, and says why its bands are wide.

    Args:
        site: the prepared one.
        version: of the forecasts.
        run: training run of Aurora's model.
        objects: store of the models.

    Raises:
        NotFoundError: no such version that Luna issues itself.
    """
    _require_among(version, VERSIONS)
    if version in BASELINES:
        return SelectedModel(Baseline(version, site))
    if run is None or run.artefact_key is None:
        return SelectedModel(Aurora(site), fallback_reason="untrained")
    try:
        return SelectedModel(load_aurora(objects, run.artefact_key, site), run)
    except (ArtefactError, MachineError, UnavailableError) as error:
        log.warning(
            "forecast from the profile: the model cannot be used",
            site=site.name,
            run_id=run.run_id,
            reason=str(error),
        )
        away = isinstance(error, UnavailableError)
        return SelectedModel(
            Aurora(site), fallback_reason="model_away" if away else "model_unusable"
        )


def require_version(version: str) -> None:
    """Raise ``NotFoundError``, which lists the versions, unless ``version`` is one."""
    _require_among(version, KNOWN_VERSIONS)


def _require_among(version: str, versions: Sequence[str]) -> None:
    if version not in versions:
        raise refuse(
            "no-such-forecast-version",
            field="forecast_version",
            value=version,
            names=tuple(versions),
        )


def find_run(
    connection: Connection, site: Site, version: str, *, before: datetime
) -> TrainingRun | None:
    """Return the training run of a version's activated or else latest model, None without one.

    Only trainings on data from up to ``before`` count.

    Raises:
        NotFoundError: no such version.
    """
    require_version(version)
    if version != VERSION:
        return None
    run = forecast_activations.find_run(connection, site.name, version=version, before=before)
    has_model = run is not None and run.artefact_key is not None
    return run if has_model else None


def load_forecaster(
    connection: Connection, site: Site, version: str, *, before: datetime, objects: ObjectStore
) -> Forecaster:
    """Return the forecaster of a version.

    Aurora with the model of ``find_run``, or untrained where there is none.

    Raises:
        NotFoundError: no such version.
        ArtefactError: its model cannot be used.
        UnavailableError: the object store does not answer.
    """
    run = find_run(connection, site, version, before=before)
    if version in BASELINES:
        return Baseline(version, site)
    if run is None:
        log.warning(
            "forecast from the profile: no model was trained before",
            site=site.name,
            before=before.isoformat(),
        )
        return Aurora(site)
    return load_aurora(objects, str(run.artefact_key), site)


def read_history(connection: Connection, site: Site, instants: Sequence[datetime]) -> Observations:
    """Return the measurements that forecasts at the instants may use."""
    return observations.read(connection, site.name, look_back(instants))


def read_steering(connection: Connection, site: Site, window: Timeline) -> Steering:
    """Return Luna's and the owner's commands to a site's devices within a window."""
    key = sites.key_of(connection, site.name)
    steering = control.read_steering_each(
        connection, {key: site}, first=window.start, end=window.end
    )
    return steering[key]


def read_scorable(connection: Connection, site: Site, window: Timeline) -> Observations:
    """Return the measurements against which forecasts of a window are scored.

    Left out are days of quality ``exclude``, curtailed PV and runs of flexible loads.
    """
    # Curtailment is found by comparison with the weeks before.
    start = window.start - MEMORY_DAYS * DAY
    around = Timeline(start, SLOT, window.count + MEMORY_DAYS * SLOTS_PER_DAY)
    measured = observations.read(connection, site.name, around)
    steering = read_steering(connection, site, around)
    potential = estimate_potential(measured, site, before=around.end, steering=steering)
    curtailed = potential.curtailed[-window.count :]
    trusted = drop_runs(quality.read_trusted(connection, site, window), steering)
    return replace(trusted, pv_kwh=np.where(curtailed, np.nan, trusted.pv_kwh))


def read_surroundings(connection: Connection, site: Site, instants: Sequence[datetime]) -> Context:
    """Return weather and vacations for forecasts at the instants, over their look-back and horizon.

    A single forecast uses weather received up to its very instant; of several, each uses what was
    received before its quarter-hour.
    """
    known_at = instants[0] if len(instants) == 1 else None
    return read_context(
        connection,
        site,
        first=look_back(instants).start,
        end=max(instants) + HORIZON_SLOTS * SLOT,
        known_at=known_at,
    )


def look_back(instants: Sequence[datetime]) -> Timeline:
    """Return the slots that forecasts at the instants may look back on."""
    start = floor_to(min(instants), SLOT) - timedelta(days=MEMORY_DAYS)
    return Timeline(start, SLOT, (floor_to(max(instants), SLOT) - start) // SLOT)


def list_instants(first: datetime, last: datetime, every: timedelta) -> list[datetime]:
    """Return the instants from ``first`` to at most ``last``.

    Raises:
        InvalidInputError: the last lies before the first.
    """
    if last < first:
        raise refuse("ends-before-start", field="to", value=last.isoformat())
    return [first + step * every for step in range((last - first) // every + 1)]
