"""Training by reinforcement as a whole: what is learned from, what is held back, what an unseen
home gets, and what happens without PyTorch.
"""

import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from luna.energy.errors import InvalidInputError, MachineError
from luna.energy.physics.mode import Mode
from services.agent.artefacts import Artefact, Header
from services.agent.declaration import Lesson
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import COMPACT, V1_1, see_problem
from services.agent.network import Scale, SmallNetwork
from services.agent.reinforcement.reinforcement_agent import (
    HomeDraw,
    HomeRange,
    TrainingCourse,
    TrainingRule,
    choose_best,
    draw_batteries,
    judge_policy,
    load_rl,
    split_holdout,
    train_network,
    train_rl,
)
from services.agent.training_history import History
from services.planner.problem.rolling_horizon import SiteKnowledge
from tests.support.agent.made_up_days import make_days

SCENE = make_days(date(2023, 5, 1), date(2023, 5, 24))
QUICK = TrainingRule(
    layout=COMPACT,
    count=64,
    episode_days=1,
    homes=HomeDraw(2, 4),
    learning_rate=3e-3,
    own_learning_rate=1e-3,
)


def test_the_latest_days_are_held_back() -> None:
    training, held = split_holdout(SCENE, TrainingRule(holdout_share=0.25, episode_days=2))
    assert (len(training.days), len(held.days)) == (18, 6)
    assert training.timeline.end == held.timeline.start
    assert held.timeline.end == SCENE.timeline.end


def test_too_few_days_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least 6 days"):
        split_holdout(make_days(date(2023, 5, 1), date(2023, 5, 4)), TrainingRule())


def test_a_policy_that_learned_many_homes_serves_one_that_it_never_saw() -> None:
    trained = train_network(SCENE, TrainingCourse(steps=150_000, seed=3), rule=QUICK)
    unseen = make_days(date(2023, 6, 1), date(2023, 6, 7), seed=9)
    batteries = draw_batteries(unseen.site, HomeRange(), 0.6, rng=np.random.default_rng(11))
    homes = EpisodeBatch.of(unseen).equip([batteries])
    lived = judge_policy(homes, choose_best(trained.network), QUICK)
    assert lived.policy < lived.idle


def test_training_goes_on_from_where_it_was_interrupted(tmp_path: Path) -> None:
    whole = train_network(SCENE, TrainingCourse(steps=20_000, folder=tmp_path / "one"), rule=QUICK)

    class StopError(Exception):
        pass

    def stop(done: int, total: int, label: str) -> None:
        if label == "own":
            raise StopError

    with pytest.raises(StopError):
        train_network(
            SCENE, TrainingCourse(steps=20_000, folder=tmp_path / "two", progress=stop), rule=QUICK
        )
    again = train_network(SCENE, TrainingCourse(steps=20_000, folder=tmp_path / "two"), rule=QUICK)
    assert all(
        np.array_equal(*pair)
        for pair in zip(whole.network.weights, again.network.weights, strict=True)
    )


def test_what_is_trained_for_a_site_plans_for_it() -> None:
    trained = train_rl(Lesson(History(SCENE, {}), steps=20_000))
    policy = load_rl(Artefact(_head(), trained.parts), SCENE.site)
    knowledge = SiteKnowledge(SCENE.site, SCENE.forecasts, SCENE.prices)
    problem = knowledge.build_problem(SCENE.timeline.start + timedelta(hours=18), np.array([5.0]))
    plan = policy.plan(problem, SCENE.prices)
    assert plan.followed == "learned"
    told = plan.policy.decide(
        0, np.array([[0.5]]), np.array([[Mode.SELF_CONSUMPTION]], dtype=np.int8)
    )
    assert told.mode[0, 0] == policy.score(see_problem(policy.layout, problem)).argmax()
    assert {
        "own.policy_per_day",
        "own.self_consumption_per_day",
        "homes.policy_per_day",
    } <= trained.metrics.keys()
    json.dumps(trained.settings)


def _head() -> Header:
    start, end = (datetime.fromisoformat(f"2023-05-{day}T00:00:00+00:00") for day in ("01", "24"))
    return Header(
        kind="rl",
        state_version=V1_1.version,
        site=None,
        data_from=start,
        data_until=end,
        seed=0,
        parts={},
    )


def _scoring(outputs: int, inputs: int = V1_1.size) -> SmallNetwork:
    return SmallNetwork(
        [np.arange(outputs * inputs, dtype=np.float32).reshape(outputs, inputs)],
        [np.zeros(outputs, dtype=np.float32)],
        "relu",
        _unit(inputs),
    )


def _unit(size: int) -> Scale:
    return Scale(np.zeros(size), np.ones(size))


@pytest.mark.parametrize(
    ("version", "outputs"),
    [("compact", 6), ("v1.1", 4), ("v9", 6)],
    ids=["version", "modes", "unknown"],
)
def test_a_network_of_other_states_or_actions_is_refused(version: str, outputs: int) -> None:
    network = _scoring(outputs)
    parts = {
        "network.json": json.dumps(network.header | {"state_version": version}).encode(),
        "network.safetensors": save(network.tensors),
    }
    with pytest.raises(InvalidInputError):
        load_rl(Artefact(_head(), parts), SCENE.site)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
sys.base_prefix = sys.prefix
from services.agent.reinforcement.reinforcement_agent import import_ppo
try:
    import_ppo()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_pytorch_training_says_what_to_install_where_it_does_not_itself() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], check=True, capture_output=True, text=True
    ).stdout
    assert said.startswith(MachineError.__name__)
    assert 'pip install "luna-energy[training]"' in said


def test_a_policy_is_asked_without_pytorch() -> None:
    text = (
        "import sys; sys.modules['torch'] = None; import services.agent.tasks, "
        "services.agent.reinforcement.reinforcement_agent"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
