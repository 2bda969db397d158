"""Train gradient-boosted trees for the quantiles and the mean of one series.

All use of LightGBM is here.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray

CONTROL_GROUPS = Path("/sys/fs/cgroup")


def count_processors(groups: Path = CONTROL_GROUPS) -> int:
    """Return the processors that the process may use, at least one.

    A container's quota is rounded down.
    """
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    quota = read_quota(groups)
    return processors if quota is None else max(1, min(processors, int(quota)))


def read_quota(groups: Path) -> float | None:
    """Return the container's CPU quota in processors; None where it has none.

    Source: Linux, control groups v2 (``cpu.max``: quota and period, or ``max``) and v1
    (``cpu.cfs_quota_us``, -1 for none, and ``cpu.cfs_period_us``).
    """
    words = _read_words(groups / "cpu.max")
    if not words:
        version_1 = groups / "cpu"
        words = _read_words(version_1 / "cpu.cfs_quota_us")
        words += _read_words(version_1 / "cpu.cfs_period_us")
    if len(words) != 2 or not all(word.isdigit() and int(word) for word in words):
        return None
    return int(words[0]) / int(words[1])


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
GROWN = ("expected", "p10", "p50", "p90")  # heads that have trees of their own
MOST_THREADS = 4
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Hyper-parameters: few, small trees with strong shrinkage.

    Household load is mostly noise. ``bin_rows`` rows are sampled to cut ``bins``.

    Source: docs/decisions/0081; larger values are no better on eight unseen weeks of four houses.
    """

    rounds: int = 40
    learning_rate: float = 0.12
    leaves: int = 15
    rows_per_leaf: int = 300
    feature_share: float = 0.7
    row_share: float = 0.7
    bins: int = 63
    bin_rows: int = 5_000


@dataclass(frozen=True)
class Trees:
    """One booster per head; predictions are in units of ``FeatureMatrix.scale_kwh``."""

    boosters: dict[str, Any]

    def predict(self, features: Matrix) -> dict[str, FloatArray]:
        """Return each head's prediction, shape ``(rows,)``."""
        return {
            head: np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)
            for head, booster in self.boosters.items()
        }

    def contribute(self, head: str, features: Matrix) -> FloatArray:
        """Return the SHAP values of a head's prediction, shape ``(rows, features + 1)``.

        The expected value is in the last column.

        Source: Lundberg et al. (2020), exact for trees.
        """
        return np.asarray(
            self.boosters[head].predict(features, pred_contrib=True, num_threads=1),
            dtype=np.float64,
        )


def choose_threads() -> int:
    """Return the number of threads for training.

    It is half of the processors, since a worker has a second process, and at most ``MOST_THREADS``:
    rows are few.
    """
    return max(1, min(MOST_THREADS, count_processors() // 2))


def import_lightgbm() -> ModuleType:
    """Import LightGBM.

    Raises:
        MachineError: a system library it needs is missing.
    """
    # Spin-waiting threads take the cores from working ones: two small trainings at once took seven
    # minutes, with this setting 15 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import lightgbm  # takes a second, so only when training or predicting
    except OSError as exc:
        raise refuse("lightgbm-unloadable", field="lightgbm", why=exc) from exc
    module: ModuleType = lightgbm
    return module


def grow_trees(
    features: Matrix,
    share: FloatArray,
    weight: FloatArray | None,
    *,
    settings: TreeSettings,
    seed: int,
    threads: int,
) -> Trees:
    """Fit every head to ``share`` (actual energy over scale), with weighted rows.

    ``weight`` and all others are of shape ``(rows,)``; None: equal weights.

    Weights double the time of a quantile head: LightGBM then sorts every leaf of every tree.
    """
    lightgbm = import_lightgbm()
    fixed = {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": min(settings.rows_per_leaf, max(1, share.size // 20)),
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "max_bin": settings.bins,
        "bin_construct_sample_cnt": settings.bin_rows,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(
        features, label=share, weight=weight, params=fixed, free_raw_data=False
    ).construct()
    boosters = {}
    for head in GROWN:
        objective: dict[str, Any] = {"objective": "regression"}
        if head in QUANTILES:
            objective = {"objective": "quantile", "alpha": QUANTILES[head]}
        boosters[head] = lightgbm.train(fixed | objective, data, num_boost_round=settings.rounds)
    return Trees(boosters)
