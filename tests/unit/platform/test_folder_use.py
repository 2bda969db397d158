"""One Luna per data folder: the second names the first, and a killed one leaves the folder free."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.energy.errors import ConflictError
from luna.platform.embedded.folder_use import LOCK, hold_folder

NOW = datetime(2026, 5, 20, 14, 37, tzinfo=UTC)
FIRST = "http://127.0.0.1:8080"
SECOND = "http://127.0.0.1:8081"


def test_a_second_one_names_the_first_by_process_address_and_time(tmp_path: Path) -> None:
    with hold_folder(tmp_path, address=FIRST, now=NOW):
        with (
            pytest.raises(ConflictError) as refused,
            hold_folder(tmp_path, address=SECOND, now=NOW),
        ):
            pass
        assert refused.value.reason == "folder-in-use"
        assert refused.value.parameters == {
            "pid": os.getpid(),
            "address": FIRST,
            "since": NOW.isoformat(),
        }
        # The first one still holds it.
        with pytest.raises(ConflictError), hold_folder(tmp_path, address=SECOND, now=NOW):
            pass
    with hold_folder(tmp_path, address=SECOND, now=NOW):
        pass


def test_one_that_has_not_said_who_it_is_is_in_the_way_all_the_same(tmp_path: Path) -> None:
    with hold_folder(tmp_path, address=FIRST, now=NOW):
        (tmp_path / LOCK).write_bytes(b"")
        with (
            pytest.raises(ConflictError) as refused,
            hold_folder(tmp_path, address=SECOND, now=NOW),
        ):
            pass
    assert refused.value.reason == "folder-being-taken"


def test_a_killed_one_leaves_the_folder_free(tmp_path: Path) -> None:
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with hold_folder(tmp_path, address=FIRST, now=NOW):
            os.write(told, b"1")
            signal.pause()
    assert os.read(ready, 1) == b"1"
    with pytest.raises(ConflictError), hold_folder(tmp_path, address=SECOND, now=NOW):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(told)
    with hold_folder(tmp_path, address=SECOND, now=NOW):
        pass
