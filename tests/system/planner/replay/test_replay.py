"""Replays of three days: no policy leaves its limits or beats the oracle, and what comes later
changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.contracts.replay import ReplayReply
from luna.energy.outlook import Quantiles
from services.planner.problem.knowledge import ForecastArchive
from services.planner.replay import ReplayData, replay
from tests.support.planning.replay import BATTERY, WINDOW, make_scene
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

# Planned anew each hour in a long run, every other hour in a short one.
EVERY = 4 if LONG else 8
POLICIES = ["idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle"]


@cache
def replay_seed(seed: int, feed_in: float | None) -> ReplayReply:
    tariff = {
        "import": {"kind": "spot", "market": "NL", "markup": 0.13},
        "export": {"kind": "fixed", "price": feed_in},
    }
    return replay(
        make_scene(seed, **({} if feed_in is None else {"tariff": tariff})), POLICIES, every=EVERY
    )


SEEDS = [
    pytest.param(seed, feed_in, id=f"{seed}-{feed_in or 'spot'}")
    for seed in range(3 if LONG else 1)
    for feed_in in (None, 0.07)
]


@each_row(("seed", "feed_in"), SEEDS)
def test_nobody_beats_the_oracle(seed: int, feed_in: float | None) -> None:
    scores = {name: policy.score for name, policy in replay_seed(seed, feed_in).policies.items()}
    assert scores["oracle"] == pytest.approx(1.0)
    assert scores["idle"] == pytest.approx(0.0)
    assert max(score or 0.0 for score in scores.values()) <= 1.0 + 1e-9


@each_row(("seed", "feed_in"), SEEDS)
def test_knowing_more_pays(seed: int, feed_in: float | None) -> None:
    scores = {
        name: policy.score or 0.0 for name, policy in replay_seed(seed, feed_in).policies.items()
    }
    assert 0.0 < scores["self_consumption"] < 1.0
    assert scores["mpc_perfect"] >= scores["mpc"] - 0.02
    assert scores["mpc_perfect"] >= 0.9


@each_row(("seed", "feed_in"), SEEDS)
def test_no_policy_leaves_the_limits(seed: int, feed_in: float | None) -> None:
    assert {policy.violations for policy in replay_seed(seed, feed_in).policies.values()} == {0}


@cache
def weigh_errors(seed: int, feed_in: float | None) -> ReplayReply:
    tariff = {
        "import": {"kind": "spot", "market": "NL", "markup": 0.13},
        "export": {"kind": "fixed", "price": feed_in},
    }
    scene = make_scene(seed, past_days=6, **({} if feed_in is None else {"tariff": tariff}))
    # A fixed price of feed-in takes many times as long to plan.
    every = EVERY if LONG or feed_in is None else 4 * EVERY
    return replay(scene, ["mpc", "mpc_scenarios", "oracle"], every=every)


@pytest.mark.parametrize(("seed", "feed_in"), SEEDS[: 2 if LONG else 1])
def test_weighing_how_forecasts_err_keeps_all_limits_and_beats_no_oracle(
    seed: int, feed_in: float | None
) -> None:
    weighed = weigh_errors(seed, feed_in).policies["mpc_scenarios"]
    assert weighed.violations == 0
    assert 0.5 < (weighed.score or 0.0) <= 1.0 + 1e-9


def test_weighing_how_forecasts_err_decides_otherwise() -> None:
    policies = weigh_errors(0, None).policies
    assert policies["mpc_scenarios"].cost != policies["mpc"].cost


def test_without_a_past_there_is_nothing_to_weigh() -> None:
    policies = replay(make_scene(1), ["mpc", "mpc_scenarios"], every=2 * EVERY).policies
    assert policies["mpc_scenarios"] == policies["mpc"]


def test_idle_moves_nothing() -> None:
    idle = replay_seed(0, None).policies["idle"]
    assert idle.cycles == 0.0
    assert idle.mode_changes_per_day == 0.0


def test_days_sum_to_the_cost_less_what_is_left_in_the_battery() -> None:
    reply = replay_seed(0, None)
    usable = BATTERY["capacity_kwh"]
    gained = [
        (sum(day.cost for day in policy.days) - policy.cost) / policy.terminal_value
        for policy in reply.policies.values()
    ]
    assert [day.day for day in reply.policies["mpc"].days] == [
        date(2023, 10, 3),
        date(2023, 10, 4),
        date(2023, 10, 5),
    ]
    assert gained[0] == pytest.approx(0.0)  # idle keeps what it had
    assert max(np.abs(gained)) <= usable / 2 + 1e-9


def test_each_day_says_what_is_left_in_the_battery_so_that_policies_compare_by_the_day() -> None:
    for policy in replay_seed(0, None).policies.values():
        assert sum(day.stored_gain for day in policy.days) == pytest.approx(policy.stored_gain)


def test_days_sum_to_the_cost_where_stored_energy_is_worth_nothing() -> None:
    free = {"kind": "fixed", "price": 0.0}
    reply = replay(
        make_scene(1, tariff={"import": free, "export": free}), ["self_consumption"], every=4
    )
    policy = reply.policies["self_consumption"]
    assert policy.terminal_value == 0.0
    assert sum(day.cost for day in policy.days) == pytest.approx(policy.cost)


def test_losses_and_what_is_reached_make_the_whole() -> None:
    reply = replay_seed(0, None)
    assert sum(reply.loss.values()) == pytest.approx(
        100 * (1 - (reply.policies["mpc"].score or 0.0))
    )


def test_a_replay_depends_neither_on_when_nor_with_whom_it_is_run() -> None:
    together = replay_seed(0, None).policies
    again = replay(make_scene(0), ["mpc", "oracle"], every=EVERY).policies
    assert again == {name: together[name] for name in ("mpc", "oracle")}


def shorten_to_first_day(scene: ReplayData) -> ReplayData:
    return replace(scene, timeline=WINDOW.window(0, 96))


def test_several_batteries_are_replayed_within_their_limits() -> None:
    small = {
        "name": "small",
        "capacity_kwh": 3,
        "charge_limit_kw": 1,
        "discharge_limit_kw": 1,
        "charge_from_grid": False,
        "discharge_to_grid": False,
    }
    scene = make_scene(3, batteries=[BATTERY, small])
    reply = replay(
        scene if LONG else shorten_to_first_day(scene),
        ["self_consumption", "mpc_perfect", "oracle"],
        every=16,
    )
    assert {policy.violations for policy in reply.policies.values()} == {0}
    assert 0.8 < (reply.policies["mpc_perfect"].score or 0.0) <= 1.0 + 1e-9


def test_site_without_battery_has_nothing_to_save() -> None:
    reply = replay(make_scene(0, batteries=[]), ["self_consumption", "oracle"], every=4)
    assert reply.policies["oracle"].score is None


def first_day(scene: ReplayData) -> dict[str, float]:
    """Replay the first day alone: what is known later lies beyond its end."""
    reply = replay(shorten_to_first_day(scene), ["mpc"], every=8)
    return {name: policy.days[0].cost for name, policy in reply.policies.items()}


@cache
def first_day_as_it_was(seed: int) -> dict[str, float]:
    return first_day(make_scene(seed))


FIRST_DAY_ENDS = WINDOW.start + timedelta(days=1)


def poison_forecasts(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with every forecast issued after the first day changed."""

    def spoil(series: Quantiles) -> Quantiles:
        return series.map(lambda part: part * factor)

    forecasts = scene.forecasts.forecasts
    spoiled = [
        replace(each, load_kwh=spoil(each.load_kwh), pv_kwh=spoil(each.pv_kwh))
        for each in forecasts
    ]
    chosen = [
        late if early.issued_at >= FIRST_DAY_ENDS else early
        for early, late in zip(forecasts, spoiled, strict=True)
    ]
    return replace(scene, forecasts=ForecastArchive(chosen))


