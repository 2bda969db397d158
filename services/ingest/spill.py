"""Accepted rows on disk, split by time, so that a file of any order is sorted piece by piece in little memory."""

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import polars as pl


class Spill:
    """Rows by span of time. A span is small enough for memory and holds whole days, so no slot stands in two."""

    def __init__(self, folder: Path, span: timedelta) -> None:
        self.folder = folder
        self.span = span
        self._parts: defaultdict[int, list[Path]] = defaultdict(list)
        self._written = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Write rows that have ``instant`` to the spans they belong to."""
        span = (pl.col("instant").dt.epoch("s") // int(self.span.total_seconds())).alias("span")
        for part in rows.with_columns(span).partition_by("span"):
            path = self.folder / f"{self._written}.arrow"
            part.drop("span").write_ipc(path)
            self._parts[part["span"][0]].append(path)
            self._written += 1

    @property
    def spans(self) -> list[int]:
        """The spans that hold rows, in order of time."""
        return sorted(self._parts)

    def read(self, span: int) -> pl.DataFrame:
        """Return the rows of a span in the order in which they came."""
        return pl.concat([pl.read_ipc(path) for path in self._parts[span]], how="diagonal")

    def read_instants(self, span: int) -> pl.Series:
        """Return the distinct instants of a span, ascending."""
        parts = [pl.read_ipc(path, columns=["instant"]) for path in self._parts[span]]
        return pl.concat(parts)["instant"].unique().sort()
