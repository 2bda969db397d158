"""Rows in files: of limited size, whole or not at all after a crash, and gone on with."""

import gzip
import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, Literal

import pytest

from luna.energy.errors import MachineError
from services.edge.row_files import RowForm, RowWriter, list_parts, read_rows, remove_rows


def rows(count: int, *, first: int = 0) -> list[dict[str, Any]]:
    return [{"number": number, "text": "x" * 50} for number in range(first, first + count)]


@pytest.mark.parametrize(
    "form",
    [
        RowForm(max_mb=0.01),
        RowForm(max_mb=0.01, compressed=True),
        RowForm(max_mb=None),
        RowForm("csv", max_mb=0.01),
    ],
)
def test_rows_come_back_in_order_from_files_of_limited_size(tmp_path: Path, form: RowForm) -> None:
    for first in (0, 500):
        with RowWriter(tmp_path, "runs", form) as writer:
            for begin in range(first, first + 500, 50):
                writer.append(rows(50, first=begin))
                writer.sync()
    assert [int(row["number"]) for row in read_rows(tmp_path, "runs")] == list(range(1000))
    parts = list_parts(tmp_path, "runs")
    assert (len(parts) > 3) == (form.max_mb is not None)
    assert any(part.suffix == ".gz" for part in parts) == form.compressed
    assert all(part.stat().st_size < 20_000 for part in parts) or form.max_mb is None
    remove_rows(tmp_path, "runs")
    assert not list_parts(tmp_path, "runs")


@pytest.mark.parametrize(("format_", "torn"), [("json", '{"number":3,"te'), ("csv", "3,xxx")])
def test_a_torn_line_is_no_row_and_is_cut_and_its_row_written_again(
    tmp_path: Path, format_: Literal["json", "csv"], torn: str
) -> None:
    form = RowForm(format_)
    with RowWriter(tmp_path, "runs", form) as writer:
        writer.append(rows(3))
    with list_parts(tmp_path, "runs")[0].open("a") as file:
        file.write(torn)
    assert [int(row["number"]) for row in read_rows(tmp_path, "runs")] == [0, 1, 2]
    with RowWriter(tmp_path, "runs", form) as writer:
        writer.append(rows(2, first=3))
    assert [int(row["number"]) for row in read_rows(tmp_path, "runs")] == [0, 1, 2, 3, 4]


def test_a_file_that_is_there_plain_and_compressed_is_read_once(tmp_path: Path) -> None:
    form = RowForm(max_mb=0.005, compressed=True)
    with RowWriter(tmp_path, "runs", form) as writer:
        for first in range(0, 300, 50):
            writer.append(rows(50, first=first))
    packed = list_parts(tmp_path, "runs")[0]
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    with RowWriter(tmp_path, "runs", form) as writer:
        writer.append(rows(50, first=300))
    assert [row["number"] for row in read_rows(tmp_path, "runs")] == list(range(350))


def write_for_ever(folder: Path) -> None:
    with RowWriter(folder, "runs", RowForm(max_mb=0.05, compressed=True)) as writer:
        begin = sum(1 for _ in read_rows(folder, "runs"))
        for first in range(begin, 1_000_000, 20):
            writer.append(rows(20, first=first))
            writer.sync()


def test_what_was_synced_survives_kills_at_any_moment_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    seen = 0
    for delay in (0.05, 0.11, 0.18):
        process = context.Process(target=write_for_ever, args=(tmp_path,))
        process.start()
        time.sleep(delay)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        numbers = [row["number"] for row in read_rows(tmp_path, "runs")]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= seen
        seen = len(numbers)
    assert seen > 0


def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RowWriter(tmp_path, "runs", RowForm()) as writer:
        writer.append(rows(200))
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with (
            RowWriter(tmp_path, "runs", RowForm()) as writer,
            pytest.raises(MachineError, match="Make room"),
        ):
            writer.append(rows(2000, first=200))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    there = len(list(read_rows(tmp_path, "runs")))
    with RowWriter(tmp_path, "runs", RowForm()) as writer:
        writer.append(rows(10, first=there))
    assert [row["number"] for row in read_rows(tmp_path, "runs")] == list(range(there + 10))
    assert there >= 200
