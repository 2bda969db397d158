"""Calculate intervals, tests and effect sizes from weekly observations.

Resampling is seeded: the same rows and seed give the same figures.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from luna.contracts.edge_summary import LabEstimate
from luna.energy.timeline import FloatArray

# With fewer observations no signed-rank test can reach 5 %: 2 / 2^5 > 0.05 > 2 / 2^6.
LEAST_WEEKS = 6
RESAMPLES = 4_000
# Smaller differences are rounding errors and count as zero, because ranks ignore size.
ROUNDING = 1e-9
# Up to so many observations without ties a signed-rank test is exact.
_EXACT = 50

# Sums over weeks, shape ``(columns, ...)``, to a figure, shape ``(...)``.
Statistic = Callable[[FloatArray], FloatArray]


def divide(over: FloatArray, under: FloatArray) -> FloatArray:
    """Return a ratio; NaN where it has no denominator."""
    over = np.asarray(over, float)
    under = np.asarray(under, float)
    unknown = np.full(np.broadcast(over, under).shape, np.nan)
    return np.asarray(np.divide(over, under, out=unknown, where=under != 0))


def estimate_ratio(over: FloatArray, under: FloatArray, *, level: float, seed: int) -> LabEstimate:
    """Return the ratio of two sums over weeks and its bootstrap interval.

    Args:
        over: by week, shape ``(weeks,)``.
        under: likewise.
        level: of confidence.
        seed: of the resampling.
    """

    def ratio(sums: FloatArray) -> FloatArray:
        return divide(sums[0], sums[1])

    return _estimate([over, under], ratio, level=level, seed=seed)


def estimate_ratio_difference(
    first: Sequence[FloatArray], second: Sequence[FloatArray], *, level: float, seed: int
) -> LabEstimate:
    """Return the first ratio of sums minus the second, with its interval.

    ``first`` and ``second`` are pairs of arrays over the same weeks, shape ``(weeks,)``.
    """

    def difference(sums: FloatArray) -> FloatArray:
        return divide(sums[0], sums[1]) - divide(sums[2], sums[3])

    return _estimate([*first, *second], difference, level=level, seed=seed)


def estimate_ratio_of_ratios(
    first: Sequence[FloatArray], second: Sequence[FloatArray], *, level: float, seed: int
) -> LabEstimate:
    """Return the first ratio of sums divided by the second, with its interval.

    ``first`` and ``second`` are pairs of arrays over the same weeks, shape ``(weeks,)``.
    """

    def quotient(sums: FloatArray) -> FloatArray:
        return divide(divide(sums[0], sums[1]), divide(sums[2], sums[3]))

    return _estimate([*first, *second], quotient, level=level, seed=seed)


def estimate_mean(values: FloatArray, *, level: float, seed: int) -> LabEstimate:
    """Return the mean over weeks and its bootstrap interval."""
    return estimate_ratio(values, np.ones_like(values), level=level, seed=seed)


def _estimate(
    columns: Sequence[FloatArray], statistic: Statistic, *, level: float, seed: int
) -> LabEstimate:
    """Return a statistic of sums over weeks with its interval, bias-corrected and accelerated.

    Source: Efron 1987, as SciPy has it.
    """
    value = float(statistic(np.array([column.sum() for column in columns])))
    weeks = columns[0].size
    if not np.isfinite(value):
        return LabEstimate()
    if weeks < LEAST_WEEKS:
        return LabEstimate(value=value)

    def of_resamples(*drawn: FloatArray, axis: int = -1) -> FloatArray:
        return np.asarray(statistic(np.stack([column.sum(axis=axis) for column in drawn])))

    settings = {
        "paired": True,
        "vectorized": True,
        "confidence_level": level,
        "n_resamples": RESAMPLES,
    }
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in ("BCa", "percentile"):
            drawn = stats.bootstrap(
                tuple(columns),
                of_resamples,
                method=method,
                rng=np.random.default_rng(seed),
                **settings,
            )
            low, high = (float(end) for end in drawn.confidence_interval)
            # Where all weeks are alike, bias correction divides by zero: take the percentiles.
            if np.isfinite(low) and np.isfinite(high):
                return LabEstimate(value=value, low=min(low, value), high=max(high, value))
    return LabEstimate(value=value)


def compare_paired(differences: FloatArray) -> tuple[float | None, float | None, float | None]:
    """Return p-value, Cohen's d and rank-biserial correlation of the pairs' differences.

    The p-value is the signed-rank test's. All are None with too few weeks.

    Source: Wilcoxon 1945; Cohen 1988; Kerby 2014.
    """
    finite = differences[np.isfinite(differences)]
    if finite.size < LEAST_WEEKS:
        return None, None, None
    finite = np.where(np.abs(finite) <= ROUNDING, 0.0, finite)
    some = finite[finite != 0]
    if some.size == 0:
        return 1.0, 0.0, 0.0
    has_zeros = some.size < finite.size
    has_ties = np.unique(np.abs(finite)).size < finite.size
    exact = finite.size <= _EXACT and not has_zeros and not has_ties
    test = stats.wilcoxon(
        finite,
        zero_method="pratt",
        method="exact" if exact else "asymptotic",
        correction=not exact,
    )
    deviation = float(finite.std(ddof=1))
    cohens_d = float(finite.mean() / deviation) if deviation > 0 else None
    ranks = stats.rankdata(np.abs(some))
    rank_biserial = float((ranks * np.sign(some)).sum() / ranks.sum())
    return float(test.pvalue), cohens_d, rank_biserial


def correct_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for the number of tests; None stays.

    Source: Holm 1979.
    """
    ranked = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (value, place) in enumerate(ranked):
        highest = max(highest, min(1.0, value * (len(ranked) - rank)))
        corrected[place] = highest
    return corrected


def slope_per_day(values: FloatArray) -> float:
    """Return the median slope between all pairs of days.

    NaN if fewer than three of the ``values``, shape ``(days,)``, are finite.

    Source: Theil 1950, Sen 1968.
    """
    days = np.flatnonzero(np.isfinite(values))
    if days.size < 3:
        return float("nan")
    return float(stats.theilslopes(values[days], days).slope)
