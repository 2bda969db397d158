"""Reading of data files as batches of rows in constant memory.

CSV, JSON lines, JSON arrays and Parquet, all but the last also compressed with gzip.

The format is detected by content, not by name. CSV that is no UTF-8 is read as Windows-1252.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from polars.exceptions import PolarsError

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from services.ingest.limited_file import (
    BATCH_ROWS,
    FileLimits,
    LimitedFile,
    open_limited,
    refuse_unreadable,
    within_rows,
)

PIECE_BYTES = 2_000_000
# An object of more characters is refused as malformed.
LONGEST_OBJECT = 1_000_000
BETWEEN = re.compile(r"[\s,]*")
DECODER = json.JSONDecoder()


class SupportsRead(Protocol):
    """A readable binary stream."""

    def read(self, size: int, /) -> bytes:
        """Return the next ``size`` bytes, fewer at the end."""


def read_objects(file: SupportsRead, head: bytes) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of a JSON array, some at a time.

    Args:
        file: the array after ``head``.
        head: beginning of the array, its bracket included.

    Raises:
        ValueError: the text is no array of objects, or is cut off.
    """
    decode = codecs.getincrementaldecoder("utf-8")().decode
    text = decode(head).lstrip()[1:]
    while True:
        objects, text, closed = _take(text)
        if objects:
            yield objects
        if closed:
            return
        if len(text) > LONGEST_OBJECT:
            raise ValueError(f"what begins with {text[:40]!r} is no object")
        piece = file.read(PIECE_BYTES)
        if not piece:
            raise ValueError("the array is cut off")
        text += decode(piece)


def _take(text: str) -> tuple[list[dict[str, Any]], str, bool]:
    """Return the complete objects at the beginning of ``text``, the rest, and whether it ends."""
    objects: list[dict[str, Any]] = []
    place = 0
    while (between := BETWEEN.match(text, place)) and (place := between.end()) < len(text):
        if text[place] == "]":
            return objects, "", True
        if text[place] != "{":
            raise ValueError(f"what begins with {text[place : place + 40]!r} is no object")
        try:
            row, place = DECODER.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        except RecursionError as exc:
            raise ValueError(
                f"what begins with {text[place : place + 40]!r} is nested too deep"
            ) from exc
        objects.append(row)
    return objects, text[place:], False


# 1.234,5 and 0,25: decimal commas in files separated by semicolons or tabs, with points between
# thousands.
DECIMAL_COMMA = r"^\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*$"
THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}(\.\d{3})+\s*$"
NO_TEXT = {
    b"PK\x03\x04": "file-is-archive",
    b"\xff\xfe": "file-is-utf-16",
    b"\xfe\xff": "file-is-utf-16",
}


MOST_COLUMNS = 1000


def read_batches(path: Path, limits: FileLimits | None = None) -> Iterator[pl.DataFrame]:
    """Yield the file's rows with a column ``line`` (from 1, the header is line 1).

    Cells are text, or typed where the format is.

    Raises:
        InvalidInputError: the file is missing, empty, malformed (with its line) or beyond
            ``limits``.
    """
    limits = limits or FileLimits()
    with refuse_unreadable(path):
        yield from within_rows(_batches(path, limits), path, limits)


def _batches(path: Path, limits: FileLimits) -> Iterator[pl.DataFrame]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        yield from _read_parquet(path)
        return
    for start, reason in NO_TEXT.items():
        if magic.startswith(start):
            raise refuse(reason, field=str(path))
    with open_limited(path, limits) as limited:
        head = limited.readline(limits.max_line_bytes + 1).removeprefix(b"\xef\xbb\xbf")
        if not head.strip():
            raise refuse("file-empty", field=str(path))
        if head.lstrip().startswith(b"["):
            yield from _read_array(path, limited, head)
            return
        if head.lstrip().startswith(b"{"):
            yield from _read_json(path, limited, head)
            return
        yield from _read_csv(path, limited, head)


def _read_csv(path: Path, file: LimitedFile, head: bytes) -> Iterator[pl.DataFrame]:
    file.require_short(head)
    head = _as_utf8(head)
    separator = max(",;\t", key=head.decode().count)
    if head.decode().count(separator) >= MOST_COLUMNS:
        raise refuse("too-many-columns", field=str(path), most_columns=MOST_COLUMNS)
    for line, raw in file.blocks(first_line=2):
        block = _as_utf8(raw)
        try:
            rows = pl.read_csv(BytesIO(head + block), separator=separator, infer_schema=False)
        except PolarsError as exc:
            ragged = _find_ragged(path, head + block, separator, before=line - 2)
            raise ragged or _malformed(path, line, exc) from exc
        if separator != ",":
            rows = rows.with_columns(
                _write_with_points(column.name) for column in rows if _has_decimal_commas(column)
            )
        yield rows.rename(str.strip).with_row_index("line", offset=line)


def _has_decimal_commas(column: pl.Series) -> bool:
    # The plain search is quick and excludes most columns.
    has_comma = column.str.contains(",", literal=True).any()
    return has_comma and column.str.contains(DECIMAL_COMMA).any()


def _write_with_points(name: str) -> pl.Expr:
    """Return a column with decimal points, and without points between thousands."""
    cells = pl.col(name).str
    is_number = cells.contains(DECIMAL_COMMA) | cells.contains(THOUSANDS)
    without_thousands = cells.replace_all(".", "", literal=True)
    with_point = without_thousands.str.replace(",", ".", literal=True)
    return pl.when(is_number).then(with_point).otherwise(name).alias(name)


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("cp1252", "replace").encode()
    return block


def _find_ragged(path: Path, block: bytes, separator: str, *, before: int) -> LunaError | None:
    """Return the error for the first line with more cells than the header, or None."""
    reader = csv.reader(block.decode().splitlines(), delimiter=separator)
    named = len(next(reader))
    for cells in reader:
        if len(cells) > named:
            return refuse(
                "ragged-line",
                field=str(path),
                value=separator.join(cells)[:100],
                line=before + reader.line_num,
                cells=len(cells),
                named=named,
            )
    return None


def _read_json(path: Path, file: LimitedFile, head: bytes) -> Iterator[pl.DataFrame]:
    for line, block in file.blocks(first_line=1, head=head):
        try:
            rows = pl.read_ndjson(BytesIO(block), infer_schema_length=None)
        except PolarsError as exc:
            raise _malformed(path, line, exc) from exc
        yield rows.with_row_index("line", offset=line)


def _read_array(path: Path, file: LimitedFile, head: bytes) -> Iterator[pl.DataFrame]:
    """Yield the rows of a JSON array of objects.

    ``line`` is the row's number, for an array may be a single line.
    """
    first = 1
    try:
        for objects in read_objects(file, head):
            rows = pl.DataFrame(objects, infer_schema_length=None, strict=False)
            yield rows.with_row_index("line", offset=first)
            first += len(objects)
    except (PolarsError, ValueError) as exc:
        raise _malformed(path, first, exc) from exc


def _read_parquet(path: Path) -> Iterator[pl.DataFrame]:
    try:
        rows = pl.scan_parquet(path)
        total = rows.select(pl.len()).collect().item()
        for first in range(0, total, BATCH_ROWS):
            yield rows.slice(first, BATCH_ROWS).collect().with_row_index("line", offset=first + 1)
    except PolarsError as exc:
        raise _malformed(path, 1, exc) from exc


def _malformed(path: Path, line: int, error: PolarsError | ValueError) -> LunaError:
    reason = str(error).strip().partition("\n")[0]
    return refuse("file-malformed", field=str(path), line=line, why=reason)
