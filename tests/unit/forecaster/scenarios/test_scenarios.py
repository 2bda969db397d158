"""What scenarios keep of the errors before, and what they rest on where there are none."""

from datetime import timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Scenarios
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.forecaster.scenarios.joint_scenarios import (
    LOAD_PERSISTENCE,
    PV_PERSISTENCE,
    draw_shares,
    make_scenarios,
    select_paths,
)
from services.forecaster.scenarios.past_error import ErrorHistory, days_before, fill_shares
from tests.support.forecasts.scenarios import LIMIT_KWH, SLOTS, describe_errors, describe_forecast
from tests.support.household.measurements import day, measure_days

DAYS = 42
LEVELS = (np.arange(DAYS)[:, None] + 0.5) / DAYS * np.ones(SLOTS)


def make(errors: ErrorHistory, count: int = 10) -> Scenarios:
    rng = np.random.default_rng(3)
    return make_scenarios(describe_forecast(rng), errors, {}, count=count)


def rank(paths: FloatArray) -> FloatArray:
    return np.argsort(np.argsort(paths, axis=0), axis=0)


def test_days_that_stayed_above_stay_above() -> None:
    made = make(ErrorHistory(np.arange(2, 2 + DAYS), LEVELS, 1 - LEVELS, LIMIT_KWH))
    order = rank(made.load_kwh)
    assert (order == order[:, :1]).all()


def test_load_and_pv_go_apart_where_they_did() -> None:
    made = make(ErrorHistory(np.arange(2, 2 + DAYS), LEVELS, 1 - LEVELS, LIMIT_KWH))
    bright = made.pv_kwh.std(axis=0) > 0
    assert (rank(made.load_kwh)[:, bright] == 9 - rank(made.pv_kwh)[:, bright]).all()


def test_the_values_of_a_slot_are_as_frequent_as_the_forecast_says() -> None:
    rng = np.random.default_rng(5)
    forecast = describe_forecast(rng)
    made = make_scenarios(forecast, describe_errors(rng), {})
    # Each value stands for its part of the distribution: below the median lies half of the
    # probability, but for the value whose part it cuts.
    below = (made.probability[:, None] * (made.load_kwh <= forecast.load_kwh.p50)).sum(axis=0)
    assert np.abs(below - 0.5).max() <= made.probability.max()


def test_with_little_to_go_by_a_usual_persistence_serves_and_is_named() -> None:
    assert make(describe_errors(np.random.default_rng(1), days=13)).reasons == ("few_error_paths",)
    assert make(describe_errors(np.random.default_rng(1), days=14)).reasons == ()


def test_fewer_days_than_scenarios_are_too_few() -> None:
    assert make(describe_errors(np.random.default_rng(1), days=20), count=21).reasons == (
        "few_error_paths",
    )


@pytest.mark.parametrize("count", [0, 31])
def test_a_count_out_of_reach_is_refused(count: int) -> None:
    with pytest.raises(InvalidInputError, match="so many scenarios"):
        make(describe_errors(np.random.default_rng(1)), count=count)


def test_load_errors_fade_sooner_than_pv_errors() -> None:
    load, pv = (
        draw_shares(SLOTS, persistence, np.random.default_rng(2)) - 0.5
        for persistence in (LOAD_PERSISTENCE, PV_PERSISTENCE)
    )
    after = [
        float((shares[:, 8:] * shares[:, :-8]).mean() / (shares**2).mean()) for shares in (load, pv)
    ]
    # 0.55 × 0.9⁸ = 0.24 and 0.95⁸ = 0.66 after two hours, a little less in ranks.
    np.testing.assert_allclose(after, [0.23, 0.65], atol=0.06)


def test_a_few_paths_have_nearly_the_mean_of_many() -> None:
    paths = np.random.default_rng(4).normal(size=(200, 1)) * np.ones((200, 5))
    kept, probability = select_paths(paths, 10)
    np.testing.assert_allclose(probability @ paths[kept], paths.mean(axis=0), atol=0.2)


def test_all_paths_stand_for_themselves() -> None:
    kept, probability = select_paths(np.random.default_rng(4).normal(size=(6, 3)), 6)
    assert sorted(kept) == list(range(6))
    np.testing.assert_allclose(probability, 1 / 6)


def test_gaps_of_a_day_become_straight_lines_and_nothing_known_is_undecided() -> None:
    filled = fill_shares(np.array([[np.nan, 0.2, np.nan, 0.4, np.nan], [np.nan] * 5]))
    np.testing.assert_allclose(filled, [[0.2, 0.2, 0.3, 0.4, 0.4], [0.5] * 5])


def test_days_hardly_measured_say_nothing() -> None:
    seen = measure_days(30)
    issued_at = day(29)
    past = [
        describe_forecast(np.random.default_rng(6), instant)
        for instant in days_before(issued_at, SLOTS)[:20]
    ]
    gap = seen.without([(day(20), day(22))])
    whole, hurt = (
        ErrorHistory.of(past, each, issued_at=issued_at, limit_kwh=LIMIT_KWH, slots=SLOTS)
        for each in (seen, gap)
    )
    assert (whole.days_back.size, hurt.days_back.size) == (20, 19)
    assert 9 not in hurt.days_back


def test_without_past_forecasts_there_are_no_errors() -> None:
    errors = ErrorHistory.of(
        [], measure_days(1), issued_at=day(1), limit_kwh=LIMIT_KWH, slots=SLOTS
    )
    assert errors.load.shape == (0, SLOTS)


def test_the_days_asked_about_have_met_what_happened() -> None:
    assert days_before(day(50), SLOTS)[0] == day(48)
    assert days_before(day(50), 193)[0] == day(47)


@pytest.mark.parametrize(
    ("probability", "slots"),
    [([0.5, 0.6], 4), ([1.0, 0.0], 4), ([0.5, 0.5], 3)],
    ids=["above one", "impossible", "too short"],
)
def test_what_is_no_set_of_scenarios_is_refused(probability: list[float], slots: int) -> None:
    paths = np.zeros((2, slots))
    with pytest.raises(InvalidInputError):
        Scenarios(
            Timeline(day(0), SLOT, 4),
            day(0) + timedelta(minutes=1),
            "aurora_v1.0",
            np.array(probability),
            paths,
            paths,
        )
