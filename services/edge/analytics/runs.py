"""Read the runs of a batch one by one; damaged rows are reported and left out."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.edge.row_files import list_parts

NAME = "runs"
Count = Annotated[int, Field(ge=0)]
Energy = Annotated[float, Field(ge=0)]
Label = Annotated[str, Field(min_length=1, max_length=64)]
# Rows are written with few digits: sums of them agree to this much.
_ROUNDING_WH = 1e-3
_ROUNDING = 1e-6


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class RunDay(_Row):
    """One day of a run."""

    charged_wh: Energy
    clean_wh: Energy
    small_misses: Count
    large_misses: Count


class RunRow(_Row):
    """One camera's days under one controller, as the batch writes them.

    Invariants: misses are no more than tasks; charged energy is clean or dirty; what was charged is
    taken or stored.
    """

    location: Label
    season: Label
    begin: Label
    variation: Count
    controller: Label
    stand_in: bool
    days: Annotated[float, Field(gt=0)]
    tasks: Annotated[int, Field(ge=1)]
    small_misses: Count
    large_misses: Count
    taken_wh: Energy
    charged_wh: Energy
    clean_wh: Energy
    dirty_wh: Energy
    stored_begin_wh: Energy
    stored_end_wh: Energy
    dirty_settled_wh: float
    objective_wh: float
    mean_latency_ms: Annotated[float | None, Field(ge=0)] = None
    models: dict[Label, Count] = {}
    guard_interventions: Count = 0
    per_day: list[RunDay] = []

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.small_misses + self.large_misses > self.tasks:
            raise ValueError("more misses than tasks")
        slack = _ROUNDING_WH + _ROUNDING * (self.charged_wh + self.taken_wh)
        if abs(self.clean_wh + self.dirty_wh - self.charged_wh) > slack:
            raise ValueError("clean and dirty energy are not what was charged")
        if abs(self.stored_begin_wh + self.charged_wh - self.taken_wh - self.stored_end_wh) > slack:
            raise ValueError("what was charged is neither taken nor stored")
        return self


class RowAt(NamedTuple):
    """A row and where it stands.

    ``run`` None: it is damaged, and ``reason`` says how. ``line`` counts from 1.
    """

    file: str
    line: int
    run: RunRow | None
    reason: str = ""


def read_runs(
    folder: Path, *, hear: Callable[[int, int], None] = lambda _count, _total: None
) -> Iterator[RowAt]:
    """Yield the rows ``runs`` of a folder, whole and damaged ones.

    Args:
        folder: of a batch.
        hear: how many files are read, of how many.
    """
    parts = list_parts(folder, NAME)
    for count, path in enumerate(parts):
        hear(count, len(parts))
        yield from _read_part(path)
    hear(len(parts), len(parts))


def _read_part(path: Path) -> Iterator[RowAt]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield RowAt(path.name, number, *_parse(line))
    except (EOFError, OSError, zlib.error) as error:
        yield RowAt(path.name, number + 1, None, f"the file cannot be read on from here: {error}")


def _parse(line: bytes) -> tuple[RunRow | None, str]:
    if not line.endswith(b"\n"):
        return None, "half a line"
    try:
        return RunRow.model_validate_json(line), ""
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if where:
            return None, f"{where}: {first['msg']}"
        return None, first["msg"].removeprefix("Value error, ")
