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
    """Scenarios.

    Energies of shape ``(paths, slots)``, kWh. Where ``weight`` (``(paths,)``) sums to less than
    one, the rest is the expected course's.
    """

    weight: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray

    def add_load(self, energy_kwh: FloatArray) -> "ScenarioSet":
        """Return the scenarios with ``energy_kwh`` (``(slots,)``) more load.

        Where it is negative, load stays at least 0.
        """
        return ScenarioSet(self.weight, np.maximum(self.load_kwh + energy_kwh, 0.0), self.pv_kwh)


def blend(kinds: Sequence[ScenarioSet]) -> ScenarioSet:
    """Return scenario sets as one: each set, and the expected course, has the same weight.

    Source: docs/decisions/0020; weights tuned on one site do not transfer to the next.
    """
    weight = [kind.weight / kind.weight.sum() / (len(kinds) + 1) for kind in kinds]
    return ScenarioSet(
        np.concatenate(weight),
        np.concatenate([kind.load_kwh for kind in kinds]),
        np.concatenate([kind.pv_kwh for kind in kinds]),
    )


def shift_days(errors: FloatArray) -> FloatArray:
    """Return daily errors, shape ``(days, slots)``, permuted across days within each slot, which
    removes the correlation between slots.

    The shift per slot follows the golden ratio: deterministic and without a period.
    """
    days, slots = errors.shape
    step = np.floor(np.arange(slots) * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0 * days).astype(np.int64)
    return np.asarray(errors[(np.arange(days)[:, None] + step) % days, np.arange(slots)])


def cvar_weights(weight: FloatArray, cost: FloatArray, risk: float) -> FloatArray:
    """Return the scenario weights under which the mean cost is the conditional value at risk: the
    mean of the most expensive share ``1 − risk``.

    The derivative of that cost by stored energy is the mean of V′ under these weights, so the rest
    of the planning stays unchanged.
    Source: Rockafellar and Uryasev 2000.

    Args:
        weight: of each scenario, adding up to one.
        cost: of the best plan on each scenario.
        risk: 0 leaves the weights unchanged, 1 counts the most expensive scenario alone.
    """
    order = np.argsort(-cost, kind="stable")
    share = max(1.0 - risk, 1e-9)
    before = np.cumsum(weight[order]) - weight[order]
    tail_weight = np.empty_like(weight)
    tail_weight[order] = np.clip(share - before, 0.0, weight[order])
    return np.asarray(tail_weight / tail_weight.sum())


# Age of the oldest forecast that is used. Source: docs/decisions/0020.
DAYS = 16
# Fewer days say too little about forecast errors.
LEAST_DAYS = 3
# Least share of a day's slots with measured load; days with less are left out.
LEAST_MEASURED_SHARE = 0.5
# A bias is corrected where the mean daily error exceeds this many standard errors, and the sums
# differ by this share: no forecast is so far off for a week by chance. Source: docs/decisions/0033
BIAS_DAYS = 7
BIAS_DEVIATIONS = 3.0
BIAS_SHARE = 0.15
# Beyond these factors a correction would follow a broken meter.
_LEAST_FACTOR = 0.2
_MOST_FACTOR = 5.0


