"""Scenarios of load and PV: the expected course plus past forecast errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import numpy as np

from luna.contracts.plan import COURSE_DIGITS
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.timeline import FloatArray, IndexArray, Timeline, repeat_last
from services.planner.problem.knowledge import DAY, ForecastArchive, PerfectForesight


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """Possible courses; energies of shape ``(paths, slots)``, kWh. What ``weight`` (``(paths,)``) lacks to one is the expected course's."""

    weight: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray

    def add_load(self, energy_kwh: FloatArray) -> "ScenarioSet":
        """Return the courses with more load, shape ``(slots,)``; a negative load is bounded by the course's load."""
        return ScenarioSet(self.weight, np.maximum(self.load_kwh + energy_kwh, 0.0), self.pv_kwh)


def blend(kinds: Sequence[ScenarioSet]) -> ScenarioSet:
    """Return courses of several kinds as one: each kind counts as much as the others, and as the expected course.

    Source: docs/decisions/0020; weights tuned on one site do not carry over to the next.
    """
    weight = [kind.weight / kind.weight.sum() / (len(kinds) + 1) for kind in kinds]
    return ScenarioSet(np.concatenate(weight), np.concatenate([kind.load_kwh for kind in kinds]), np.concatenate([kind.pv_kwh for kind in kinds]))


def shift_days(errors: FloatArray) -> FloatArray:
    """Return errors of days as if they were independent from slot to slot: each slot takes another day's, every day as often as before.

    ``errors`` has shape ``(days, slots)``. Steps of the golden ratio leave no rhythm, and nothing is drawn at random.
    """
    days, slots = errors.shape
    step = np.floor(np.arange(slots) * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0 * days).astype(np.int64)
    return np.asarray(errors[(np.arange(days)[:, None] + step) % days, np.arange(slots)])


def cvar_weights(weight: FloatArray, cost: FloatArray, risk: float) -> FloatArray:
    """Return weights that leave out the cheapest courses: the mean becomes that of the dearest ``1 − risk``, the conditional value at risk.

    The derivative of that cost by stored energy is the mean of V′ under these weights, so the rest of the planning stays as it is.
    Source: Rockafellar and Uryasev 2000.

    Args:
        weight: of each course, adding up to one.
        cost: of the best plan on each course.
        risk: 0 leaves the weights as they are, 1 counts the dearest course alone.
    """
    order = np.argsort(-cost, kind="stable")
    share = max(1.0 - risk, 1e-9)
    before = np.cumsum(weight[order]) - weight[order]
    tail_weight = np.empty_like(weight)
    tail_weight[order] = np.clip(share - before, 0.0, weight[order])
    return np.asarray(tail_weight / tail_weight.sum())


