"""How sure a difference between two policies is: days in a row resemble each other, so whole blocks of them are drawn."""

import numpy as np

from luna.timeline import FloatArray

BLOCK_DAYS, DRAWS, SHARE = 7, 5_000, 0.95


def bound_sum(daily: FloatArray, *, rng: np.random.Generator, block: int = BLOCK_DAYS) -> tuple[float, float]:
    """Return the 95 % interval of the sum of daily values by the circular block bootstrap (Politis and Romano 1992)."""
    block = min(block, daily.size)
    starts = rng.integers(0, daily.size, (DRAWS, -(-daily.size // block)))
    days = (starts[..., None] + np.arange(block)).reshape(DRAWS, -1)[:, : daily.size] % daily.size
    low, high = np.quantile(daily[days].sum(axis=1), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def worst_week(daily: FloatArray) -> float:
    """Return the least sum of seven days in a row, of all days where there are fewer."""
    return float(np.convolve(daily, np.ones(min(BLOCK_DAYS, daily.size)), mode="valid").min())
