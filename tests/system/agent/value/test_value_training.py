"""What is learned of the value of stored energy: from hindsight, the same for the same seed, and
used only where it surely paid.
"""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from services.agent.artefacts import Artefact, Header
from services.agent.declaration import Lesson, TrainedParts
from services.agent.registry import find_kind
from services.agent.training_history import History
from services.agent.value.correction import (
    FEATURES,
    ValueCorrection,
    describe_plan,
    price_scale,
    read_value,
)
from services.agent.value.policy import ValuePolicy
from services.agent.value.value_agent import (
    Proof,
    collect_rows,
    learn_correction,
    load_value,
    prove,
    train_value,
)
from services.forecaster.model.aurora import keep_quiet
from services.planner.problem.knowledge import ForecastArchive
from services.planner.problem.problem import Problem
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.problem.scenarios import ErrorScenarios
from services.planner.replay import ReplayData
from services.planner.replay.policies import plan_by_planner
from tests.support.planning.replay import NOW, WINDOW, make_scene

WORST = 0.25


@pytest.fixture(scope="module")
def scene() -> ReplayData:
    return make_scene(past_days=16)


def see_problem(scene: ReplayData) -> Problem:
    known = SiteKnowledge(
        scene.site, scene.forecasts, scene.prices, ErrorScenarios(scene.forecasts, scene.foresight)
    )
    return known.build_problem(NOW, np.array([4.0]))


def always(off: float) -> ValueCorrection:
    """A correction learned where every label is the same: it says that number of anything."""
    features = np.random.default_rng(0).normal(size=(400, len(FEATURES)))
    return ValueCorrection.fit(features, np.full(400, off), seed=0)


def test_the_same_rows_and_seed_teach_the_same() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(600, len(FEATURES)))
    label = 0.3 * features[:, 0] + rng.normal(0, 0.1, 600)
    texts = [ValueCorrection.fit(features, label, seed=7).text for _ in range(2)]
    assert texts[0] == texts[1]
    predicted = ValueCorrection(texts[0]).predict(features)
    assert np.corrcoef(predicted, label)[0, 1] > 0.8


def test_half_of_what_was_learned_counts_for_the_hours_a_plan_is_followed(
    scene: ReplayData,
) -> None:
    problem = see_problem(scene)
    plan = ValuePolicy(correction=always(0.2)).plan(problem, scene.prices)
    correction = plan.problem.following.value_correction
    assert correction is not None
    # Half of 0.2 mean prices ahead, for three hours of quarters.
    assert correction[:12] == pytest.approx(0.1 * price_scale(plan), rel=1e-6)
    assert (correction[12:] == 0.0).all()


def test_a_correction_beyond_reason_is_bounded(scene: ReplayData) -> None:
    plan = ValuePolicy(correction=always(5.0)).plan(see_problem(scene), scene.prices)
    assert plan.problem.following.value_correction is not None
    assert plan.problem.following.value_correction[0] == pytest.approx(WORST * price_scale(plan))


def test_a_correction_of_nothing_is_the_blend(scene: ReplayData) -> None:
    problem = see_problem(scene)
    plain, corrected = (
        ValuePolicy(correction=each).plan(problem, scene.prices) for each in (None, always(0.0))
    )
    assert corrected.setpoints.mode.tolist() == plain.setpoints.mode.tolist()
    assert corrected.flows.stored_kwh.tobytes() == plain.flows.stored_kwh.tobytes()


def test_what_the_correction_did_can_be_told(scene: ReplayData) -> None:
    problem = see_problem(scene)
    policy = ValuePolicy(correction=always(0.2))
    plan = policy.plan(problem, scene.prices)
    facts = policy.explain(
        plan, problem, scene.prices, planned=plan_by_planner(problem, scene.prices)
    )
    assert facts.correction == pytest.approx(0.1 * price_scale(plan), rel=1e-6)
    assert facts.agent_value == pytest.approx(plan.energy_value[0, 0] + facts.correction)


