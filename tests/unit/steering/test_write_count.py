"""Writes to points that wear out, counted in a file."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.steering.write_count import WINDOW, FileWrites
from tests.support.control.executor import START, Clock

MOST = {"mode": 2}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_spent_budget_names_when_it_has_room_again(tmp_path: Path, clock: Clock) -> None:
    writes = FileWrites(tmp_path, clock, "inverter")
    assert writes.spend(MOST) is None
    clock.instant += timedelta(hours=1)
    assert writes.spend(MOST) is None
    assert writes.spend(MOST) == START + WINDOW
    assert writes.read_share(MOST) == 1.0
    clock.instant = START + WINDOW
    assert writes.spend(MOST) is None


def test_a_restart_forgets_no_write(tmp_path: Path, clock: Clock) -> None:
    FileWrites(tmp_path, clock, "inverter").spend(MOST)
    assert FileWrites(tmp_path, clock, "inverter").read_share(MOST) == 0.5
    assert FileWrites(tmp_path, clock, "other").read_share(MOST) == 0.0


def test_a_disk_that_takes_nothing_stops_no_write(tmp_path: Path, clock: Clock) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("no folder")
    writes = FileWrites(occupied, clock, "inverter")
    assert writes.spend(MOST) is None
    assert writes.read_share(MOST) == 0.5


def test_a_broken_file_is_begun_anew(tmp_path: Path, clock: Clock) -> None:
    FileWrites(tmp_path, clock, "inverter").spend(MOST)
    [file] = tmp_path.glob("*.writes")
    file.write_text('{"mode": ["yesterday"]}')
    assert FileWrites(tmp_path, clock, "inverter").read_share(MOST) == 0.0
