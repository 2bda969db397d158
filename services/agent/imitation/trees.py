"""LightGBM as a learner of modes: a classifier whose loss is what a mode costs more than the cheapest."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from luna.timeline import FloatArray
from services.agent.environment.states import StateArray
from services.agent.imitation.samples import Samples
from services.agent.imitation.teachers import MODES
from services.forecaster.model.trees import import_lightgbm

# A state in which every mode costs the same still says which one the teacher takes.
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, slots=True)
class TreeClassifierSettings:
    """How the classifier is grown."""

    rounds: int = 60
    leaves: int = 31
    learning_rate: float = 0.1
    rows_per_leaf: int = 100
    feature_share: float = 0.5


@dataclass(frozen=True, slots=True)
class TreeClassifier:
    """Grown trees, ``scores`` of which are shares of belief in each mode."""

    booster: Any

    def scores(self, states: StateArray) -> FloatArray:
        """Return the belief in each mode, shape ``(states, modes)``."""
        return np.asarray(self.booster.predict(states, num_threads=1), dtype=float)

    @classmethod
    def read(cls, text: str) -> "TreeClassifier":
        """Return trees from LightGBM's own text."""
        return cls(import_lightgbm().Booster(model_str=text))

    def text(self) -> str:
        """Return LightGBM's own text."""
        return str(self.booster.model_to_string())


def grow_classifier(samples: Samples, settings: TreeClassifierSettings, *, seed: int) -> TreeClassifier:
    """Return trees that know the teacher's mode, the better the more another one costs; the same samples and seed grow the same trees."""
    lightgbm = import_lightgbm()
    data = lightgbm.Dataset(samples.states, label=samples.mode, weight=weigh_samples(samples), free_raw_data=False)
    return TreeClassifier(lightgbm.train(_describe(settings, seed), data, num_boost_round=settings.rounds))


def weigh_samples(samples: Samples) -> FloatArray:
    """Return what each sample counts: the mean regret of the other modes beside the mean over all samples, and never nothing."""
    regret = samples.regret.mean(axis=1)
    return np.asarray(samples.weight * (_LEAST_WEIGHT + regret / max(float(regret.mean()), 1e-9)))


def _describe(settings: TreeClassifierSettings, seed: int) -> Mapping[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": len(MODES),
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.rows_per_leaf,
        "feature_fraction": settings.feature_share,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def describe_settings(settings: TreeClassifierSettings) -> dict[str, Any]:
    """Return the settings as an artefact's header carries them."""
    return asdict(settings)
