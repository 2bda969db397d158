"""Correct a forecast by the last hours' deviation from the usual, with a decay that is trained per
step of lead time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.forecaster.inputs.frame import IntArray
from services.forecaster.inputs.view import HOUR, FeatureMatrix
from services.forecaster.model.stacking import QuantileHeads, measure_loss

# First lead, slots, of each step of equal correction; none from the last on
STEP_STARTS = np.array([0, 2, 4, 8, 16, 24])
NEEDED_ROWS = 40
LARGEST_ERROR = 4.0  # errors are clipped to so many scales in training
RIDGE = 0.05


def measure_load(view: FeatureMatrix) -> dict[str, FloatArray]:
    """Return the deviations of load from the same hours of the last seven days, in the last hour
    and the last day, kWh per slot.
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
    """The share of each signal that remains per step of lead, shape ``(steps, signals)``, for the
    mean and the median.
    """

    series: str
    mean: FloatArray
    median: FloatArray

    def correct(self, heads: QuantileHeads, view: FeatureMatrix, lead: IntArray) -> QuantileHeads:
        """Return the heads moved by the remaining signals."""
        signals = stack_signals(self.series, view)
        step = step_of(lead)
        return heads.move(
            (signals * self.mean[step]).sum(axis=1), (signals * self.median[step]).sum(axis=1)
        )

    def describe(self, view: FeatureMatrix, lead: IntArray) -> list[dict[str, float]]:
        """Return for every origin (a row of lead zero, then its next slots) the signals, and their
        effect on the next hour, kWh.
        """
        signals = stack_signals(self.series, view)
        step = step_of(lead)
        first = lead == 0
        next_hour = lead < HOUR
        moved = (
            (signals * self.mean[step])
            .sum(axis=1)[next_hour]
            .reshape(int(first.sum()), -1)
            .sum(axis=1)
        )
        names = [*SIGNALS[self.series](view), "next_hour"]
        return [
            dict(zip(names, map(float, row), strict=True))
            for row in np.round(np.column_stack([signals[first], moved]), 6)
        ]


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
    for forecast, share in ((heads.expected, None), (heads.p50, 0.5)):
        error = actual_kwh - forecast
        bounded = np.clip(error, -LARGEST_ERROR * view.scale_kwh, LARGEST_ERROR * view.scale_kwh)
        learned = np.zeros((last + 1, signals.shape[1]))
        for each in range(last):
            rows = step == each
            learned[each] = _learn_step(
                signals[rows], error[rows], bounded=bounded[rows], half=half[rows], level=share
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
    if min(half.sum(), (~half).sum()) < NEEDED_ROWS:
        return np.zeros(signals.shape[1])

    def measure_gain(share: FloatArray, rows: NDArray[np.bool_]) -> float:
        return float(
            (
                measure_loss(error[rows], level)
                - measure_loss(error[rows] - signals[rows] @ share, level)
            ).sum()
        )

    held_out_gain = sum(
        measure_gain(_solve(signals[~judged], bounded[~judged]), judged) for judged in (half, ~half)
    )
    share = _solve(signals, bounded)
    improves = held_out_gain > 0 and measure_gain(share, np.ones_like(half)) >= 0
    return share if improves else np.zeros_like(share)


def _solve(signals: FloatArray, error: FloatArray) -> FloatArray:
    gram = signals.T @ signals
    share: FloatArray = np.linalg.solve(
        gram + (RIDGE * np.trace(gram) / len(gram) + 1e-9) * np.eye(len(gram)), signals.T @ error
    )
    return share
