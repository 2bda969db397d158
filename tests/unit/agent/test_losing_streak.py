"""How often chance takes control from a good agent, and how soon a bad one loses it: years of
made-up days, as heavy-tailed as real ones.
"""

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from services.agent.gatekeeper import has_losing_streak
from tests.support.suite.depth import LONG

YEARS = 40 if LONG else 15
DAYS = 365


def draw_gains(seed: int, mean: float, days: int) -> FloatArray:
    """Daily gains of deviation one: Student's t with three degrees of freedom, of which a third
    goes on to the next day.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.standard_t(3, days) / np.sqrt(3)
    for day in range(1, days):
        drawn[day] = 0.3 * drawn[day - 1] + np.sqrt(1 - 0.09) * drawn[day]
    return mean + drawn


def find_withdrawals(mean: float) -> list[int]:
    """The day of each year on which control was withdrawn, of the years in which it was."""
    found = []
    for seed in range(YEARS):
        usual = draw_gains(1000 + seed, 0.1, 180).tolist()
        lived = draw_gains(seed, mean, DAYS).tolist()
        found += [day for day in range(7, DAYS) if has_losing_streak(lived[:day], usual)][:1]
    return found


def test_an_agent_that_is_ahead_is_rarely_withdrawn_by_chance() -> None:
    assert len(find_withdrawals(0.2)) <= 0.2 * YEARS


@pytest.mark.parametrize(
    ("loss", "within"),
    [
        pytest.param(0.7, 45, id="seven tenths of a deviation a day"),
        pytest.param(1.5, 21, id="more than one"),
    ],
)
def test_an_agent_that_loses_is_caught_within_weeks(loss: float, within: int) -> None:
    days = find_withdrawals(-loss)
    assert len(days) == YEARS
    assert float(np.median(days)) <= within


def test_one_lost_week_that_chance_explains_is_no_streak() -> None:
    usual = draw_gains(1, 0.1, 180).tolist()
    assert not has_losing_streak([0.0] * 60 + [-0.3] * 7, usual)


def test_a_week_as_no_chance_makes_it_ends_control_at_once() -> None:
    """Seven days of two deviations each: far beyond 4.5 deviations of a week's sum, which is about
    2.6 times a day's and more with days that go on.
    """
    usual = np.random.default_rng(1).normal(0.0, 1.0, 180).tolist()
    assert has_losing_streak([0.1] * 30 + [-2.5] * 7, usual)


def test_without_days_to_compare_with_nothing_is_a_streak() -> None:
    assert not has_losing_streak([-5.0] * 30, [0.1] * 6)
