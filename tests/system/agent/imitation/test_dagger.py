"""Learners of modes: better on the states they reach themselves, the same for the same seed, and no
future in what they see.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from services.agent.environment.states import COMPACT, V1_1
from services.agent.imitation.imitation_agent import (
    NetworkSettings,
    TreeClassifier,
    TreeClassifierSettings,
    fit_network,
    grow_classifier,
    learn_by_dagger,
)
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import ask_oracle
from services.agent.modes import AgentModes
from services.agent.training_history import History
from services.planner.problem.rolling_horizon import SiteKnowledge
from tests.support.agent.short_history import make_history
from tests.support.planning.replay import BATTERY

_FEW = TreeClassifierSettings(rounds=15, rows_per_leaf=20)
_SHORT = NetworkSettings(hidden=(16,), epochs=4)


@pytest.fixture(scope="module")
def school() -> School:
    history = make_history(12)
    return School(history, ask_oracle(history), COMPACT)


def _lose(learner: TreeClassifier, school: School, *, seed: int) -> float:
    """Return what the learner's choices cost more than the cheapest modes along its own days,
    currency per slot.
    """
    lived = school.follow_learner(learner.scores, np.random.default_rng(seed))
    chosen = learner.scores(lived.states).argmax(axis=1)
    return float(lived.regret[np.arange(chosen.size), chosen].mean())


def test_relabelled_on_its_own_states_a_learner_loses_less_than_by_plain_imitation(
    school: School,
) -> None:
    fit = partial(grow_classifier, settings=_FEW, seed=0)
    plain, _ = learn_by_dagger([school], fit, rounds=0, rng=np.random.default_rng(0))
    corrected, _ = learn_by_dagger([school], fit, rounds=3, rng=np.random.default_rng(0))

    assert _lose(corrected, school, seed=9) < _lose(plain, school, seed=9)


def test_the_same_seed_grows_the_same_trees(school: School) -> None:
    fit = partial(grow_classifier, settings=_FEW, seed=4)
    texts = [
        learn_by_dagger([school], fit, rounds=1, rng=np.random.default_rng(4))[0].text()
        for _ in range(2)
    ]

    assert texts[0] == texts[1]


def test_the_same_seed_trains_the_same_network_and_another_one_another(school: School) -> None:
    samples = school.follow_teacher(np.random.default_rng(0))
    one, same, other = (fit_network(samples, _SHORT, seed=seed) for seed in (0, 0, 1))

    np.testing.assert_array_equal(one.weights[0], same.weights[0])
    assert not np.array_equal(one.weights[0], other.weights[0])


def test_a_network_learns_what_costs_least(school: School) -> None:
    samples = school.follow_teacher(np.random.default_rng(0))
    network = fit_network(samples, NetworkSettings(hidden=(32,), epochs=60, batch=64), seed=0)
    chosen = network.scores(samples.states).argmax(axis=1)

    # Best of all single modes is what a learner of nothing would choose.
    assert (
        samples.regret[np.arange(chosen.size), chosen].mean()
        < 0.7 * samples.regret.mean(axis=0).min()
    )


def test_trees_are_read_from_their_text(school: School) -> None:
    samples = school.follow_teacher(np.random.default_rng(0))
    grown = grow_classifier(samples, _FEW, seed=0)

    np.testing.assert_array_equal(
        TreeClassifier.read(grown.text()).scores(samples.states), grown.scores(samples.states)
    )


def test_samples_leave_out_days_that_do_not_count(school: School) -> None:
    weight = school.teacher.weight.copy()
    weight[96 : 2 * 96] = 0.0
    without = replace(school, teacher=replace(school.teacher, weight=weight))
    slots = without.follow_teacher(np.random.default_rng(0)).slot

    assert slots.size == 11 * 96
    assert not ((slots >= 96) & (slots < 2 * 96)).any()


def test_what_a_learner_sees_knows_nothing_of_what_happens_later(school: School) -> None:
    scene = school.history.scene
    changed = replace(
        scene,
        foresight=replace(
            scene.foresight,
            load_kwh=scene.foresight.load_kwh * 3,
            pv_kwh=scene.foresight.pv_kwh * 0.1,
        ),
    )
    slots = np.arange(scene.timeline.count)
    stored = np.full(scene.timeline.count, 4.0)
    other = replace(school, history=History(changed, {}))

    np.testing.assert_array_equal(school.see(slots, stored), other.see(slots, stored))


def test_a_policy_decides_by_its_scores_at_every_state_of_charge() -> None:
    history = make_history(4)
    scene = history.scene
    problem = SiteKnowledge(scene.site, scene.forecasts, scene.prices).build_problem(
        scene.timeline.start, np.array([4.0])
    )
    plan = AgentModes(V1_1, lambda states: np.eye(6)[np.where(states[:, 0] < 0.75, 4, 0)]).plan(
        problem, scene.prices
    )

    # 4 kWh of 8; at 4 kW and an efficiency of 0.95 0.95 kWh a quarter-hour: the third ends at 6
    # kWh, below which it would charge, and nothing is served.
    assert plan.followed == "learned"
    assert plan.setpoints.mode[0, :4].tolist() == [4, 4, 4, 1]
    assert plan.flows.stored_kwh[0, 2] == pytest.approx(6.0)


def test_a_learner_of_one_battery_leaves_several_to_the_planner() -> None:
    scene = make_history(3, batteries=[BATTERY | {"name": "one"}, BATTERY | {"name": "two"}]).scene
    problem = SiteKnowledge(scene.site, scene.forecasts, scene.prices).build_problem(
        scene.timeline.start, np.array([4.0, 4.0])
    )
    plan = AgentModes(V1_1, lambda states: np.zeros((states.shape[0], 6))).plan(
        problem, scene.prices
    )

    assert plan.agent_obstacle == "several_batteries"


def test_samples_are_joined_in_order(school: School) -> None:
    part = school.follow_teacher(np.random.default_rng(0))
    joined = ModeSamples.join([part, part])

    np.testing.assert_array_equal(joined.slot, np.tile(part.slot, 2))