# The oldest forecast that counts was issued so many days ago. Source: docs/decisions/0020.
DAYS = 16
# Fewer days say too little of how forecasts err.
LEAST_DAYS = 3
# Share of a day's load; days with less are left out.
LEAST_MEASURED_SHARE = 0.5
# A bias counts where the last days' sums are this many standard errors, and this share, beside what was expected; no forecast is so far off for
# a week by chance. Source: docs/decisions/0033
BIAS_DAYS, BIAS_DEVIATIONS, BIAS_SHARE = 7, 3.0, 0.15
# Beyond these a correction would follow a broken meter.
_LEAST_FACTOR, _MOST_FACTOR = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class ErrorScenarios:
    """Forecasts as issued, and what happened. ``happened`` may hold the future: nothing at or after the instant asked about is read.

    Invariants: neither forecasts issued nor energies measured from ``now`` on change what is said of ``now``.
    """

    forecasts: ForecastArchive
    happened: PerfectForesight
    # Who asks for errors asks for the bias of the same instant as well.
    _factors: dict[datetime, tuple[float, float]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def factors(self, now: datetime) -> tuple[float, float]:
        """Return by what load and PV expected at ``now`` have to be multiplied because forecasts of the last days were all too low, or all too high.

        Of each day counts what was expected for it a day ahead. 1: nothing speaks for a bias.
        """
        if now not in self._factors:
            self._factors[now] = self._find_factors(now)
        return self._factors[now]

    def _find_factors(self, now: datetime) -> tuple[float, float]:
        ahead = Timeline(now, self.happened.timeline.step, DAY // self.happened.timeline.step)
        days = self._read_days(now, ahead, range(1, BIAS_DAYS + 1))
        if days.shape[0] < LEAST_DAYS:
            return 1.0, 1.0
        # A gap tells of no error: what was expected there is left out as well.
        measured, expected = (np.where(np.isfinite(days[:, 0]), days[:, side], 0.0).sum(axis=-1) for side in (0, 1))
        load, pv = (_find_bias(measured[:, series], expected[:, series]) for series in (0, 1))
        return load, pv

    def courses(self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]) -> list[ScenarioSet]:
        """Return ``expected`` load and PV plus each day's errors, and plus the same errors independent from slot to slot; nothing for too few days."""
        load, pv = self.read(now, timeline)
        if load.shape[0] < LEAST_DAYS:
            return []
        return [_add_errors(expected, errors) for errors in ((load, pv), (shift_days(load), shift_days(pv)))]

    def days_of_errors(self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]) -> ScenarioSet | None:
        """Return ``expected`` load and PV plus whole days of errors, which what is followed has to gain on, as messages carry them; None for too few days."""
        errors = self.read(now, timeline)
        if errors[0].shape[0] < LEAST_DAYS:
            return None
        alone = blend([_add_errors(expected, errors)])
        return ScenarioSet(alone.weight, np.round(alone.load_kwh, COURSE_DIGITS), np.round(alone.pv_kwh, COURSE_DIGITS))

    def read(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return what happened less what was expected, load and PV of shape ``(days, slots)``, of forecasts whose whole horizon has passed at ``now``.

        What is expected now without a bias is held against what would have been expected without it.
        """
        first = -(-(timeline.end - now) // DAY)
        days = self._read_days(now, timeline, range(max(first, 1), DAYS + 1))
        factors = np.array(self.factors(now)).reshape(2, 1)
        # A gap tells of no error: what is expected stands.
        errors = np.nan_to_num(days[:, 0] - days[:, 1] * factors)
        return errors[:, 0], errors[:, 1]

    def _read_days(self, now: datetime, timeline: Timeline, back: range) -> FloatArray:
        """Return what happened and what was expected of load and PV, shape ``(days, 2, 2, slots)``, so many days before; days that hardly tell are left out."""
        days, count = np.empty((len(back), 2, 2, timeline.count)), 0
        for each in back:
            count += self._write_day(now - each * DAY, timeline, days[count])
        is_complete = np.isfinite(days[:count, 0, 0]).mean(axis=-1) >= LEAST_MEASURED_SHARE
        return np.asarray(days[:count][is_complete])

    def _write_day(self, then: datetime, timeline: Timeline, day: FloatArray) -> bool:
        """Write measured and expected energies from an instant on; return whether both are available."""
        # One that is as old as those that may drive the planner still counts as issued at the same time of day.
        forecast = self.forecasts.find(then, within=FORECAST_MAX_AGE)
        slot = (then - self.happened.timeline.start) // timeline.step
        if forecast is None or not 0 <= slot <= self.happened.timeline.count - timeline.count:
            return False
        first = (then - forecast.timeline.start) // timeline.step
        place = _find_places(first, timeline.count, forecast.timeline.count, DAY // timeline.step)
        slots = slice(slot, slot + timeline.count)
        day[0, 0], day[0, 1] = self.happened.load_kwh[slots], self.happened.pv_kwh[slots]
        day[1, 0], day[1, 1] = forecast.load_kwh.expected[place], forecast.pv_kwh.expected[place]
        return True


@lru_cache(maxsize=64)
def _find_places(first: int, count: int, forecast_slots: int, day: int) -> IndexArray:
    """Return where in a forecast of ``forecast_slots`` slots ``count`` slots from one on are read: those of past days lie alike."""
    places = repeat_last(np.arange(first, first + count), forecast_slots, period=day)
    places.flags.writeable = False
    return places


def _add_errors(expected: tuple[FloatArray, FloatArray], errors: tuple[FloatArray, FloatArray]) -> ScenarioSet:
    """Return expected load and PV plus errors of days, ``(days, slots)``, each as likely as the others."""
    return ScenarioSet(np.ones(errors[0].shape[0]), *(np.maximum(base + error, 0.0) for base, error in zip(expected, errors, strict=True)))


def _find_bias(measured_kwh: FloatArray, expected_kwh: FloatArray) -> float:
    """Return what happened over what was expected where that speaks for a bias, 1 elsewhere; sums by day, ``(days,)``."""
    if not expected_kwh.sum() > 0 or not measured_kwh.sum() > 0:
        return 1.0
    factor, missed = float(measured_kwh.sum() / expected_kwh.sum()), measured_kwh - expected_kwh
    certain = abs(float(missed.mean())) > BIAS_DEVIATIONS * float(missed.std(ddof=1)) / np.sqrt(missed.size)
    return float(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR)) if certain and abs(factor - 1.0) > BIAS_SHARE else 1.0
