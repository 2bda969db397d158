"""Files of a run of reinforcement learning.

Checkpoints to go on from, metrics as JSON lines, and the same for TensorBoard.
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

    Invariants: whenever the process is killed, the folder holds a whole checkpoint, or none;
    metrics beyond it are forgotten by who goes on from it.
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
        """Return updates done and all arrays of the last checkpoint, None where there is none.

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
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 — it is no mapping
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
        with staged.open("wb") as file:
            file.write(
                save(
                    dict(arrays), {_IDENTITY: json.dumps({"update": update, "run": dict(identity)})}
                )
            )
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
        return (
            [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if path.exists()
            else []
        )

    def _forget_after(self, update: int) -> None:
        path = self.path / _METRICS
        if path.exists():
            # A line that a killed process began has no end.
            whole = [
                line
                for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
                if line.endswith("\n")
            ]
            path.write_text(
                "".join(line for line in whole if json.loads(line)["update"] <= update),
                encoding="utf-8",
            )

    @cached_property
    def _events(self) -> Any:
        """Writer of TensorBoard's events, to a file of its own for each process."""
        try:
            from tensorboard.summary import Writer
        except ImportError as exc:
            raise MachineError(
                "TensorBoard's files cannot be written",
                field="tensorboard",
                remedy="Install it: pip install tensorboard.",
            ) from exc
        return Writer(str(self.path))
