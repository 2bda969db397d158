"""Write checkpoints and metrics of a training run, and read them back to continue it.

Metrics are written as JSON lines and for TensorBoard.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save

from luna.energy.errors import InvalidInputError, MachineError

_METRICS = "metrics.jsonl"
_CHECKPOINT = "checkpoint.safetensors"
_IDENTITY = "identity"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Invariants: whenever the process is killed, the folder holds a complete checkpoint, or none;
    a run that continues from it deletes the metrics of later updates.
    """

    path: Path

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "_events" in self.__dict__:
            self._events.close()

    def resume(self, identity: Mapping[str, Any]) -> tuple[int, dict[str, NDArray[Any]]] | None:
        """Return the last checkpoint's update and arrays, or None if there is none.

        Records of later updates are deleted.

        Raises:
            InvalidInputError: the folder is another run's.
        """
        checkpoint = self.path / _CHECKPOINT
        if not checkpoint.exists():
            self._forget_after(0)
            return None
        with safe_open(checkpoint, framework="numpy") as opened:
            metadata = json.loads(opened.metadata()[_IDENTITY])
            # It is no mapping.
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if metadata["run"] != identity:
            raise InvalidInputError(
                "the folder holds a checkpoint of another run",
                field="folder",
                value=str(self.path),
                remedy="Name another folder.",
            )
        self._forget_after(metadata["update"])
        return metadata["update"], arrays

    def keep(
        self, update: int, arrays: Mapping[str, NDArray[Any]], identity: Mapping[str, Any]
    ) -> None:
        """Put a checkpoint in the place of the last one."""
        staged = self.path / f"{_CHECKPOINT}.new"
        metadata = json.dumps({"update": update, "run": dict(identity)})
        content = save(dict(arrays), {_IDENTITY: metadata})
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self.path / _CHECKPOINT)

    def write(self, update: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of an update."""
        with (self.path / _METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"update": update, **metrics}) + "\n")
        for name, value in metrics.items():
            self._events.add_scalar(name, value, update)

    def read(self) -> list[dict[str, Any]]:
        """Return the metrics of each update."""
        path = self.path / _METRICS
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def _forget_after(self, update: int) -> None:
        path = self.path / _METRICS
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            # A killed process may have left its last line incomplete.
            complete = [line for line in lines if line.endswith("\n")]
            rest = [line for line in complete if json.loads(line)["update"] <= update]
            path.write_text("".join(rest), encoding="utf-8")

    @cached_property
    def _events(self) -> Any:
        """The writer of TensorBoard's file, one per process."""
        try:
            from tensorboard.summary import Writer
        except ImportError as exc:
            raise MachineError(
                "TensorBoard's files cannot be written",
                field="tensorboard",
                remedy="Install it: pip install tensorboard.",
            ) from exc
        return Writer(str(self.path))
