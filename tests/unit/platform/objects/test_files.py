import errno
import os
from pathlib import Path

import pytest

from luna.energy.errors import FullError, MachineError, NotFoundError
from luna.platform.objects import FileObjects


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    return FileObjects(tmp_path / "objects")


def test_an_object_is_a_file_named_by_its_key(objects: FileObjects) -> None:
    objects.put("aurora/model.json.gz", b"trees")
    objects.put("aurora/model.json.gz", b"other trees")
    assert list_files(objects.folder) == ["aurora/model.json.gz"]
    assert (objects.folder / "aurora" / "model.json.gz").read_bytes() == b"other trees"


def test_what_is_half_written_is_no_object(objects: FileObjects) -> None:
    objects.put("aurora/model", b"trees")
    (objects.folder / "aurora" / ".0123.part").write_bytes(b"tre")
    with pytest.raises(NotFoundError):
        objects.get("aurora/0123.part")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
def test_a_full_disk_leaves_everything_as_it_was(
    objects: FileObjects, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    objects.put("aurora/model", b"trees")

    def refuse(_descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FullError, match="Free some space") as caught:
        objects.put("aurora/model", b"other trees")
    assert caught.value.value == str(objects.folder / "aurora")
    assert objects.get("aurora/model") == b"trees"
    assert list_files(objects.folder) == ["aurora/model"]


def test_an_interrupted_put_leaves_nothing_behind(
    objects: FileObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        objects.put("aurora/model", b"trees")
    assert list_files(objects.folder) == []


def test_a_place_that_cannot_be_written_is_named(objects: FileObjects) -> None:
    objects.put("aurora", b"a file where a folder should be")
    with pytest.raises(MachineError, match="who may read") as caught:
        objects.put("aurora/model", b"trees")
    assert caught.value.value == str(objects.folder / "aurora" / "model")


def test_a_probe_makes_the_folder_ready(objects: FileObjects) -> None:
    assert objects.probe() == str(objects.folder)
    assert objects.folder.is_dir()


def test_a_probe_finds_out_that_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the data folder should be")
    with pytest.raises(MachineError, match="cannot be kept"):
        FileObjects(tmp_path / "var" / "objects").probe()
