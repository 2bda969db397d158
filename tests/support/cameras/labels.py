"""A lab with labelled scenarios whose best decisions follow a rule that is simple to say, for tests
of what learns from them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from services.edge.camera import CameraModels
from services.edge.clean_share import YEAR_SLOTS, instants_of
from services.edge.config import EdgeConfig
from services.edge.lab import Lab
from services.edge.row_files import RowForm, RowWriter

MODELS = CameraModels(
    names=("N", "S", "M"),
    energy_wh=np.array([0.001, 0.002, 0.004]),
    latency_ms=np.array([1.5, 2.7, 5.5]),
    accuracy=np.array([0.69, 0.82, 0.90]),
)
HORIZON = 4


def open_labelled_lab(
    out: Path, *, rows: int = 1500, settings: dict[str, Any] | None = None, seed: int = 5
) -> Lab:
    """Return a lab that learns within seconds.

    It is better to charge the emptier the battery is, and the cleaner the grid is than the next
    steps.
    """
    training = {"epochs": 6, "batch_size": 128, "learning_rate": 0.01, "checkpoint_interval": 2}
    document = {
        "training_data": {"optimization": {"horizon_steps": HORIZON}},
        "controller_training": {
            "model": {"num_models": 3, "input_features": 6, "ensemble_size": 2},
            "training": training,
            **(settings or {}),
        },
    }
    lab = Lab(EdgeConfig.model_validate(document), MODELS, {}, out, seed, workers=1)
    with RowWriter(lab.training, "training", RowForm()) as writer:
        writer.append(draw_labelled(np.random.default_rng(seed), rows))
    return lab


def draw_labelled(rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Return rows ``training``."""
    instants = instants_of(rng.integers(YEAR_SLOTS - 1000, size=count))
    battery = rng.uniform(1, 100, count)
    clean = rng.uniform(0.1, 0.9, count)
    accuracy = rng.uniform(0.3, 0.9, count)
    expected = np.clip(clean[:, None] + rng.normal(0, 0.2, (count, HORIZON)), 0, 1)
    benefit = 0.5 * (clean - expected[:, :2].mean(axis=1)) + 0.2 * (0.5 - battery / 100)
    value = benefit + 1 - clean
    models = MODELS.smallest(accuracy, np.full(count, 10.0))
    return [
        {
            "number": number,
            "location": "CA",
            "season": "summer",
            "at": f"{instants[number]}Z",
            "stand_in": True,
            "battery_percent": float(battery[number]),
            "capacity_wh": 5.0,
            "charge_rate_w": 100.0,
            "accuracy": float(accuracy[number]),
            "latency_ms": 10.0,
            "clean_share": float(clean[number]),
            "expected": expected[number].round(4).tolist(),
            "model": int(models[number]),
            "charge": int(benefit[number] > 0),
            "charge_benefit_wh": float(benefit[number]),
            "objective_wh": 1.0,
            "stored_value": float(value[number] + 0.1),
            "stored_value_expected": float(value[number] - 0.1),
        }
        for number in range(count)
    ]
