"""Distributions of each slot from its quantiles: straight lines between them, and finite tails."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.outlook import SHARES, Quantiles
from luna.energy.timeline import FloatArray

KNOTS = np.array([0.0, *SHARES.values(), 1.0])
TAIL = 1 - SHARES["p95"]
# Length of the upper tail, in distances of the 95 % quantile from the median
LEAST_TAIL = 0.1
MOST_TAIL = 3.0
NO_WIDTH = 1e-6


@dataclass(frozen=True, slots=True)
class Marginals:
    """A distribution per slot as its values at ``KNOTS``, ascending along the last axis.

    Shape ``(…, slots, knots)``.
    """

    values: FloatArray

    @classmethod
    def of(cls, quantiles: Quantiles, limit_kwh: float) -> Self:
        """Return the distributions of an energy from its quantiles, within 0 and ``limit_kwh``.

        The upper tail is as long as the expected value requires.
        """
        inner = np.stack([getattr(quantiles, name) for name in SHARES], axis=-1)
        p05 = inner[..., 0]
        p95 = inner[..., -1]
        lowest = np.maximum(p05 - (inner[..., 2] - p05), 0)
        # The part of the expected value that lies below the 95 % quantile.
        pieces = np.diff(KNOTS[1:-1]) * (inner[..., 1:] + inner[..., :-1]) / 2
        below = pieces.sum(axis=-1) + TAIL * (lowest + p05) / 2
        required = 2 * (quantiles.expected - below) / TAIL - p95
        reach = p95 - inner[..., 3]
        highest = np.clip(required, p95 + LEAST_TAIL * reach, p95 + MOST_TAIL * reach)
        highest = np.maximum(np.minimum(highest, limit_kwh), p95)
        return cls(np.concatenate([lowest[..., None], inner, highest[..., None]], axis=-1))

    @classmethod
    def of_price(cls, quantiles: FloatArray) -> Self:
        """Return the distributions of a price from its quantiles, shape ``(slots, shares)``.

        The tails reach as far beyond 5 and 95 % as 25 and 75 % lie within.
        """
        lowest = 2 * quantiles[:, 0] - quantiles[:, 2]
        highest = 2 * quantiles[:, -1] - quantiles[:, 4]
        return cls(np.column_stack([lowest, quantiles, highest]))

    def place(self, actual: FloatArray) -> FloatArray:
        """Return the share of the distribution below each value, shape ``(…, slots)``.

        NaN where it is unknown or the distribution has no width.

        Source: Dawid (1984), the probability integral transform.
        """
        knots_below = (actual[..., None] >= self.values).sum(axis=-1)
        knot = np.clip(knots_below - 1, 0, KNOTS.size - 2)
        low = np.take_along_axis(self.values, knot[..., None], axis=-1)[..., 0]
        high = np.take_along_axis(self.values, (knot + 1)[..., None], axis=-1)[..., 0]
        within = np.divide(
            actual - low, high - low, out=np.full(actual.shape, 0.5), where=high - low > NO_WIDTH
        )
        share = KNOTS[knot] + np.clip(within, 0, 1) * np.diff(KNOTS)[knot]
        width = self.values[..., -1] - self.values[..., 0]
        placed: FloatArray = np.where(np.isnan(actual) | ~(width > NO_WIDTH), np.nan, share)
        return placed

    def draw(self, share: FloatArray) -> FloatArray:
        """Return the value at each share, both of shape ``(paths, slots)``."""
        slot, knot, beyond = self._locate(share)
        low = self.values[slot, knot]
        high = self.values[slot, knot + 1]
        drawn: FloatArray = low + (high - low) * beyond / np.diff(KNOTS)[knot]
        return drawn

    def arrange(self, share: FloatArray, probability: FloatArray) -> FloatArray:
        """Return paths, shape ``(paths, slots)``, in the order of ``share`` at every slot.

        Each path takes the mean of a part of the distribution as large as its probability.

        Invariants: the paths' mean, weighted by ``probability``, is that of the distribution, and
        every value lies within it.

        Source: Clark et al. (2004), the Schaake shuffle; Schefzik et al. (2013), ensemble copula
        coupling.
        """
        order = np.argsort(share, axis=0, kind="stable")
        weight = probability[order]
        upto = np.minimum(np.cumsum(weight, axis=0), 1.0)
        part_integral = np.diff(self._integrate(upto), axis=0, prepend=0.0)
        part_share = np.diff(upto, axis=0, prepend=0.0)
        part_mean = np.clip(part_integral / part_share, self.values[:, 0], self.values[:, -1])
        arranged = np.empty_like(part_integral)
        np.put_along_axis(arranged, order, part_mean, axis=0)
        return arranged

    def mean(self) -> FloatArray:
        """Return the mean of each distribution, shape ``(slots,)``."""
        mean: FloatArray = self._integrate(np.ones((1, self.values.shape[0])))[0]
        return mean

    def _integrate(self, share: FloatArray) -> FloatArray:
        """Return the integral of the values from share 0 to ``share``."""
        slot, knot, beyond = self._locate(share)
        low = self.values[slot, knot]
        high = self.values[slot, knot + 1]
        pieces = np.diff(KNOTS) * (self.values[:, 1:] + self.values[:, :-1]) / 2
        zeros = np.zeros((self.values.shape[0], 1))
        before = np.concatenate([zeros, np.cumsum(pieces, axis=1)], axis=1)
        slope = (high - low) / np.diff(KNOTS)[knot]
        integral: FloatArray = before[slot, knot] + low * beyond + slope * beyond**2 / 2
        return integral

    def _locate(self, share: FloatArray) -> tuple[np.ndarray, np.ndarray, FloatArray]:
        knot = np.clip(np.searchsorted(KNOTS, share, side="right") - 1, 0, KNOTS.size - 2)
        return np.arange(self.values.shape[0])[None, :], knot, share - KNOTS[knot]
