"""Proximal policy optimisation of a network that chooses modes, in one file.

Sources, by the letters that the lines name: S — Schulman et al. 2017, "Proximal policy optimization
algorithms"; G — Schulman et al. 2016, "High-dimensional continuous control using generalized
advantage estimation"; H — Huang et al. 2022, "The 37 implementation details of proximal policy
optimization", by number; A — Andrychowicz et al. 2021, "What matters for on-policy deep
actor-critic methods?", by section.

Everything random of an update is drawn from a generator made of seed and update number, and every
update begins new episodes: a run that goes on from a checkpoint therefore is, on the CPU, bit for
bit the run in one go.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray
from services.agent.network import Activation, Float32Array, Moments, Scale, SmallNetwork
from services.agent.reinforcement.run_folder import RunFolder

# Receives the updates done, their total, and the metrics of the update.
Progress = Callable[[int, int, Mapping[str, float]], None]
_INITIAL_WEIGHTS = 2**31
# Of checkpoints: no run continues from another format.
_FORMAT = 2
_ACTIVATE: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": Tensor.relu_,
    "tanh": Tensor.tanh_,
}
_HIDDEN_GAIN = float(np.sqrt(2.0))


class LearningEnv(Protocol):
    """Many episodes side by side; a new one follows each that ends."""

    @property
    def count(self) -> int:
        """Number of episodes side by side."""

    @property
    def state_size(self) -> int:
        """Number of features of a state."""

    @property
    def action_count(self) -> int:
        """Number of actions."""

    def reset(self, rng: np.random.Generator) -> NDArray[Any]:
        """Begin new episodes and return their states, ``(count, state_size)``.

        All that is random until the next reset comes from ``rng``.
        """

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        """Return states, rewards and which episodes ended, each ``(count, …)``.

        Where one ended, the state is the next one's first.
        """


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of the algorithm."""

    # Of the environment, in all; rounded up to whole updates.
    steps: int = 2_000_000
    # Of each episode between two updates: a day of quarter-hours, so that every update sees all
    # hours alike.
    rollout_steps: int = 96
    # Units of each hidden layer of policy and value, two networks; as imitation has them, so that
    # what it learned can be begun with. [H13]
    hidden: tuple[int, ...] = (64, 64)
    activation: Activation = "relu"
    # Of Adam at the beginning; falls to zero in equal steps. [H4]
    learning_rate: float = 1e-3
    # Of what a slot later earns; a cost tomorrow is a cost, and every episode ends.
    discount: float = 1.0
    # How far an advantage trusts what was earned rather than what was expected. [G]
    trace: float = 0.95
    # Passes over what was collected, and the steps of each step of Adam. [S table 3, H6]
    epochs: int = 4
    minibatch: int = 4096
    # How far the probability of an action may move before it stops to count. [S eq. 7]
    clip: float = 0.2
    # The weight of the policy's entropy in its objective. [S eq. 9, H10]
    entropy: float = 0.003
    # The weight of the value's loss beside the policy's: with networks of their own it matters to
    # the gradient's norm alone. [H13]
    value_weight: float = 0.5
    # The norm that gradients are cut to. [H11]
    most_gradient: float = 0.5
    # Updates at the start that train the value alone, until it has learned the returns of a policy
    # that was trained elsewhere.
    value_updates: int = 0
    # Updates between two checkpoints.
    checkpoint_every: int = 20

    def updates(self, count: int) -> int:
        """Return the number of updates with ``count`` episodes side by side."""
        return -(-self.steps // (count * self.rollout_steps))


@dataclass(frozen=True, slots=True)
class Rollout:
    """States, actions and rewards, ``(steps, count, …)``.

    ``last`` are the states after the last step, ``(count, …)``, all at unit scale.
    """

    states: Tensor
    actions: Tensor
    log_probability: Tensor
    rewards: FloatArray
    done: NDArray[np.bool_]
    last: Tensor


@dataclass(frozen=True, slots=True)
class RolloutBatch:
    """The rows of an update, one per step.

    ``columns`` lie side by side in memory, so that a row is read in one go: state, elapsed share of
    the rollout, log probability of the action, advantage, return.
    """

    columns: Tensor
    actions: Tensor

    @property
    def states(self) -> Tensor:
        """Inputs of the policy."""
        return self.columns[:, :-4]

    @property
    def clocked(self) -> Tensor:
        """Inputs of the value: states and the elapsed share of the rollout."""
        return self.columns[:, :-3]

    def minibatches(self, size: int, rng: np.random.Generator) -> Iterator["RolloutBatch"]:
        """Yield all rows in random order, ``size`` at a time [H6]."""
        order = torch.from_numpy(rng.permutation(self.actions.shape[0])).to(self.actions.device)
        for rows in torch.split(order, size):
            yield RolloutBatch(self.columns[rows], self.actions[rows])


class Perceptron:
    """A network in training: layers with an activation between them, the last one linear.

    Its gradient is written by hand: autograd takes half as long again, for copies that nobody reads
    twice.

    Args:
        sizes: numbers of inputs, hidden units and outputs.
        activation: after each hidden layer.
        gain: what the orthogonal weights of the last layer are scaled by. [H2]
        generator: draws the weights.
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation, gain: float, generator: torch.Generator
    ) -> None:
        self.activation = activation
        self.weights = [torch.empty(outputs, inputs) for inputs, outputs in pairwise(sizes)]
        self.biases = [torch.zeros(outputs) for outputs in sizes[1:]]
        for weight in self.weights[:-1]:
            nn.init.orthogonal_(weight, _HIDDEN_GAIN, generator=generator)
        nn.init.orthogonal_(self.weights[-1], gain, generator=generator)
        # Each layer's inputs in ``forward``, and room for its outputs, rows of the largest
        # minibatch yet.
        self._inputs: list[Tensor] = []
        self._room: list[Tensor] = []

    def load(self, weights: Sequence[NDArray[Any]], biases: Sequence[NDArray[Any]]) -> None:
        """Take over weights and biases of the same sizes."""
        for own, other in zip([*self.weights, *self.biases], [*weights, *biases], strict=True):
            own.copy_(torch.from_numpy(np.array(other)))

    def to(self, device: torch.device) -> "Perceptron":
        """Return itself on a device, with gradients of zero."""
        self.weights = [weight.to(device) for weight in self.weights]
        self.biases = [bias.to(device) for bias in self.biases]
        for parameter in self.parameters:
            parameter.grad = torch.zeros_like(parameter)
        return self

    @property
    def parameters(self) -> list[Tensor]:
        """Weights, then biases, layer by layer."""
        return [*self.weights, *self.biases]

    @property
    def arrays(self) -> dict[str, Float32Array]:
        """Weights and biases by name, copied."""
        named: dict[str, Float32Array] = {}
        for layer, weight in enumerate(self.weights):
            named[f"{layer}.weights"] = weight.cpu().numpy().copy()
        for layer, bias in enumerate(self.biases):
            named[f"{layer}.biases"] = bias.cpu().numpy().copy()
        return named

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over weights and biases in the form of the property ``arrays``."""
        layers = range(len(self.weights))
        weights = [arrays[f"{layer}.weights"] for layer in layers]
        biases = [arrays[f"{layer}.biases"] for layer in layers]
        self.load(weights, biases)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs, ``(rows, outputs)``, of inputs, ``(rows, inputs)``.

        They hold until the next call, and ``backward`` goes back from them.
        """
        rows = inputs.shape[0]
        last = len(self.weights) - 1
        if not self._room or self._room[0].shape[0] < rows:
            widths = [bias.shape[0] for bias in self.biases]
            self._room = [torch.empty(rows, width, device=inputs.device) for width in widths]
        self._inputs = []
        signal = inputs
        parts = zip(self.weights, self.biases, self._room, strict=True)
        for layer, (weight, bias, room) in enumerate(parts):
            self._inputs.append(signal)
            signal = torch.addmm(bias, signal, weight.t(), out=room[:rows])
            if layer < last:
                signal = _ACTIVATE[self.activation](signal)
        return signal

    def backward(self, slope: Tensor) -> None:
        """Write the gradient of a loss by all parameters into their ``grad``.

        ``slope`` is that by the outputs of the last ``forward``, of their shape.
        """
        for layer in reversed(range(len(self.weights))):
            weight = self.weights[layer]
            bias = self.biases[layer]
            layer_inputs = self._inputs[layer]
            torch.mm(slope.t(), layer_inputs, out=weight.grad)
            torch.sum(slope, dim=0, out=bias.grad)
            if layer:
                # From the slope after the activation to the slope before it, by its output.
                slope = slope @ weight
                backward = torch.ops.aten
                if self.activation == "tanh":
                    slope = backward.tanh_backward(slope, layer_inputs)
                else:
                    slope = backward.threshold_backward(slope, layer_inputs, 0)


class Ppo:
    """Policy and value while they are learned.

    Args:
        environment: to learn from.
        settings: how.
        seed: of weights, episodes, actions and order of rows.
        start: a network to begin with instead of random weights; its scale then stays.
        device: ``cpu`` or ``cuda``.

    Raises:
        InvalidInputError: ``start`` reads other states, or chooses among other actions, than the
            environment's.
    """

    def __init__(
        self,
        environment: LearningEnv,
        settings: Hyperparameters,
        *,
        seed: int,
        start: SmallNetwork | None = None,
        device: str = "cpu",
    ) -> None:
        # Threads cost small networks more than they bring, and change what sums come to.
        torch.set_num_threads(1)
        self.environment = environment
        self.settings = settings
        self.seed = seed
        self.device = torch.device(device)
        self.updates = settings.updates(environment.count)
        self.update = 0
        self.start = start
        weights = torch.Generator().manual_seed(seed + _INITIAL_WEIGHTS)
        inputs = environment.state_size
        actions = environment.action_count
        hidden = settings.hidden
        self.activation: Activation = settings.activation
        if start is not None:
            hidden = tuple(bias.size for bias in start.biases[:-1])
            self.activation = start.activation
        self.policy = Perceptron((inputs, *hidden, actions), self.activation, 0.01, weights)
        # The value is told how much of the rollout has passed, which no state says. Source: Pardo
        # et al. 2018, "Time limits in reinforcement learning".
        self.value = Perceptron((inputs + 1, *settings.hidden, 1), self.activation, 1.0, weights)
        self.states = Moments.empty(inputs)
        self.returns = Moments.empty(1)
        if start is not None:
            if (start.inputs, start.outputs) != (inputs, actions):
                raise InvalidInputError(
                    f"the network to begin with is not {inputs} → {actions}",
                    field="start",
                    value=f"{start.inputs} → {start.outputs}",
                )
            self.policy.load(start.weights, start.biases)
        self.policy = self.policy.to(self.device)
        self.value = self.value.to(self.device)
        # Epsilon as in the first implementation, not Adam's own. [H3]
        self.adam = torch.optim.Adam(
            self.parameters, lr=settings.learning_rate, eps=1e-5, fused=True
        )

    @property
    def parameters(self) -> list[Tensor]:
        """All that is learned."""
        return [*self.policy.parameters, *self.value.parameters]

    @property
    def identity(self) -> dict[str, Any]:
        """Facts of the run; it continues only from checkpoints with the same ones."""
        environment = self.environment
        begun_with = None
        if self.start is not None:
            content = b"".join(tensor.tobytes() for tensor in self.start.tensors.values())
            begun_with = hashlib.sha256(content).hexdigest()
        sizes = {
            "count": environment.count,
            "state_size": environment.state_size,
            "action_count": environment.action_count,
        }
        return {
            "format": _FORMAT,
            "settings": asdict(self.settings) | {"hidden": list(self.settings.hidden)},
            "seed": self.seed,
            "start": begun_with,
            **sizes,
        }

    @property
    def scale(self) -> Scale:
        """The normalisation of states [H, continuous control 5–6; A 3.3].

        It is that of all states so far, or of the first network, if one was given.
        """
        return self.states.scale if self.start is None else self.start.scale

    @property
    def network(self) -> SmallNetwork:
        """The policy as it is stored and used."""
        weights = [weight.cpu().numpy().copy() for weight in self.policy.weights]
        biases = [bias.cpu().numpy().copy() for bias in self.policy.biases]
        return SmallNetwork(weights, biases, self.activation, self.scale)

    def learn(self) -> dict[str, float]:
        """Make one update and return its metrics."""
        settings = self.settings
        rng = np.random.default_rng([self.seed, self.update])
        remaining_share = 1.0 - self.update / self.updates
        self.adam.param_groups[0]["lr"] = settings.learning_rate * remaining_share
        rollout = self._collect(rng)
        batch, expected = self._prepare(rollout)
        steps = []
        for _ in range(settings.epochs):
            steps += [self._descend(part) for part in batch.minibatches(settings.minibatch, rng)]
        losses = torch.stack(steps).mean(dim=0).tolist()
        self.update += 1
        names = ("policy_loss", "value_loss", "entropy", "divergence", "clipped")
        metrics = dict(zip(names, losses, strict=True))
        returns = batch.columns[:, -1]
        variance = float(returns.var())
        unexplained = float((returns - expected).var()) / variance if variance else 0.0
        earned = float(rollout.rewards.sum()) / rollout.rewards.shape[1]
        return {
            "step": self.update * rollout.rewards.size,
            "reward": earned,
            **metrics,
            "explained_variance": 1.0 - unexplained,
        }

    def _collect(self, rng: np.random.Generator) -> Rollout:
        """Run new episodes under the current policy."""
        environment = self.environment
        scale = self.scale
        settings = self.settings
        shape = (settings.rollout_steps, environment.count)
        # The largest of scores with Gumbel noise is a draw from their softmax. Source: Maddison et
        # al. 2014.
        drawn = rng.gumbel(size=(*shape, environment.action_count)).astype(np.float32)
        noise = torch.from_numpy(drawn).to(self.device)
        unscaled = np.empty((*shape, environment.state_size), dtype=np.float32)
        scaled = torch.empty(unscaled.shape, device=self.device)
        chosen = torch.empty(shape, dtype=torch.int64, device=self.device)
        log_probability = torch.empty(shape, device=self.device)
        rewards = np.empty(shape)
        done = np.empty(shape, dtype=bool)
        states = environment.reset(rng)
        for step in range(settings.rollout_steps):
            unscaled[step] = states
            scaled[step] = torch.from_numpy(scale.apply(states))
            scores = self.policy.forward(scaled[step])
            torch.argmax(scores + noise[step], dim=1, out=chosen[step])
            log_probability[step] = pick(scores.log_softmax(dim=1), chosen[step])
            states, rewards[step], done[step] = environment.step(chosen[step].cpu().numpy())
        # The scale changes only after the rollout, so that actions and learning read the same
        # numbers.
        if self.start is None:
            self.states.add(unscaled.reshape(-1, environment.state_size))
        last = torch.from_numpy(scale.apply(states)).to(self.device)
        return Rollout(
            states=scaled,
            actions=chosen,
            log_probability=log_probability,
            rewards=rewards,
            done=done,
            last=last,
        )

    def _prepare(self, rollout: Rollout) -> tuple[RolloutBatch, Tensor]:
        """Return the rows to learn from, and the value's expectation of each."""
        steps, count = rollout.rewards.shape
        elapsed = torch.linspace(0.0, 1.0, steps + 1, device=self.device)
        clock = elapsed.repeat_interleave(count)[:, None]
        states = torch.cat([rollout.states.flatten(0, 1), rollout.last])
        clocked = torch.cat([states, clock], dim=1)
        expected = self.value.forward(clocked).squeeze(1)
        values = expected.cpu().numpy().reshape(steps + 1, count)
        # Rewards by the standard deviation of what episodes have earned by a step [H, continuous
        # control 7–8; A 3.4].
        so_far = np.zeros(count)
        sums = np.empty_like(rollout.rewards)
        for step, (rewards, done) in enumerate(zip(rollout.rewards, rollout.done, strict=True)):
            sums[step] = so_far = so_far * self.settings.discount + rewards
            so_far = np.where(done, 0.0, so_far)
        self.returns.add(sums.reshape(-1, 1))
        scaled = rollout.rewards / max(float(self.returns.scale.std[0]), 1e-8)
        advantages = estimate_advantages(
            scaled, values, rollout.done, discount=self.settings.discount, trace=self.settings.trace
        )
        returns = advantages + values[:-1]
        pairs = np.stack([advantages.ravel(), returns.ravel()], axis=1, dtype=np.float32)
        earned = torch.from_numpy(pairs).to(self.device)
        log_probability = rollout.log_probability.reshape(-1, 1)
        columns = torch.cat([clocked[:-count], log_probability, earned], dim=1)
        return RolloutBatch(columns, rollout.actions.flatten()), expected[:-count].clone()

    def _descend(self, part: RolloutBatch) -> Tensor:
        """Take one step of Adam and return its diagnostics, without waiting for the device.

        They are the losses, the entropy, the divergence and the share of clipped rows.
        """
        settings = self.settings
        slope, *diagnostics = lose_by_policy(
            self.policy.forward(part.states), part, clip=settings.clip, entropy=settings.entropy
        )
        if self.update < settings.value_updates:
            slope = torch.zeros_like(slope)
        self.policy.backward(slope)
        missed = self.value.forward(part.clocked) - part.columns[:, -1:]  # not clipped [A 3.2]
        self.value.backward(missed * (settings.value_weight / missed.shape[0]))
        clip_grad_norm_(self.parameters, settings.most_gradient)
        self.adam.step()
        policy_loss, *others = diagnostics
        return torch.stack([policy_loss, 0.5 * missed.square().mean(), *others])

    @property
    def checkpoint(self) -> dict[str, NDArray[Any]]:
        """Everything that the next update depends on beside the constructor's arguments."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, parameter in self.policy.arrays.items():
            arrays[f"policy.{name}"] = parameter
        for name, parameter in self.value.arrays.items():
            arrays[f"value.{name}"] = parameter
        for number, moments in self.adam.state_dict()["state"].items():
            for name, moment in moments.items():
                arrays[f"adam.{number}.{name}"] = moment.cpu().numpy().copy()
        for name, scale in (("states", self.states), ("returns", self.returns)):
            arrays[f"{name}.count"] = np.array(scale.count)
            arrays[f"{name}.mean"] = scale.mean
            arrays[f"{name}.squares"] = scale.squares
        return arrays

    def restore(self, update: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue after ``update`` updates with the ``checkpoint`` of that moment."""
        policy: dict[str, NDArray[Any]] = {}
        value: dict[str, NDArray[Any]] = {}
        moments: dict[int, dict[str, Tensor]] = {}
        for key, array in arrays.items():
            owner, _, name = key.partition(".")
            if owner == "policy":
                policy[name] = array
            elif owner == "value":
                value[name] = array
            elif owner == "adam":
                number, name = name.split(".")
                moments.setdefault(int(number), {})[name] = torch.from_numpy(np.array(array))
        self.policy.restore(policy)
        self.value.restore(value)
        self.adam.load_state_dict(self.adam.state_dict() | {"state": moments})

        def read(name: str) -> Moments:
            count = float(arrays[f"{name}.count"])
            return Moments(count, arrays[f"{name}.mean"], arrays[f"{name}.squares"])

        self.states = read("states")
        self.returns = read("returns")
        self.update = update


def pick(columns: Tensor, chosen: Tensor) -> Tensor:
    """Return each row's chosen column, ``(rows,)``."""
    return columns.gather(1, chosen[:, None]).squeeze(1)


def lose_by_policy(
    scores: Tensor, part: RolloutBatch, *, clip: float, entropy: float
) -> tuple[Tensor, ...]:
    """Return the gradient of the policy's objective by ``scores``, and its diagnostics.

    The objective is the clipped loss less the weighted entropy [S eq. 7 and 9, H8]. Diagnostics are
    that loss, the entropy, the divergence and the share of clipped rows.
    """
    log_probabilities = scores.log_softmax(dim=1)
    old, advantages = part.columns[:, -3:-1].unbind(dim=1)
    probabilities = log_probabilities.exp()
    moved = pick(log_probabilities, part.actions) - old
    ratio = moved.exp()
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)  # [H7]
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    gain = advantages * ratio
    clipped_gain = advantages * clipped
    # Of the mean over rows: a score raises its own action's log probability by one less its
    # probability, another's by less its probability. Clipped, nothing.
    pull = torch.where(gain <= clipped_gain, gain, 0.0)[:, None] / gain.shape[0]
    order = (probabilities * log_probabilities).sum(dim=1, keepdim=True)
    entropy_slope = (log_probabilities - order) * (entropy / gain.shape[0])
    slope = (entropy_slope + pull) * probabilities
    slope.scatter_add_(1, part.actions[:, None], -pull)
    # Source: Schulman 2020, "Approximating KL divergence", the estimator without bias and with
    # little variance. [H12]
    divergence = (ratio - 1.0 - moved).mean()
    return (
        slope,
        -torch.minimum(gain, clipped_gain).mean(),
        -order.mean(),
        divergence,
        (clipped != ratio).float().mean(),
    )


