"""The bandits: what they know, how they choose, and that their propensities are what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.recommendations import BanditPolicy
from luna.energy.errors import InvalidInputError
from services.rag.recommending.bandit import (
    ALPHA,
    CHANCE,
    BanditRanking,
    Statistics,
    cross_features,
)

POLICIES: tuple[BanditPolicy, ...] = ("linucb", "thompson")
TWO = np.eye(2)


def rank(
    policy: BanditPolicy, candidates: np.ndarray, statistics: Statistics, seed: int = 1
) -> BanditRanking:
    return BanditRanking(policy, candidates, statistics, np.random.default_rng(seed))


def test_statistics_are_sums_whatever_the_order() -> None:
    rows = np.random.default_rng(1).random((50, 3))
    one = Statistics.empty(3)
    other = Statistics.empty(3)
    for row in rows:
        one = one.observe(row, row[0])
    for row in rows[::-1]:
        other = other.observe(row, 0.0).revise(row, row[0])
    np.testing.assert_allclose(one.precision, rows.T @ rows)
    np.testing.assert_allclose(one.response, rows.T @ rows[:, 0])
    np.testing.assert_allclose(one.response, other.response)
    assert one.count == other.count == 50


def test_linucb_takes_the_highest_upper_bound() -> None:
    # Arm 0: 100 observations of 0.5, width 0.8/√101 = 0.08; arm 1: none, 0 + 0.8. So the unknown
    # arm is tried first.
    statistics = Statistics(np.diag([100.0, 0.0]), np.array([50.0, 0.0]), 100)
    assert 0.5 + ALPHA / np.sqrt(101) < ALPHA
    chance = CHANCE["linucb"] / 2
    np.testing.assert_allclose(
        rank("linucb", TWO, statistics).probabilities(np.arange(2)), [chance, 1 - chance]
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_rewarded_more_is_chosen_more(policy: BanditPolicy) -> None:
    # 400 observations each: 0.9 against 0.1 are 16 standard deviations apart.
    statistics = Statistics(np.diag([400.0, 400.0]), np.array([360.0, 40.0]), 800)
    assert rank(policy, TWO, statistics).probabilities(np.arange(2))[0] == pytest.approx(
        1 - CHANCE[policy] / 2
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_choices_come_as_often_as_their_propensity_says(policy: BanditPolicy) -> None:
    candidates = np.random.default_rng(2).random((6, 4))
    ranking = rank(policy, candidates, Statistics.empty(4).observe(candidates[0], 1.0))
    told = ranking.probabilities(np.arange(6))
    counts = (
        np.bincount([ranking.choose(np.arange(6))[0] for _ in range(5_000)], minlength=6) / 5_000
    )
    # Five standard deviations of a share of 5,000 draws are at most 5·√(0.25/5,000) = 0.036.
    assert np.abs(counts - told).max() < 0.036


@given(seed=st.integers(0, 10_000), policy=st.sampled_from(POLICIES), count=st.integers(1, 40))
def test_probabilities_add_up_and_are_never_nothing(
    seed: int, policy: BanditPolicy, count: int
) -> None:
    rng = np.random.default_rng(seed)
    candidates = rng.random((count, 5)) * 10.0 ** rng.integers(-6, 7)
    left = np.arange(0, count, 2)
    probabilities = rank(
        policy, candidates, Statistics.empty(5).observe(rng.random(5), 1.0)
    ).probabilities(left)
    assert probabilities.sum() == pytest.approx(1.0)
    assert (probabilities > 0).all()


def test_arms_with_parameters_of_their_own_do_not_teach_each_other() -> None:
    features = cross_features(np.array([1.0, 2.0]), 3)
    assert features.shape == (3, 6)
    np.testing.assert_allclose(features @ features.T, 5.0 * np.eye(3))


@pytest.mark.parametrize("wrong", [np.nan, np.inf], ids=["unknown", "infinite"])
def test_what_is_no_number_teaches_nothing(wrong: float) -> None:
    with pytest.raises(InvalidInputError):
        Statistics.empty(2).observe(np.array([1.0, wrong]), 1.0)
    with pytest.raises(InvalidInputError):
        Statistics.empty(2).observe(np.ones(2), wrong)
    with pytest.raises(InvalidInputError):
        rank("linucb", np.array([[1.0, wrong]]), Statistics.empty(2))


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        Statistics.empty(2).observe(np.ones(100_000), 1.0)
