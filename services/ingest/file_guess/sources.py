"""The cells of foreign files as text: separated text in any usual encoding, workbooks and JSON.

A file is read at its beginning and end, or whole.
"""

import codecs
import csv
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO, StringIO
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import polars as pl
from polars.exceptions import PolarsError

from luna.contracts.file_guess import FileLayout
from luna.energy.refusals import refuse
from services.ingest.limited_file import (
    BATCH_ROWS,
    BLOCK_BYTES,
    FileLimits,
    open_limited,
    refuse_unreadable,
    within_rows,
)

# A file up to this size is sampled whole, of a longer one the bytes at each end.
WHOLE_BYTES = 16_000_000
END_BYTES = 4_000_000
# JSON of states is one value and has to fit into memory as a whole.
MAX_JSON_BYTES = 150_000_000
MAX_WORKBOOK_BYTES = 400_000_000
MAX_CELLS = 20_000_000
LAYOUT_LINES = 120
UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
REFUSED = {
    b"%PDF": "file-is-pdf",
    b"PAR1": "file-is-parquet",
}
# Files of other kinds that hold no values Luna reads, by their first bytes.
OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "old-workbook",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"SQLi": "database",
}
Form = Literal["text", "workbook", "json"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a file; ``head`` holds the cells of its first lines, for the layout.

    Text fills ``text``, the others ``rows`` or ``document``; ``whole``: it is the whole file.
    """

    form: Form
    head: list[list[str]]
    whole: bool
    encoding: str = "utf-8"
    separator: str = ","
    text: tuple[str, str] = ("", "")
    sheet: str | None = None
    rows: list[list[str]] | None = None
    document: Any = None


def read_sample(path: Path, limits: FileLimits) -> Sample:
    """Read the sample that a guess rests on.

    Raises:
        InvalidInputError: the file is none of those that can be read; says what it is instead.
    """
    with refuse_unreadable(path):
        with open_limited(path, limits) as file:
            beginning = file.read(END_BYTES)
        form = _find_form(path, beginning)
        if form == "workbook":
            sheet, rows = _read_workbook(path, None)
            return Sample(form, rows[:LAYOUT_LINES], whole=True, sheet=sheet, rows=rows)
        if form == "json":
            return Sample(form, [], whole=True, document=_read_json(path, limits))
        content, tail, whole = _read_ends(path, limits)
        encoding = find_encoding(beginning)
        if encoding == "utf-8" and whole and find_encoding(content) == "cp1252":
            encoding = "cp1252"
        first = content.decode(encoding, "replace").lstrip("\ufeff")
        if not whole:
            # The last line may be cut off, and so may the first one of the tail.
            first = first.rpartition("\n")[0] + "\n"
        last = tail.decode(encoding, "replace").partition("\n")[2]
        lines = list(islice(first.splitlines(), LAYOUT_LINES))
        separator = _find_separator(lines)
        return Sample(
            "text",
            _cells(lines, separator),
            whole=whole,
            encoding=encoding,
            separator=separator,
            text=(first, last),
        )


def _read_ends(path: Path, limits: FileLimits) -> tuple[bytes, bytes, bool]:
    """Return a text's beginning and end, and whether the beginning is all of it."""
    with open_limited(path, limits) as file:
        size = path.stat().st_size
        content = file.read(WHOLE_BYTES)
        whole = len(content) < WHOLE_BYTES if file.is_packed else size <= WHOLE_BYTES
        tail = b""
        if not whole and not file.is_packed:
            content = content[:END_BYTES]
            # UTF-16 has two bytes per letter.
            file.seek((size - END_BYTES) // 2 * 2)
            tail = file.read(END_BYTES)
        file.require_short(content[:BLOCK_BYTES])
    return content, tail, whole


def _require_values(path: Path, beginning: bytes) -> None:
    for magic, reason in REFUSED.items():
        if beginning.startswith(magic):
            raise refuse(reason, field=str(path))
    for magic, kind in OTHER_KINDS.items():
        if beginning.startswith(magic):
            raise refuse("file-of-other-kind", field=str(path), thing=kind)


def _find_form(path: Path, beginning: bytes) -> Form:
    if not beginning.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise refuse("file-empty", field=str(path))
    _require_values(path, beginning)
    if beginning.startswith(b"PK\x03\x04"):
        return "workbook"
    start = beginning[:4000].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").casefold()
    if start.startswith(("<!doctype html", "<html", "<?xml")) or "<head>" in start:
        if "html" in start:
            raise refuse("file-is-web-page", field=str(path))
        raise refuse("file-of-other-kind", field=str(path), thing="xml")
    if start.startswith(("[", "{")):
        return "json"
    if not find_encoding(beginning).startswith("utf-16") and b"\x00" in beginning:
        raise refuse("file-of-other-kind", field=str(path), thing="binary")
    return "text"


def find_encoding(beginning: bytes) -> str:
    """Return the encoding of text.

    It is known by its mark or by the zeros of UTF-16, else it is UTF-8 if the text is valid as
    such, else that of Windows in Western Europe.
    """
    for mark, name in UTF_16.items():
        if beginning.startswith(mark):
            return name
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        high_bytes = beginning[place:2000:2]
        low_bytes = beginning[1 - place : 2000 : 2]
        zeros = high_bytes.count(0)
        if high_bytes and zeros > 0.8 * len(high_bytes) and low_bytes.count(0) == 0:
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    rows = []
    for line in lines:
        # Line by line, so that a quote ends with its line: rows and lines have the same numbers.
        cells: list[str] = next(csv.reader([line], delimiter=separator), [])
        rows.append([cell.strip() for cell in cells])
    return rows


def _find_separator(lines: list[str]) -> str:
    """Return the separator of cells.

    It is the declared one, else the one that the last lines have equally often, else a comma.
    """
    declared = [line for line in lines[:2] if line.lower().startswith("sep=") and len(line) > 4]
    if declared:
        return declared[0][4]
    rows = [line for line in lines if line.strip()][-60:]
    for separator in (";", "\t", "|", ","):
        counts = [len(cells) for cells in _cells(rows, separator)]
        usual = max(set(counts), key=counts.count) if counts else 1
        if usual > 1 and counts.count(usual) >= 0.6 * len(counts):
            return separator
    return ","


def _read_workbook(path: Path, sheet: str | None) -> tuple[str, list[list[str]]]:
    """Return the name and the cells of a workbook's named sheet, or of its longest."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    _require_small(path)
    try:
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
        tables = [
            entry for entry in workbook.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet
        ]
        names = [entry.name for entry in tables if sheet in {None, entry.name}]
        sheets = [workbook.get_sheet_by_name(name) for name in names]
        if not sheets:
            raise refuse("workbook-empty", field=str(path))
        longest = max(sheets, key=attrgetter("height"))
        if longest.width * longest.height > MAX_CELLS:
            raise refuse("sheet-too-large", field=str(path), sheet=longest.name, most=MAX_CELLS)
        rows = [[_format_cell(cell) for cell in row] for row in longest.iter_rows()]
    except (CalamineError, ValueError) as exc:
        raise refuse("workbook-unreadable", field=str(path)) from exc
    # The reader leaves out the empty rows above the first filled one.
    rows_above = longest.start[0] if longest.start else 0
    return longest.name, [[""]] * rows_above + rows


def _require_small(path: Path) -> None:
    """Refuse a ZIP that is no workbook, or one that unpacks to too much.

    Its declared sizes are checked by unpacking it.
    """
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(name.startswith("xl/") for name in archive.namelist()):
                raise refuse("file-is-zip", field=str(path))
            for member in archive.infolist():
                total += member.file_size
                if total > MAX_WORKBOOK_BYTES:
                    raise refuse("workbook-too-large", field=str(path), most=MAX_WORKBOOK_BYTES)
            for member in archive.infolist():
                with archive.open(member) as content:
                    while content.read(BLOCK_BYTES):
                        pass
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as exc:
        raise refuse("workbook-unreadable", field=str(path)) from exc


def _format_cell(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        # The digits beyond the twelfth come from the binary form of a decimal fraction.
        return f"{cell:.12g}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell).strip()


def _read_json(path: Path, limits: FileLimits) -> Any:
    with open_limited(path, limits) as file:
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise refuse("json-too-large", field=str(path), most=MAX_JSON_BYTES)
    text = content.decode("utf-8-sig", "replace")
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise refuse("json-too-deep", field=str(path)) from exc
    except ValueError as exc:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise refuse("file-no-json", field=str(path), why=exc) from exc


@dataclass(frozen=True, slots=True)
class StateRows:
    """States or statistics of entities, a row each."""

    names: list[str]
    times: list[str]
    values: list[str]
    units: dict[str, str]


def read_states(document: Any) -> StateRows | None:
    """Return the states of Home Assistant's history, or the sums and means of its statistics.

    None if the document is neither.
    """
    rows = StateRows([], [], [], {})
    for key, group in _state_groups(document):
        if not isinstance(group, list) or not all(isinstance(state, dict) for state in group):
            return None
        entity = str(key)
        for state in group:
            # In a shortened history only the first state names its entity.
            entity = str(state.get("entity_id") or state.get("statistic_id") or entity)
            # A sum continues when its meter begins again; a power has nothing but a mean.
            figure = _first_known(state, ("s", "sum", "state", "mean"))
            # A statistic's sum is that at the end of its hour.
            clocks = ("end", "start") if figure in {"sum", "state"} else ("start",)
            clock = _first_known(state, ("last_changed", "last_updated", "lu", "lc", *clocks))
            if not entity or clock is None or figure is None:
                return None
            attributes = state.get("attributes") or {}
            unit = attributes.get("unit_of_measurement") or state.get("unit_of_measurement")
            if unit:
                rows.units[entity] = str(unit)
            rows.names.append(entity)
            rows.times.append(str(state[clock]))
            rows.values.append(str(state[figure]))
    return rows if rows.names else None


def _state_groups(document: Any) -> list[tuple[Any, Any]]:
    """Return the lists of states with their entities, as far as these are known."""
    if isinstance(document, dict) and "result" in document:
        document = document["result"]
    if isinstance(document, dict):
        return list(document.items())
    is_nested = isinstance(document, list) and all(isinstance(group, list) for group in document)
    if is_nested and document:
        return [("", group) for group in document]
    return [("", document)]


def _first_known(state: dict[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        if state.get(name) is not None:
            return name
    return None


def read_records(document: Any) -> list[dict[str, Any]] | None:
    """Return the longest list of objects in a document, with inner objects laid flat.

    None if it has none.
    """
    lists = [rows for rows in _walk(document, depth=4) if _are_objects(rows)]
    if not lists:
        return None
    return [_flatten(row) for row in max(lists, key=len)]


def _are_objects(rows: list[Any]) -> bool:
    return bool(rows) and all(isinstance(row, dict) for row in rows)


def _walk(document: Any, *, depth: int) -> Iterator[list[Any]]:
    """Yield the lists in a document, down to a depth of objects."""
    if isinstance(document, list):
        yield document
    elif isinstance(document, dict) and depth:
        for value in document.values():
            yield from _walk(value, depth=depth - 1)


def _flatten(row: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and not above:
            flat |= _flatten(value, f"{name}.")
        elif not isinstance(value, list | dict):
            flat[f"{above}{name}"] = value
    return flat


def frame_of(names: list[str], rows: list[list[str]], *, line: int) -> pl.DataFrame:
    """Return rows of cells as a frame of text with ``line``; empty cells are null."""
    columns = []
    for place, name in enumerate(names):
        cells = [row[place] if place < len(row) else "" for row in rows]
        columns.append(pl.Series(name, [cell or None for cell in cells], dtype=pl.String))
    return pl.DataFrame(columns).with_row_index("line", offset=line)


def sample_frame(sample: Sample, layout: FileLayout) -> pl.DataFrame:
    """Return the rows of a sample as text, with ``line``."""
    if sample.form == "json":
        return _json_frame(sample.document, layout)
    if sample.form == "workbook":
        rows = (sample.rows or [])[layout.skipped_lines :]
        return frame_of(layout.names, rows, line=layout.skipped_lines + 1)
    first, last = sample.text
    lines = StringIO(first)
    for _ in range(layout.skipped_lines):
        lines.readline()
    return _parse_text(lines.read() + last, layout, line=layout.skipped_lines + 1)


def _json_frame(document: Any, layout: FileLayout) -> pl.DataFrame:
    if layout.form == "states":
        states = read_states(document) or StateRows([], [], [], {})
        return pl.DataFrame(
            {"entity": states.names, "time": states.times, "value": states.values},
            schema=dict.fromkeys(("entity", "time", "value"), pl.String),
        ).with_row_index("line", offset=1)
    rows = []
    for record in read_records(document) or []:
        values = [record.get(name) for name in layout.names]
        rows.append(["" if value is None else _format_cell(value) for value in values])
    return frame_of(layout.names, rows, line=1)


def _parse_text(text: str, layout: FileLayout, *, line: int) -> pl.DataFrame:
    # The number of cells is taken from the header, and the file's own first line may be too short.
    places = [f"cell {place}" for place in range(len(layout.names))]
    content = BytesIO(f"{layout.separator.join(places)}\n{text}".encode())
    options: dict[str, Any] = {
        "separator": layout.separator,
        "truncate_ragged_lines": True,
        "infer_schema": False,
    }
    try:
        rows = pl.read_csv(content, **options)
    except PolarsError:
        # There is a stray quote, so quotes are read as letters.
        content.seek(0)
        rows = pl.read_csv(content, quote_char=None, **options).with_columns(
            pl.all().str.strip_chars('"')
        )
    named = rows.rename(dict(zip(places, layout.names, strict=True)))
    return named.with_columns(pl.all().str.strip_chars()).with_row_index("line", offset=line)


def read_frames(path: Path, layout: FileLayout, limits: FileLimits) -> Iterator[pl.DataFrame]:
    """Yield all rows of a file as text, with ``line``; text files need little memory.

    Raises:
        InvalidInputError: the file is not as its layout says, or exceeds the limits.
    """
    with refuse_unreadable(path):
        yield from within_rows(_frames(path, layout, limits), path, limits)


def _frames(path: Path, layout: FileLayout, limits: FileLimits) -> Iterator[pl.DataFrame]:
    if layout.form == "workbook":
        _, cells = _read_workbook(path, layout.sheet)
        rows = cells[layout.skipped_lines :]
        frame = frame_of(layout.names, rows, line=layout.skipped_lines + 1)
        yield from frame.iter_slices(BATCH_ROWS)
        return
    if layout.form != "text":
        yield from _json_frame(_read_json(path, limits), layout).iter_slices(BATCH_ROWS)
        return
    with open_limited(path, limits, encoding=layout.encoding) as file:
        for line, block in file.blocks(first_line=1):
            text = block.decode()
            lines = StringIO(text)
            above = min(max(layout.skipped_lines + 1 - line, 0), text.count("\n") + 1)
            for _ in range(above):
                lines.readline()
            frame = _parse_text(lines.read(), layout, line=line + above)
            if frame.height:
                yield frame
