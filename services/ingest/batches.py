"""Files as batches of rows in constant memory: CSV, JSON lines, JSON arrays, Parquet, all but the last also compressed with gzip.

What a file is shows in its first bytes, not in its name. CSV that is no UTF-8 is taken for what Windows writes in Western Europe.
"""

import codecs
import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
from polars.exceptions import PolarsError

from luna.errors import InvalidInputError

PIECE_BYTES = 2_000_000
# What is no whole object after so many characters is none.
LONGEST_OBJECT = 1_000_000
BETWEEN = re.compile(r"[\s,]*")
DECODER = json.JSONDecoder()


def read_objects(file: IO[bytes], head: bytes) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of an array, some at a time.

    Args:
        file: what follows ``head``.
        head: how the array begins, its bracket included.

    Raises:
        ValueError: the text is no such array, or is cut off.
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
    """Return the whole objects at the beginning of ``text``, what is left of it, and whether the array ends there."""
    objects: list[dict[str, Any]] = []
    place = 0
    while (place := _skip(text, place)) < len(text):
        if text[place] == "]":
            return objects, "", True
        if text[place] != "{":
            raise ValueError(f"what begins with {text[place : place + 40]!r} is no object")
        try:
            row, place = DECODER.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        objects.append(row)
    return objects, text[place:], False


def _skip(text: str, place: int) -> int:
    found = BETWEEN.match(text, place)
    return found.end() if found else place


BLOCK_BYTES = 4_000_000
BATCH_ROWS = 65_536
# 1.234,5 and 0,25: a comma where semicolons or tabs separate the cells, and in such a column a point between thousands.
DECIMAL_COMMA = r"^\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*$"
THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}(\.\d{3})+\s*$"
NO_TEXT = {
    b"PK\x03\x04": ("an Excel workbook or a ZIP archive", "Save the sheet as CSV, or unpack the archive."),
    b"\xff\xfe": ("text in UTF-16", "Save it as UTF-8; Excel calls that CSV UTF-8."),
    b"\xfe\xff": ("text in UTF-16", "Save it as UTF-8; Excel calls that CSV UTF-8."),
}


def read_batches(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the file's rows with a column ``line`` (from 1, the header being line 1); cells are text, or typed where the file is.

    Raises:
        InvalidInputError: the file is missing, empty or malformed; says from which line on.
    """
    try:
        yield from _batches(path)
    except (EOFError, zlib.error) as exc:
        raise InvalidInputError(f"the compressed file is cut off or damaged: {exc}", field=str(path), remedy="Copy it again, whole.") from exc
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror or exc}", field=str(path), remedy="Name a readable file.") from exc


def _batches(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1":
        yield from _read_parquet(path)
        return
    for start, (what, remedy) in NO_TEXT.items():
        if magic.startswith(start):
            raise InvalidInputError(f"the file is {what}", field=str(path), remedy=remedy)
    with _open(path, packed=magic[:2] == b"\x1f\x8b") as file:
        head = file.readline(1_000_000).removeprefix(b"\xef\xbb\xbf")
        if not head.strip():
            raise InvalidInputError("the file is empty", field=str(path), remedy="Give a header line and rows.")
        if head.lstrip().startswith(b"["):
            yield from _read_array(path, file, head)
            return
        yield from _read_json(path, file, head) if head.lstrip().startswith(b"{") else _read_csv(path, file, head)


def _open(path: Path, *, packed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def _read_csv(path: Path, file: IO[bytes], head: bytes) -> Iterator[pl.DataFrame]:
    head = _as_utf8(head)
    separator = max(",;\t", key=head.decode().count)
    for line, raw in _blocks(file, first_line=2):
        block = _as_utf8(raw)
        try:
            rows = pl.read_csv(BytesIO(head + block), separator=separator, infer_schema=False)
        except PolarsError as exc:
            raise _find_ragged(path, head + block, separator, before=line - 2) or _malformed(path, line, exc) from exc
        if separator != ",":
            rows = _read_decimal_commas(rows)
        yield rows.rename(str.strip).with_row_index("line", offset=line)


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("cp1252", "replace").encode()
    return block


def _read_decimal_commas(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the cells with a point where a decimal comma stood, and in such columns nothing between thousands."""
    commas = [column.name for column in rows if column.str.contains(",", literal=True).any() and column.str.contains(DECIMAL_COMMA).any()]
    plain = (pl.col(name).str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True) for name in commas)
    written = ((pl.col(name).str.contains(DECIMAL_COMMA) | pl.col(name).str.contains(THOUSANDS)) for name in commas)
    return rows.with_columns(pl.when(number).then(text).otherwise(name).alias(name) for name, number, text in zip(commas, written, plain, strict=True))


def _find_ragged(path: Path, block: bytes, separator: str, *, before: int) -> InvalidInputError | None:
    """Return what to say of the first line that has more cells than the header, None where there is none."""
    reader = csv.reader(block.decode().splitlines(), delimiter=separator)
    named = len(next(reader))
    for cells in reader:
        if len(cells) > named:
            message = f"line {before + reader.line_num} has {len(cells)} cells, the header names {named}"
            return InvalidInputError(message, field=str(path), value=separator.join(cells)[:100], remedy="Correct the line; nothing was stored.")
    return None


def _read_json(path: Path, file: IO[bytes], head: bytes) -> Iterator[pl.DataFrame]:
    for line, block in _blocks(file, first_line=1, head=head):
        try:
            rows = pl.read_ndjson(BytesIO(block), infer_schema_length=None)
        except PolarsError as exc:
            raise _malformed(path, line, exc) from exc
        yield rows.with_row_index("line", offset=line)


def _read_array(path: Path, file: IO[bytes], head: bytes) -> Iterator[pl.DataFrame]:
    """Yield the rows of a JSON array of objects; ``line`` counts them, for an array may stand in one line."""
    first = 1
    try:
        for objects in read_objects(file, head):
            yield pl.DataFrame(objects, infer_schema_length=None, strict=False).with_row_index("line", offset=first)
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


def _blocks(file: IO[bytes], *, first_line: int, head: bytes = b"") -> Iterator[tuple[int, bytes]]:
    """Yield the number of the first line and the lines of each block; a line is never cut."""
    line, rest = first_line, head
    while block := file.read(BLOCK_BYTES):
        whole, newline, tail = (rest + block).rpartition(b"\n")
        rest = tail
        if newline:
            yield line, whole + newline
            line += whole.count(b"\n") + 1
    if rest.strip():
        yield line, rest


def _malformed(path: Path, line: int, error: PolarsError | ValueError) -> InvalidInputError:
    reason = str(error).strip().partition("\n")[0]
    return InvalidInputError(f"the file is malformed somewhere after line {line}: {reason}", field=str(path), remedy="Correct it; nothing was stored.")
