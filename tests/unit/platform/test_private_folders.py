"""Folders of an owner's data that nobody else may enter."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.platform.objects.store import FileObjects
from luna.platform.private_folders import NAMES, make_private, shut_folders


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_folder_is_made_for_its_owner_alone_and_again_stays_as_it_is(tmp_path: Path) -> None:
    make_private(tmp_path / "var" / "live" / "mqtt")
    assert mode(tmp_path / "var" / "live" / "mqtt") == 0o700
    # As root the servers' account passes through, and lists nothing.
    assert {mode(tmp_path / "var"), mode(tmp_path / "var" / "live")} <= {0o700, 0o711}
    (tmp_path / "var" / "live" / "mqtt").chmod(0o750)
    make_private(tmp_path / "var" / "live" / "mqtt")
    assert mode(tmp_path / "var" / "live" / "mqtt") == 0o750


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "live").touch()
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "live")


def test_folders_of_an_earlier_release_are_shut(tmp_path: Path) -> None:
    for name in (*NAMES, "reports"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "vectors").rmdir()
    (tmp_path / "vectors").touch(mode=0o644)
    shut_folders(tmp_path)
    assert {name: mode(tmp_path / name) for name in NAMES if name not in {"cache", "vectors"}} == {
        name: 0o700 for name in NAMES if name not in {"cache", "vectors"}
    }
    # What Luna does not make, links and files are left alone.
    assert (
        mode(tmp_path / "reports"),
        mode(tmp_path / "elsewhere"),
        mode(tmp_path / "vectors"),
    ) == (0o755, 0o755, 0o644)


def test_a_store_of_objects_is_its_owner_s_alone_to_the_last_file(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path / "objects")
    objects.put("documents/ab/cd", b"a contract")
    objects.put("incoming/ef", b"another")
    objects.move("incoming/ef", "documents/ef")
    assert {
        mode(each) for each in (objects.folder, *objects.folder.rglob("*")) if each.is_file()
    } == {0o600}
    # Folders within can at most be passed, and the outermost not even that.
    assert mode(objects.folder) == 0o700