def estimate_advantages(
    rewards: FloatArray,
    values: NDArray[Any],
    done: NDArray[np.bool_],
    *,
    discount: float,
    trace: float,
) -> FloatArray:
    """Return the advantage of each step over the value's expectation [G eq. 16].

    Args:
        rewards: ``(steps, count)``.
        values: expected of each state and of those after the last step, ``(steps + 1, count)``.
        done: which episodes ended with the step; nothing is expected after it.
        discount: of what is earned a step later.
        trace: 0 trusts one step and what is expected then, 1 all that was earned.
    """
    advantages = np.empty(rewards.shape)
    following = np.zeros(rewards.shape[1])
    for step in reversed(range(rewards.shape[0])):
        lives = np.where(done[step], 0.0, discount)
        surprise = rewards[step] + lives * values[step + 1] - values[step]
        following = surprise + lives * trace * following
        advantages[step] = following
    return advantages


def learn_policy(
    learner: Ppo, *, folder: RunFolder | None = None, progress: Progress | None = None
) -> SmallNetwork:
    """Return the policy after all updates, continuing from the folder's last checkpoint.

    Raises:
        InvalidInputError: the checkpoint is of another run.
    """
    checkpoint = folder.resume(learner.identity) if folder else None
    if checkpoint is not None:
        learner.restore(*checkpoint)
    begun = time.perf_counter()
    before = learner.update
    while learner.update < learner.updates:
        metrics = learner.learn()
        done = learner.update - before
        if folder is not None:
            updates_per_s = done / (time.perf_counter() - begun)
            folder.write(learner.update, metrics | {"updates_per_s": updates_per_s})
            is_due = learner.update % learner.settings.checkpoint_every == 0
            if is_due or learner.update == learner.updates:
                folder.keep(learner.update, learner.checkpoint, learner.identity)
        if progress is not None:
            progress(learner.update, learner.updates, metrics)
    return learner.network
