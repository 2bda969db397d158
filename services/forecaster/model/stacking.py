"""Stacking of member forecasts by convex weights, and calibration of quantiles.

Both are fitted per band of leads, on weeks that the models have not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from luna.energy.outlook import LEVELS, SHARES, Quantiles
from luna.energy.timeline import FloatArray
from services.forecaster.inputs.frame import IntArray

SIDES = np.sign(LEVELS - 0.5)  # below or above the median
MEDIAN = [*SHARES].index("p50")
THINNEST = 0.01  # least distance of a quantile from the median, as a share of the series' scale
# Distance of each quantile from the median in a normal distribution, relative to that of the 10
# (90) % quantile.
DISTANCES = np.array([1.2835, 1.0, 0.5263, 0.0, 0.5263, 1.0, 1.2835])


@dataclass(frozen=True)
class QuantileHeads:
    """A forecast before it is bounded, kWh.

    The mean has the shape ``(rows,)``, the quantiles ``(levels, rows)``.
    """

    expected: FloatArray
    quantiles: FloatArray

    @property
    def p50(self) -> FloatArray:
        median: FloatArray = self.quantiles[MEDIAN]
        return median

    def measure_widths(self, scale_kwh: FloatArray) -> FloatArray:
        """Return the distance of each quantile from the median, at least ``THINNEST`` of the scale.

        Shape ``(levels, rows)``.
        """
        return np.maximum(SIDES[:, None] * (self.quantiles - self.p50), THINNEST * scale_kwh)

    def stretch(self, factor: FloatArray, scale_kwh: FloatArray) -> "QuantileHeads":
        """Return the forecast with each quantile ``factor`` times as far from the median.

        ``factor`` has the shape ``(levels, rows)``.
        """
        distance = SIDES[:, None] * factor * self.measure_widths(scale_kwh)
        return replace(self, quantiles=self.p50 + distance)

    def move(self, mean_kwh: FloatArray, median_kwh: FloatArray) -> "QuantileHeads":
        """Return the forecast with mean and quantiles moved, by amounts of shape ``(rows,)``."""
        return QuantileHeads(self.expected + mean_kwh, self.quantiles + median_kwh)

    def bound(self, limit_kwh: FloatArray) -> Quantiles:
        """Return the forecast with ``0 ≤ p05 ≤ … ≤ p95 ≤ limit`` and a mean in between."""
        below = np.minimum.accumulate(self.quantiles[MEDIAN::-1], axis=0)[::-1]
        above = np.maximum.accumulate(self.quantiles[MEDIAN:], axis=0)
        parts = np.clip(np.concatenate([below, above[1:]]), 0, limit_kwh)
        return Quantiles(np.clip(self.expected, 0, limit_kwh), *parts)

    def replace(self, rows: NDArray[np.bool_], other: "QuantileHeads") -> "QuantileHeads":
        return QuantileHeads(
            np.where(rows, other.expected, self.expected),
            np.where(rows, other.quantiles, self.quantiles),
        )


def spread_heads(
    expected: FloatArray, p50: FloatArray, below: FloatArray, above: FloatArray
) -> QuantileHeads:
    """Return a forecast from the distances of the 10 and 90 % quantiles from the median.

    On each side the others are those of a normal distribution.
    """
    sides = np.stack([-below] * MEDIAN + [np.zeros_like(p50)] + [above] * MEDIAN)
    return QuantileHeads(expected, p50 + DISTANCES[:, None] * sides)


# Slots of lead: the next three hours, the half day after, the rest
BAND_STARTS = np.array([0, 12, 48])
STEPS = 60
RATE = 2.0
NEEDED_ROWS = 200  # fewest rows to fit a band
WIDEST = 6.0
NARROWEST = 0.2


@dataclass(frozen=True, slots=True)
class LeadGroups:
    """The stratum of each row, ``of_row`` of shape ``(rows,)``, among ``count`` sets of weights."""

    of_row: IntArray
    count: int

    def select(self, rows: NDArray[np.bool_]) -> "LeadGroups":
        return LeadGroups(self.of_row[rows], self.count)


def band_of(lead: IntArray) -> IntArray:
    """Return the band of leads each row belongs to."""
    bands: IntArray = np.searchsorted(BAND_STARTS, lead, side="right") - 1
    return bands


def measure_loss(error: FloatArray, share: float | None) -> FloatArray:
    """Return squared loss, or the pinball loss of the ``share`` quantile.

    ``error`` is actual minus forecast.
    """
    if share is None:
        squared: FloatArray = error**2
        return squared
    pinball: FloatArray = np.maximum(share * error, (share - 1) * error)
    return pinball


def weigh_members(
    members: FloatArray, actual: FloatArray, share: float | None, *, prior: FloatArray | None = None
) -> FloatArray:
    """Return non-negative weights that sum to one, shape ``(members,)``.

    The blend is never worse on these rows than the best member alone.

    Args:
        members: shape ``(rows, members)``.
        share: the quantile of the pinball loss; None: squared loss.
        prior: initial weights, which few steps change little: another season may need others.
            Default: equal weights.

    Source: Kivinen and Warmuth (1997), exponentiated gradient.
    """
    count = members.shape[1]
    weights = np.full(count, 1 / count) if prior is None else prior
    spread = max(float(np.abs(members - actual[:, None]).mean()), 1e-9)
    for step in range(1, STEPS + 1):
        error = actual - members @ weights
        pull = 2 * error / spread if share is None else np.where(error > 0, share, share - 1)
        gradient = pull @ members / (actual.size * spread)
        rate = RATE / np.sqrt(step)
        exponent = np.clip(rate * (gradient - gradient.max()), -50, 0)
        weights = weights * np.exp(exponent)
        weights /= weights.sum()
    single = measure_loss(actual[:, None] - members, share).mean(axis=0)
    best: FloatArray = np.eye(members.shape[1])[int(single.argmin())]
    for blend in (weights, (weights + best) / 2):
        if measure_loss(actual - members @ blend, share).mean() <= single.min():
            return blend
    return best


def weigh_strata(
    members: FloatArray,
    actual: FloatArray,
    share: float | None,
    *,
    strata: LeadGroups,
    prior: FloatArray | None = None,
) -> FloatArray:
    """Return weights per stratum of rows, shape ``(strata, members)``.

    A stratum with too few rows takes the weights of all rows.
    """
    chosen = [strata.of_row == stratum for stratum in range(strata.count)]
    everywhere = np.empty(0)
    if any(rows.sum() < NEEDED_ROWS for rows in chosen):
        everywhere = weigh_members(members, actual, share, prior=prior)
    weights = []
    for rows in chosen:
        if rows.sum() < NEEDED_ROWS:
            weights.append(everywhere)
        else:
            weights.append(weigh_members(members[rows], actual[rows], share, prior=prior))
    return np.stack(weights)


def blend_members(
    members: Mapping[str, FloatArray], weights: FloatArray, stratum: IntArray
) -> FloatArray:
    """Return the weighted sum of ``members``, which are in the order of the weights' columns."""
    by_row = weights[stratum]
    blended = np.zeros(stratum.size)
    for column, member in enumerate(members.values()):
        blended += by_row[:, column] * member
    return blended


def stretch_band(distance: FloatArray, width: FloatArray, share: float) -> float:
    """Return the factor by which ``width`` covers ``share`` of the distances from the median.

    Source: Romano, Patterson and Candès (2019), conformalised quantile regression, in its scaled
    form (Sousa 2022).
    """
    if distance.size < NEEDED_ROWS:
        return 1.0
    level = min(1.0, share * (1 + 1 / distance.size))
    return float(np.clip(np.quantile(distance / width, level), NARROWEST, WIDEST))


def stretch_bands(
    distance: FloatArray, width: FloatArray, lead: IntArray, share: float
) -> FloatArray:
    """Return one factor per band of leads, shape ``(bands,)``."""
    rows: list[NDArray[np.bool_]] = [band_of(lead) == band for band in range(BAND_STARTS.size)]
    return np.array([stretch_band(distance[chosen], width[chosen], share) for chosen in rows])
