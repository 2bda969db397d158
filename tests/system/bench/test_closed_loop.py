"""Closed loops: the planner itself, followed and replayed for days of a few scenarios."""

from dataclasses import replace

import numpy as np
import pytest

from bench.closed_loop.followers import EVERY, FOLLOWERS
from bench.closed_loop.loop import SELF, run_loops
from bench.closed_loop.weeks import week_timeline
from services.planner.replay import ReplayData, replay
from tests.support.control.closed_loop_days import QUARTERS, column, one_day


@pytest.mark.parametrize("name", ["one/flat/exact/good", "hybrid/flat_unpaid/exact/good"])
def test_the_planner_is_followed_for_a_day_without_losing_to_self_consumption(name: str) -> None:
    results = run_loops([one_day(name, first=2)], FOLLOWERS)
    assert [guard.failures for guard in results.guards] == [[], [], [], []]
    assert column(results, "followed") <= column(results, SELF) + 1e-6
    assert column(results, "replayed") <= column(results, SELF) + 1e-6
    assert results.residual_kwh < 1e-9


def test_what_is_followed_is_what_is_replayed_where_sun_that_may_not_be_fed_in_is_left() -> None:
    results = run_loops(
        [one_day("taper_no_feed_in/negative/noise/rosy", week="winter", first=2)], FOLLOWERS
    )
    np.testing.assert_allclose(results.start_kwh[:, 2], results.start_kwh[:, 3], atol=1e-9)


@pytest.mark.parametrize("name", ["one/spot_both/exact/noisy", "hybrid/spot/exact/noisy"])
def test_what_is_called_replayed_is_what_a_replay_says(name: str) -> None:
    case = one_day(name)
    two_days = replace(case, timeline=week_timeline("spring").window(0, 2 * QUARTERS))
    said = replay(
        ReplayData(case.site, two_days.timeline, case.foresight, case.prices, case.forecasts),
        ["mpc", "self_consumption"],
        every=EVERY,
    ).policies
    results = run_loops([two_days], FOLLOWERS)
    assert column(results, "replayed") == pytest.approx(said["mpc"].cost, abs=1e-9)
    assert column(results, SELF) == pytest.approx(said["self_consumption"].cost, abs=1e-9)
