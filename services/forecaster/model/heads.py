"""A forecast of one series before it is bounded: its mean and its seven quantiles by row."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from luna.outlook import LEVELS, SHARES, Quantiles
from luna.timeline import FloatArray

SIDES = np.sign(LEVELS - 0.5)  # below or above the median
MEDIAN = [*SHARES].index("p50")
THINNEST = 0.01  # least distance of a quantile from the median, as a share of the series' scale
# Of each quantile from the median, in distances of the 10 (90) % quantile of a normal distribution.
DISTANCES = np.array([1.2835, 1.0, 0.5263, 0.0, 0.5263, 1.0, 1.2835])


@dataclass(frozen=True)
class Heads:
    """A forecast before it is bounded, kWh: the mean, shape ``(rows,)``, and the quantiles, shape ``(levels, rows)``."""

    expected: FloatArray
    quantiles: FloatArray

    @property
    def p50(self) -> FloatArray:
        """The median."""
        median: FloatArray = self.quantiles[MEDIAN]
        return median

    def measure_widths(self, scale_kwh: FloatArray) -> FloatArray:
        """Return how far each quantile lies from the median, never less than a sliver; shape ``(levels, rows)``."""
        return np.maximum(SIDES[:, None] * (self.quantiles - self.p50), THINNEST * scale_kwh)

    def stretch(self, factor: FloatArray, scale_kwh: FloatArray) -> "Heads":
        """Return the forecast with each quantile ``factor``, shape ``(levels, rows)``, times as far from the median."""
        return replace(self, quantiles=self.p50 + SIDES[:, None] * factor * self.measure_widths(scale_kwh))

    def move(self, mean_kwh: FloatArray, median_kwh: FloatArray) -> "Heads":
        """Return the forecast with the mean moved by one amount and all quantiles by the other, each of shape ``(rows,)``."""
        return Heads(self.expected + mean_kwh, self.quantiles + median_kwh)

    def bound(self, limit_kwh: FloatArray) -> Quantiles:
        """Return the forecast with ``0 ≤ p05 ≤ … ≤ p95 ≤ limit`` and the mean within zero and the limit."""
        below = np.minimum.accumulate(self.quantiles[MEDIAN::-1], axis=0)[::-1]
        above = np.maximum.accumulate(self.quantiles[MEDIAN:], axis=0)
        parts = np.clip(np.concatenate([below, above[1:]]), 0, limit_kwh)
        return Quantiles(np.clip(self.expected, 0, limit_kwh), *parts)

    def replace(self, rows: NDArray[np.bool_], other: "Heads") -> "Heads":
        """Return the heads with ``rows`` taken from ``other``."""
        return Heads(np.where(rows, other.expected, self.expected), np.where(rows, other.quantiles, self.quantiles))


def spread_heads(expected: FloatArray, p50: FloatArray, below: FloatArray, above: FloatArray) -> Heads:
    """Return a forecast from the distances of the 10 and 90 % quantiles from the median; the others lie as those of a normal distribution do, side by side."""
    sides = np.stack([-below] * MEDIAN + [np.zeros_like(p50)] + [above] * MEDIAN)
    return Heads(expected, p50 + DISTANCES[:, None] * sides)
