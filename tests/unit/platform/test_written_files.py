"""Files that commands leave behind."""

from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from luna.platform.written_files import make_writable, write_whole


def test_a_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old and longer")
    write_whole(tmp_path / "report.html", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("report.html", "new")
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_the_old_file_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    (tmp_path / ".report.html.part").symlink_to("/dev/full")
    with pytest.raises(MachineError, match=r"report\.html: .*No space left.*Free some space"):
        write_whole(tmp_path / "report.html", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("report.html", "old")
    ]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    assert make_writable(tmp_path / "reports" / "demo").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(MachineError, match=r"reports: .*cannot be made.*Name a folder"):
        make_writable(tmp_path / "reports")
