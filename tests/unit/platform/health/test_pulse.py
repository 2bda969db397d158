"""A pulse is fresh or it is not, and a file shows it to those outside."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from luna.energy.errors import MachineError, UnavailableError
from luna.platform.health.readiness import Liveness

HOUR = timedelta(hours=1)


def test_a_loop_that_beats_is_well() -> None:
    assert Liveness(HOUR).probe().startswith("last beat 0.")


def test_a_loop_that_missed_three_beats_stands_still_until_it_beats_again() -> None:
    pulse = Liveness(timedelta(0))
    with pytest.raises(UnavailableError, match="stands still"):
        pulse.probe()
    pulse.every = HOUR
    pulse.beat()
    assert pulse.age_seconds < 60


def test_every_beat_makes_the_file_young(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    pulse = Liveness(HOUR, file)
    os.utime(file, (0, 0))
    pulse.beat()
    assert file.stat().st_mtime > 0


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as raised:
        Liveness(HOUR, tmp_path / "no folder" / "heartbeat")
    assert raised.value.field == "LUNA_HEARTBEAT_FILE"


def test_a_folder_that_vanishes_later_stops_no_loop(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    pulse = Liveness(HOUR, folder / "heartbeat")
    (folder / "heartbeat").unlink()
    folder.rmdir()
    pulse.beat()
    assert pulse.probe()
