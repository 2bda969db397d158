"""Off-line estimators on logs of which the truth is known."""

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from services.rag.recommending.evaluation import (
    ESTIMATORS,
    LoggedChoices,
    estimate_doubly_robust,
    estimate_ips,
    estimate_snips,
)

# Three arms of 0.2, 0.5, 0.9; what logs takes mostly the first, what is evaluated mostly the last:
# 0.1·0.2 + 0.2·0.5 + 0.7·0.9 = 0.75.
MEANS = np.array([0.2, 0.5, 0.9])
LOGGING = np.array([0.6, 0.3, 0.1])
TARGET = np.array([0.1, 0.2, 0.7])
TRUTH = 0.75


def log_choices(
    count: int, seed: int, *, model: np.ndarray = MEANS, told: np.ndarray = LOGGING
) -> LoggedChoices:
    rng = np.random.default_rng(seed)
    arms = rng.choice(3, count, p=LOGGING)
    reward = (rng.random(count) < MEANS[arms]).astype(float)
    return LoggedChoices(
        reward, told[arms], TARGET[arms], model[arms], np.full(count, float(TARGET @ model))
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_each_finds_the_truth_within_its_interval_as_often_as_it_says(name: str) -> None:
    found = [ESTIMATORS[name](log_choices(2_000, seed)) for seed in range(400)]
    inside = np.mean([each.low <= TRUTH <= each.high for each in found])
    # 95 % of 400 with five standard deviations of √(0.95·0.05/400) = 0.011.
    assert 0.895 < inside <= 1.0
    assert np.mean([each.value for each in found]) == pytest.approx(TRUTH, abs=0.01)


def test_doubly_robust_stands_a_wrong_model() -> None:
    values = [
        estimate_doubly_robust(log_choices(2_000, seed, model=np.array([0.9, 0.1, 0.1]))).value
        for seed in range(100)
    ]
    assert np.mean(values) == pytest.approx(TRUTH, abs=0.02)


def test_doubly_robust_stands_wrong_propensities_where_the_model_is_right() -> None:
    told = np.array([0.4, 0.4, 0.2])
    logs = [log_choices(2_000, seed, told=told) for seed in range(100)]
    assert np.mean([estimate_doubly_robust(log).value for log in logs]) == pytest.approx(
        TRUTH, abs=0.01
    )
    # The third arm's 0.7·0.9 counts half, the second's 0.1 three quarters, the first's 0.02 one and
    # a half: 0.315 + 0.075 + 0.03 = 0.42.
    assert np.mean([estimate_ips(log).value for log in logs]) == pytest.approx(0.42, abs=0.01)


def test_a_good_model_narrows_the_interval() -> None:
    log = log_choices(2_000, 1)
    widths = [
        each.high - each.low
        for each in (estimate_doubly_robust(log), estimate_snips(log), estimate_ips(log))
    ]
    assert widths == sorted(widths)


@pytest.mark.parametrize("propensity", [0.0, np.nan, -1.0], ids=["zero", "unknown", "negative"])
def test_without_propensities_nothing_is_told(propensity: float) -> None:
    with pytest.raises(InvalidInputError):
        LoggedChoices(np.ones(2), np.array([0.5, propensity]), np.ones(2), np.ones(2), np.ones(2))


def test_one_choice_is_too_little() -> None:
    with pytest.raises(InvalidInputError):
        LoggedChoices(*(np.ones(1) for _ in range(5)))
