"""Request trainings of sites' models: in their weekly turn, or on drift.

Signs of drift are a new shape of the load, larger forecast errors and arrays that have grown.
A new level alone is none: forecasts follow it within a week.
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
from luna.energy.timeline import (
    SLOT,
    SLOTS_PER_DAY,
    FloatArray,
    Timeline,
    floor_to,
    local_day,
    parse_zone,
)
from luna.platform.database import forecast_scores, quality, recorded_span, sites, training_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.training_runs import TrainingRun
from luna.platform.queue.task_context import isolate
from services.forecaster.forecast_issue import read_steering
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.aurora import VERSION, YOUNG_DAYS, count_days

# Source: Siddiqi (2006), Credit Risk Scorecards, ch. 8: beyond 0.25 a population has shifted, up to
# 0.1 it has not; 0.2 is the usual middle.
LARGE_SHIFT = 0.2
BINS = 10
LEAST_BIN_SHARE = 1e-3  # of an empty bin, so that its logarithm exists
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
    """A sign of drift: its name, its value and the limit above which it counts."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} above {self.limit:.2f}"


def list_signs(load_kwh: FloatArray, errors: Mapping[str, FloatArray]) -> list[DriftSign]:
    """Return the signs of drift above their limits; none where too little is known.

    Args:
        load_kwh: quarter-hours up to now, NaN where unknown; seven fortnights are used.
        errors: by name, the forecast error of each day up to now, NaN where unknown.
    """
    signs = [*_judge_shape(load_kwh)]
    for name, daily in errors.items():
        before = daily[-DAYS_BEFORE - FORTNIGHT : -FORTNIGHT]
        recent = daily[-FORTNIGHT:]
        if np.count_nonzero(before > 0) >= FEWEST_DAYS_BEFORE:
            accumulated = accumulate_errors(before, recent)
            signs.append(DriftSign(f"{name}_error", accumulated, DECISION_INTERVAL))
    return [sign for sign in signs if sign.value > sign.limit]


def measure_shift(reference: FloatArray, recent: FloatArray) -> float:
    """Return the population stability index of ``recent`` against ``reference``.

    Both have shape ``(values,)`` and are free of NaN; the bins are tenths of the reference.

    Invariants: zero where both fall into the tenths alike, never negative.
    """
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)

    def share_bins(values: FloatArray) -> FloatArray:
        counts = np.bincount(np.searchsorted(edges, values), minlength=BINS)
        shares: FloatArray = np.maximum(counts / values.size, LEAST_BIN_SHARE)
        return shares

    before = share_bins(reference)
    after = share_bins(recent)
    return float(((after - before) * np.log(after / before)).sum())


def accumulate_errors(before: FloatArray, recent: FloatArray) -> float:
    """Return the highest one-sided cumulative sum of logarithms of ``recent`` daily errors.

    The unit is the standard deviation of those ``before``; NaN days are left out.
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
    length = FORTNIGHT * SLOTS_PER_DAY
    if load_kwh.size < (FORTNIGHTS_BEFORE + 1) * length:
        return
    shapes = []
    for fortnights_back in range(FORTNIGHTS_BEFORE + 1):
        end = load_kwh.size - fortnights_back * length
        fortnight = load_kwh[end - length : end]
        measured = fortnight[~np.isnan(fortnight)]
        mean = float(measured.mean()) if measured.size else 0.0
        if measured.size < LEAST_MEASURED_SHARE * length or mean <= 0:
            return
        shapes.append(measured / mean)
    recent = shapes[0]
    before = shapes[1:]
    usual_shifts = []
    for place, shape in enumerate(before):
        others = before[:place] + before[place + 1 :]
        usual_shifts.append(measure_shift(np.concatenate(others), shape))
    shift = measure_shift(np.concatenate(before), recent)
    yield DriftSign("load_shape", shift, max(LARGE_SHIFT, EXCESS * max(usual_shifts)))


WEEK_DAYS = 7
# Hours of the local night in which nobody waits for a plan and no clock changes twice; sites are
# spread over them and over the week.
NIGHT_HOURS = (1, 4, 5)
# The errors of a new model are not scored yet, and a change shows better after some days.
DRIFT_REST = timedelta(days=3)
# Without new data, training would give the same model.
LEAST_NEW = timedelta(days=1)
# A site without measurements for this long needs no forecasts.
SILENCE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TrainingSlot:
    """A site's own night in the week."""

    weekday: int
    hour: int