def poison_prices(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with everything published after the first day changed."""
    book = scene.prices.books["NL"]
    late = book.published_at >= np.datetime64(FIRST_DAY_ENDS.replace(tzinfo=None))
    return replace(
        scene,
        prices=replace(
            scene.prices,
            books={
                "NL": replace(book, price=np.where(late, book.price + 0.1 * factor, book.price))
            },
        ),
    )


def poison_actuals(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with another load and another sun after the first day."""
    later = np.arange(scene.foresight.timeline.count) >= 96
    changed = {
        name: np.where(
            later, getattr(scene.foresight, name) * factor, getattr(scene.foresight, name)
        )
        for name in ("load_kwh", "pv_kwh")
    }
    return replace(scene, foresight=replace(scene.foresight, **changed))


@settings(max_examples=4 if LONG else 2)
@given(factor=st.floats(0, 20), seed=st.integers(0, 5 if LONG else 0))
@pytest.mark.parametrize(
    "poison",
    [poison_forecasts, poison_prices, poison_actuals],
    ids=["forecasts", "prices", "actuals"],
)
def test_nothing_known_later_changes_what_was_decided_before(
    poison: Callable[[ReplayData, float], ReplayData], factor: float, seed: int
) -> None:
    assert first_day(poison(make_scene(seed), factor)) == first_day_as_it_was(seed)
