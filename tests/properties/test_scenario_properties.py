"""Scenarios keep the forecast's distributions, whatever the errors before were, and know nothing of
the future.
"""

from functools import cache

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from luna.energy.observations import Observations
from luna.energy.outlook import SHARES, Forecast, Scenarios
from luna.energy.timeline import SLOT, floor_to
from services.forecaster.scenarios.joint_scenarios import make_scenarios, select_paths
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import ErrorHistory, days_before
from tests.support.forecasts.scenarios import LIMIT_KWH, SLOTS, describe_errors, describe_forecast
from tests.support.household.measurements import change_from, day, measure_days
from tests.support.suite.depth import draws

SEEDS = st.integers(0, 10_000)


def make(seed: int, count: int, days: int) -> tuple[Forecast, Scenarios]:
    rng = np.random.default_rng(seed)
    forecast = describe_forecast(rng)
    return forecast, make_scenarios(forecast, describe_errors(rng, days), {}, count=count)


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS, count=st.integers(1, 30), days=st.sampled_from([0, 14, 42]))
def test_scenarios_are_probable_bounded_and_dark_at_night(seed: int, count: int, days: int) -> None:
    _, made = make(seed, count, days)
    assert made.load_kwh.shape == made.pv_kwh.shape == (count, SLOTS)
    assert (made.probability > 0).all()
    np.testing.assert_allclose(made.probability.sum(), 1)
    assert (made.load_kwh >= 0).all()
    assert ((made.pv_kwh >= 0) & (made.pv_kwh <= LIMIT_KWH)).all()
    assert (made.pv_kwh[:, :20] == 0).all()


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS, count=st.integers(1, 30), days=st.sampled_from([0, 42]))
def test_the_mean_of_the_scenarios_is_that_of_the_forecast(
    seed: int, count: int, days: int
) -> None:
    forecast, made = make(seed, count, days)
    np.testing.assert_allclose(
        made.probability @ made.load_kwh, Marginals.of(forecast.load_kwh, np.inf).mean()
    )
    np.testing.assert_allclose(
        made.probability @ made.pv_kwh, Marginals.of(forecast.pv_kwh, LIMIT_KWH).mean(), atol=1e-12
    )


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS)
def test_the_distribution_has_the_forecasts_mean_where_its_tail_may_be_long_enough(
    seed: int,
) -> None:
    forecast = describe_forecast(np.random.default_rng(seed))
    marginals = Marginals.of(forecast.load_kwh, np.inf)
    tail = marginals.values[:, -1] - marginals.values[:, -2]
    inner = marginals.values[:, -2] - marginals.values[:, 4]
    free = (tail > 0.11 * inner) & (tail < 2.99 * inner)
    np.testing.assert_allclose(marginals.mean()[free], forecast.load_kwh.expected[free])


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS, days=st.sampled_from([0, 42]))
def test_the_same_input_gives_the_same_scenarios(seed: int, days: int) -> None:
    one = make(seed, 10, days)[1]
    other = make(seed, 10, days)[1]
    np.testing.assert_array_equal(one.load_kwh, other.load_kwh)
    np.testing.assert_array_equal(one.pv_kwh, other.pv_kwh)
    np.testing.assert_array_equal(one.probability, other.probability)


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS, share=st.floats(0, 1))
def test_a_share_that_was_drawn_is_found_again(seed: int, share: float) -> None:
    load = describe_forecast(np.random.default_rng(seed)).load_kwh
    # Of a value that several shares have in common the one in the middle is found.
    assume(np.diff([getattr(load, name) for name in SHARES], axis=0).min() > 1e-5)
    marginals = Marginals.of(load, np.inf)
    drawn = marginals.draw(np.full((1, SLOTS), share))[0]
    np.testing.assert_allclose(marginals.place(drawn), share, atol=1e-6)


@settings(max_examples=draws(15), deadline=None)
@given(seed=SEEDS, many=st.integers(1, 60), share=st.floats(0.01, 1))
def test_selected_paths_are_distinct_and_stand_for_all(seed: int, many: int, share: float) -> None:
    paths = np.random.default_rng(seed).normal(size=(many, 8))
    kept, probability = select_paths(paths, max(1, int(share * many)))
    assert np.unique(kept).size == kept.size
    assert (probability > 0).all()
    np.testing.assert_allclose(probability.sum(), 1)


@cache
def history() -> Observations:
    return measure_days(60)


@cache
def issued() -> list[Forecast]:
    rng = np.random.default_rng(8)
    return [
        describe_forecast(rng, instant)
        for instant in (*days_before(day(50, 7), SLOTS), day(49, 7), day(50, 7))
    ]


@settings(max_examples=draws(15), deadline=None)
@given(hours=st.integers(0, 7 * 24), load_kwh=st.floats(0, 20), pv_kwh=st.floats(0, 1))
def test_what_happened_after_the_issue_changes_no_past_error(
    hours: int, load_kwh: float, pv_kwh: float
) -> None:
    issued_at = day(50, 7)
    changed = change_from(history(), floor_to(issued_at, SLOT) + hours * 4 * SLOT, load_kwh, pv_kwh)
    known, other = (
        ErrorHistory.of(issued(), seen, issued_at=issued_at, limit_kwh=LIMIT_KWH, slots=SLOTS)
        for seen in (history(), changed)
    )
    np.testing.assert_array_equal(known.load, other.load)
    np.testing.assert_array_equal(known.pv, other.pv)
    # The forecasts of the day before and of the day itself have not met what happens yet.
    assert known.days_back.min() == 2
