"""A state is the same wherever what it shows comes from, and holds numbers alone."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT
from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.slot_features import SlotFeatures
from services.agent.environment.states import (
    COMPACT,
    LAYOUTS,
    SUMMARY,
    V1,
    V1_1,
    StateLayout,
    find_layout,
    see_problem,
)
from services.planner.problem.problem import Problem
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay import ReplayData
from tests.support.agent.made_up_days import make_days
from tests.support.suite.tables import each_row

SCENE = make_days(date(2023, 10, 28), date(2023, 10, 30))


def pose(scene: ReplayData, slot: int, soc: float = 0.3) -> Problem:
    knowledge = SiteKnowledge(scene.site, scene.forecasts, scene.prices)
    return knowledge.build_problem(scene.timeline.start + slot * SLOT, np.array([8 * soc]))


def test_layouts_have_their_sizes_and_names_of_their_own() -> None:
    # SoC, sine, cosine and four vectors of 48 hours; two more; eight; nine, 26 sums of energy and
    # 28 comparisons of prices.
    assert [V1.size, V1_1.size, COMPACT.size, SUMMARY.size] == [195, 197, 8, 63]
    assert all(len(set(layout.names)) == layout.size for layout in LAYOUTS.values())
    assert V1_1.names[:4] == ("soc", "time_sin", "time_cos", "load_ahead_00h")
    assert V1_1.names[-2:] == ("hours_until_end_of_day", "max_import_price_next_12h")


def test_the_hours_ahead_are_summed_up() -> None:
    known = EpisodeBatch.of(SCENE).features
    state, hours = (
        dict(zip(layout.names, see_problem(layout, pose(SCENE, 40)).tolist(), strict=True))
        for layout in (SUMMARY, V1_1)
    )
    net = [
        hours[f"pv_ahead_{hour:02d}h"] - hours[f"load_ahead_{hour:02d}h"] for hour in range(1, 7)
    ]
    export = [hours[f"export_price_ahead_{hour:02d}h"] for hour in range(9)]
    assert known.energy_summary.shape == (SCENE.timeline.count, 26)
    assert state["surplus_next_06h"] == pytest.approx(sum(max(each, 0.0) for each in net), rel=1e-5)
    assert state["demand_next_06h"] == pytest.approx(sum(max(-each, 0.0) for each in net), rel=1e-5)
    assert state["export_price_over_highest_08h"] == pytest.approx(
        export[0] - max(export[1:]), rel=1e-4, abs=1e-6
    )
    assert state["export_price_over_lowest_08h"] == pytest.approx(
        export[0] - min(export[1:]), rel=1e-4, abs=1e-6
    )


def test_a_layout_of_another_version_is_refused() -> None:
    with pytest.raises(InvalidInputError) as refused:
        find_layout("v0")
    assert (refused.value.field, refused.value.value) == ("state_version", "v0")


@each_row("layout", LAYOUTS.values(), ids=LAYOUTS)
# Midnight, just before and after prices are published, before the clocks go back and after.
@each_row("slot", [0, 51, 52, 95, 103, 110, 190])
def test_a_live_plan_shows_what_an_episode_shows(layout: StateLayout, slot: int) -> None:
    known = EpisodeBatch.of(SCENE).features
    episode = layout.build(known, np.array([slot]), np.array([0.3]), np.array([8.0]))[0]
    np.testing.assert_allclose(
        see_problem(layout, pose(SCENE, slot)), episode, rtol=1e-6, atol=1e-7
    )


def test_a_slot_of_the_horizon_is_seen_as_it_will_be_when_nothing_new_is_known() -> None:
    problem = pose(SCENE, 52)
    later = SlotFeatures.of_problem(problem)
    known = EpisodeBatch.of(SCENE).features
    # A slot on, within the same hour, the same forecast and the same prices hold; so does all that
    # the next hours show.
    there = V1_1.build(later, np.array([1]), np.array([0.3]), np.array([8.0]))[0]
    np.testing.assert_allclose(
        there,
        V1_1.build(known, np.array([53]), np.array([0.3]), np.array([8.0]))[0],
        rtol=1e-6,
        atol=1e-7,
    )


def test_one_state_and_many_are_the_same() -> None:
    known = EpisodeBatch.of(SCENE).features
    slots = np.arange(0, 292, 7)
    rng = np.random.default_rng(0)
    soc = rng.random(slots.size)
    capacity = rng.uniform(1, 20, slots.size)
    many = V1_1.build(known, slots, soc, capacity)
    alone = [
        V1_1.build(known, slots[[place]], soc[[place]], capacity[[place]])[0]
        for place in range(slots.size)
    ]
    np.testing.assert_array_equal(many, np.array(alone))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_forecast_that_is_no_number_gives_no_state(broken: float) -> None:
    problem = pose(SCENE, 4)
    load = problem.outlook.load_kwh.copy()
    load[40:48] = broken
    with pytest.raises(InvalidInputError, match="not known"):
        see_problem(V1, replace(problem, outlook=replace(problem.outlook, load_kwh=load)))


def test_an_unknown_state_of_charge_gives_no_state() -> None:
    with pytest.raises(InvalidInputError, match="soc"):
        see_problem(COMPACT, replace(pose(SCENE, 4), stored_kwh=np.array([np.nan])))


def test_prices_of_nought_and_below_divide_nothing_by_nought() -> None:
    problem = pose(SCENE, 4)
    nothing = np.zeros_like(problem.outlook.import_price)
    free = replace(
        problem, outlook=replace(problem.outlook, import_price=nothing, export_price=nothing - 0.02)
    )
    state = dict(zip(COMPACT.names, see_problem(COMPACT, free), strict=True))
    # What costs nothing is divided by a cent.
    assert state["import_price"] == 0.0
    assert state["export_price"] == pytest.approx(-2.0)


def test_no_feature_leaves_the_space() -> None:
    problem = pose(SCENE, 4)
    huge = replace(
        problem, outlook=replace(problem.outlook, load_kwh=problem.outlook.load_kwh + 1e9)
    )
    state = see_problem(V1_1, huge)
    assert state.max() == 100.0
    assert AntaresEnv(EpisodeBatch.of(SCENE)).observation_space.contains(state)


def test_hours_left_are_those_of_a_day_of_twenty_five() -> None:
    # The 29th has 25 hours: at its midnight 25 remain, an hour of quarter-hours later 24.
    known = EpisodeBatch.of(SCENE).features
    assert known.day_remaining[[96, 100]] * 24 == pytest.approx([25.0, 24.0])
    assert SCENE.timeline.start + timedelta(days=1) == SCENE.timeline.start + 96 * SLOT
