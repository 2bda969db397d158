"""Correction of a forecast by the last hours' deviation, which fades with the lead time.

The fading is trained per step of lead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import SLOTS_PER_HOUR, FloatArray
from services.forecaster.inputs.frame import IntArray
from services.forecaster.inputs.view import FeatureMatrix
from services.forecaster.model.stacking import QuantileHeads, measure_loss

# First lead, slots, of each step of equal correction; none from the last on
STEP_STARTS = np.array([0, 2, 4, 8, 16, 24])
NEEDED_ROWS = 40
LARGEST_ERROR = 4.0  # errors are clipped to so many scales in training
RIDGE = 0.05


def measure_load(view: FeatureMatrix) -> dict[str, FloatArray]:
    """Return the load's deviations from the same hours of the last seven days, kWh per slot.

    They are those of the last hour and of the last day.
    """
    return {
        name: view.column(name) * view.scale_kwh for name in ("hour_deviation", "day_deviation")
    }


def _measure_pv(view: FeatureMatrix) -> dict[str, FloatArray]:
    """Return the deviation of PV if the clearness of the last two hours lasted, kWh."""
    clear = view.members["centre"]["clear_sky"]
    return {"clearness": clear * (view.column("brightness_unusual") - 1)}


SIGNALS: Mapping[str, Callable[[FeatureMatrix], dict[str, FloatArray]]] = {
    "load": measure_load,
    "pv": _measure_pv,
}


@dataclass(frozen=True)
class Level:
    """The remaining share of each signal per step of lead, for the mean and the median.

    Shape ``(steps, signals)``.
    """

    series: str
    mean: FloatArray
    median: FloatArray

    def correct(self, heads: QuantileHeads, view: FeatureMatrix, lead: IntArray) -> QuantileHeads:
        """Return the heads moved by the remaining signals."""
        signals = stack_signals(self.series, view)
        step = step_of(lead)
        mean_kwh = (signals * self.mean[step]).sum(axis=1)
        median_kwh = (signals * self.median[step]).sum(axis=1)
        return heads.move(mean_kwh, median_kwh)

    def describe(self, view: FeatureMatrix, lead: IntArray) -> list[dict[str, float]]:
        """Return for every origin the signals and their effect on the next hour, kWh.

        An origin is a row of lead zero, followed by its next slots.
        """
        signals = stack_signals(self.series, view)
        is_first = lead == 0
        moved = (signals * self.mean[step_of(lead)]).sum(axis=1)
        next_hour = moved[lead < SLOTS_PER_HOUR].reshape(int(is_first.sum()), -1).sum(axis=1)
        names = [*SIGNALS[self.series](view), "next_hour"]
        rows = np.round(np.column_stack([signals[is_first], next_hour]), 6).tolist()
        return [dict(zip(names, row, strict=True)) for row in rows]


def step_of(lead: IntArray) -> IntArray:
    """Return the step each lead lies in."""
    step: IntArray = np.searchsorted(STEP_STARTS, lead, side="right") - 1
    return step


def stack_signals(series: str, view: FeatureMatrix) -> FloatArray:
    """Return the signals of a series side by side, zero where unknown.

    Shape ``(rows, signals)``.
    """
    return np.nan_to_num(np.stack([*SIGNALS[series](view).values()], axis=1))


def learn_level(
    series: str,
    heads: QuantileHeads,
    view: FeatureMatrix,
    *,
    lead: IntArray,
    half: NDArray[np.bool_],
    actual_kwh: FloatArray,
) -> Level:
    """Fit the correction to the heads' errors by least squares.

    A step that does not improve the loss in two-fold cross-validation gets none.
    """
    signals = stack_signals(series, view)
    step = step_of(lead)
    last = STEP_STARTS.size - 1
    shares = []
    for forecast, level in ((heads.expected, None), (heads.p50, 0.5)):
        error = actual_kwh - forecast
        bounded = np.clip(error, -LARGEST_ERROR * view.scale_kwh, LARGEST_ERROR * view.scale_kwh)
        learned = np.zeros((last + 1, signals.shape[1]))
        for number in range(last):
            rows = step == number
            learned[number] = _learn_step(
                signals[rows], error[rows], bounded=bounded[rows], half=half[rows], level=level
            )
        shares.append(learned)
    return Level(series, *shares)


def _learn_step(
    signals: FloatArray,
    error: FloatArray,
    *,
    bounded: FloatArray,
    half: NDArray[np.bool_],
    level: float | None,
) -> FloatArray:
    """Return the shares of ``signals``, shape ``(rows, signals)``, fitted to the ``bounded`` error.

    Each ``half`` is validated on the other.
    """
    nothing = np.zeros(signals.shape[1])
    if min(half.sum(), (~half).sum()) < NEEDED_ROWS:
        return nothing

    def measure_gain(share: FloatArray, rows: NDArray[np.bool_]) -> float:
        before = measure_loss(error[rows], level)
        after = measure_loss(error[rows] - signals[rows] @ share, level)
        return float((before - after).sum())

    held_out_gain = 0.0
    for judged in (half, ~half):
        share = _solve(signals[~judged], bounded[~judged])
        held_out_gain += measure_gain(share, judged)
    share = _solve(signals, bounded)
    improves = held_out_gain > 0 and measure_gain(share, np.ones_like(half)) >= 0
    return share if improves else nothing


def _solve(signals: FloatArray, error: FloatArray) -> FloatArray:
    """Return the least-squares solution with a ridge in proportion to the signals' variance."""
    gram = signals.T @ signals
    penalty = RIDGE * np.trace(gram) / len(gram) + 1e-9
    share: FloatArray = np.linalg.solve(gram + penalty * np.eye(len(gram)), signals.T @ error)
    return share
