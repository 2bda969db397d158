"""The kinds that imitate: trees and a network taught by hindsight, and the same network taught by the stochastic programme.

A learner is corrected by its teacher on the states that it reaches itself (DAgger): each round adds those of the learner before.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from luna.energy.site import Site
from luna.platform.extras import TRAINING, require_extra
from services.agent.artefacts import Artefact
from services.agent.environment.states import SUMMARY, V1_1, StateArray
from services.agent.imitation.networks import NetworkSettings, fit_network
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import MODES, Teacher, ask_oracle, ask_programme
from services.agent.imitation.trees import TreeClassifier, TreeClassifierSettings, grow_classifier
from services.agent.learned_modes import LearnedModes
from services.agent.network import SmallNetwork
from services.agent.registry import Lesson, TrainedParts, agent_kind


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
    """Return the learner of the last round, and all its samples; no rounds: plain imitation of the teacher.

    Args:
        schools: histories, each with its teacher.
        fit: makes a learner of samples.
        rounds: how often samples of the learner's own states are added.
        rng: draws the states of charge at midnight, and those that are drawn.
        drawn: how often each slot occurs at a drawn state of charge.
        on_learner: receives the number of learners so far.
    """
    samples = ModeSamples.join([*(school.follow_teacher(rng) for school in schools), *(school.draw(rng) for school in schools for _ in range(drawn))])
    learner = fit(samples)
    on_learner(1)
    for number in range(rounds):
        own = [school.follow_learner(learner.scores, rng) for school in schools]
        samples = ModeSamples.join([samples, *own])
        learner = fit(samples)
        on_learner(number + 2)
    return learner, samples


# A few hundred days are too few for trees to choose among two hundred hourly values; a network finds more in those than in sums of them.
TREE_LAYOUT, NETWORK_LAYOUT = SUMMARY, V1_1
# Rounds of relabelling beyond the teacher's own days.
ROUNDS = 2
# How often trees see each slot at a state of charge that is drawn: by its own days a slot is known at few. A network lost by it.
DRAWN = 3
_TREES, _NETWORK, _TENSORS = "trees.txt", "network.json", "network.safetensors"


def load_trees(artefact: Artefact, site: Site) -> LearnedModes:
    """Return the policy of stored trees."""
    del site
    return LearnedModes(TREE_LAYOUT, TreeClassifier.read(artefact.text(_TREES)).scores)


def load_network(artefact: Artefact, site: Site) -> LearnedModes:
    """Return the policy of a stored network.

    Raises:
        NetworkError: its layers do not fit on each other.
    """
    from safetensors.numpy import load

    del site
    return LearnedModes(NETWORK_LAYOUT, SmallNetwork.read(load(artefact.parts[_TENSORS]), json.loads(artefact.text(_NETWORK))).scores)


@agent_kind("imitation", state_version=TREE_LAYOUT.version, load=load_trees)
def train_trees(lesson: Lesson) -> TrainedParts:
    """Grow trees that choose the oracle's modes, on the states that they themselves reach."""
    settings, school = TreeClassifierSettings(), School(lesson.history, ask_oracle(lesson.history), TREE_LAYOUT)
    fit = partial(grow_classifier, settings=settings, seed=lesson.seed)
    trees, samples = _learn(lesson, school, fit, drawn=DRAWN)
    sampling = {"rounds_of_relabelling": ROUNDS, "drawn": DRAWN}
    return TrainedParts({_TREES: trees.text().encode()}, asdict(settings) | sampling, _measure(trees, samples))


@agent_kind("network", state_version=NETWORK_LAYOUT.version, load=load_network)
def train_network(lesson: Lesson) -> TrainedParts:
    """Train a network that chooses the oracle's modes, on the states that it itself reaches."""
    require_extra(TRAINING)
    return _train_network(lesson, ask_oracle(lesson.history))


@agent_kind("clone", state_version=NETWORK_LAYOUT.version, load=load_network)
def train_clone(lesson: Lesson) -> TrainedParts:
    """Train a network that chooses as the stochastic programme does, which plans by the mean value over courses."""
    require_extra(TRAINING)
    return _train_network(lesson, ask_programme(lesson.history, progress=lesson.progress))


def _train_network(lesson: Lesson, teacher: Teacher) -> TrainedParts:
    from safetensors.numpy import save

    settings = NetworkSettings()
    network, samples = _learn(lesson, School(lesson.history, teacher, NETWORK_LAYOUT), partial(fit_network, settings=settings, seed=lesson.seed))
    header = network.header | {"state_version": NETWORK_LAYOUT.version, "modes": [mode.word for mode in MODES]}
    parts = {_NETWORK: json.dumps(header).encode(), _TENSORS: save(network.tensors)}
    return TrainedParts(parts, asdict(settings) | {"rounds_of_relabelling": ROUNDS}, _measure(network, samples))


def _learn(lesson: Lesson, school: School, fit: Callable[[ModeSamples], Grown], *, drawn: int = 0) -> tuple[Grown, ModeSamples]:
    """Return the learner, and all samples; each round is a step of progress."""
    rng = np.random.default_rng(lesson.seed)
    return learn_by_dagger([school], fit, rounds=ROUNDS, rng=rng, drawn=drawn, on_learner=lambda count: lesson.progress(count, 1 + ROUNDS, "train"))


def _measure(learner: Learner, samples: ModeSamples) -> dict[str, float]:
    """Return how often the teacher's mode is chosen, and what choices cost more than the cheapest mode, currency per slot."""
    chosen = learner.scores(samples.states).argmax(axis=1)
    lost = samples.regret[np.arange(chosen.size), chosen]
    return {
        "samples": float(chosen.size),
        "agreement": float((chosen == samples.mode).mean()),
        "regret_per_slot": float(np.average(lost, weights=samples.weight)),
    }
