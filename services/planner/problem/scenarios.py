"""Scenarios of load, PV and prices: the expected scenario plus past forecast errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from luna.contracts.plan import SCENARIO_DIGITS
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.timeline import FloatArray, IndexArray, Timeline, repeat_last
from services.planner.problem.knowledge import DAY, ForecastArchive, PerfectForesight


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """Scenarios of load and PV, ``(paths, slots)``, kWh.

    Where ``weight`` (``(paths,)``) sums to less than one, the rest is the expected scenario's.
    ``price_change`` says how much more than expected a kWh costs; None: nothing anywhere.
    """

    weight: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray
    price_change: "PriceChange | None" = None

    def add_load(self, energy_kwh: FloatArray) -> "ScenarioSet":
        """Return the scenarios with ``energy_kwh`` (``(slots,)``) more load, at least 0."""
        return replace(self, load_kwh=np.maximum(self.load_kwh + energy_kwh, 0.0))

    def begin_at(self, first: int) -> "ScenarioSet":
        """Return the scenarios from slot ``first`` on."""
        change = self.price_change
        return ScenarioSet(
            self.weight,
            self.load_kwh[:, first:],
            self.pv_kwh[:, first:],
            None if change is None else change.begin_at(first),
        )

    @property
    def changes(self) -> "PriceChange":
        """The changes of its prices, zero where there are none."""
        if self.price_change is not None:
            return self.price_change
        none = np.zeros(self.load_kwh.shape)
        return PriceChange(none, none)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Prices above the expected ones, of a bought and a sold kWh, ``(paths, slots)``."""

    import_price: FloatArray
    export_price: FloatArray

    def begin_at(self, first: int) -> "PriceChange":
        """Return the changes from slot ``first`` on."""
        return PriceChange(self.import_price[:, first:], self.export_price[:, first:])


@dataclass(frozen=True, slots=True)
class OtherPrices:
    """A course of prices beside the expected one.

    How much more a bought and a sold kWh costs, ``(slots,)``, and how probable that is.
    """

    import_change: FloatArray
    export_change: FloatArray
    probability: float


def blend(kinds: Sequence[ScenarioSet]) -> ScenarioSet:
    """Return scenario sets as one: each set, and the expected scenario, has the same weight.

    Source: docs/decisions/0020; weights tuned on one site do not transfer to the next.
    """
    share = len(kinds) + 1
    equal = [replace(kind, weight=kind.weight / kind.weight.sum() / share) for kind in kinds]
    return join_scenarios(equal)


def _join_changes(kinds: Sequence[ScenarioSet]) -> PriceChange | None:
    if all(kind.price_change is None for kind in kinds):
        return None
    changes = [kind.changes for kind in kinds]
    return PriceChange(
        np.concatenate([change.import_price for change in changes]),
        np.concatenate([change.export_price for change in changes]),
    )


def add_other_prices(
    scenarios: ScenarioSet | None, expected: tuple[FloatArray, FloatArray], other: OtherPrices
) -> ScenarioSet:
    """Return the scenarios, and each of them and the expected one also at other prices.

    Args:
        scenarios: at the expected prices, or at prices of their own; None: the expected one alone.
        expected: load and PV.
        other: the other prices, and how probable they are.
    """
    load_kwh, pv_kwh = expected
    rest = 1.0 if scenarios is None else max(1.0 - float(scenarios.weight.sum()), 0.0)
    kinds = [] if scenarios is None else [scenarios]
    if rest > 0:
        kinds.append(ScenarioSet(np.array([rest]), load_kwh[None, :], pv_kwh[None, :]))
    every = join_scenarios(kinds)
    change = PriceChange(
        np.tile(other.import_change, (every.weight.size, 1)),
        np.tile(other.export_change, (every.weight.size, 1)),
    )
    moved = replace(every, weight=other.probability * every.weight, price_change=change)
    if scenarios is None:
        return moved
    kept = replace(scenarios, weight=(1.0 - other.probability) * scenarios.weight)
    return join_scenarios([kept, moved])


def join_scenarios(kinds: Sequence[ScenarioSet]) -> ScenarioSet:
    """Return scenario sets as one, with the weights that they have."""
    return ScenarioSet(
        np.concatenate([kind.weight for kind in kinds]),
        np.concatenate([kind.load_kwh for kind in kinds]),
        np.concatenate([kind.pv_kwh for kind in kinds]),
        _join_changes(kinds),
    )


def shift_days(errors: FloatArray) -> FloatArray:
    """Return daily errors, ``(days, slots)``, permuted across days within each slot.

    This removes the correlation between slots. The shift per slot follows the golden ratio:
    deterministic and without a period.
    """
    days, slots = errors.shape
    slot = np.arange(slots)
    golden_share = slot * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0
    shift = np.floor(golden_share * days).astype(np.int64)
    day = (np.arange(days)[:, None] + shift) % days
    return np.asarray(errors[day, slot])


