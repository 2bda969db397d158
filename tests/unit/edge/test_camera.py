"""Camera models: as measured; which of them fulfil what is asked."""

import json
from pathlib import Path

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from services.edge.camera import NO_MODEL, read_models
from services.edge.lab import MEASURED_PROFILES


def test_the_measured_models_stand_in_the_order_of_their_energy() -> None:
    models = read_models(MEASURED_PROFILES)
    assert models.names == tuple(f"YOLOv10_{size}" for size in "NSMBLX")
    assert (np.diff(models.energy_wh) > 0).all()
    assert models.energy_wh[0] == pytest.approx(1.0193704678595066e-3)
    assert models.latency_ms[-1] == pytest.approx(12.2)


def test_the_smallest_model_that_fulfils_is_chosen() -> None:
    models = read_models(MEASURED_PROFILES)
    asked = np.array([0.3, 0.7, 0.9, 0.954, 0.96, 0.9])
    within = np.array([2.0, 3, 10, 12.2, 30, 3])
    assert models.smallest(asked, within).tolist() == [0, 1, 2, 5, NO_MODEL, NO_MODEL]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("{}", "no model"),
        (
            json.dumps(
                {
                    "N": {
                        "model_name": "Y",
                        "model_version": "N",
                        "energy_per_inference_mwh": -1,
                        "avg_inference_time_seconds": 1,
                        "accuracy": 1,
                    }
                }
            ),
            "N.energy_per",
        ),
        (
            json.dumps({"N": {"model_name": "Y", "model_version": "N"}}),
            "N.energy_per_inference_mwh",
        ),
    ],
)
def test_profiles_that_lack_something_are_refused_and_named(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "power_profiles.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=said):
        read_models(path)
