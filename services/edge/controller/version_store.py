"""Store versions of trained controllers in a folder: v0001, v0002 and so on, without pickle.

A version holds ``card.json``, and for each network ``NETWORK.safetensors`` and its metrics per
epoch, ``NETWORK.metrics.jsonl``. ``current.json`` names the version in use.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError

from luna.energy.errors import InvalidInputError
from services.edge.camera import CameraModels
from services.edge.config import ControllerSection
from services.edge.controller.features import FORM_VERSION, FeatureScale, InputForm
from services.edge.controller.inference import TrainedController
from services.edge.controller.run_folder import (
    METRICS,
    Arrays,
    read_tensors,
    write_tensors,
    write_whole,
)

_CURRENT = "current.json"
_CARD = "card.json"
_SCALE_MEAN = "scale.mean"
_SCALE_STD = "scale.std"


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CardForm(_Stored):
    """``InputForm`` as it is stored."""

    version: int
    expected_steps: int
    step_minutes: int


class CardController(_Stored):
    """The inputs of a controller and the networks that it averages."""

    form: CardForm
    networks: Annotated[list[str], Field(min_length=1)]


class CardData(_Stored):
    """The examples of a training; ``stand_in``: some clean shares are generated."""

    digest: str
    rows: int
    learned_from: int
    judged_by: int
    stand_in: bool


class ControllerCard(_Stored):
    """The card of a version.

    Trainings with the same data, settings and seed have the same ``identity``.
    """

    identity: str
    seed: int
    settings: ControllerSection
    search: list[dict[str, Any]]
    data: CardData
    camera_models: dict[str, list[Any]]
    controllers: dict[str, CardController]
    networks: dict[str, dict[str, float]]
    baselines: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """The parts of a network that a version stores."""

    weights: Arrays
    scale: FeatureScale
    metrics: list[dict[str, Any]]


def describe_models(models: CameraModels) -> dict[str, list[Any]]:
    """Return the properties of the camera models that a controller depends on."""
    return {
        "names": list(models.names),
        "energy_wh": models.energy_wh.tolist(),
        "latency_ms": models.latency_ms.tolist(),
        "accuracy": models.accuracy.tolist(),
    }


def list_versions(folder: Path) -> list[str]:
    """Return the versions of a folder, oldest first."""
    paths = [path for path in folder.glob("v[0-9]*") if path.name[1:].isdigit()]
    return sorted(path.name for path in paths if (path / _CARD).exists())


def current_version(folder: Path) -> str | None:
    """Return the version in use, or None if there is none."""
    path = folder / _CURRENT
    if not path.exists():
        return None
    return str(json.loads(path.read_text(encoding="utf-8"))["version"])


def register(folder: Path, card: ControllerCard, networks: Mapping[str, NetworkFile]) -> str:
    """Store a version, make it the current one, and return its name.

    If the process is killed meanwhile, the existing versions stay as they were.
    """
    versions = list_versions(folder)
    number = int(versions[-1][1:]) + 1 if versions else 1
    version = f"v{number:04}"
    staged = folder / f"{version}.new"
    shutil.rmtree(staged, ignore_errors=True)
    for name, network in networks.items():
        scale = {_SCALE_MEAN: network.scale.mean, _SCALE_STD: network.scale.std}
        write_tensors(
            staged / f"{name}.safetensors", {**network.weights, **scale}, {"network": name}
        )
        metrics = "".join(json.dumps(epoch) + "\n" for epoch in network.metrics)
        write_whole(staged / f"{name}.{METRICS}", metrics.encode())
    write_whole(staged / _CARD, (card.model_dump_json(indent=2) + "\n").encode())
    staged.rename(folder / version)
    use_version(folder, version)
    return version


def use_version(folder: Path, version: str) -> None:
    """Make a version the current one.

    Raises:
        InvalidInputError: there is no such version.
    """
    if version not in list_versions(folder):
        versions = ", ".join(list_versions(folder)) or "none"
        raise InvalidInputError(
            "there is no such version of the trained controllers",
            field="version",
            value=version,
            remedy=f"There are: {versions}.",
        )
    write_whole(folder / _CURRENT, (json.dumps({"version": version}) + "\n").encode())


def read_card(folder: Path, version: str | None = None) -> ControllerCard:
    """Return the card of a version, by default of the current one.

    Raises:
        InvalidInputError: the version is missing or its card unreadable.
    """
    named = version or current_version(folder)
    if named is None:
        raise InvalidInputError(
            "no controller has been trained",
            field="controller",
            value=str(folder),
            remedy="Train one: luna edge train.",
        )
    try:
        return ControllerCard.model_validate_json((folder / named / _CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInputError(
            "the card of a trained controller cannot be read",
            field=f"{named}/{_CARD}",
            value=str(error),
            remedy="Train again: luna edge train.",
        ) from error


def load_controller(
    folder: Path, name: str = "custom", *, models: CameraModels, version: str | None = None
) -> TrainedController:
    """Return a trained controller of a version, by default of the current one.

    Raises:
        InvalidInputError: the controller is missing or unreadable, or was trained for other inputs
            or other camera models.
    """
    card = read_card(folder, version)
    named = version or current_version(folder)
    if name not in card.controllers:
        raise InvalidInputError(
            "there is no such trained controller",
            field="controller",
            value=name,
            remedy=f"There are: {', '.join(card.controllers)}.",
        )
    form = card.controllers[name].form
    if form.version != FORM_VERSION:
        raise InvalidInputError(
            (
                f"the controller sees inputs of form {form.version}, and this program makes "
                f"those of form {FORM_VERSION}"
            ),
            field=name,
            remedy="Train again: luna edge train.",
        )
    if card.camera_models != describe_models(models):
        raise InvalidInputError(
            "the controller was trained for other camera models",
            field=name,
            value=", ".join(models.names),
            remedy=(
                "Train again (luna edge train), or take the profiles of "
                f"{', '.join(card.camera_models['names'])} as they were."
            ),
        )
    networks = []
    for network in card.controllers[name].networks:
        networks.append(_read_network(folder / str(named) / f"{network}.safetensors"))
    return TrainedController.of(
        name,
        InputForm(form.expected_steps, form.step_minutes),
        networks,
        activation=card.settings.model.activation,
    )


def _read_network(path: Path) -> tuple[Arrays, FeatureScale]:
    try:
        arrays, _ = read_tensors(path)
        scale = FeatureScale(
            np.asarray(arrays.pop(_SCALE_MEAN)), np.asarray(arrays.pop(_SCALE_STD))
        )
    except (OSError, SafetensorError, KeyError) as error:
        raise InvalidInputError(
            "a stored network cannot be read",
            field=path.name,
            value=str(error),
            remedy="Train again: luna edge train.",
        ) from error
    return arrays, scale
