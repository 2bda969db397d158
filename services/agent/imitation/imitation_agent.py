"""Train agents that imitate the oracle or the stochastic programme.

A teacher corrects its learner on the states that the learner reaches itself (DAgger): each round
adds those of the learner before. The trees are a LightGBM classifier whose loss is the regret of a
mode against the cheapest one; the network is trained by PyTorch to expect the least regret, and
evaluated in NumPy.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.platform.extras import TRAINING, require_extra
from services.agent.artefacts import Artefact
from services.agent.declaration import KindDeclaration, Lesson, TrainedParts
from services.agent.environment.states import SUMMARY, V1_1, StateArray
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import MODES, Teacher, ask_oracle, ask_programme
from services.agent.modes import AgentModes
from services.agent.network import Scale, SmallNetwork
from services.forecaster.model.trees import import_lightgbm

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Linear


# Without a least curvature Newton's step has no bound where all modes cost the same.
_LEAST_CURVATURE = 1e-2


@dataclass(frozen=True, slots=True)
class TreeClassifierSettings:
    """Settings of the classifier.

    ``imitation`` is the weight of the teacher's own mode beside the regret of the others.

    ``most_regret`` caps a regret, in shares of the mean: a mode that is far off teaches nothing
    about those that are nearly right.
    """

    rounds: int = 60
    leaves: int = 15
    learning_rate: float = 0.1
    rows_per_leaf: int = 300
    bins: int = 63
    imitation: float = 0.1
    most_regret: float = 1.5


@dataclass(frozen=True, slots=True)
class TreeClassifier:
    """Grown trees."""

    booster: Any

    def scores(self, states: StateArray) -> FloatArray:
        """Return the score of each mode, shape ``(states, modes)``."""
        return np.asarray(self.booster.predict(states, num_threads=1), dtype=float)

    @classmethod
    def read(cls, text: str) -> "TreeClassifier":
        """Return trees from LightGBM's own text."""
        return cls(import_lightgbm().Booster(model_str=text))

    def text(self) -> str:
        """Return LightGBM's own text."""
        return str(self.booster.model_to_string())


