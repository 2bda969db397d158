"""LightGBM as a learner of modes: a classifier whose loss is what a mode costs more than the cheapest."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from luna.energy.timeline import FloatArray
from services.agent.environment.states import StateArray
from services.agent.imitation.samples import ModeSamples
from services.agent.imitation.teachers import MODES
from services.forecaster.model.trees import import_lightgbm

# Where nothing is at stake a step of Newton's would have no end.
_LEAST_CURVATURE = 1e-2


@dataclass(frozen=True, slots=True)
class TreeClassifierSettings:
    """How the classifier is grown; ``imitation`` is what the teacher's own mode counts beside the regret of the others.

    ``most_regret`` caps a regret, in shares of the mean: a mode that is far off says nothing of those that are nearly right.
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


def grow_classifier(samples: ModeSamples, settings: TreeClassifierSettings, *, seed: int) -> TreeClassifier:
    """Return trees whose choices cost least on the average; the same samples and seed grow the same trees.

    The loss of a state is the regret to be expected of the modes by their shares of belief, and a little of what the teacher's own mode is less believed in.
    """
    lightgbm = import_lightgbm()
    regret = samples.share_regret(settings.most_regret)
    labels = np.eye(len(MODES))[samples.mode]
    weight = samples.weight[:, None]

    def differentiate(scores: FloatArray, _: object) -> tuple[FloatArray, FloatArray]:
        belief = np.exp(scores - scores.max(axis=1, keepdims=True))
        belief /= belief.sum(axis=1, keepdims=True)
        beyond = regret - (belief * regret).sum(axis=1, keepdims=True)
        spread = belief * (1.0 - belief)
        slope = belief * beyond + settings.imitation * (belief - labels)
        return weight * slope, weight * np.maximum(spread * (np.abs(beyond) + settings.imitation), _LEAST_CURVATURE)

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
