"""Decide when to train a site's model again.

That is in its weekly turn, or when the site lives otherwise than when it was trained.

Three signs say so: the shape of the load, how far forecasts are off, and arrays that have grown.
Levels alone are none: forecasts follow them within a week.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.forecast import (
    RenewModelsReply,
    RenewModelsRequest,
    SiteRenewal,
    TrainingTrigger,
    TrainRequest,
)
from luna.contracts.job import Job
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_day, parse_zone
from luna.platform.database import forecast_scores, quality, recorded_span, sites, training_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.training_runs import TrainingRun
from luna.platform.queue.task_context import isolate
from services.forecaster.inputs.frame import DAY_SLOTS
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.aurora import VERSION, YOUNG_DAYS, count_days
from services.forecaster.service import read_steering

# Source: Siddiqi (2006), Credit Risk Scorecards, ch. 8: beyond 0.25 a population has shifted, up to
# 0.1 it has not; 0.2 is the usual middle.
LARGE_SHIFT = 0.2
BINS = 10
FEWEST = 1e-3  # share of an empty bin, so that its logarithm exists
# Fortnights of one household differ by habit and season: a shift counts where it is twice the
# largest between the fortnights before.
FORTNIGHT = 14
FORTNIGHTS_BEFORE = 6
EXCESS = 2.0
LEAST_MEASURED_SHARE = 0.5
# Source: Page (1954), Continuous inspection schemes, Biometrika 41. Both in standard deviations of
# the days before, tuned so that a year of measured PV and of independent noise gives no alarm,
# while a load of 2 kW that cycles is found within a week.
REFERENCE_VALUE = 1.0
DECISION_INTERVAL = 15.0
DAYS_BEFORE = 60
FEWEST_DAYS_BEFORE = 28
LEAST_DEVIATION = 0.1  # of the logarithm of a daily error: a tenth
NORMAL_MAD = 1.4826  # standard deviation of a normal distribution in median absolute deviations


@dataclass(frozen=True, slots=True)
class DriftSign:
    """A sign of drift: what speaks, how loud, and from where on it counts."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} above {self.limit:.2f}"


def list_signs(load_kwh: FloatArray, errors: Mapping[str, FloatArray]) -> list[DriftSign]:
    """Return the signs of drift, none where nothing has changed or too little is known.

    Args:
        load_kwh: quarter-hours up to now, NaN where unknown; seven fortnights are looked at.
        errors: by name, how far forecasts were off on each day up to now, NaN where unknown.
    """
    signs = [*_judge_shape(load_kwh)]
    for name, daily in errors.items():
        before = daily[-DAYS_BEFORE - FORTNIGHT : -FORTNIGHT]
        recent = daily[-FORTNIGHT:]
        if np.count_nonzero(before > 0) >= FEWEST_DAYS_BEFORE:
            signs.append(
                DriftSign(f"{name}_error", accumulate_errors(before, recent), DECISION_INTERVAL)
            )
    return [sign for sign in signs if sign.value > sign.limit]


def measure_shift(reference: FloatArray, recent: FloatArray) -> float:
    """Return the population stability index of ``recent`` against ``reference``.

    Each is of shape ``(values,)`` and free of NaN; it is over tenths of the reference.

    Invariants: zero where both fall into the tenths alike, never negative.
    """
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)
    before, after = (
        np.maximum(
            np.bincount(np.searchsorted(edges, values), minlength=BINS) / values.size, FEWEST
        )
        for values in (reference, recent)
    )
    return float(((after - before) * np.log(after / before)).sum())


def accumulate_errors(before: FloatArray, recent: FloatArray) -> float:
    """Return the highest one-sided cumulative sum of logarithms of ``recent`` errors.

    They are daily, in deviations of those ``before``; NaN days are passed over.
    """
    usual = np.log(before[before > 0])
    middle = float(np.median(usual))
    deviation = max(NORMAL_MAD * float(np.median(np.abs(usual - middle))), LEAST_DEVIATION)
    highest = total = 0.0
    for error in np.log(recent[recent > 0]):
        total = max(0.0, total + (float(error) - middle) / deviation - REFERENCE_VALUE)
        highest = max(highest, total)
    return highest