def assign_turn(site_id: str) -> TrainingSlot:
    """Return a site's turn.

    A name keeps its turn for ever, and many names fill all nights evenly.
    """
    number = int.from_bytes(hashlib.sha256(site_id.encode()).digest()[:8])
    return TrainingSlot(number % WEEK_DAYS, NIGHT_HOURS[number // WEEK_DAYS % len(NIGHT_HOURS)])


def find_last_turn(turn: TrainingSlot, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the start of the last turn, at ``now`` or before."""
    local = now.astimezone(zone)
    days_since = (local.weekday() - turn.weekday) % WEEK_DAYS
    turn_day = local.date() - timedelta(days=days_since)
    start = datetime.combine(turn_day, time(turn.hour), zone)
    if start <= local:
        return start
    return datetime.combine(turn_day - timedelta(days=WEEK_DAYS), time(turn.hour), zone)


def is_weekly_due(turn: TrainingSlot, trained_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the turn has come since the last training."""
    return trained_at < find_last_turn(turn, now, zone)


def is_looked_at(turn: TrainingSlot, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether this is the site's hour of the day to check for drift."""
    return now.astimezone(zone).hour == turn.hour


LOOK_BACK = timedelta(days=FORTNIGHT * (FORTNIGHTS_BEFORE + 1))
SCORED_DAYS = DAYS_BEFORE + FORTNIGHT

log = structlog.get_logger("luna.forecaster")


class Due(NamedTuple):
    """A training that is due: its trigger and, in words, the reason."""

    trigger: TrainingTrigger
    reason: str


@dataclass(frozen=True, slots=True)
class RenewalContext:
    """Dependencies of renewal.

    ``submit`` submits a request as a job, unless an equal one is open.
    """

    engine: Engine
    submit: Callable[[TrainRequest], Job]


def renew_models(
    context: RenewalContext, request: RenewModelsRequest, *, now: datetime
) -> RenewModelsReply:
    """Request every training that is due at ``now``.

    A site's fault is reported and stops no other site.

    Raises:
        NotFoundError: no such site.
        UnavailableError: the database is away.
    """
    with unit_of_work(context.engine) as connection:
        if request.site_id:
            names = [sites.load(connection, request.site_id).name]
        else:
            names = sites.names(connection)
    return RenewModelsReply(sites=[_renew_site(context, name, now) for name in names])


def find_due(connection: Connection, site: Site, *, now: datetime) -> Due | None:
    """Return the training of a site's model that is due now, or None if none is."""
    span = recorded_span.of_site(connection, site.name)
    if span is None or now - span[1] > SILENCE:
        return None
    data_until = min(span[1], now)
    runs = training_runs.list_latest(connection, site.name, version=VERSION, limit=1)
    trained_at = training_runs.last_finished(connection, site.name, version=VERSION)
    if runs and data_until - runs[0].data_until < LEAST_NEW:
        return None
    if trained_at is None or not any(run.has_enough_data for run in runs):
        known_days = _count_known_days(connection, site, span[0], data_until)
        first_training = Due("schedule", "two weeks are known and nothing was learned")
        return first_training if known_days >= YOUNG_DAYS else None
    turn = assign_turn(site.name)
    zone = parse_zone(site.timezone)
    if is_weekly_due(turn, trained_at, now, zone):
        return Due("schedule", "its weekly turn has come")
    if now - trained_at < DRIFT_REST or not is_looked_at(turn, now, zone):
        return None
    signs = list_drift(connection, site, runs[0], now=now)
    return Due("drift", "; ".join(signs)) if signs else None


def _count_known_days(
    connection: Connection, site: Site, data_from: datetime, data_until: datetime
) -> float:
    # A shorter span cannot hold enough days; reading it would be for nothing.
    if data_until - data_from < timedelta(days=YOUNG_DAYS):
        return 0.0
    start = floor_to(data_from, SLOT)
    window = Timeline(start, SLOT, (floor_to(data_until, SLOT) - start) // SLOT)
    return count_days(quality.read_trusted(connection, site, window).load_kwh)


def list_drift(connection: Connection, site: Site, run: TrainingRun, *, now: datetime) -> list[str]:
    """Return the signs, in words, of a site's drift since its model was trained."""
    begin = floor_to(now - LOOK_BACK, SLOT)
    window = Timeline(begin, SLOT, LOOK_BACK // SLOT)
    recent = quality.read_trusted(connection, site, window)
    steering = read_steering(connection, site, window)
    errors = _read_daily_errors(connection, site, now)
    signs = [str(sign) for sign in list_signs(recent.load_kwh, errors)]
    growth = prepare_history(recent, site, before=now, steering=steering).growth
    learned_until = np.datetime64(run.data_until.replace(tzinfo=None), "s")
    if growth is not None and growth.since >= learned_until:
        signs.append(f"arrays yield {growth.factor:.1f} times as much")
    return signs


def _read_daily_errors(connection: Connection, site: Site, now: datetime) -> dict[str, FloatArray]:
    """Return Aurora's errors of load and PV on the last days, NaN where none was scored.

    PV's is divided by the clear sky's output, so that seasons can be compared.
    """
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(SCORED_DAYS, 0, -1)]
    mae = {series: np.full(SCORED_DAYS, np.nan) for series in ("load_kwh", "pv_kwh")}
    for score in forecast_scores.read(connection, site.name, days[0], days[-1]):
        if score.forecast_version == VERSION:
            mae[score.series][days.index(score.day)] = score.mae
    day_starts = [local_day(day, zone).starts for day in days]
    clear_sky_kwh = np.array([estimate_clear_sky(starts, site).mean() for starts in day_starts])
    return {"load": mae["load_kwh"], "pv": mae["pv_kwh"] / np.maximum(clear_sky_kwh, 1e-6)}


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
