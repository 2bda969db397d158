"""Learning from a teacher on the states that the learner itself reaches: each round adds those of the learner before."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.agent.environment.states import StateArray
from services.agent.imitation.samples import Samples, School


class Learner(Protocol):
    """Anything that scores the modes of states."""

    def scores(self, states: StateArray) -> NDArray[Any]:
        """Return scores, shape ``(states, modes)``."""


Grown = TypeVar("Grown", bound=Learner)
# How often the teacher's own days, and the learner's of each round, are lived, each time from other states of charge at midnight.
LIVES = 2


def learn_by_dagger(
    schools: Sequence[School], fit: Callable[[Samples], Grown], *, rounds: int, rng: np.random.Generator, told: Callable[[int], None] = lambda _: None
) -> tuple[Grown, Samples]:
    """Return the learner of the last round, and all it was shown; no rounds: plain imitation of the teacher.

    Args:
        schools: histories, each with its teacher.
        fit: makes a learner of samples.
        rounds: how often samples of the learner's own states are added.
        rng: draws the states of charge at midnight.
        told: hears how many learners there are by now.
    """
    samples = Samples.join([school.follow_teacher(rng) for school in schools for _ in range(LIVES)])
    learner = fit(samples)
    told(1)
    for number in range(rounds):
        own = [school.follow_learner(learner.scores, rng) for school in schools for _ in range(LIVES)]
        samples = Samples.join([samples, *own])
        learner = fit(samples)
        told(number + 2)
    return learner, samples