def grow_classifier(
    samples: ModeSamples, settings: TreeClassifierSettings, *, seed: int
) -> TreeClassifier:
    """Return trees whose choices cost least on average.

    The same samples and seed grow the same trees.

    The loss of a state is the expected regret under the probabilities of the modes, and a small
    share of the cross-entropy with the teacher's mode.
    """
    lightgbm = import_lightgbm()
    regret = samples.share_regret(settings.most_regret)
    labels = np.eye(len(MODES))[samples.mode]
    weight = samples.weight[:, None]

    def differentiate(scores: FloatArray, _: object) -> tuple[FloatArray, FloatArray]:
        probability = np.exp(scores - scores.max(axis=1, keepdims=True))
        probability /= probability.sum(axis=1, keepdims=True)
        expected_regret = (probability * regret).sum(axis=1, keepdims=True)
        beyond = regret - expected_regret
        spread = probability * (1.0 - probability)
        slope = probability * beyond + settings.imitation * (probability - labels)
        curvature = spread * (np.abs(beyond) + settings.imitation)
        return weight * slope, weight * np.maximum(curvature, _LEAST_CURVATURE)

    data = lightgbm.Dataset(samples.states, label=samples.mode)
    parameters = {
        "objective": differentiate,
        "num_class": len(MODES),
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.rows_per_leaf,
        "max_bin": settings.bins,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
    return TreeClassifier(lightgbm.train(parameters, data, num_boost_round=settings.rounds))


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Settings of the network and its training.

    ``imitation`` is the weight of the teacher's own mode beside the regret of the others.

    ``most_regret`` caps a regret, in shares of the mean: a mode that is far off teaches nothing
    about those that are nearly right.
    """

    hidden: tuple[int, ...] = (64, 64)
    epochs: int = 30
    batch: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    imitation: float = 0.1
    most_regret: float = 1.5


def fit_network(samples: ModeSamples, settings: NetworkSettings, *, seed: int) -> SmallNetwork:
    """Return the network whose choices cost least on average.

    The same samples and seed give the same network.

    The loss of a state is the expected regret under the probabilities of the modes, so that states
    with large regrets count most, and indistinguishable ones are averaged.
    Source: Ross, Bagnell 2014, "Reinforcement and imitation learning via interactive no-regret
    learning" (cost-to-go instead of the teacher's action).
    """
    import torch

    torch.set_num_threads(1)
    scale = Scale.of(samples.states)
    generator = torch.Generator().manual_seed(seed)
    rows = _Rows.of(samples, scale, most_regret=settings.most_regret)
    layers = _draw_layers((rows.inputs.shape[1], *settings.hidden, len(MODES)), generator)
    model = torch.nn.Sequential()
    for layer in layers[:-1]:
        model.append(layer)
        model.append(torch.nn.ReLU())
    model.append(layers[-1])
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    for _ in range(settings.epochs):
        order = torch.randperm(rows.inputs.shape[0], generator=generator)
        for part in torch.split(order, settings.batch):
            loss = rows.lose(part, model(rows.inputs[part]), imitation=settings.imitation)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        schedule.step()
    weights = [layer.weight.detach().numpy().copy() for layer in layers]
    biases = [layer.bias.detach().numpy().copy() for layer in layers]
    return SmallNetwork(weights, biases, "relu", scale)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Samples as tensors; the regret in shares of its mean."""

    inputs: "Tensor"
    mode: "Tensor"
    regret: "Tensor"
    weight: "Tensor"

    @classmethod
    def of(cls, samples: ModeSamples, scale: Scale, *, most_regret: float) -> "_Rows":
        import torch

        regret = samples.share_regret(most_regret)
        parts = (
            scale.apply(samples.states),
            samples.mode.astype(np.int64),
            regret.astype(np.float32),
            samples.weight.astype(np.float32),
        )
        return cls(*(torch.from_numpy(part) for part in parts))

    def lose(self, part: "Tensor", scores: "Tensor", *, imitation: float) -> "Tensor":
        """Return the mean loss of some rows.

        It is the expected regret, and a share of the cross-entropy with the teacher's mode.
        """
        from torch.nn.functional import log_softmax, nll_loss

        log_probability = log_softmax(scores, dim=1)
        missed = nll_loss(log_probability, self.mode[part], reduction="none")
        expected_regret = (log_probability.exp() * self.regret[part]).sum(dim=1)
        return (self.weight[part] * (expected_regret + imitation * missed)).mean()


def _draw_layers(sizes: tuple[int, ...], generator: "Generator") -> list["Linear"]:
    """Return linear layers of the given sizes, drawn as PyTorch draws them by itself."""
    from torch import nn

    layers = [nn.Linear(into, out) for into, out in pairwise(sizes)]
    for layer in layers:
        bound = layer.in_features**-0.5
        for part in (layer.weight, layer.bias):
            nn.init.uniform_(part, -bound, bound, generator=generator)
    return layers


class Learner(Protocol):
    """Anything that scores the modes of states."""

    def scores(self, states: StateArray) -> NDArray[Any]:
        """Return scores, shape ``(states, modes)``."""


Grown = TypeVar("Grown", bound=Learner)


def learn_by_dagger(
    schools: Sequence[School],
    fit: Callable[[ModeSamples], Grown],
    *,
    rounds: int,
    rng: np.random.Generator,
    drawn: int = 0,
    on_learner: Callable[[int], None] = lambda _: None,
) -> tuple[Grown, ModeSamples]:
    """Return the learner of the last round, and all its samples.

    No rounds: plain imitation of the teacher.

    Args:
        schools: histories, each with its teacher.
        fit: trains a learner on samples.
        rounds: how often samples of the learner's own states are added.
        rng: draws the states of charge, at midnight and of the ``drawn`` samples.
        drawn: how often each slot occurs at a random state of charge.
        on_learner: receives the number of learners so far.
    """
    parts = [school.follow_teacher(rng) for school in schools]
    for school in schools:
        parts += [school.draw(rng) for _ in range(drawn)]
    samples = ModeSamples.join(parts)
    learner = fit(samples)
    on_learner(1)
    for number in range(rounds):
        own = [school.follow_learner(learner.scores, rng) for school in schools]
        samples = ModeSamples.join([samples, *own])
        learner = fit(samples)
        on_learner(number + 2)
    return learner, samples


# A few hundred days are too few for trees to choose among two hundred hourly values; a network
# finds more in those than in sums of them.
TREE_LAYOUT = SUMMARY
NETWORK_LAYOUT = V1_1
# Rounds of relabelling beyond the teacher's own days.
ROUNDS = 2
# How often trees see each slot at a random state of charge: simulated days reach few of them. A
# network became worse by it.
DRAWN = 3
_TREES = "trees.txt"
_NETWORK = "network.json"
_TENSORS = "network.safetensors"


def load_trees(artefact: Artefact, site: Site) -> AgentModes:
    """Return the policy of stored trees."""
    del site
    return AgentModes(TREE_LAYOUT, TreeClassifier.read(artefact.text(_TREES)).scores)


def load_network(artefact: Artefact, site: Site) -> AgentModes:
    """Return the policy of a stored network.

    Raises:
        NetworkError: its layers do not fit on each other.
    """
    from safetensors.numpy import load

    del site
    tensors = load(artefact.parts[_TENSORS])
    header = json.loads(artefact.text(_NETWORK))
    network = SmallNetwork.read(tensors, header)
    return AgentModes(NETWORK_LAYOUT, network.scores)


def train_trees(lesson: Lesson) -> TrainedParts:
    """Grow trees that imitate the oracle, also on states of their own decisions."""
    settings = TreeClassifierSettings()
    school = School(lesson.history, ask_oracle(lesson.history), TREE_LAYOUT)
    fit = partial(grow_classifier, settings=settings, seed=lesson.seed)
    trees, samples = _learn(lesson, school, fit, drawn=DRAWN)
    parts = {_TREES: trees.text().encode()}
    sampling = {"rounds_of_relabelling": ROUNDS, "drawn": DRAWN}
    return TrainedParts(parts, asdict(settings) | sampling, _measure(trees, samples))


def train_network(lesson: Lesson) -> TrainedParts:
    """Train a network that imitates the oracle, also on states of its own decisions."""
    require_extra(TRAINING)
    return _train_network(lesson, ask_oracle(lesson.history))


def train_clone(lesson: Lesson) -> TrainedParts:
    """Train a network that imitates the stochastic programme.

    The programme plans by the mean value over scenarios.
    """
    require_extra(TRAINING)
    return _train_network(lesson, ask_programme(lesson.history, progress=lesson.progress))


def _train_network(lesson: Lesson, teacher: Teacher) -> TrainedParts:
    from safetensors.numpy import save

    settings = NetworkSettings()
    school = School(lesson.history, teacher, NETWORK_LAYOUT)
    fit = partial(fit_network, settings=settings, seed=lesson.seed)
    network, samples = _learn(lesson, school, fit)
    header = network.header | {
        "state_version": NETWORK_LAYOUT.version,
        "modes": [mode.word for mode in MODES],
    }
    parts = {_NETWORK: json.dumps(header).encode(), _TENSORS: save(network.tensors)}
    trained_with = asdict(settings) | {"rounds_of_relabelling": ROUNDS}
    return TrainedParts(parts, trained_with, _measure(network, samples))


def _learn(
    lesson: Lesson, school: School, fit: Callable[[ModeSamples], Grown], *, drawn: int = 0
) -> tuple[Grown, ModeSamples]:

    def report(count: int) -> None:
        lesson.progress(count, 1 + ROUNDS, "train")

    rng = np.random.default_rng(lesson.seed)
    return learn_by_dagger([school], fit, rounds=ROUNDS, rng=rng, drawn=drawn, on_learner=report)


def _measure(learner: Learner, samples: ModeSamples) -> dict[str, float]:
    """Return the share of choices equal to the teacher's, and the mean regret (currency/slot)."""
    chosen = learner.scores(samples.states).argmax(axis=1)
    lost = samples.regret[np.arange(chosen.size), chosen]
    return {
        "samples": float(chosen.size),
        "agreement": float((chosen == samples.mode).mean()),
        "regret_per_slot": float(np.average(lost, weights=samples.weight)),
    }


IMITATION = KindDeclaration("imitation", TREE_LAYOUT.version, train_trees, load_trees)
NETWORK = KindDeclaration("network", NETWORK_LAYOUT.version, train_network, load_network)
CLONE = KindDeclaration("clone", NETWORK_LAYOUT.version, train_clone, load_network)
