import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from luna.energy.errors import InvalidInputError
from services.ingest.batches import read_batches
from services.ingest.limited_file import BLOCK_BYTES, FileLimits

ROWS = pl.DataFrame(
    {"slot_start": ["2024-01-01T00:00:00Z", "2024-01-01T00:15:00Z"], "load_kwh": ["1", "2"]}
)
CSV = b"slot_start,load_kwh\n2024-01-01T00:00:00Z,1\n2024-01-01T00:15:00Z,2\n"


def read(path: Path) -> pl.DataFrame:
    return pl.concat(read_batches(path))


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.rstrip(),
        CSV.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CSV.replace(b",", b";"),
        CSV.replace(b",", b"\t").replace(b"load_kwh", b" load_kwh "),
        gzip.compress(CSV),
        gzip.compress(
            b'{"slot_start":"2024-01-01T00:00:00Z","load_kwh":"1"}\n'
            b'{"slot_start":"2024-01-01T00:15:00Z","load_kwh":"2"}'
        ),
        (
            b'[{"slot_start":"2024-01-01T00:00:00Z","load_kwh":"1"},'
            b'{"slot_start":"2024-01-01T00:15:00Z","load_kwh":"2"}]'
        ),
        gzip.compress(
            (
                b'\n [\n {"slot_start": "2024-01-01T00:00:00Z",\n  "load_kwh": "1"},\n '
                b'{"slot_start": "2024-01-01T00:15:00Z", "load_kwh": "2"}\n]\n'
            ).lstrip()
        ),
    ],
    ids=[
        "csv",
        "no last newline",
        "windows",
        "semicolon and mark",
        "tab",
        "gzip",
        "json lines",
        "json array",
        "json array on many lines",
    ],
)
def test_reads_every_form_by_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read(path).drop("line").equals(ROWS)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content)
    return path


def test_a_comma_is_the_decimal_one_where_it_separates_no_cells(tmp_path: Path) -> None:
    rows = read(
        write(
            tmp_path, b"zeit;kwh;zaehler;note\n1;0,25;1.234,5;a,b\n2;-1,5;12.345;1,2,3\n3;;0,5;\n"
        )
    )
    assert rows["kwh"].to_list() == ["0.25", "-1.5", None]
    # Beside decimal commas a point stands between thousands.
    assert rows["zaehler"].to_list() == ["1234.5", "12345", "0.5"]
    assert rows["note"].to_list() == ["a,b", "1,2,3", None]


def test_a_comma_within_a_cell_of_a_file_that_commas_separate_stays(tmp_path: Path) -> None:
    assert read(write(tmp_path, b'a,b\n1,"1,234"\n'))["b"].to_list() == ["1,234"]


def test_a_point_stays_a_decimal_one_without_commas(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"a;b\n1;12.345\n"))["b"].to_list() == ["12.345"]


def test_reads_what_windows_writes_outside_utf_8(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "Zeit;Erträge;Gerät\n1;2;Zähler €\n".encode("cp1252")))
    assert rows.drop("line").to_dicts() == [{"Zeit": "1", "Erträge": "2", "Gerät": "Zähler €"}]


def test_names_the_line_with_too_many_cells(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read(write(tmp_path, b'a,b\n1,2\n"3,4",5\n6,7,8\n9,1\n'))
    assert (refused.value.reason, refused.value.parameters) == (
        "ragged-line",
        {"line": 4, "cells": 3, "named": 2},
    )


@pytest.mark.parametrize(
    ("content", "remedy"),
    [("a;b\n1;2\n".encode("utf-16"), "UTF-8"), (b"PK\x03\x04workbook", "as CSV")],
    ids=["UTF-16", "workbook"],
)
def test_says_how_to_save_a_file_that_is_no_text(
    tmp_path: Path, content: bytes, remedy: str
) -> None:
    with pytest.raises(InvalidInputError, match=remedy):
        read(write(tmp_path, content))


def test_reads_parquet_with_its_types(tmp_path: Path) -> None:
    ROWS.with_columns(pl.col("load_kwh").cast(pl.Float64)).write_parquet(tmp_path / "file")
    assert read(tmp_path / "file")["load_kwh"].to_list() == [1.0, 2.0]


def test_a_long_file_comes_in_blocks_that_cut_no_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    lines = [f"2024-01-01T00:00:00Z,{number}" for number in range(400_000)]
    path.write_text("slot_start,load_kwh\n" + "\n".join(lines))
    frames = list(read_batches(path))
    assert len(frames) > 1
    assert max(frame.estimated_size() for frame in frames) < 10 * BLOCK_BYTES
    whole = pl.concat(frames)
    assert whole["load_kwh"].cast(pl.Int64).to_list() == list(range(400_000))
    assert whole["line"].to_list() == list(range(2, 400_002))


def test_a_long_array_comes_in_parts_that_cut_no_object(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_text(
        json.dumps(
            [
                {"slot_start": "2024-01-01T00:00:00Z", "load_kwh": number, "note": "}, {"}
                for number in range(60_000)
            ]
        )
    )
    frames = list(read_batches(path))
    assert len(frames) > 1
    whole = pl.concat(frames)
    assert whole["load_kwh"].to_list() == list(range(60_000))
    assert whole["line"].to_list() == list(range(1, 60_001))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b'{"slot_start": \n{',
        b'[{"slot_start": "2024"}',
        b"[1, 2]",
        b"[{]",
        b"slot_start,load_kwh\n1,2,3\n",
        b"\x1f\x8bbroken",
        b"PAR1broken",
    ],
    ids=[
        "empty",
        "blank",
        "json",
        "array cut off",
        "array of numbers",
        "array of nothing",
        "ragged",
        "gzip",
        "parquet",
    ],
)
def test_refuses_a_broken_file_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        read(path)
    assert caught.value.field == str(path)


