"""How sure a difference between two policies is: days in a row resemble each other, so whole blocks of them are drawn."""

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray

BLOCK_DAYS, DRAWS, SHARE = 7, 5_000, 0.95
# Of so many blocks every turn of their signs is tried, of more so many are drawn.
_EXACT_BLOCKS, _SIGN_DRAWS = 16, 20_000
# Sums that differ by less are the same sum.
_ROUNDING = 1e-12


def bound_sum(daily: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS) -> tuple[float, float]:
    """Return the 95 % interval of the sum of daily values by the circular block bootstrap (Politis and Romano 1992)."""
    return _bound(daily[_draw_days(daily.size, rng, block)].sum(axis=1))


def bound_ratio(part: FloatArray, whole: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of two sums of daily values, the same days being drawn of both.

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
    """Return the two-sided p-value of a paired permutation test (Fisher 1935): were there no difference, each block could as well have the other sign.

    Args:
        daily: by how much one policy is ahead of another, by day.
        rng: draws the signs where there are too many blocks to try all.
        block: days of a block; blocks lie side by side from the first day on.
    """
    sums = np.add.reduceat(daily, np.arange(0, daily.size, block))
    if sums.size <= _EXACT_BLOCKS:
        signs, added = 1.0 - 2.0 * ((np.arange(2**sums.size)[:, None] >> np.arange(sums.size)) & 1), 0
    else:
        # What happened is one of the turns as well.
        signs, added = rng.choice((-1.0, 1.0), (_SIGN_DRAWS, sums.size)), 1
    as_far = np.abs(signs @ sums) >= abs(float(sums.sum())) - _ROUNDING
    return float((as_far.sum() + added) / (as_far.size + added))


def worst_week(daily: FloatArray) -> float:
    """Return the least sum of seven days in a row, of all days where there are fewer."""
    return float(np.convolve(daily, np.ones(min(BLOCK_DAYS, daily.size)), mode="valid").min())
