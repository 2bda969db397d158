"""Explain stored forecasts: read each with its inputs, and word the reasons.

Tasks and commands both come through here.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.contracts.forecast_explanation import (
    Contribution,
    ExplainReply,
    ExplainRequest,
    SeriesExplanation,
    SlotExplanation,
)
from luna.energy.outlook import Forecast
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, SLOTS_PER_HOUR, FloatArray, Timeline
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecasts,
    sites,
    training_runs,
)
from luna.platform.database.forecast_activations import OUTSIDE_VERSIONS
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.objects import ObjectStore
from luna.words import Numbers
from luna.words.compromises import condition
from luna.words.differences import (
    LEAST_KW,
    Difference,
    SeriesName,
    describe_difference,
    describe_slot,
)
from services.forecaster.explanation.explanation import (
    MEAN,
    Facts,
    ForecastExplanation,
    Shares,
    explain_like_days,
    explain_member,
    explain_model,
    explain_profile,
    gather_facts,
)
from services.forecaster.forecast_issue import (
    find_run,
    look_back,
    read_history,
    read_steering,
    read_surroundings,
)
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.inputs.context import NO_CONTEXT
from services.forecaster.inputs.forecast_series import (
    EVERY_SERIES,
    LOAD,
    PV,
    ForecastSeries,
    OriginViews,
)
from services.forecaster.inputs.frame import Frame, IntArray, Pairs, frame_origins, pair_origins
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.model.artefact import ArtefactError, load_aurora
from services.forecaster.model.aurora import VERSION, Aurora
from services.forecaster.model.baseline import BASELINES, LIKE_DAYS, MEMBERS, Baseline

LEAST_CONTRIBUTION_KW = 1e-9  # less is a rounding error, no reason
MOST_REASONS = 3  # in a sentence; more are not read


@dataclass(frozen=True, slots=True)
class SeriesWords:
    """A series explained, and the facts that words about it must agree with."""

    name: SeriesName
    explanation: ForecastExplanation
    facts: Facts

    def describe(self, row: int, start: datetime, numbers: Numbers) -> SeriesExplanation:
        """Return one slot in figures and words, the largest contribution first."""
        expected_kw = SLOTS_PER_HOUR * float(self.explanation.expected_kwh[row])
        usual_kw = SLOTS_PER_HOUR * float(self.explanation.usual_kwh[row])
        contributions = []
        reasons = []
        for difference in self._list_differences(row):
            text = describe_difference(difference, series=self.name, start=start, numbers=numbers)
            contributions.append(Contribution(code=difference.code, kw=difference.kw, text=text))
            if abs(difference.kw) >= LEAST_KW:
                reasons.append(text)
        return SeriesExplanation(
            expected_kw=expected_kw,
            usual_kw=usual_kw,
            contributions=contributions,
            text=describe_slot(expected_kw, usual_kw, reasons[:MOST_REASONS], numbers=numbers),
        )

    def _list_differences(self, row: int) -> list[Difference]:
        differences = []
        for code, share_kwh in self.explanation.shares_kwh.items():
            kw = SLOTS_PER_HOUR * float(share_kwh[row])
            if abs(kw) >= LEAST_CONTRIBUTION_KW:
                differences.append(Difference(code, kw, self.facts.of(code, row)))

        def measure_size(difference: Difference) -> float:
            return -abs(difference.kw)

        return sorted(differences, key=measure_size)


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ForecastBasis:
    """A forecast as it was issued, with its stored record if there is one."""

    forecast: Forecast
    issue: ForecastIssue | None


@dataclass(frozen=True, slots=True)
class ExplainedForecast:
    """The forecaster and inputs of a forecast, read for its explanation.

    ``again`` is the same forecast made now. ``forecaster`` is None where its model can no longer be
    read.
    """

    forecaster: Aurora | Baseline | None
    frame: Frame
    again: Forecast


def explain_forecast(
    connection: Connection, request: ExplainRequest, *, objects: ObjectStore
) -> ExplainReply:
    """Explain the forecast in force at ``at``: all its slots, or the requested one.

    Raises:
        NotFoundError: no such site or version, or nothing was issued by then.
        InvalidInputError: the requested slot lies outside the forecast.
        UnavailableError: the store of models is away.
    """
    site = sites.load(connection, request.site_id)
    basis = _load_forecast(connection, site, at=request.at, version=request.forecast_version)
    forecast = basis.forecast
    zone = ZoneInfo(site.timezone)
    slots = _select_slots(forecast.timeline, request.slot, zone)
    explained = _forecast_again(connection, site, basis, objects=objects)
    numbers = Numbers(request.language, zone, site.currency)
    began = time.perf_counter()
    load = SeriesWords("load", *_explain(LOAD, explained, forecast, slots))
    pv = SeriesWords("pv", *_explain(PV, explained, forecast, slots))
    slot_explanations = []
    for row, slot in enumerate(slots.tolist()):
        start = forecast.timeline.start + slot * SLOT
        slot_explanations.append(
            SlotExplanation(
                start=start,
                load=load.describe(row, start, numbers),
                pv=pv.describe(row, start, numbers),
            )
        )
    seconds = time.perf_counter() - began
    reasons = list(basis.issue.reasons) if basis.issue else []
    return ExplainReply(
        site_id=site.name,
        timezone=site.timezone,
        forecast_version=forecast.version,
        issued_at=forecast.issued_at,
        stage=basis.issue.stage if basis.issue else None,
        reasons=reasons,
        conditions=[condition(code, language=request.language) for code in reasons],
        slots=slot_explanations,
        explain_milliseconds=1000 * seconds,
    )


def _select_slots(timeline: Timeline, slot: datetime | None, zone: ZoneInfo) -> IntArray:
    """Return the index of the slot that begins at ``slot``, or all indices without one.

    Raises:
        InvalidInputError: the slot lies outside the timeline.
    """
    if slot is None:
        return np.arange(timeline.count)
    if not timeline.start <= slot < timeline.end:
        raise refuse(
            "slot-beyond-forecast",
            field="slot",
            value=slot.astimezone(zone).isoformat(),
            first=timeline.start.astimezone(zone),
            end=timeline.end.astimezone(zone),
        )
    return np.array([(slot - timeline.start) // SLOT])


def _load_forecast(
    connection: Connection, site: Site, *, at: datetime, version: str | None = None
) -> ForecastBasis:
    """Return a version's last forecast issued in the 48 hours before an instant.

    Args:
        version: without one, the version that drives the planner; where that issued nothing,
            Aurora.

    Raises:
        NotFoundError: nothing was issued by then.
    """
    active = forecast_activations.find_active(connection, site).forecast_version
    candidates = [version] if version else [active, VERSION]
    earliest = at - HORIZON_SLOTS * SLOT
    for candidate in candidates:
        instants = forecasts.read_instants(
            connection, site.name, version=candidate, first=earliest, last=at
        )
        if not instants:
            continue
        issued_at = instants[-1]
        issues = forecast_issues.read_all(
            connection, site.name, version=candidate, first=issued_at, last=issued_at
        )
        issued = forecasts.read_all(
            connection, site.name, version=candidate, first=issued_at, last=issued_at
        )
        return ForecastBasis(issued[0], issues[0] if issues else None)
    local = at.astimezone(ZoneInfo(site.timezone)).isoformat()
    raise refuse(
        "no-forecast-stood",
        field="at",
        value=local,
        site_id=site.name,
        at=local,
        version=version or active,
    )


def _forecast_again(
    connection: Connection, site: Site, basis: ForecastBasis, *, objects: ObjectStore
) -> ExplainedForecast:
    forecast = basis.forecast
    instants = [forecast.issued_at]
    slots = forecast.timeline.count
    surroundings = read_surroundings(connection, site, instants)
    steering = read_steering(connection, site, look_back(instants))
    measured = read_history(connection, site, instants)
    prepared = prepare_history(
        measured, site, before=forecast.issued_at, steering=steering, weather=surroundings.weather
    )
    forecaster = None
    try:
        # What an outside service reckons with is not known here.
        if forecast.version not in OUTSIDE_VERSIONS:
            forecaster = _load_forecaster(connection, prepared.site, basis, objects=objects)
    except ArtefactError as error:
        log.warning(
            "explained without the model: it cannot be used", site=site.name, reason=str(error)
        )
        forecaster = None
    # Of the baselines, only similar days use weather and vacations.
    if isinstance(forecaster, Baseline) and forecaster.version != LIKE_DAYS:
        context = NO_CONTEXT
    else:
        context = surroundings
    frame = frame_origins(prepared.history, prepared.site, instants, slots, context=context)
    if forecaster is None:
        return ExplainedForecast(None, frame, forecast)
    batch = forecaster.issue_many(prepared.history, instants, slots, context=context)
    return ExplainedForecast(forecaster, frame, batch.forecast(0))


def _load_forecaster(
    connection: Connection, site: Site, basis: ForecastBasis, *, objects: ObjectStore
) -> Aurora | Baseline:
    """Return the forecaster that issued a forecast, with the model used then."""
    forecast = basis.forecast
    issue = basis.issue
    if forecast.version in BASELINES:
        return Baseline(forecast.version, site)
    if issue is not None:
        run = training_runs.load(connection, site.name, issue.run_id) if issue.run_id else None
    else:
        run = find_run(connection, site, forecast.version, before=forecast.issued_at)
    if run is None or run.artefact_key is None:
        return Aurora(site)
    return load_aurora(objects, run.artefact_key, site)


def _explain(
    series: ForecastSeries, explained: ExplainedForecast, forecast: Forecast, slots: IntArray
) -> tuple[ForecastExplanation, Facts]:
    issued_kwh = getattr(forecast, f"{series.name}_kwh").expected[slots]
    again_kwh = getattr(explained.again, f"{series.name}_kwh").expected[slots]
    pairs = pair_origins(explained.frame, [forecast.issued_at], forecast.timeline.count)
    slot_pairs = Pairs(pairs.origin[slots], pairs.target[slots])
    explanation = _explain_again(series, explained, slot_pairs, again_kwh)
    shares = explanation.shares_kwh | {"later": issued_kwh - again_kwh}
    explanation = replace(explanation, expected_kwh=issued_kwh, shares_kwh=shares)
    return explanation, gather_facts(series, explained.frame, slot_pairs)


def _explain_again(
    series: ForecastSeries, explained: ExplainedForecast, pairs: Pairs, expected_kwh: FloatArray
) -> ForecastExplanation:
    forecaster = explained.forecaster
    frame = explained.frame
    again = explained.again
    if isinstance(forecaster, Baseline):
        if forecaster.version == LIKE_DAYS:
            origin_views = OriginViews.of_frame(frame, [again.issued_at], again.timeline.count)
            return explain_like_days(series, origin_views, pairs, expected_kwh=expected_kwh)
        member = MEMBERS[forecaster.version][EVERY_SERIES.index(series)]
        return explain_member(member, series, frame, pairs, expected_kwh=expected_kwh)
    if forecaster is None:
        explanation = explain_member(MEAN, series, frame, pairs, expected_kwh=expected_kwh)
        unread: Shares = {
            "model": explanation.shares_kwh["limit"],
            "limit": np.zeros(expected_kwh.size),
        }
        return replace(explanation, shares_kwh=explanation.shares_kwh | unread)
    model = forecaster.models.get(series.name)
    if model is None:
        return explain_profile(series, frame, pairs, expected_kwh=expected_kwh)
    return explain_model(model, series, frame, pairs, expected_kwh=expected_kwh)
