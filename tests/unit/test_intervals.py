"""How sure a sum of days is."""

import numpy as np
import pytest

from luna.energy.bootstrap import bound_ratio, bound_sum, permute_signs, worst_week
from luna.energy.timeline import FloatArray
from tests.support.suite.depth import LONG, draws


def test_days_that_never_differ_leave_no_doubt() -> None:
    assert bound_sum(np.full(30, 0.5), rng=np.random.default_rng(1)) == pytest.approx((15.0, 15.0))


def test_the_interval_holds_the_sum_and_narrows_where_days_go_their_own_way() -> None:
    weeks = np.repeat(np.random.default_rng(2).normal(1.0, 1.0, 20), 7)
    mixed = np.random.default_rng(3).permutation(weeks)
    (low, high), (near, far) = (
        bound_sum(daily, rng=np.random.default_rng(4)) for daily in (weeks, mixed)
    )
    assert low < weeks.sum() < high
    assert high - low > 1.5 * (far - near)


def test_the_worst_week_may_begin_on_any_day() -> None:
    daily = np.zeros(21)
    daily[[3, 8]] = -1.0  # six days between them: one week holds both
    assert worst_week(daily) == pytest.approx(-2.0)
    assert worst_week(np.array([1.0, -3.0])) == pytest.approx(-2.0)


def make_days(rng: np.random.Generator, *, mean: float, count: int = 105) -> FloatArray:
    """Return days of which each resembles the one before (correlation 0.3)."""
    noise = rng.normal(0.0, 1.0, count)
    for day in range(1, count):
        noise[day] = 0.3 * noise[day - 1] + np.sqrt(1 - 0.3**2) * noise[day]
    return np.asarray(mean + noise)


def test_about_ninety_five_intervals_of_a_hundred_hold_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = 0.2 * 105
    bounds = [bound_sum(make_days(rng, mean=0.2), rng=rng) for _ in range(200 if LONG else 100)]
    # Fifteen blocks are few: percentiles of a bootstrap are a little too narrow then, by up to five
    # of a hundred.
    assert 0.87 <= np.mean([low <= truth <= high for low, high in bounds]) <= 0.98


def test_the_interval_of_a_ratio_holds_it_and_knows_that_both_sides_vary_together() -> None:
    rng = np.random.default_rng(6)
    whole = rng.gamma(4.0, 0.5, 105)
    low, high = bound_ratio(0.8 * whole, whole, rng=rng)
    assert (low, high) == pytest.approx((0.8, 0.8))
    low, high = bound_ratio(0.8 * whole + rng.normal(0, 0.5, 105), whole, rng=rng)
    assert low < 0.8 < high
    assert high - low < 0.2


def test_without_a_difference_p_values_are_spread_evenly() -> None:
    rng = np.random.default_rng(7)
    # Fifteen blocks are all tried, thirty are drawn from.
    for days, count in ((105, 100), (210, draws(600))):
        p_values = np.sort(
            [permute_signs(rng.normal(0.0, 1.0, days), rng=rng) for _ in range(count)]
        )
        distance = np.abs(p_values - (np.arange(count) + 0.5) / count).max()
        # Kolmogorov and Smirnov: 1.63 / sqrt(count) is passed once in a hundred times.
        assert distance < 1.63 / np.sqrt(count)


def test_a_difference_on_every_day_is_as_rare_as_it_can_be() -> None:
    # Of the 2^10 turns of ten blocks only two are as far from zero: all as they are, and all
    # turned.
    assert permute_signs(np.full(70, 0.1), rng=np.random.default_rng(8)) == pytest.approx(2 / 2**10)
    assert permute_signs(np.zeros(70), rng=np.random.default_rng(8)) == 1.0
    assert permute_signs(np.full(7 * 30, 0.1), rng=np.random.default_rng(8)) < 1e-3


def test_a_last_block_that_is_not_full_counts_as_one() -> None:
    # Two blocks, of seven days and of one: two of four turns are as far.
    assert permute_signs(np.ones(8), rng=np.random.default_rng(9)) == pytest.approx(0.5)
