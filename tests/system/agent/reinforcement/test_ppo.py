"""PPO: what it learns, that a seed decides everything, and that who goes on from a checkpoint
arrives where a run in one go does.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from luna.energy.errors import InvalidInputError
from services.agent.network import Activation, Scale, SmallNetwork
from services.agent.reinforcement.ppo import (
    Hyperparameters,
    Perceptron,
    Ppo,
    RolloutBatch,
    estimate_advantages,
    learn_policy,
    lose_by_policy,
)
from services.agent.reinforcement.run_folder import RunFolder
from tests.support.suite.depth import LONG

HOURS = 24
SHORT = Hyperparameters(
    steps=6 * 32 * HOURS, rollout_steps=HOURS, hidden=(16, 16), minibatch=256, checkpoint_every=2
)
# The run that is killed after its seventh update: so many times a short one.
KILLED_LENGTH = 10 if LONG else 4


@dataclass
class DayOfBattery:
    """A battery of six steps against a day of prices, known in advance: 0 charges a step, 1 holds,
    2 sells a step. What is left is worth the mean price.
    """

    count: int = 32
    state_size: int = 4
    action_count: int = 3
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> np.ndarray:
        self.rng = rng
        self.hour = np.zeros(self.count, dtype=np.int64)
        self.stored = np.zeros(self.count)
        self.price = self._draw(self.count)
        return self._states()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        now = self.price[np.arange(self.count), self.hour]
        moved = np.where(
            actions == 0,
            np.minimum(1.0, 6.0 - self.stored),
            np.where(actions == 2, -np.minimum(1.0, self.stored), 0.0),
        )
        self.stored = self.stored + moved
        self.hour = self.hour + 1
        done = self.hour == HOURS
        rewards = -moved * now + np.where(done, self.stored * self.price.mean(axis=1), 0.0)
        if done.any():
            self.hour, self.stored = np.where(done, 0, self.hour), np.where(done, 0.0, self.stored)
            self.price = np.where(done[:, None], self._draw(self.count), self.price)
        return self._states(), rewards, done

    def _draw(self, count: int) -> np.ndarray:
        hours = np.arange(HOURS)
        return (
            0.3
            + 0.1 * np.sin(2 * np.pi * (hours + self.rng.uniform(0, HOURS, (count, 1))) / HOURS)
            + 0.01 * self.rng.normal(size=(count, HOURS))
        )

    def _states(self) -> np.ndarray:
        now = self.price[np.arange(self.count), self.hour]
        later = self.price[np.arange(self.count), np.minimum(self.hour + 6, HOURS - 1)]
        return np.column_stack([self.stored, self.hour, now, later])


def learned(settings: Hyperparameters = SHORT, *, seed: int = 1, **options: Any) -> SmallNetwork:
    return learn_policy(Ppo(DayOfBattery(), settings, seed=seed), **options)


def same(one: SmallNetwork, other: SmallNetwork) -> bool:
    equal = [
        np.array_equal(a, b)
        for a, b in zip([*one.weights, *one.biases], [*other.weights, *other.biases], strict=True)
    ]
    return (
        all(equal)
        and np.array_equal(one.scale.mean, other.scale.mean)
        and np.array_equal(one.scale.std, other.scale.std)
    )


def test_learns_to_buy_cheap_and_sell_dear() -> None:
    network = learned(replace(SHORT, steps=40 * 32 * HOURS, learning_rate=5e-3))
    environment = DayOfBattery(count=256)
    states = environment.reset(np.random.default_rng(99))
    earned = np.zeros(256)
    for _ in range(HOURS):
        states, rewards, _ = environment.step(network.scores(states).argmax(axis=1))
        earned += rewards
    # Six steps bought near the valley and sold near the top earn up to 6 × 0.2 where the top
    # follows the valley; doing nothing earns nothing.
    assert earned.mean() > 0.4


def test_the_same_seed_learns_the_same_weights() -> None:
    assert same(learned(), learned())


def test_another_seed_learns_others() -> None:
    assert not same(learned(), learned(seed=2))


def test_going_on_from_a_checkpoint_is_the_run_in_one_go(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "whole") as folder:
        whole = learned(folder=folder)
    told = RunFolder(tmp_path / "whole").read()

    class StopError(Exception):
        pass

    def stop(done: int, _: int, __: object) -> None:
        # After the fifth update: the last checkpoint is that of the fourth.
        if done == 5:
            raise StopError

    with pytest.raises(StopError), RunFolder(tmp_path / "parts") as folder:
        learned(folder=folder, progress=stop)
    with RunFolder(tmp_path / "parts") as folder:
        again = learned(folder=folder)
    assert same(whole, again)
    timeless = [
        [{name: value for name, value in line.items() if name != "updates_per_s"} for line in lines]
        for lines in (told, folder.read())
    ]
    assert timeless[0] == timeless[1]
    assert [line["update"] for line in folder.read()] == [1, 2, 3, 4, 5, 6]


KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_ppo import KILLED_LENGTH, SHORT, learned
from services.agent.reinforcement.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])) as folder:
    learned(replace(SHORT, steps=SHORT.steps * KILLED_LENGTH), folder=folder)
"""


