"""Store a network's training: a checkpoint to resume from, and metrics per epoch as JSON lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from luna.energy.errors import MachineError
from services.edge.whole_file import write_whole_file

Arrays = dict[str, NDArray[Any]]
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file's content atomically.

    Raises:
        MachineError: the disk is full or fails; the old content stays.
    """
    try:
        write_whole_file(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> MachineError:
    remedy = f"{error.strerror}. Make room, and run it again: it goes on."
    return MachineError(
        "a trained controller cannot be written",
        field="--out",
        value=str(path.parent),
        remedy=remedy,
    )


def write_tensors(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
) -> None:
    """Write arrays and their metadata as one file, atomically."""
    write_whole(path, save(dict(arrays), {"metadata": json.dumps(metadata)}))


def read_tensors(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return arrays and metadata of a file of ``write_tensors``."""
    with safe_open(path, framework="numpy") as opened:
        # It is no mapping.
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        return arrays, json.loads(opened.metadata()["metadata"])


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """The folder of one network's training.

    Invariants: whenever the process is killed, the folder holds a whole checkpoint or none.
    ``resume`` removes the metrics of later epochs.
    """

    path: Path

    def resume(self) -> tuple[Arrays, dict[str, Any]] | None:
        """Return the last checkpoint or None, and remove the metrics of later epochs."""
        checkpoint = self.path / CHECKPOINT
        stored = read_tensors(checkpoint) if checkpoint.exists() else None
        epoch = stored[1]["epoch"] if stored else 0
        lines = [json.dumps(row) + "\n" for row in self.read() if row["epoch"] <= epoch]
        write_whole(self.path / METRICS, "".join(lines).encode())
        return stored

    def keep(self, arrays: Arrays, metadata: Mapping[str, Any]) -> None:
        """Replace the last checkpoint."""
        write_tensors(self.path / CHECKPOINT, arrays, metadata)

    def write(self, metrics: Mapping[str, float]) -> None:
        """Add an epoch's metrics."""
        try:
            with (self.path / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(metrics) + "\n")
        except OSError as error:
            raise _unwritable(self.path / METRICS, error) from error

    def read(self) -> list[dict[str, Any]]:
        """Return the metrics of each epoch, without a torn last line."""
        path = self.path / METRICS
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
