"""Camera model: inference models with energy, latency and accuracy, battery and charger."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray

BoolArray = NDArray[np.bool_]
# In place of a model's index: no inference.
NO_MODEL = -1
# Penalty of an inference below the requirements and of a missing one, Wh of dirty energy: few
# misses come first, then little dirty energy.
SMALL_MISS_WH = 0.1
LARGE_MISS_WH = 1.0
_WH_PER_MWH = 1e-3
_MS_PER_S = 1e3


@dataclass(frozen=True, slots=True)
class CameraModels:
    """Inference models in ascending order of energy; arrays of shape ``(models,)``.

    Args:
        names: of the models.
        energy_wh: of one inference, at the camera.
        latency_ms: of one inference.
        accuracy: 0 to 1.
    """

    names: tuple[str, ...]
    energy_wh: FloatArray
    latency_ms: FloatArray
    accuracy: FloatArray

    def fulfil(self, accuracy: FloatArray, latency_ms: FloatArray) -> BoolArray:
        """Return a mask of the models that meet each request, shape ``(requests, models)``."""
        accurate = self.accuracy >= np.asarray(accuracy, float)[..., None]
        return accurate & (self.latency_ms <= np.asarray(latency_ms, float)[..., None])

    def smallest(self, accuracy: FloatArray, latency_ms: FloatArray) -> NDArray[np.int64]:
        """Return the index of the smallest model that meets each request, shape ``(requests,)``.

        The smallest takes the least energy; ``NO_MODEL`` stands where none meets the request.
        """
        fulfilled = self.fulfil(accuracy, latency_ms)
        return np.where(fulfilled.any(axis=-1), fulfilled.argmax(axis=-1), NO_MODEL)


@dataclass(frozen=True, slots=True)
class Camera:
    """A battery and its charger.

    Args:
        capacity_wh: of the battery.
        charge_rate_w: charging power from the grid, without losses.
        discharge_efficiency: share of the stored energy that reaches the camera; an inference takes
            its energy divided by this.
        task_interval_s: time between inferences.
    """

    capacity_wh: float
    charge_rate_w: float
    discharge_efficiency: float = 0.95
    task_interval_s: float = 5.0


class _Profile(BaseModel):
    """The measured profile of a model. Source: powermetrics on the original's machine."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model_name: str
    model_version: str
    energy_per_inference_mwh: Annotated[float, Field(gt=0)]
    avg_inference_time_seconds: Annotated[float, Field(gt=0)]
    accuracy: Annotated[float, Field(ge=0, le=1)]


_PROFILES: TypeAdapter[dict[str, _Profile]] = TypeAdapter(dict[str, _Profile])


def read_models(path: Path) -> CameraModels:
    """Return the models of a file ``power_profiles.json``, ordered by energy.

    Raises:
        InvalidInputError: the file is missing, no JSON or incomplete; names model and field.
    """
    try:
        document: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInputError(
            "the power profiles cannot be read",
            field="power_profiles_file",
            value=str(path),
            remedy=f"{error.strerror}.",
        ) from error
    except ValueError as error:
        raise InvalidInputError(
            "the power profiles are no JSON",
            field=path.name,
            value=str(error),
            remedy="Take the file as it was measured.",
        ) from error
    try:
        profiles = _PROFILES.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(
            first["msg"],
            field=f"{path.name}: {where}",
            value=first.get("input"),
            remedy="Take the file as it was measured.",
        ) from error
    if not profiles:
        raise InvalidInputError(
            "no model is described", field=path.name, remedy="Take the file as it was measured."
        )
    energy_mwh = {name: profile.energy_per_inference_mwh for name, profile in profiles.items()}
    names = sorted(energy_mwh, key=energy_mwh.__getitem__)
    ordered = [profiles[name] for name in names]
    # Rounded to nanoseconds, so that 0.0122 s meets a requirement of 12.2 ms.
    latency_ms = [round(model.avg_inference_time_seconds * _MS_PER_S, 6) for model in ordered]
    return CameraModels(
        names=tuple(names),
        energy_wh=np.array([model.energy_per_inference_mwh * _WH_PER_MWH for model in ordered]),
        latency_ms=np.array(latency_ms),
        accuracy=np.array([model.accuracy for model in ordered]),
    )
