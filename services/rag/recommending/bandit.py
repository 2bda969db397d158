"""Contextual bandits with a linear model of the reward: LinUCB and Thompson sampling.

Both know the past by the same sufficient statistics: the sum of the outer products of the chosen
features, and the sum of the features times their rewards. The parameters are shared by all items,
over features of item and reader, so that a new item needs no training. Arms with parameters of
their own (the disjoint model) are the same thing over ``cross_features``.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.contracts.recommendations import BanditPolicy
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, IndexArray

# Weight of the prior: one observation's worth of "no feature matters".
RIDGE = 1.0
# Width of the confidence bound of LinUCB, in standard deviations of the estimate.
ALPHA = 0.8
# Standard deviation of Thompson's posterior, as a share of that of the estimate; rewards lie
# between 0 and 1.
SPREAD = 0.15
# Draws of the posterior by which Thompson's choice is made; what is drawn from them is drawn with a
# propensity that is known.
DRAWS = 256
# Share of choices that are left to chance among all candidates: the propensity of each is never 0.
CHANCE: dict[BanditPolicy, float] = {"linucb": 0.02, "thompson": 0.02}


@dataclass(frozen=True, slots=True)
class Statistics:
    """All that a linear bandit knows of the past.

    Attributes:
        precision: sum of outer products of the observed features, shape ``(d, d)``; the prior is
            added where it is used.
        response: sum of features times rewards, shape ``(d,)``.
        count: observations.

    Invariants: the order of observations does not matter; a reward that is revised counts as if it
        had been the first.
    """

    precision: FloatArray
    response: FloatArray
    count: int

    @classmethod
    def empty(cls, dimensions: int) -> Self:
        """Return the statistics before the first observation."""
        return cls(np.zeros((dimensions, dimensions)), np.zeros(dimensions), 0)

    def observe(self, features: FloatArray, reward: float) -> "Statistics":
        """Return the statistics with one more observation.

        Raises:
            InvalidInputError: a feature or the reward is no finite number, or the shape is another
                one.
        """
        self._require(features, reward)
        return Statistics(
            self.precision + np.outer(features, features),
            self.response + reward * features,
            self.count + 1,
        )

    def revise(self, features: FloatArray, change: float) -> "Statistics":
        """Return the statistics where the reward of an observation changed by ``change``.

        Raises:
            InvalidInputError: as in ``observe``.
        """
        self._require(features, change)
        return replace(self, response=self.response + change * features)

    def _require(self, features: FloatArray, reward: float) -> None:
        if features.shape != self.response.shape:
            raise InvalidInputError(
                "another number of features",
                field="features",
                value=features.shape,
                remedy=f"Give {self.response.size} numbers.",
            )
        if not (np.isfinite(features).all() and np.isfinite(reward)):
            raise InvalidInputError(
                "is no finite number",
                field="features or reward",
                remedy="Leave the observation out.",
            )


class BanditRanking:
    """Chooses among candidates, one after the other without putting back.

    LinUCB takes the highest upper bound of the expected reward with probability ``1 − CHANCE`` and
    any candidate else. Thompson draws ``DRAWS`` parameter vectors of the posterior; a candidate's
    probability is the share of the draws in which it is the best of those that are left, mixed with
    chance alike. A choice drawn from these probabilities is a choice whose propensity is known
    exactly.

    Source: Li et al. 2010, "A contextual-bandit approach to personalized news article
    recommendation", algorithm 1, with shared parameters; Agrawal & Goyal 2013, "Thompson sampling
    for contextual bandits with linear payoffs", algorithm 1; the ε-mix: Langford & Zhang 2007.
    """

    def __init__(
        self,
        policy: BanditPolicy,
        candidates: FloatArray,
        statistics: Statistics,
        rng: np.random.Generator,
    ) -> None:
        """Weigh the candidates.

        Args:
            policy: linucb or thompson.
            candidates: features, shape ``(candidates, d)``, finite.
            statistics: what is known.
            rng: what chance is drawn from.

        Raises:
            InvalidInputError: there is no candidate, or a feature is no finite number.
        """
        if candidates.ndim != 2 or not len(candidates) or not np.isfinite(candidates).all():
            raise InvalidInputError(
                "no candidates with finite features",
                field="candidates",
                value=candidates.shape,
                remedy="Give a row per candidate.",
            )
        self._chance = CHANCE[policy]
        self._rng = rng
        root = np.linalg.cholesky(statistics.precision + RIDGE * np.eye(statistics.response.size))
        solved = np.linalg.solve(root, np.column_stack([candidates.T, statistics.response]))
        spread = solved[:, :-1]
        expected = solved[:, -1] @ solved[:, :-1]
        if policy == "linucb":
            self._scores = (expected + ALPHA * np.sqrt((spread**2).sum(axis=0)))[None]
        else:
            self._scores = expected + SPREAD * (rng.standard_normal((DRAWS, len(root))) @ spread)

    def probabilities(self, remaining: IndexArray) -> FloatArray:
        """Return the probability of each of the remaining candidates, by their places.

        They add up to 1.
        """
        best = self._scores[:, remaining].argmax(axis=1)
        greedy = np.bincount(best, minlength=remaining.size) / best.size
        return np.asarray((1 - self._chance) * greedy + self._chance / remaining.size)

    def choose(self, remaining: IndexArray) -> tuple[int, float]:
        """Return the place of one of the remaining candidates, and its propensity."""
        weights = self.probabilities(remaining)
        drawn = min(int(np.searchsorted(weights.cumsum(), self._rng.random())), remaining.size - 1)
        return int(remaining[drawn]), float(weights[drawn])


def cross_features(context: FloatArray, arms: int) -> FloatArray:
    """Return features that give each arm own parameters, shape ``(arms, arms × features)``."""
    return np.asarray(np.kron(np.eye(arms), context), dtype=np.float64)