def test_a_killed_run_goes_on_where_its_checkpoint_stands(tmp_path: Path) -> None:
    settings = replace(SHORT, steps=SHORT.steps * KILLED_LENGTH)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(Path(__file__).parent)],
        env={**os.environ, "PYTHONPATH": Path.cwd()},
    )
    metrics = tmp_path / "killed" / "metrics.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (
        metrics.exists() and metrics.read_text().count("\n") >= 7
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with RunFolder(tmp_path / "killed") as folder:
        begun = len(folder.read())
        again = learned(settings, folder=folder)
    assert begun >= 7
    assert same(again, learned(settings))
    assert [line["update"] for line in folder.read()] == list(range(1, 1 + 6 * KILLED_LENGTH))


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        learned(folder=folder)
        with pytest.raises(InvalidInputError, match="another run"):
            learned(folder=folder, seed=2)


def test_metrics_are_told_as_lines_and_to_tensorboard(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        learned(folder=folder)
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == SHORT.steps
    assert {
        "reward",
        "policy_loss",
        "value_loss",
        "entropy",
        "divergence",
        "clipped",
        "explained_variance",
    } < last.keys()
    assert list(tmp_path.glob("events.out.tfevents.*"))


def test_begins_with_a_network_that_was_learned_elsewhere() -> None:
    start = learned()
    settings = replace(SHORT, steps=32 * HOURS, value_updates=1)
    learner = Ppo(DayOfBattery(), settings, seed=5, start=start)
    assert same(learner.network, start)
    # As long as only the value learns, the policy stays.
    assert same(learn_policy(learner), start)


def test_refuses_a_start_of_another_shape() -> None:
    start = SmallNetwork(
        [np.zeros((3, 5), dtype=np.float32)],
        [np.zeros(3, dtype=np.float32)],
        "tanh",
        Scale(np.zeros(5), np.ones(5)),
    )
    with pytest.raises(InvalidInputError, match="4 → 3"):
        Ppo(DayOfBattery(), SHORT, seed=0, start=start)


def test_advantages_are_what_was_earned_beyond_what_was_expected() -> None:
    rewards = np.array([[1.0], [2.0], [4.0]])
    values = np.array([[0.5], [0.25], [3.0], [8.0]])
    done = np.array([[False], [True], [False]])
    # Trusting all that was earned: 1 + 2 − 0.5, as the second step ends the episode; 2 − 0.25; 4 +
    # 8 − 3.
    assert estimate_advantages(rewards, values, done, discount=1.0, trace=1.0)[
        :, 0
    ] == pytest.approx([2.5, 1.75, 9.0])
    # Trusting one step: 1 + 0.25 − 0.5; the others as they have no more than one.
    assert estimate_advantages(rewards, values, done, discount=1.0, trace=0.0)[
        :, 0
    ] == pytest.approx([0.75, 1.75, 9.0])
    # Halves: 1 + 0.5 × 0.25 − 0.5 + 0.25 × 1.75; 1.75; 4 + 0.5 × 8 − 3.
    assert estimate_advantages(rewards, values, done, discount=0.5, trace=0.5)[
        :, 0
    ] == pytest.approx([1.0625, 1.75, 5.0])


def test_the_gradient_of_the_policys_loss_is_autograds() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(64, 3, generator=generator, requires_grad=True)
    actions = torch.randint(3, (64,), generator=generator)
    # Of the state nothing is read here; old log probabilities lie around a third, so that some rows
    # are clipped from either side.
    columns = torch.cat(
        [
            torch.zeros(64, 2),
            torch.randn(64, 3, generator=generator) - torch.tensor([1.1, 0.0, 0.0]),
        ],
        dim=1,
    )
    slope, policy_loss, entropy, _, clipped = lose_by_policy(
        scores.detach(), RolloutBatch(columns, actions), clip=0.2, entropy=0.01
    )

    log_probabilities = scores.log_softmax(dim=1)
    advantages = (columns[:, -2] - columns[:, -2].mean()) / columns[:, -2].std()
    ratio = (log_probabilities.gather(1, actions[:, None])[:, 0] - columns[:, -3]).exp()
    wanted_loss = -torch.minimum(advantages * ratio, advantages * ratio.clamp(0.8, 1.2)).mean()
    wanted_entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1).mean()
    (wanted,) = torch.autograd.grad(wanted_loss - 0.01 * wanted_entropy, scores)
    assert 0.2 < float(clipped) < 1.0
    told = float(policy_loss), float(entropy)
    assert told == pytest.approx(
        (float(wanted_loss.detach()), float(wanted_entropy.detach())), rel=1e-5
    )
    torch.testing.assert_close(slope, wanted, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_gradient_of_a_perceptron_is_autograds(activation: Activation) -> None:
    generator = torch.Generator().manual_seed(1)
    perceptron = Perceptron((4, 8, 8, 2), activation, 1.0, generator).to(torch.device("cpu"))
    inputs = torch.randn(16, 4, generator=generator)
    slope = torch.randn(16, 2, generator=generator)
    perceptron.forward(inputs)
    perceptron.backward(slope)

    seen = [each.clone().requires_grad_() for each in perceptron.parameters]
    signal = inputs
    activate = {"relu": torch.relu, "tanh": torch.tanh}[activation]
    signal = activate(signal @ seen[0].T + seen[3])
    signal = activate(signal @ seen[1].T + seen[4])
    wanted = torch.autograd.grad(signal @ seen[2].T + seen[5], seen, grad_outputs=slope)
    for own, other in zip(perceptron.parameters, wanted, strict=True):
        torch.testing.assert_close(own.grad, other, rtol=1e-4, atol=1e-6)
