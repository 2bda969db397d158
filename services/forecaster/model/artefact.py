"""Save and load a trained Aurora as one object under its SHA-256 digest.

It is compressed JSON with the trees as LightGBM's text.
"""

import gzip
import hashlib
import json
from pathlib import PurePosixPath
from typing import Any, ClassVar

import numpy as np

from luna.energy.errors import LunaError, MachineError, NotFoundError
from luna.energy.site import Site
from luna.platform.objects import ObjectStore
from services.forecaster.model.aurora import VERSION, Aurora
from services.forecaster.model.recent_error_correction import Level
from services.forecaster.model.series_model import HEADS, SeriesModel
from services.forecaster.model.trees import GROWN, Trees, import_lightgbm

# Raised whenever features, members or heads change: older trees would read wrong columns
FORMAT = 3
FOLDER = "aurora"


class ArtefactError(LunaError):
    """A stored model cannot be used; the site's profile still gives a forecast."""

    title: ClassVar[str] = "Model unusable"
    code: ClassVar[str] = "artefact"


def save_aurora(aurora: Aurora, objects: ObjectStore) -> str:
    """Store a trained model and return its key; the same model twice is one object.

    Raises:
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    packed = gzip.compress(
        json.dumps(_describe(aurora), sort_keys=True).encode(), compresslevel=6, mtime=0
    )
    key = f"{FOLDER}/{hashlib.sha256(packed).hexdigest()}.json.gz"
    objects.put(key, packed)
    return key


def load_aurora(objects: ObjectStore, key: str, site: Site) -> Aurora:
    """Return the model stored under ``key``, for the site as it is configured now.

    Raises:
        ArtefactError: missing, damaged, of another format, or in a store that cannot be read.
        UnavailableError: the store is away.
    """
    document: dict[str, Any] = json.loads(
        gzip.decompress(read_packed(objects, key, thing="the model", remedy=RETRAIN))
    )
    if document.get("format") != FORMAT:
        raise ArtefactError(
            "the model is of another format",
            field=key,
            value=document.get("format"),
            remedy=RETRAIN,
        )
    models = {}
    for name, part in document["series"].items():
        trees = Trees(
            {head: import_lightgbm().Booster(model_str=part["trees"][head]) for head in GROWN}
        )
        weights = {head: np.array(part["weights"][head]) for head in HEADS}
        level = Level(name, np.array(part["level"]["mean"]), np.array(part["level"]["median"]))
        models[name] = SeriesModel(
            trees=trees,
            weights=weights,
            level=level,
            widths=np.array(part["widths"]),
            by_weekend=part["by_weekend"],
        )
    return Aurora(site, models, document["known_days"], document["metrics"])


RETRAIN = "Train again with `luna forecast train`."


def name_digest(key: str) -> str:
    """Return the digest that an artefact's key names."""
    return PurePosixPath(key).name.partition(".")[0]


def read_packed(objects: ObjectStore, key: str, *, thing: str, remedy: str) -> bytes:
    """Return the bytes stored under ``key``, checked against the digest in its name.

    Errors call them ``thing`` and offer ``remedy``.

    Raises:
        ArtefactError: missing, damaged, or in a store that cannot be read.
        UnavailableError: the store is away.
    """
    try:
        packed = objects.get(key)
    except NotFoundError as exc:
        raise ArtefactError(f"{thing} is missing", field=key, remedy=remedy) from exc
    except MachineError as exc:
        raise ArtefactError(
            f"{thing} cannot be read: {exc.message}", field=key, remedy=exc.remedy
        ) from exc
    if hashlib.sha256(packed).hexdigest() != name_digest(key):
        raise ArtefactError(
            f"{thing} is damaged: its digest is not its name", field=key, remedy=remedy
        )
    return packed


def _describe(aurora: Aurora) -> dict[str, Any]:
    series = {}
    for name, model in aurora.models.items():
        series[name] = {
            "trees": {head: model.trees.boosters[head].model_to_string() for head in GROWN},
            "weights": {head: model.weights[head].tolist() for head in HEADS},
            "level": {"mean": model.level.mean.tolist(), "median": model.level.median.tolist()},
            "widths": model.widths.tolist(),
            "by_weekend": model.by_weekend,
        }
    return {
        "format": FORMAT,
        "version": VERSION,
        "site": aurora.site.name,
        "stage": aurora.stage,
        "known_days": aurora.known_days,
        "metrics": aurora.metrics,
        "series": series,
    }