def _judge_shape(load_kwh: FloatArray) -> Iterator[DriftSign]:
    length = FORTNIGHT * DAY_SLOTS
    if load_kwh.size < (FORTNIGHTS_BEFORE + 1) * length:
        return
    shapes = []
    for place in range(FORTNIGHTS_BEFORE + 1):
        fortnight = load_kwh[load_kwh.size - (place + 1) * length : load_kwh.size - place * length]
        measured = fortnight[~np.isnan(fortnight)]
        mean = float(measured.mean()) if measured.size else 0.0
        # In parts of the mean; none where nothing was used.
        shapes.append(measured / mean if mean > 0 else measured[:0])
    if any(shape.size < LEAST_MEASURED_SHARE * length for shape in shapes):
        return
    recent = shapes[0]
    before = shapes[1:]
    usual = max(
        measure_shift(np.concatenate(before[:place] + before[place + 1 :]), before[place])
        for place in range(len(before))
    )
    yield DriftSign(
        "load_shape",
        measure_shift(np.concatenate(before), recent),
        max(LARGE_SHIFT, EXCESS * usual),
    )


WEEK_DAYS = 7
# Hours of the local night in which nobody waits for a plan and no clock changes twice; sites are
# spread over them and over the week.
NIGHT_HOURS = (1, 4, 5)
# A model that was just trained has not been seen to fail; and a change shows better after some days
# of it.
DRIFT_REST = timedelta(days=3)
# Without new data the same model would come of it.
LEAST_NEW = timedelta(days=1)
# A site without measurements for so long is a record, not a household to forecast.
SILENCE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TrainingSlot:
    """A site's own night in the week."""

    weekday: int
    hour: int