@pytest.mark.parametrize("cut", [slice(0, 60), slice(0, -4)], ids=["half", "without its end"])
def test_a_compressed_file_that_is_cut_off_is_to_be_copied_again(
    tmp_path: Path, cut: slice
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read(write(tmp_path, gzip.compress(CSV * 50)[cut]))
    assert refused.value.reason == "file-damaged"


def test_a_compressed_file_with_a_damaged_middle_is_refused_by_its_name(tmp_path: Path) -> None:
    packed = bytearray(
        gzip.compress("".join(f"{number * number}\n" for number in range(2000)).encode())
    )
    packed[200:260] = bytes(60)
    with pytest.raises(InvalidInputError, match=r"file\.csv"):
        read(write(tmp_path, bytes(packed)))


def test_refuses_a_missing_file_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"gone\.csv"):
        read(tmp_path / "gone.csv")


SMALL = FileLimits(max_bytes=50_000, max_rows=1000, max_line_bytes=5000)
ROW = b"2024-01-01T00:00:00Z,1\n"
OBJECT = b'{"slot_start":"2024-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    ("content", "setting"),
    [
        pytest.param(CSV + ROW * 999, "LUNA_LOAD_MAX_ROWS", id="rows"),
        pytest.param(
            b"[" + b",".join([OBJECT] * 1001) + b"]", "LUNA_LOAD_MAX_ROWS", id="members of an array"
        ),
        pytest.param((OBJECT + b"\n") * 1001, "LUNA_LOAD_MAX_ROWS", id="lines of JSON"),
        pytest.param(b"\0" * 100_000, "LUNA_LOAD_MAX_LINE_BYTES", id="a line of NUL"),
        pytest.param(CSV + b"\0" * 6000, "LUNA_LOAD_MAX_LINE_BYTES", id="a last line of NUL"),
        pytest.param(
            CSV + b"2024-01-01T00:30:00Z," + b"1" * 6000 + b"\n" + ROW,
            "LUNA_LOAD_MAX_LINE_BYTES",
            id="a long line between others",
        ),
        pytest.param(
            OBJECT[:-1] + b', "load_kwh": "' + b"1" * 6000 + b'"}\n' + OBJECT,
            "LUNA_LOAD_MAX_LINE_BYTES",
            id="a long line of JSON",
        ),
        pytest.param(CSV + b"\n" * 60_000, "LUNA_LOAD_MAX_BYTES", id="empty lines"),
        pytest.param(b"[" + b" " * 60_000 + b"]", "LUNA_LOAD_MAX_BYTES", id="an array of blanks"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_that_holds_too_much_says_which_limit_it_breaks(
    tmp_path: Path, pack: Callable[[bytes], bytes], content: bytes, setting: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    with pytest.raises(InvalidInputError) as raised:
        list(read_batches(path, SMALL))
    assert setting in str(raised.value.remedy)


def test_a_table_of_many_rows_is_refused_before_they_are_kept(tmp_path: Path) -> None:
    pl.DataFrame({"load_kwh": [1.0] * 1001}).write_parquet(tmp_path / "file")
    with pytest.raises(InvalidInputError, match="1,000 rows"):
        list(read_batches(tmp_path / "file", SMALL))


def test_a_file_may_hold_as_much_as_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CSV + ROW * 997 + b"2024-01-01T00:30:00Z," + b"1" * (5000 - 21) + b"\n")
    assert sum(batch.height for batch in read_batches(path, SMALL)) == 1000


@pytest.mark.parametrize(
    "content", [b"," * 5000 + b"\n1\n", b"[" + b'{"a":' * 100_000], ids=["columns", "nesting"]
)
def test_what_no_table_is_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InvalidInputError):
        list(read_batches(tmp_path / "file"))
