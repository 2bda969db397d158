"""Confidence intervals and significance of daily differences between policies.

Intervals come from a block bootstrap, significance from a paired permutation test. Consecutive days
are correlated, so both work on whole blocks of days.
"""

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray

BLOCK_DAYS = 7
DRAWS = 5_000
SHARE = 0.95
# Up to so many blocks every combination of signs is tried; beyond, so many are drawn.
_EXACT_BLOCKS = 16
_SIGN_DRAWS = 20_000
# Sums that differ by less are the same sum.
_ROUNDING = 1e-12


def bound_sum(
    daily: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS
) -> tuple[float, float]:
    """Return the 95 % interval of the sum of daily values.

    It is computed by circular block bootstrap.

    Source: Politis and Romano (1992).
    """
    return _bound(daily[_draw_days(daily.size, rng, block)].sum(axis=1))


def bound_ratio(
    part: FloatArray, whole: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of two sums of daily values.

    Each draw takes the same days of both.

    Args:
        part: by day, ``(days,)``.
        whole: by day, ``(days,)``; its sum over many days is well above zero.
        rng: draws the blocks.
        block: days of a block.
    """
    days = _draw_days(part.size, rng, block)
    return _bound(part[days].sum(axis=1) / whole[days].sum(axis=1))


def _draw_days(count: int, rng: np.random.Generator, block: int) -> IndexArray:
    """Return the days of each draw, ``(DRAWS, count)``."""
    block = min(block, count)
    starts = rng.integers(0, count, (DRAWS, -(-count // block)))
    days: IndexArray = (starts[..., None] + np.arange(block)).reshape(DRAWS, -1)[:, :count] % count
    return days


def _bound(drawn: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def permute_signs(daily: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS) -> float:
    """Return the two-sided p-value of a paired sign-flip permutation test over blocks of days.

    Source: Fisher (1935).

    Args:
        daily: advantage of one policy over another, by day.
        rng: draws the signs where there are too many blocks to try all.
        block: days of a block; blocks follow each other from the first day on.
    """
    sums = np.add.reduceat(daily, np.arange(0, daily.size, block))
    if sums.size <= _EXACT_BLOCKS:
        totals = _total_each_way(sums)
        added = 0
    else:
        totals = rng.choice((-1.0, 1.0), (_SIGN_DRAWS, sums.size)) @ sums
        # The observed signs count as one more permutation.
        added = 1
    as_far = np.abs(totals) >= abs(float(sums.sum())) - _ROUNDING
    return float((as_far.sum() + added) / (as_far.size + added))


def _total_each_way(sums: FloatArray) -> FloatArray:
    """Return the total under every combination of signs, ``(2 ** sums.size,)``."""
    totals = np.zeros(1)
    for value in sums:
        totals = np.concatenate((totals + value, totals - value))
    return totals


def worst_week(daily: FloatArray) -> float:
    """Return the lowest sum of seven consecutive days, or of all days if fewer."""
    return float(np.convolve(daily, np.ones(min(BLOCK_DAYS, daily.size)), mode="valid").min())
