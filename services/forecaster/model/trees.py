"""Gradient-boosted trees for the quantiles and the mean of one series. The one module that speaks to LightGBM."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from luna.errors import MachineError
from luna.processors import count_processors
from luna.timeline import FloatArray

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
GROWN = ("expected", "p10", "p50", "p90")  # heads that have trees of their own
MOST_THREADS = 4
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How trees are grown: few, small and damped, for household load is mostly noise."""

    rounds: int = 60
    learning_rate: float = 0.08
    leaves: int = 15
    rows_per_leaf: int = 300
    feature_share: float = 0.7
    row_share: float = 0.7
    bins: int = 127


@dataclass(frozen=True)
class Trees:
    """One booster per head; predictions are in units of the view's scale."""

    boosters: dict[str, Any]

    def predict(self, features: Matrix) -> dict[str, FloatArray]:
        """Return each head's prediction, shape ``(rows,)``."""
        return {head: np.asarray(booster.predict(features, num_threads=1), dtype=np.float64) for head, booster in self.boosters.items()}

    def contribute(self, head: str, features: Matrix) -> FloatArray:
        """Return what each feature adds to a head's prediction and, in the last column, what is predicted of an average row; shape ``(rows, features + 1)``.

        Source: Lundberg et al. (2020), contributions to the output of trees, exact.
        """
        return np.asarray(self.boosters[head].predict(features, pred_contrib=True, num_threads=1), dtype=np.float64)


def choose_threads() -> int:
    """Return how many threads grow trees: half of the processors there are, for a worker has another process, and no more than so few rows can feed."""
    return max(1, min(MOST_THREADS, count_processors() // 2))


def import_lightgbm() -> ModuleType:
    """Return the library.

    Raises:
        MachineError: a system library it needs is missing.
    """
    try:
        import lightgbm  # loading it costs a second, so only who trains or predicts pays
    except OSError as exc:
        raise MachineError(
            f"LightGBM cannot be loaded: {exc}",
            field="lightgbm",
            remedy="Install the system library libgomp1 (Debian, Ubuntu: apt-get install libgomp1; Fedora: dnf install libgomp; macOS: brew install libomp).",
        ) from exc
    module: ModuleType = lightgbm
    return module


def grow_trees(features: Matrix, share: FloatArray, weight: FloatArray, *, settings: TreeSettings, seed: int, threads: int) -> Trees:
    """Fit every head to ``share`` (actual energy over scale), rows weighted by ``weight``, all of shape ``(rows,)``."""
    lightgbm = import_lightgbm()
    fixed = {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": min(settings.rows_per_leaf, max(1, share.size // 20)),
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "max_bin": settings.bins,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(features, label=share, weight=weight, params=fixed, free_raw_data=False).construct()
    boosters = {}
    for head in GROWN:
        objective = {"objective": "quantile", "alpha": QUANTILES[head]} if head in QUANTILES else {"objective": "regression"}
        boosters[head] = lightgbm.train(fixed | objective, data, num_boost_round=settings.rounds)
    return Trees(boosters)
