"""Labels: what the oracle does in its own states, exact in all others, and never from days that
cannot be trusted.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from services.agent.imitation.teachers import MASKED_WEIGHT, Teacher, ask_oracle, ask_programme
from services.agent.training_history import History
from services.planner.replay import Rules
from services.planner.replay.policy_factory import plan_with_hindsight
from tests.support.agent.short_history import FIRST_DAY, make_history
from tests.support.planning.replay import BATTERY


@pytest.fixture(scope="module")
def history() -> History:
    return make_history(10)


@pytest.fixture(scope="module")
def oracle(history: History) -> Teacher:
    return ask_oracle(history)


def test_the_oracles_own_path_costs_no_regret_beyond_its_targets(
    history: History, oracle: Teacher
) -> None:
    plan = plan_with_hindsight(history.scene, Rules.of(history.scene))
    regret = oracle.regrets(plan.start_kwh[0])
    chosen = regret[np.arange(regret.shape[0]), oracle.modes(plan.start_kwh[0])]

    # The oracle stops at targets inside a slot, which a mode alone does not: that costs something
    # in few slots.
    possible = regret.max(axis=1).sum()
    assert chosen.sum() <= 0.05 * possible
    assert np.median(chosen) <= 1e-9


def test_the_value_of_a_label_is_that_of_the_plan_over_the_whole_window(
    history: History, oracle: Teacher
) -> None:
    plan = plan_with_hindsight(history.scene, Rules.of(history.scene))

    assert plan.value is not None
    for stored in (0.5, 3.3, 7.9):
        level = np.full(oracle.weight.size, stored)
        np.testing.assert_allclose(
            oracle.function.marginal(level), plan.value.function.marginal(level)
        )


def test_some_mode_costs_nothing_more_in_every_state(oracle: Teacher) -> None:
    for stored in (0.0, 3.3, 8.0):
        regret = oracle.regrets(np.full(oracle.weight.size, stored))
        assert regret.shape == (oracle.weight.size, len(Mode))
        np.testing.assert_allclose(regret.min(axis=1), 0.0, atol=1e-12)


def test_a_label_depends_on_its_own_slot_alone(oracle: Teacher) -> None:
    rng = np.random.default_rng(0)
    stored = rng.uniform(0, 8, oracle.weight.size)
    other = np.where(np.arange(stored.size) == 100, stored, rng.uniform(0, 8, stored.size))

    assert oracle.modes(stored)[100] == oracle.modes(other)[100]
    np.testing.assert_allclose(oracle.regrets(stored)[100], oracle.regrets(other)[100])


def test_days_that_cannot_be_trusted_count_nothing_and_masked_ones_half() -> None:
    gaps = make_history(
        8,
        verdicts={
            FIRST_DAY + timedelta(days=2): "exclude",
            FIRST_DAY + timedelta(days=4): "mask_battery",
        },
    )
    foresight = gaps.scene.foresight
    load = foresight.load_kwh.copy()
    first = foresight.timeline.index_of(gaps.scene.timeline.start)
    load[first + 6 * 96 + 10] = np.nan
    history = History(
        replace(gaps.scene, foresight=replace(foresight, load_kwh=load)), gaps.verdicts
    )
    weight = ask_oracle(history).weight.reshape(8, 96)

    np.testing.assert_array_equal(
        weight, np.array([1, 1, 0, 1, MASKED_WEIGHT, 1, 0, 1])[:, None] * np.ones((8, 96))
    )


def test_several_batteries_have_no_labels() -> None:
    with pytest.raises(InvalidInputError, match="one battery"):
        ask_oracle(
            make_history(3, batteries=[BATTERY | {"name": "one"}, BATTERY | {"name": "two"}])
        )


def test_the_programme_knows_nothing_of_what_happens_later(history: History) -> None:
    foresight = history.scene.foresight
    end = history.scene.timeline.start + timedelta(days=6)
    known = foresight.timeline.index_of(end)
    other = replace(
        foresight,
        load_kwh=np.where(np.arange(foresight.timeline.count) < known, foresight.load_kwh, 0.01),
    )
    changed = History(replace(history.scene, foresight=other), history.verdicts)
    before = 6 * 96
    stored = np.full(history.scene.timeline.count, 4.0)

    one = ask_programme(history)
    two = ask_programme(changed)
    np.testing.assert_array_equal(one.modes(stored)[:before], two.modes(stored)[:before])
    np.testing.assert_allclose(one.regrets(stored)[:before], two.regrets(stored)[:before])
