"""Learning from a teacher on the states that the learner itself reaches: each round adds those of the learner before."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.agent.environment.states import StateArray
from services.agent.imitation.samples import ModeSamples, School


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
