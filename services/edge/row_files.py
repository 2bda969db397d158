"""Append and stream rows (JSON lines or CSV) in files of limited size.

A row is one line. After a crash, a torn last line is cut off when a writer opens the files again.
"""

import csv
import gzip
import io
import json
import os
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from luna.energy.errors import ConflictError, MachineError
from services.edge.whole_file import write_whole_file

_ENDINGS: dict[str, str] = {"json": "jsonl", "csv": "csv"}
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class RowForm:
    """Format of the files of rows.

    Args:
        format: JSON lines or CSV.
        max_mb: size in megabytes from which the next file begins; None: one file.
        compressed: whether full files are compressed.
    """

    format: Literal["json", "csv"] = "json"
    max_mb: float | None = 100
    compressed: bool = False


class RowWriter:
    """Appends rows to ``NAME-0001.jsonl``, ``NAME-0002.jsonl`` and so on in a folder.

    Raises:
        MachineError: the disk is full or fails; synced rows are safe.
    """

    def __init__(self, folder: Path, name: str, form: RowForm) -> None:
        self._folder = folder
        self._name = name
        self._form = form
        folder.mkdir(parents=True, exist_ok=True)
        parts = list_parts(folder, name)
        self._number = _number_of(parts[-1]) if parts else 1
        if parts and parts[-1].suffix == ".gz":
            # A compressed part is full.
            self._number += 1
        self._file = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as full:
            # The failed write has raised already.
            if not isinstance(error, MachineError):
                raise full_disk(self._folder, full) from full

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, all with the same keys; they are safe after ``sync``."""
        if rows:
            self.append_lines(list(rows[0]), encode_rows(rows, self._form.format))

    def append_lines(self, columns: Sequence[str], lines: str) -> None:
        """Write lines of ``encode_rows``, which another process may have encoded."""
        max_mb = self._form.max_mb
        try:
            if max_mb is not None and self._file.tell() >= max_mb * _BYTES_PER_MB:
                self._begin_next_file()
            if self._form.format == "csv" and self._file.tell() == 0:
                self._file.write(f"{','.join(columns)}\n".encode())
            self._file.write(lines.encode())
        except OSError as error:
            raise full_disk(self._folder, error) from error

    def sync(self) -> None:
        """Flush all written rows to the disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise full_disk(self._folder, error) from error

    def _begin_next_file(self) -> None:
        self.sync()
        self._file.close()
        if self._form.compressed:
            path = self._path()
            half = path.with_name(path.name + ".half")
            with path.open("rb") as plain, gzip.open(half, "wb", compresslevel=6) as packed:
                shutil.copyfileobj(plain, packed)
            half.rename(path.with_name(path.name + ".gz"))
            path.unlink()
        self._number += 1
        self._file = self._open()

    def _path(self) -> Path:
        return self._folder / f"{self._name}-{self._number:04}.{_ENDINGS[self._form.format]}"

    def _open(self) -> io.BufferedWriter:
        path = self._path()
        if path.exists():
            _cut_torn_line(path)
        return path.open("ab")


def encode_rows(rows: Sequence[Mapping[str, Any]], form: Literal["json", "csv"]) -> str:
    """Return rows as lines; CSV without its header."""
    if form == "json":
        lines = [json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows]
        return "".join(f"{line}\n" for line in lines)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row.values() for row in rows)
    return text.getvalue()


def list_parts(folder: Path, name: str) -> list[Path]:
    """Return the parts of a name in order."""
    files: set[Path] = set()
    for ending in _ENDINGS.values():
        files.update(folder.glob(f"{name}-*.{ending}"))
        files.update(folder.glob(f"{name}-*.{ending}.gz"))
    # After a crash between compression and removal both files exist: the plain one is ignored.
    parts = [path for path in files if path.with_name(f"{path.name}.gz") not in files]
    return sorted(parts, key=_number_of)


def read_rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a name without a torn last line; values of CSV are text."""
    for path in list_parts(folder, name):
        with _open_text(path) as lines:
            whole = (line for line in lines if line.endswith("\n"))
            if ".csv" in path.name:
                yield from csv.DictReader(whole)
            else:
                yield from map(json.loads, whole)


def read_last_row(folder: Path, name: str) -> dict[str, Any] | None:
    """Return the last complete row of a name, or None if there is none."""
    for path in reversed(list_parts(folder, name)):
        with _open_text(path) as lines:
            header = next(lines, "") if ".csv" in path.name else ""
            last_line = deque((line for line in lines if line.endswith("\n")), maxlen=1)
        if last_line and header:
            return next(csv.DictReader([header, last_line[0]]))
        if last_line:
            row: dict[str, Any] = json.loads(last_line[0])
            return row
    return None


def keep_origin(folder: Path, name: str, origin: Mapping[str, Any]) -> None:
    """Store the inputs of rows beside the rows.

    Only a run with the same inputs may continue them.

    Raises:
        ConflictError: existing rows have other inputs; nothing was changed.
        MachineError: the disk is full or fails.
    """
    path = folder / f"{name}.json"
    text = json.dumps(origin, indent=2, sort_keys=True) + "\n"
    if path.exists():
        _check_same_origin(folder, json.loads(path.read_bytes()), json.loads(text))
    try:
        write_whole_file(path, text.encode())
    except OSError as error:
        raise full_disk(folder, error) from error


def _check_same_origin(folder: Path, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    if stored == wanted:
        return
    keys = sorted({*stored, *wanted})
    first = next(key for key in keys if stored.get(key) != wanted.get(key))
    raise ConflictError(
        f"rows that were made differently are there already ({first})",
        field="--out",
        value=str(folder),
        remedy="Take another folder, or remove this one.",
    )


def full_disk(folder: Path, error: OSError) -> MachineError:
    """Return the error for rows that cannot be written."""
    return MachineError(
        "rows cannot be written",
        field="--out",
        value=str(folder),
        remedy=f"{error.strerror}. Make room, and run it again: it goes on.",
    )


def remove_rows(folder: Path, name: str) -> None:
    """Remove all parts of a name."""
    for path in list_parts(folder, name):
        path.unlink()


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _number_of(path: Path) -> int:
    return int(path.name.partition(".")[0].rpartition("-")[2])


def _cut_torn_line(path: Path) -> None:
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(end - 65_536, 0)
            file.seek(begin)
            last = file.read(end - begin).rfind(b"\n")
            if last >= 0:
                file.truncate(begin + last + 1)
                return
            end = begin
        file.truncate(0)
