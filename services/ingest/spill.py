"""Accepted rows on disk, split by time, so that a file of any order is sorted piece by piece in little memory."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl

from luna.errors import MachineError


class Spill:
    """Rows by span of time. A span is small enough for memory and holds whole days, so no slot stands in two."""

    def __init__(self, folder: Path, span: timedelta) -> None:
        self.folder = folder
        self.span = span
        self._rows: defaultdict[int, list[Path]] = defaultdict(list)
        self._instants: defaultdict[int, list[Path]] = defaultdict(list)
        self._written = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Write rows that have ``instant`` to the spans they belong to."""
        for span, path in self._write(rows):
            self._rows[span].append(path)
            self._instants[span].append(path)

    def add_instants(self, instants: pl.Series) -> None:
        """Remember that the file has rows at these instants, though none that can be used."""
        for span, path in self._write(pl.DataFrame(instants.alias("instant").drop_nulls())):
            self._instants[span].append(path)

    @property
    def spans(self) -> list[int]:
        """The spans that hold rows, in order of time."""
        return sorted(self._rows)

    def read(self, span: int) -> pl.DataFrame:
        """Return the rows of a span in the order in which they came."""
        return pl.concat([pl.read_ipc(path) for path in self._rows[span]], how="diagonal")

    def read_instants(self, span: int) -> pl.Series:
        """Return the distinct instants of a span, ascending, those without usable rows among them."""
        return pl.concat([pl.read_ipc(path, columns=["instant"]) for path in self._instants[span]])["instant"].unique().sort()

    def _write(self, rows: pl.DataFrame) -> Iterator[tuple[int, Path]]:
        span = (pl.col("instant").dt.epoch("s") // int(self.span.total_seconds())).alias("span")
        for part in rows.with_columns(span).partition_by("span"):
            path = self.folder / f"{self._written}.arrow"
            try:
                part.drop("span").write_ipc(path)
            except OSError as exc:
                remedy = "Free some space there, or set TMPDIR to a folder on another disk; nothing was stored."
                raise MachineError(f"temporary files cannot be written: {exc}", field="TMPDIR", value=str(self.folder.parent), remedy=remedy) from exc
            self._written += 1
            yield part["span"][0], path