def test_what_is_known_of_a_plan_has_a_number_for_each_name(scene: ReplayData) -> None:
    plan = ValuePolicy().plan(see_problem(scene), scene.prices)
    features = describe_plan(plan, scene.prices)
    assert features is not None
    assert features.shape == (len(FEATURES),)
    assert np.isfinite(features).all()
    # Half of the battery is stored, and prices are known until midnight, fifteen hours ahead.
    known = dict(zip(FEATURES, features.tolist(), strict=True))
    assert known["soc"] == pytest.approx(0.5)
    assert known["published_hours"] == pytest.approx(15.0)


def test_a_value_between_two_steps_is_the_mean_of_both(scene: ReplayData) -> None:
    plan = ValuePolicy().plan(see_problem(scene), scene.prices)
    assert plan.value is not None
    length, value = plan.value.function.after(3)
    assert read_value((length, value), float(length[0])) == pytest.approx((value[0] + value[1]) / 2)
    assert read_value((length, value), float(length[0]) / 2) == pytest.approx(value[0])


def test_hours_teach_what_stored_energy_turned_out_to_be_worth(scene: ReplayData) -> None:
    rows = [collect_rows([scene], ValuePolicy(), progress=keep_quiet) for _ in range(2)]
    # Each hour of three days but the last one, whose end nobody saw.
    assert rows[0].label.size == WINDOW.count // 4 - 1
    assert rows[0].features.shape == (rows[0].label.size, len(FEATURES))
    assert (rows[0].label == rows[1].label).all()


def test_who_knows_everything_has_less_to_learn(scene: ReplayData) -> None:
    seen = scene.foresight
    ahead = [
        seen.timeline.window(slot, seen.timeline.count - slot)
        for slot in range(0, 16 * 96 + WINDOW.count, 24)
    ]
    exact = [
        Forecast(
            each,
            each.start,
            "exact",
            *(Quantiles.exact(series[-each.count :]) for series in (seen.load_kwh, seen.pv_kwh)),
        )
        for each in ahead
    ]
    knowing = replace(scene, forecasts=ForecastArchive(exact))
    perfect, usual = (
        collect_rows([each], ValuePolicy(), progress=keep_quiet) for each in (knowing, scene)
    )
    assert np.abs(perfect.label).mean() < np.abs(usual.label).mean()


def test_only_what_surely_gained_is_used() -> None:
    assert Proof(30, 0.5, 0.01, 1.0).holds
    assert not Proof(30, 0.5, -0.01, 1.0).holds


def test_nothing_is_gained_over_oneself(scene: ReplayData) -> None:
    proof, _ = prove([scene], ValuePolicy(), ValuePolicy(), seed=0, progress=keep_quiet)
    assert (proof.days, proof.points, proof.low, proof.high) == (3, 0.0, 0.0, 0.0)
    assert not proof.holds


def test_few_days_teach_no_correction(scene: ReplayData) -> None:
    correction, metrics = learn_correction(
        History(scene, {}), ValuePolicy(), seed=0, progress=keep_quiet
    )
    assert correction is None
    assert metrics["correction"] == 0.0


def artefact_of(trained: TrainedParts) -> Artefact:
    first = datetime(2023, 1, 1, tzinfo=UTC)
    last = datetime(2023, 6, 1, tzinfo=UTC)
    return Artefact(
        Header(
            kind="value",
            state_version=find_kind("value").state_version,
            site=None,
            data_from=first,
            data_until=last,
            seed=0,
        ),
        trained.parts,
    )


def test_what_was_trained_is_the_policy_that_is_loaded(scene: ReplayData) -> None:
    assert (
        load_value(artefact_of(train_value(Lesson(History(scene, {})))), scene.site)
        == ValuePolicy()
    )


def test_a_stored_correction_says_the_same(scene: ReplayData) -> None:
    correction = always(0.1)
    trained = train_value(Lesson(History(scene, {})))
    loaded = load_value(
        artefact_of(
            replace(
                trained, parts=dict(trained.parts) | {"correction.txt": correction.text.encode()}
            )
        ),
        scene.site,
    )
    problem = see_problem(scene)
    plans = [
        each.plan(problem, scene.prices) for each in (loaded, ValuePolicy(correction=correction))
    ]
    assert plans[0].flows.stored_kwh.tobytes() == plans[1].flows.stored_kwh.tobytes()