def assign_turn(site_id: str) -> TrainingSlot:
    """Return when a site's turn is.

    The same name has the same turn for ever, and many names fill every night alike.
    """
    number = int.from_bytes(hashlib.sha256(site_id.encode()).digest()[:8])
    return TrainingSlot(number % WEEK_DAYS, NIGHT_HOURS[number // WEEK_DAYS % len(NIGHT_HOURS)])


def find_last_turn(turn: TrainingSlot, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant, at ``now`` or before, at which the turn came."""
    local = now.astimezone(zone)
    begin = datetime.combine(
        local.date() - timedelta(days=(local.weekday() - turn.weekday) % WEEK_DAYS),
        time(turn.hour),
        zone,
    )
    return (
        begin
        if begin <= local
        else datetime.combine(begin.date() - timedelta(days=WEEK_DAYS), time(turn.hour), zone)
    )


def is_weekly_due(turn: TrainingSlot, trained_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the turn has come since the last training."""
    return trained_at < find_last_turn(turn, now, zone)


def is_looked_at(turn: TrainingSlot, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether this is the hour of the day in which a site is looked at for drift."""
    return now.astimezone(zone).hour == turn.hour


LOOK_BACK = timedelta(days=FORTNIGHT * (FORTNIGHTS_BEFORE + 1))
SCORED_DAYS = DAYS_BEFORE + FORTNIGHT

log = structlog.get_logger("luna.forecaster")


class Due(NamedTuple):
    """Reason for training a model."""

    trigger: TrainingTrigger
    reason: str


@dataclass(frozen=True, slots=True)
class RenewalContext:
    """Context to ask for a training: the database, and a queue that takes the job.

    An equal one that is open is not taken twice.
    """

    engine: Engine
    submit: Callable[[TrainRequest], Job]


def renew_models(
    context: RenewalContext, request: RenewModelsRequest, *, now: datetime
) -> RenewModelsReply:
    """Ask for every training that is due at ``now``.

    A site that cannot be judged is named in the reply and stops no other.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away.
    """
    with unit_of_work(context.engine) as connection:
        names = (
            [sites.load(connection, request.site_id).name]
            if request.site_id
            else sites.names(connection)
        )
    return RenewModelsReply(sites=[_renew_site(context, name, now) for name in names])


def find_due(connection: Connection, site: Site, *, now: datetime) -> Due | None:
    """Return why a site's model is to be trained now, None where it is not."""
    span = recorded_span.of_site(connection, site.name)
    if span is None or now - span[1] > SILENCE:
        return None
    data_until = min(span[1], now)
    runs = training_runs.list_latest(connection, site.name, version=VERSION, limit=1)
    trained_at = training_runs.last_finished(connection, site.name, version=VERSION)
    if runs and data_until - runs[0].data_until < LEAST_NEW:
        return None
    if trained_at is None or not any(run.learned for run in runs):
        known_days = 0.0
        start = floor_to(span[0], SLOT)
        if data_until - span[0] >= timedelta(days=YOUNG_DAYS):
            window = Timeline(start, SLOT, (floor_to(data_until, SLOT) - start) // SLOT)
            known_days = count_days(quality.read_trusted(connection, site, window).load_kwh)
        return (
            Due("schedule", "two weeks are known and nothing was learned")
            if known_days >= YOUNG_DAYS
            else None
        )
    turn = assign_turn(site.name)
    zone = parse_zone(site.timezone)
    if is_weekly_due(turn, trained_at, now, zone):
        return Due("schedule", "its weekly turn has come")
    if now - trained_at < DRIFT_REST or not is_looked_at(turn, now, zone):
        return None
    signs = list_drift(connection, site, runs[0], now=now)
    return Due("drift", "; ".join(signs)) if signs else None


def list_drift(connection: Connection, site: Site, run: TrainingRun, *, now: datetime) -> list[str]:
    """Return the signs that a site lives otherwise than when a model was trained."""
    begin = floor_to(now - LOOK_BACK, SLOT)
    window = Timeline(begin, SLOT, LOOK_BACK // SLOT)
    recent = quality.read_trusted(connection, site, window)
    steering = read_steering(connection, site, window)
    # Aurora's error on each of the last days, PV's in parts of the clear sky; NaN where it was not
    # scored.
    zone = parse_zone(site.timezone)
    days = [
        now.astimezone(zone).date() - timedelta(days=back) for back in range(SCORED_DAYS, 0, -1)
    ]
    errors = {series: np.full(SCORED_DAYS, np.nan) for series in ("load_kwh", "pv_kwh")}
    for score in forecast_scores.read(connection, site.name, days[0], days[-1]):
        if score.forecast_version == VERSION:
            errors[score.series][days.index(score.day)] = score.mae
    bright = np.array(
        [estimate_clear_sky(local_day(day, zone).starts, site).mean() for day in days]
    )
    pv_error = errors["pv_kwh"] / np.maximum(bright, 1e-6)
    signs = [
        str(sign)
        for sign in list_signs(recent.load_kwh, {"load": errors["load_kwh"], "pv": pv_error})
    ]
    growth = prepare_history(recent, site, before=now, steering=steering).growth
    learned_until = np.datetime64(run.data_until.replace(tzinfo=None), "s")
    return (
        [*signs, f"arrays yield {growth.factor:.1f} times as much"]
        if growth is not None and growth.since >= learned_until
        else signs
    )


def _renew_site(context: RenewalContext, name: str, now: datetime) -> SiteRenewal:
    def renew() -> SiteRenewal:
        with unit_of_work(context.engine) as connection:
            due = find_due(connection, sites.load(connection, name), now=now)
        if due is None:
            return SiteRenewal(site_id=name)
        job = context.submit(TrainRequest(site_id=name, trigger=due.trigger))
        log.info(
            "training asked for",
            site=name,
            trigger=due.trigger,
            reason=due.reason,
            job_id=job.job_id,
        )
        return SiteRenewal(site_id=name, trigger=due.trigger, reason=due.reason, job_id=job.job_id)

    def report_fault(error: Exception) -> SiteRenewal:
        log.error("model cannot be renewed", site=name, exc_info=error)
        return SiteRenewal(site_id=name, fault=str(error))

    return isolate(renew, report_fault)
