"""Labelled scenarios as arrays, split by whole weeks.

Some weeks are learned from, the others judge.
"""

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
_COLUMNS = (
    "battery_percent",
    "accuracy",
    "latency_ms",
    "clean_share",
    "charge",
    "stored_value",
    "stored_value_expected",
)
_SCALARS = ("soc", "accuracy", "latency_ms", "clean_share", "charge", "benefit")


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Scenarios with their best decisions, arrays over them.

    Args:
        slot: five-minute slot of the year.
        soc, accuracy, latency_ms, clean_share, expected: as in ``Sight``.
        eligible: which models fulfil the request, all where none does; shape ``(rows, models)``.
        model: the label's.
        charge: whether the label's best course charges in the first step.
        benefit: what one Wh that is charged now saves later, less what of it is dirty now; negative
            where to wait is better, within −1 and 1.
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
        """A controller's observations in these examples."""
        return Sight(
            np.asarray(self.soc, float),
            np.asarray(self.accuracy, float),
            np.asarray(self.latency_ms, float),
            np.asarray(self.clean_share, float),
            np.asarray(self.expected, float),
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
        """Return some of the examples."""
        return type(self)(**{name: column[rows] for name, column in self.columns.items()})

    def save(self, path: Path) -> None:
        """Write the examples to one file, for the processes that train."""
        tensors = {name: np.ascontiguousarray(column) for name, column in self.columns.items()}
        write_tensors(path, tensors, {"examples": self.count})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(**read_tensors(path)[0])


def eligible_models(fulfilled: BoolArray) -> BoolArray:
    """Return the models that fulfil a request, all if none does, ``(requests, models)``."""
    return fulfilled | ~fulfilled.any(axis=-1, keepdims=True)


def read_examples(
    folder: Path, models: CameraModels, *, horizon_steps: int
) -> tuple[TrainingExamples, bool]:
    """Return the rows ``training`` of a folder, and whether clean shares of them are stand-ins.

    Raises:
        InvalidInputError: there are none, or a row lacks what it should say; names the row.
    """
    rows = iter(read_rows(folder, "training"))
    parts = []
    stand_in = False
    while batch := list(islice(rows, _AT_A_TIME)):
        stand_in = stand_in or any(str(row.get("stand_in")).lower() == "true" for row in batch)
        try:
            percent, *scalars, followed, foreseen = np.array(
                [[float(row[name]) for name in _COLUMNS] for row in batch]
            ).T
            # A list in CSV is text.
            lists = [
                json.loads(row["expected"]) if isinstance(row["expected"], str) else row["expected"]
                for row in batch
            ]
            expected = np.array(lists, np.float32).reshape(len(batch), -1)
            slots = np.array(
                [slot_of(np.datetime64(str(row["at"]).rstrip("Z"), "m")) for row in batch]
            )
            model = np.array([int(row["model"]) for row in batch])
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(batch, str(error)) from error
        # Hindsight knows every dip that nobody can wait for, and what is expected knows none: what
        # is stored is worth the mean of both.
        clean_share = scalars[2]
        benefit = np.clip((followed + foreseen) / 2 - (1 - clean_share), -1, 1)
        columns = dict(zip(_SCALARS, (percent / 100, *scalars, benefit), strict=True))
        whole = np.isfinite(expected).all() and all(
            np.isfinite(column).all() for column in columns.values()
        )
        if (
            not whole
            or expected.shape[1] != horizon_steps
            or model.min() < 0
            or model.max() >= len(models.names)
        ):
            raise _unreadable(
                batch,
                (
                    f"{expected.shape[1]} expected steps where {horizon_steps} are configured, "
                    "or a value out of its range"
                ),
            )
        eligible = eligible_models(models.fulfil(columns["accuracy"], columns["latency_ms"]))
        charge = columns.pop("charge") > 0
        single = {name: column.astype(np.float32) for name, column in columns.items()}
        parts.append(
            TrainingExamples(
                slots, expected=expected, eligible=eligible, model=model, charge=charge, **single
            )
        )
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
    """Return the rows to learn from and those to judge by, from different weeks.

    No neighbour of a judging row is learned from: a row whose horizon reaches from a week of the
    one kind into one of the other is in neither.

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