def cvar_weights(weight: FloatArray, cost: FloatArray, risk: float) -> FloatArray:
    """Return the weights under which the mean cost is the conditional value at risk.

    That is the mean of the most expensive share ``1 − risk``. Its derivative by stored energy is
    the mean of V′ under these weights, so the rest of the planning stays unchanged.
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

    ``happened`` are the measured energies; they may contain the future. ``pv_known``: the expected
    PV is the actual one, so it has neither errors nor a bias.

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
        """Return the factors that correct the bias of load and PV forecasts; 1 without a bias.

        They come from the day-ahead forecasts of the last days before ``now``.
        """
        if now not in self._factors:
            self._factors[now] = self._find_factors(now)
        return self._factors[now]

    def _find_factors(self, now: datetime) -> tuple[float, float]:
        step = self.happened.timeline.step
        ahead = Timeline(now, step, DAY // step)
        days = self._read_days(now, ahead, range(1, BIAS_DAYS + 1))
        if days.shape[0] < LEAST_DAYS:
            return 1.0, 1.0
        # Slots without a measurement are left out of both sums.
        is_measured = np.isfinite(days[:, 0])
        measured = np.where(is_measured, days[:, 0], 0.0).sum(axis=-1)
        expected = np.where(is_measured, days[:, 1], 0.0).sum(axis=-1)
        load = _find_bias(measured[:, 0], expected[:, 0])
        pv = _find_bias(measured[:, 1], expected[:, 1])
        return load, pv

    def scenarios(
        self, now: datetime, timeline: Timeline, expected: tuple[FloatArray, FloatArray]
    ) -> list[ScenarioSet]:
        """Return ``expected`` load and PV plus each day's errors, as they were and shifted.

        The shift is that of ``shift_days``. Empty for too few days.
        """
        load, pv = self.read(now, timeline)
        if load.shape[0] < LEAST_DAYS:
            return []
        shifted = (shift_days(load), shift_days(pv))
        return [_add_errors(expected, (load, pv)), _add_errors(expected, shifted)]

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
            np.round(alone.load_kwh, SCENARIO_DIGITS),
            np.round(alone.pv_kwh, SCENARIO_DIGITS),
        )

    def read(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return measured less bias-corrected forecast load and PV, ``(days, slots)`` each.

        The forecasts are those whose whole horizon has passed at ``now``.
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
        for days_ago in back:
            count += self._write_day(now - days_ago * DAY, timeline, days[count])
        is_complete = np.isfinite(days[:count, 0, 0]).mean(axis=-1) >= LEAST_MEASURED_SHARE
        return np.asarray(days[:count][is_complete])

    def _write_day(self, then: datetime, timeline: Timeline, day: FloatArray) -> bool:
        """Write measured and forecast energies from ``then`` on; return whether both are known."""
        # A forecast may be as old as the planner itself would accept.
        forecast = self.forecasts.find(then, within=FORECAST_MAX_AGE)
        slot = (then - self.happened.timeline.start) // timeline.step
        if forecast is None or not 0 <= slot <= self.happened.timeline.count - timeline.count:
            return False
        first = (then - forecast.timeline.start) // timeline.step
        places = _find_places(first, timeline.count, forecast.timeline.count, DAY // timeline.step)
        slots = slice(slot, slot + timeline.count)
        measured, expected = day
        measured[0] = self.happened.load_kwh[slots]
        measured[1] = self.happened.pv_kwh[slots]
        expected[0] = forecast.load_kwh.expected[places]
        expected[1] = measured[1] if self.pv_known else forecast.pv_kwh.expected[places]
        return True


@lru_cache(maxsize=64)
def _find_places(first: int, count: int, forecast_slots: int, day: int) -> IndexArray:
    """Return the positions in a forecast of ``count`` slots from ``first`` on.

    Positions beyond its ``forecast_slots`` repeat its last day. Cached: past days share them.
    """
    places = repeat_last(np.arange(first, first + count), forecast_slots, period=day)
    places.flags.writeable = False
    return places


def _add_errors(
    expected: tuple[FloatArray, FloatArray], errors: tuple[FloatArray, FloatArray]
) -> ScenarioSet:
    """Return expected load and PV plus daily errors, ``(days, slots)``, with equal weights."""
    load, pv = expected
    load_errors, pv_errors = errors
    return ScenarioSet(
        np.ones(load_errors.shape[0]),
        load_kwh=np.maximum(load + load_errors, 0.0),
        pv_kwh=np.maximum(pv + pv_errors, 0.0),
    )


def _find_bias(measured_kwh: FloatArray, expected_kwh: FloatArray) -> float:
    """Return the ratio of measured to expected energy where it shows a bias, else 1.

    Arguments are daily sums, ``(days,)``.
    """
    if not expected_kwh.sum() > 0 or not measured_kwh.sum() > 0:
        return 1.0
    factor = float(measured_kwh.sum() / expected_kwh.sum())
    errors = measured_kwh - expected_kwh
    mean_error = abs(float(errors.mean()))
    is_certain = mean_error > BIAS_DEVIATIONS * float(errors.std(ddof=1)) / np.sqrt(errors.size)
    if is_certain and abs(factor - 1.0) > BIAS_SHARE:
        return float(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR))
    return 1.0