@dataclass(frozen=True, slots=True)
class ErrorScenarios:
    """Scenarios from past forecast errors: forecasts as issued against measured energies.

    ``happened`` may contain the future.

    ``pv_known``: the expected PV is the actual one, so it has neither errors nor a bias.

    Invariants: neither forecasts issued after ``now`` nor energies measured from ``now`` on change
    a result for ``now``.
    """

    forecasts: ForecastArchive
    happened: PerfectForesight
    pv_known: bool = False
    # Errors and factors of the same instant are requested one after the other.
    _factors: dict[datetime, tuple[float, float]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def factors(self, now: datetime) -> tuple[float, float]:
        """Return the factors that correct the bias of load and PV forecasts at ``now``, from the
        last days' day-ahead forecasts; 1 without a bias.
        """
        if now not in self._factors:
            self._factors[now] = self._find_factors(now)
        return self._factors[now]

    def _find_factors(self, now: datetime) -> tuple[float, float]:
        ahead = Timeline(now, self.happened.timeline.step, DAY // self.happened.timeline.step)
        days = self._read_days(now, ahead, range(1, BIAS_DAYS + 1))
        if days.shape[0] < LEAST_DAYS:
            return 1.0, 1.0
        # A gap in the measurement is left out of both sums.
        measured, expected = (
            np.where(np.isfinite(days[:, 0]), days[:, side], 0.0).sum(axis=-1) for side in (0, 1)
        )
        load, pv = (_find_bias(measured[:, series], expected[:, series]) for series in (0, 1))
        return load, pv

    def courses(
        self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]
    ) -> list[ScenarioSet]:
        """Return ``expected`` load and PV plus each day's errors, and plus the same errors by
        ``shift_days``; empty for too few days.
        """
        load, pv = self.read(now, timeline)
        if load.shape[0] < LEAST_DAYS:
            return []
        return [
            _add_errors(expected, errors)
            for errors in ((load, pv), (shift_days(load), shift_days(pv)))
        ]

    def days_of_errors(
        self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]
    ) -> ScenarioSet | None:
        """Return ``expected`` load and PV plus each day's errors, rounded as in messages.

        None for too few days. A followed policy has to gain on them.
        """
        errors = self.read(now, timeline)
        if errors[0].shape[0] < LEAST_DAYS:
            return None
        alone = blend([_add_errors(expected, errors)])
        return ScenarioSet(
            alone.weight,
            np.round(alone.load_kwh, COURSE_DIGITS),
            np.round(alone.pv_kwh, COURSE_DIGITS),
        )

    def read(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return measured less bias-corrected forecast load and PV, ``(days, slots)`` each, of
        forecasts whose whole horizon has passed at ``now``.
        """
        first = -(-(timeline.end - now) // DAY)
        days = self._read_days(now, timeline, range(max(first, 1), DAYS + 1))
        factors = np.array(self.factors(now)).reshape(2, 1)
        # A gap in the measurement counts as no error.
        errors = np.nan_to_num(days[:, 0] - days[:, 1] * factors)
        return errors[:, 0], errors[:, 1]

    def _read_days(self, now: datetime, timeline: Timeline, back: range) -> FloatArray:
        """Return measured and forecast load and PV, ``(days, 2, 2, slots)``, ``back`` days ago.

        Days with too few measurements are left out.
        """
        days = np.empty((len(back), 2, 2, timeline.count))
        count = 0
        for each in back:
            count += self._write_day(now - each * DAY, timeline, days[count])
        is_complete = np.isfinite(days[:count, 0, 0]).mean(axis=-1) >= LEAST_MEASURED_SHARE
        return np.asarray(days[:count][is_complete])

    def _write_day(self, then: datetime, timeline: Timeline, day: FloatArray) -> bool:
        """Write measured and forecast energies from ``then`` on.

        Return whether both are available.
        """
        # A forecast may be as old as the planner itself would accept.
        forecast = self.forecasts.find(then, within=FORECAST_MAX_AGE)
        slot = (then - self.happened.timeline.start) // timeline.step
        if forecast is None or not 0 <= slot <= self.happened.timeline.count - timeline.count:
            return False
        first = (then - forecast.timeline.start) // timeline.step
        place = _find_places(first, timeline.count, forecast.timeline.count, DAY // timeline.step)
        slots = slice(slot, slot + timeline.count)
        day[0, 0] = self.happened.load_kwh[slots]
        day[0, 1] = self.happened.pv_kwh[slots]
        day[1, 0], day[1, 1] = (
            forecast.load_kwh.expected[place],
            day[0, 1] if self.pv_known else forecast.pv_kwh.expected[place],
        )
        return True


@lru_cache(maxsize=64)
def _find_places(first: int, count: int, forecast_slots: int, day: int) -> IndexArray:
    """Return the positions in a forecast of ``forecast_slots`` slots for ``count`` slots from
    ``first`` on; cached, since past days share them.
    """
    places = repeat_last(np.arange(first, first + count), forecast_slots, period=day)
    places.flags.writeable = False
    return places


def _add_errors(
    expected: tuple[FloatArray, FloatArray], errors: tuple[FloatArray, FloatArray]
) -> ScenarioSet:
    """Return expected load and PV plus daily errors, ``(days, slots)``, with equal weights."""
    return ScenarioSet(
        np.ones(errors[0].shape[0]),
        *(np.maximum(base + error, 0.0) for base, error in zip(expected, errors, strict=True)),
    )


def _find_bias(measured_kwh: FloatArray, expected_kwh: FloatArray) -> float:
    """Return the ratio of measured to expected energy where it shows a bias, else 1.

    Arguments are daily sums, ``(days,)``.
    """
    if not expected_kwh.sum() > 0 or not measured_kwh.sum() > 0:
        return 1.0
    factor = float(measured_kwh.sum() / expected_kwh.sum())
    missed = measured_kwh - expected_kwh
    certain = abs(float(missed.mean())) > BIAS_DEVIATIONS * float(missed.std(ddof=1)) / np.sqrt(
        missed.size
    )
    return (
        float(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR))
        if certain and abs(factor - 1.0) > BIAS_SHARE
        else 1.0
    )
