"""Intervals hold what they say they hold, tests claim no more often than they say, and degenerate
weeks give no nonsense.
"""

import numpy as np
import pytest
from scipy import stats

from luna.energy.timeline import FloatArray
from services.edge.analytics.statistics import (
    LEAST_WEEKS,
    compare_paired,
    correct_holm,
    estimate_mean,
    estimate_ratio,
    slope_per_day,
)


def draw_skewed(draw: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Symmetric about zero, with tails that a normal law does not have: as many weeks up as
    down.
    """
    return draw.standard_t(3, shape)


def test_a_family_of_equal_controllers_is_claimed_about_in_five_of_a_hundred_batches_at_most() -> (
    None
):
    draw = np.random.default_rng(11)
    batches = 200
    comparisons = 8
    weeks = 16
    claimed = 0
    for _ in range(batches):
        corrected = correct_holm(
            [compare_paired(each)[0] for each in draw_skewed(draw, (comparisons, weeks))]
        )
        claimed += any(p_value is not None and p_value < 0.05 for p_value in corrected)
    # Three standard deviations above 5 %: sqrt(0.05 * 0.95 / 200) = 0.0154.
    assert claimed / batches <= 0.05 + 3 * 0.0154


def test_a_planted_difference_is_found() -> None:
    differences = 0.05 + np.random.default_rng(3).normal(0, 0.03, 16)
    p_value, cohens_d, rank_biserial = compare_paired(differences)
    assert p_value is not None
    assert p_value == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert p_value * 60 < 0.05
    assert cohens_d == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert rank_biserial is not None
    assert 0.8 < rank_biserial <= 1


def test_an_interval_holds_the_true_ratio_as_often_as_it_says() -> None:
    draw = np.random.default_rng(5)
    held = 0
    for _ in range(150):
        charged = draw.uniform(2, 6, 24)
        estimate = estimate_ratio(
            charged * (0.5 + draw.normal(0, 0.1, 24)), charged, level=0.9, seed=1
        )
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 0.5 <= estimate.high
    # Of 24 weeks a bootstrap holds a little less than 90 %: 0.9 less three standard deviations of
    # 150 tries, sqrt(0.09 / 150) = 0.0245, is 0.826.
    assert 0.826 <= held / 150 <= 0.98


def test_the_same_weeks_and_seed_give_the_same_interval() -> None:
    weeks = np.random.default_rng(2).normal(1, 0.2, 12)
    assert estimate_mean(weeks, level=0.95, seed=4) == estimate_mean(weeks, level=0.95, seed=4)
    assert estimate_mean(weeks, level=0.95, seed=4) != estimate_mean(weeks, level=0.95, seed=5)


def test_too_few_weeks_have_a_value_and_no_interval() -> None:
    weeks = np.arange(LEAST_WEEKS - 1, dtype=float)
    estimate = estimate_mean(weeks, level=0.95, seed=0)
    assert (estimate.value, estimate.low, estimate.high) == (weeks.mean(), None, None)
    assert compare_paired(weeks) == (None, None, None)


def test_weeks_that_are_all_alike_vary_by_nothing() -> None:
    estimate = estimate_mean(np.full(10, 0.25), level=0.95, seed=0)
    assert (estimate.low, estimate.high) == (0.25, 0.25)


def test_rounding_is_no_difference() -> None:
    # Sums in another order: as many of them are above zero as chance puts there, and none means
    # anything.
    noise = np.full(20, 1e-15)
    assert compare_paired(noise) == (1.0, 0.0, 0.0)


def test_a_ratio_without_a_denominator_is_unknown() -> None:
    assert estimate_ratio(np.zeros(8), np.zeros(8), level=0.95, seed=0).value is None


def test_holm_keeps_order_and_what_was_not_tested() -> None:
    # 3 * 0.01 = 0.03; 2 * 0.02 = 0.04; 1 * 0.9.
    assert correct_holm([0.02, None, 0.9, 0.01]) == pytest.approx([0.04, None, 0.9, 0.03])
    # The second would be 0.02, but no p-value is below that of a smaller one.
    assert correct_holm([0.011, 0.02]) == pytest.approx([0.022, 0.022])


def test_a_slope_passes_over_unknown_days_and_outliers() -> None:
    days = np.array([0.0, 1.0, np.nan, 3.0, 4.0, 90.0, 6.0])
    assert slope_per_day(days) == pytest.approx(1.0)
    assert np.isnan(slope_per_day(np.array([1.0, np.nan, 2.0])))
