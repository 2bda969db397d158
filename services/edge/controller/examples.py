"""Read labelled scenarios as arrays and split them by whole weeks into training and validation."""

import hashlib
import json
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from services.edge.camera import BoolArray, CameraModels
from services.edge.clean_share import STEP_MINUTES, WEEK_SLOTS, IntArray, slot_of
from services.edge.controller.features import Sight
from services.edge.controller.run_folder import read_tensors, write_tensors
from services.edge.row_files import read_rows

_AT_A_TIME = 10_000
_STORED_VALUES = ("stored_value", "stored_value_expected")
_COLUMNS = (
    "battery_percent",
    "accuracy",
    "latency_ms",
    "clean_share",
    "charge",
    *_STORED_VALUES,
)


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Scenarios with their best decisions as arrays over scenarios.

    Args:
        slot: five-minute slot of the year.
        soc, accuracy, latency_ms, clean_share, expected: as in ``Sight``.
        eligible: whether a model fulfils the request, all True where none does; shape
            ``(rows, models)``.
        model: of the label.
        charge: whether the label charges in the first step.
        benefit: later saving of a Wh charged now less its dirty share now, between −1 and 1;
            negative where waiting is better.
    """

    slot: IntArray
    soc: NDArray[np.float32]
    accuracy: NDArray[np.float32]
    latency_ms: NDArray[np.float32]
    clean_share: NDArray[np.float32]
    expected: NDArray[np.float32]
    eligible: BoolArray
    model: IntArray
    charge: BoolArray
    benefit: NDArray[np.float32]

    @property
    def count(self) -> int:
        """Number of examples."""
        return len(self.slot)

    @property
    def sight(self) -> Sight:
        """Observations of a controller in these examples."""
        return Sight(
            soc=np.asarray(self.soc, float),
            accuracy=np.asarray(self.accuracy, float),
            latency_ms=np.asarray(self.latency_ms, float),
            clean_share=np.asarray(self.clean_share, float),
            expected=np.asarray(self.expected, float),
        )

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, in a fixed order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def digest(self) -> str:
        digest = hashlib.sha256()
        for column in self.columns.values():
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def take(self, rows: NDArray[Any]) -> Self:
        """Return the examples in some rows."""
        return type(self)(**{name: column[rows] for name, column in self.columns.items()})

    def save(self, path: Path) -> None:
        """Write the examples to one file, for the processes that train."""
        tensors = {name: np.ascontiguousarray(column) for name, column in self.columns.items()}
        write_tensors(path, tensors, {"examples": self.count})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the examples in a file of ``save``."""
        return cls(**read_tensors(path)[0])


def eligible_models(fulfilled: BoolArray) -> BoolArray:
    """Return a mask of models that fulfil each request, or all where none does."""
    return fulfilled | ~fulfilled.any(axis=-1, keepdims=True)


def read_examples(
    folder: Path, models: CameraModels, *, horizon_steps: int
) -> tuple[TrainingExamples, bool]:
    """Return the rows ``training`` of a folder, and whether any of their clean shares is generated.

    Raises:
        InvalidInputError: there are no rows, or one lacks a value; names the rows.
    """
    rows = iter(read_rows(folder, "training"))
    parts = []
    stand_in = False
    while batch := list(islice(rows, _AT_A_TIME)):
        stand_in = stand_in or any(str(row.get("stand_in")).lower() == "true" for row in batch)
        parts.append(_read_batch(batch, models, horizon_steps))
    if not parts:
        raise InvalidInputError(
            "there are no labelled scenarios",
            field="training",
            value=str(folder),
            remedy="Label them first: luna edge labels.",
        )
    joined = {}
    for field in fields(TrainingExamples):
        series = [getattr(part, field.name) for part in parts]
        joined[field.name] = np.concatenate(series)
    return TrainingExamples(**joined), stand_in


def _read_batch(
    batch: list[dict[str, Any]], models: CameraModels, horizon_steps: int
) -> TrainingExamples:
    try:
        numbers = np.array([[float(row[name]) for name in _COLUMNS] for row in batch])
        expected_rows = [_read_list(row["expected"]) for row in batch]
        expected = np.array(expected_rows, np.float32).reshape(len(batch), -1)
        slots = np.array([_read_slot(row["at"]) for row in batch])
        model = np.array([int(row["model"]) for row in batch])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(batch, str(error)) from error
    scalars = dict(zip(_COLUMNS, numbers.T, strict=True))
    # The actual values hold dips that no controller can foresee, and the forecast holds none: the
    # mean of both is the value of stored energy.
    stored_value = (scalars["stored_value"] + scalars["stored_value_expected"]) / 2
    benefit = np.clip(stored_value - (1 - scalars["clean_share"]), -1, 1)
    # The two stored values are checked by their benefit.
    observed = numbers[:, : -len(_STORED_VALUES)]
    has_all_values = all(np.isfinite(values).all() for values in (observed, benefit, expected))
    has_known_models = model.min() >= 0 and model.max() < len(models.names)
    if not has_all_values or not has_known_models or expected.shape[1] != horizon_steps:
        raise _unreadable(
            batch,
            f"{expected.shape[1]} expected steps where {horizon_steps} are configured, "
            "or a value out of its range",
        )
    fulfilled = models.fulfil(scalars["accuracy"], scalars["latency_ms"])
    return TrainingExamples(
        slot=slots,
        soc=(scalars["battery_percent"] / 100).astype(np.float32),
        accuracy=scalars["accuracy"].astype(np.float32),
        latency_ms=scalars["latency_ms"].astype(np.float32),
        clean_share=scalars["clean_share"].astype(np.float32),
        expected=expected,
        eligible=eligible_models(fulfilled),
        model=model,
        charge=scalars["charge"] > 0,
        benefit=benefit.astype(np.float32),
    )


def _read_list(value: Any) -> Any:
    # A list in CSV is text.
    return json.loads(value) if isinstance(value, str) else value


def _read_slot(text: Any) -> int:
    return slot_of(np.datetime64(str(text).rstrip("Z"), "m"))


def _unreadable(batch: list[dict[str, Any]], reason: str) -> InvalidInputError:
    where = f"training: rows {batch[0].get('number')} to {batch[-1].get('number')}"
    return InvalidInputError(
        f"labelled scenarios cannot be used: {reason}",
        field=where,
        remedy="Label again with this configuration: luna edge labels.",
    )


def split_by_week(
    slots: IntArray, *, horizon_minutes: int, share: float, seed: int
) -> tuple[IntArray, IntArray]:
    """Return the rows for training and those for validation, from different weeks.

    A row whose horizon reaches from a week of one kind into a week of the other is in neither, so
    no neighbour of a validation row is trained on.

    Raises:
        InvalidInputError: all rows are of one week.
    """
    week = slots // WEEK_SLOTS
    last = (slots + horizon_minutes // STEP_MINUTES - 1) // WEEK_SLOTS
    weeks = np.unique(week)
    if len(weeks) < 2:
        raise InvalidInputError(
            "all labelled scenarios are of one week",
            field="training",
            value=len(slots),
            remedy="Draw more scenarios.",
        )
    count = min(max(round(share * len(weeks)), 1), len(weeks) - 1)
    judging = np.random.default_rng(seed).permutation(weeks)[:count]
    begins_judging = np.isin(week, judging)
    ends_judging = np.isin(last, judging)
    ends_without_rows = ~np.isin(last, weeks)
    learned = ~begins_judging & ~ends_judging
    judged = begins_judging & (ends_judging | ends_without_rows)
    return np.flatnonzero(learned), np.flatnonzero(judged)
