"""Explaining at the forecaster's edge: fetch what was issued and what it was made from.

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
from luna.energy.timeline import SLOT, FloatArray
from luna.platform.database import (
    forecast_activations,
    forecast_issues,
    forecasts,
    sites,
    training_runs,
)
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.objects import ObjectStore
from luna.words import Numbers, say_instant
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
    SLOTS_PER_HOUR,
    Facts,
    ForecastExplanation,
    Shares,
    explain_like_days,
    explain_member,
    explain_model,
    explain_profile,
    gather_facts,
)
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.inputs.context import NO_CONTEXT
from services.forecaster.inputs.frame import Frame, IntArray, Pairs, frame_origins, pair_origins
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.inputs.series import EVERY_SERIES, LOAD, PV, ForecastSeries, OriginViews
from services.forecaster.model.artefact import ArtefactError, load_aurora
from services.forecaster.model.aurora import VERSION, Aurora
from services.forecaster.model.baseline import BASELINES, LIKE_DAYS, MEMBERS, Baseline
from services.forecaster.service import (
    find_run,
    look_back,
    read_history,
    read_steering,
    read_surroundings,
)

DUST_KW = 1e-9  # what is left of a sum of floats is no reason
NAMED = 3  # reasons in a sentence; more are not read


@dataclass(frozen=True, slots=True)
class SeriesWords:
    """A series explained, and the facts that words about it must agree with."""

    name: SeriesName
    explanation: ForecastExplanation
    facts: Facts

    def describe(self, row: int, start: datetime, numbers: Numbers) -> SeriesExplanation:
        """Return one slot in figures and words, the largest contribution first."""
        expected, usual = (
            SLOTS_PER_HOUR * float(values[row])
            for values in (self.explanation.expected_kwh, self.explanation.usual_kwh)
        )
        shares = (
            (code, SLOTS_PER_HOUR * float(share[row]))
            for code, share in self.explanation.shares_kwh.items()
        )
        differences = [
            Difference(code, kw, self.facts.of(code, row))
            for code, kw in shares
            if abs(kw) >= DUST_KW
        ]
        contributions = [
            Contribution(
                code=each.code,
                kw=each.kw,
                text=describe_difference(each, series=self.name, start=start, numbers=numbers),
            )
            for each in sorted(differences, key=lambda difference: -abs(difference.kw))
        ]
        reasons = [
            contribution.text for contribution in contributions if abs(contribution.kw) >= LEAST_KW
        ]
        return SeriesExplanation(
            expected_kw=expected,
            usual_kw=usual,
            contributions=contributions,
            text=describe_slot(expected, usual, reasons[:NAMED], numbers=numbers),
        )


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ForecastBasis:
    """A forecast as it was issued, and what was noted beside it, if anything."""

    forecast: Forecast
    issue: ForecastIssue | None


@dataclass(frozen=True, slots=True)
class ExplainedForecast:
    """Inputs of an explained forecast.

    ``again`` is the same forecast made now. Without a forecaster, its model cannot be read any
    more.
    """

    forecaster: Aurora | Baseline | None
    frame: Frame
    again: Forecast


def explain_forecast(
    connection: Connection, request: ExplainRequest, *, objects: ObjectStore
) -> ExplainReply:
    """Return the explanation of the forecast in force at ``at``.

    It covers every slot of it, or the one asked for.

    Raises:
        NotFoundError: no such site or version, or nothing was issued by then.
        InvalidInputError: the slot asked for lies outside the forecast.
        UnavailableError: the store of models is away.
    """
    site = sites.load(connection, request.site_id)
    standing = _recall_forecast(connection, site, at=request.at, version=request.forecast_version)
    timeline = standing.forecast.timeline
    zone = ZoneInfo(site.timezone)
    if request.slot is not None and not timeline.start <= request.slot < timeline.end:
        reach = {"first": say_instant(timeline.start, zone), "end": say_instant(timeline.end, zone)}
        raise refuse(
            "slot-beyond-forecast",
            field="slot",
            value=request.slot.astimezone(zone).isoformat(),
            **reach,
        )
    slots = (
        np.arange(timeline.count)
        if request.slot is None
        else np.array([(request.slot - timeline.start) // SLOT])
    )
    scene = _forecast_again(connection, site, standing, objects=objects)
    numbers = Numbers(request.language, zone, site.currency)
    began = time.perf_counter()
    load = SeriesWords("load", *_explain(LOAD, scene, standing.forecast, slots))
    pv = SeriesWords("pv", *_explain(PV, scene, standing.forecast, slots))
    starts = [timeline.start + slot * SLOT for slot in slots.tolist()]
    explained = [
        SlotExplanation(
            start=start,
            load=load.describe(row, start, numbers),
            pv=pv.describe(row, start, numbers),
        )
        for row, start in enumerate(starts)
    ]
    seconds = time.perf_counter() - began
    reasons = list(standing.issue.reasons) if standing.issue else []
    return ExplainReply(
        site_id=site.name,
        timezone=site.timezone,
        forecast_version=standing.forecast.version,
        issued_at=standing.forecast.issued_at,
        stage=standing.issue.stage if standing.issue else None,
        reasons=reasons,
        conditions=[condition(code, language=request.language) for code in reasons],
        slots=explained,
        explain_milliseconds=1000 * seconds,
    )


def _recall_forecast(
    connection: Connection, site: Site, *, at: datetime, version: str | None = None
) -> ForecastBasis:
    """Return a version's forecast in force at an instant.

    It is the last one issued in the 48 hours before.

    Args:
        version: without one, the version that drives the planner; where that issued nothing,
            Aurora.

    Raises:
        NotFoundError: nothing was issued by then.
    """
    active = forecast_activations.find_active(connection, site).forecast_version
    for candidate in [version] if version else [active, VERSION]:
        instants = forecasts.read_instants(
            connection, site.name, version=candidate, first=at - HORIZON_SLOTS * SLOT, last=at
        )
        if instants:
            at = instants[-1]
            issues = forecast_issues.read_all(
                connection, site.name, version=candidate, first=at, last=at
            )
            return ForecastBasis(
                forecasts.read_all(connection, site.name, version=candidate, first=at, last=at)[0],
                issues[0] if issues else None,
            )
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
    connection: Connection, site: Site, standing: ForecastBasis, *, objects: ObjectStore
) -> ExplainedForecast:
    forecast = standing.forecast
    instants = [forecast.issued_at]
    slots = forecast.timeline.count
    surroundings = read_surroundings(connection, site, instants)
    steering = read_steering(connection, site, look_back(instants))
    measured = read_history(connection, site, instants)
    prepared = prepare_history(
        measured, site, before=forecast.issued_at, steering=steering, weather=surroundings.weather
    )
    try:
        forecaster = _recall_forecaster(connection, prepared.site, standing, objects=objects)
    except ArtefactError as error:
        log.warning(
            "explained without the model: it cannot be used", site=site.name, reason=str(error)
        )
        forecaster = None
    # A baseline knows nothing but the last days, unless it asks which of them are like those ahead.
    context = (
        NO_CONTEXT
        if isinstance(forecaster, Baseline) and forecaster.version != LIKE_DAYS
        else surroundings
    )
    frame = frame_origins(prepared.history, prepared.site, instants, slots, context=context)
    again = (
        forecast
        if forecaster is None
        else forecaster.issue_many(prepared.history, instants, slots, context=context).forecast(0)
    )
    return ExplainedForecast(forecaster, frame, again)


def _recall_forecaster(
    connection: Connection, site: Site, standing: ForecastBasis, *, objects: ObjectStore
) -> Aurora | Baseline:
    """Return who issued a forecast, with the model of then; untrained where none spoke."""
    forecast = standing.forecast
    issue = standing.issue
    if forecast.version in BASELINES:
        return Baseline(forecast.version, site)
    if issue is not None:
        run = training_runs.load(connection, site.name, issue.run_id) if issue.run_id else None
    else:
        run = find_run(connection, site, forecast.version, before=forecast.issued_at)
    return (
        Aurora(site)
        if run is None or run.artefact_key is None
        else load_aurora(objects, run.artefact_key, site)
    )


def _explain(
    series: ForecastSeries, scene: ExplainedForecast, forecast: Forecast, slots: IntArray
) -> tuple[ForecastExplanation, Facts]:
    issued, again = (
        getattr(each, f"{series.name}_kwh").expected[slots] for each in (forecast, scene.again)
    )
    pairs = pair_origins(scene.frame, [forecast.issued_at], forecast.timeline.count)
    slot_pairs = Pairs(pairs.origin[slots], pairs.target[slots])
    explained = _explain_again(series, scene, slot_pairs, again)
    return replace(
        explained, expected_kwh=issued, shares_kwh=explained.shares_kwh | {"later": issued - again}
    ), gather_facts(series, scene.frame, slot_pairs)


def _explain_again(
    series: ForecastSeries, scene: ExplainedForecast, pairs: Pairs, expected_kwh: FloatArray
) -> ForecastExplanation:
    forecaster = scene.forecaster
    frame = scene.frame
    if isinstance(forecaster, Baseline):
        if forecaster.version == LIKE_DAYS:
            origin_views = OriginViews.of_frame(
                frame, [scene.again.issued_at], scene.again.timeline.count
            )
            return explain_like_days(series, origin_views, pairs, expected_kwh=expected_kwh)
        member = MEMBERS[forecaster.version][EVERY_SERIES.index(series)]
        return explain_member(member, series, frame, pairs, expected_kwh=expected_kwh)
    if forecaster is None:
        explained = explain_member(MEAN, series, frame, pairs, expected_kwh=expected_kwh)
        unread: Shares = {
            "model": explained.shares_kwh["limit"],
            "limit": np.zeros(expected_kwh.size),
        }
        return replace(explained, shares_kwh=explained.shares_kwh | unread)
    model = forecaster.models.get(series.name)
    if model is None:
        return explain_profile(series, frame, pairs, expected_kwh=expected_kwh)
    return explain_model(model, series, frame, pairs, expected_kwh=expected_kwh)
