"""What goes wrong with backups loses nothing, and says what it was."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from luna.energy.errors import (
    ConflictError,
    InvalidInputError,
    LunaError,
    MachineError,
    NotFoundError,
)
from luna.platform.settings import Settings
from services.backup.checksums import verify_backup
from services.backup.create import create_backup
from services.backup.drill import drill
from services.backup.encryption import BackupKey
from services.backup.folder import (
    BASE,
    MANIFEST,
    NEWEST,
    BackupFolder,
    ObjectEntry,
    open_folder,
    require_space,
)
from services.backup.recovery import RecoveryTarget, stage
from services.backup.restore import restore
from tests.support.database.home_to_back_up import KeptHome, fork, restore_until, wait_until
from tests.support.suite.depth import LONG

AS_ROOT = os.geteuid() == 0
# Until "checking" begins a restore leaves the old state.
KILLED_AT = (
    ("unpacking", "recovering", "objects", "checking") if LONG else ("recovering", "checking")
)


def newest(home: KeptHome) -> Path:
    folder = open_folder(home.settings)
    return folder.backups / folder.list_ids()[-1]


@contextmanager
def altered(path: Path, content: bytes | None) -> Iterator[None]:
    """Let a file have other content while a block runs, or be missing."""
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


@contextmanager
def altered_manifest(home: KeptHome, **changes: object) -> Iterator[None]:
    """Let the manifest of the newest backup say something else while a block runs."""
    folder = open_folder(home.settings)
    path = newest(home) / MANIFEST
    document = json.loads(folder.key.read(path)) | changes
    with altered(path, None):
        folder.key.seal_bytes(json.dumps(document).encode(), path)
        yield


@pytest.mark.parametrize("fault", ["truncated", "one bit", "missing"])
def test_a_damaged_backup_is_refused_and_what_is_there_stays(home: KeptHome, fault: str) -> None:
    path = newest(home) / BASE
    content = path.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "one bit": content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        "missing": None,
    }[fault]
    rows = home.observed()
    with altered(path, damaged):
        with pytest.raises(MachineError, match=r"is damaged.*another backup"):
            verify_backup(open_folder(home.settings), NEWEST)
        with pytest.raises(MachineError, match="is damaged"):
            restore(home.settings, NEWEST)
    assert home.observed() == rows
    assert not list(Path(home.settings.data_folder / "servers").glob("*restor*"))


def test_a_damaged_segment_of_the_log_is_named(home: KeptHome) -> None:
    folder = open_folder(home.settings)
    manifest, _ = folder.choose(NEWEST)
    path = folder.wal(manifest.system_identifier) / f"{manifest.first_segment}.gz.age"
    with (
        altered(path, path.read_bytes()[:-40]),
        pytest.raises(MachineError, match=manifest.first_segment),
    ):
        drill(home.settings)
    assert "drill_failed_at" in folder.read_status()
    # The folder may be copied to anybody's computer.
    assert str(home.settings.data_folder) not in (folder.root / "status.json").read_text(
        encoding="utf-8"
    )


def test_a_damaged_copy_of_an_object_is_named(home: KeptHome) -> None:
    folder = open_folder(home.settings)
    [path] = folder.objects.glob("??/*.age")
    with altered(path, b""), pytest.raises(MachineError, match=path.name):
        verify_backup(folder, NEWEST)


def test_another_key_is_told_from_damage_and_adds_nothing(home: KeptHome) -> None:
    other = home.settings.model_copy(
        update={
            "backup_key": type(home.settings.backup_key)("another key, as long as the first one")
        }
    )
    with pytest.raises(InvalidInputError, match="made with another"):
        restore(other, NEWEST)
    unmarked = BackupFolder(
        open_folder(home.settings).root, BackupKey("another key, as long as the first one")
    )
    with pytest.raises(InvalidInputError, match="encrypted with another"):
        unmarked.read(newest(home).name)


def test_without_a_key_the_place_for_it_is_named(home: KeptHome, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no key .*backup_key"):
        # Pydantic reads it.
        open_folder(Settings(_env_file=None, data_folder=tmp_path))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"schema_revision": "9999"}, "Luna 9.9.9"), ({"format": 99}, "is newer than")],
)
def test_a_newer_versions_backup_is_refused(
    home: KeptHome, change: dict[str, object], words: str
) -> None:
    with (
        altered_manifest(home, **change, luna_version="9.9.9"),
        pytest.raises(ConflictError, match=words),
    ):
        restore(home.settings, NEWEST)


def test_another_postgresqls_backup_is_refused(home: KeptHome) -> None:
    with (
        altered_manifest(home, postgres_version=160_004),
        pytest.raises(ConflictError, match="Install PostgreSQL 16"),
    ):
        restore(home.settings, NEWEST)


def test_a_folder_with_something_in_it_is_not_unpacked_into(home: KeptHome, tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()
    folder = open_folder(home.settings)
    with pytest.raises(ConflictError, match="is not empty"):
        stage(folder, RecoveryTarget(*folder.choose(NEWEST)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["somebody's"]


def test_an_instant_before_the_first_backup_is_refused(home: KeptHome) -> None:
    with pytest.raises(NotFoundError, match="that old"):
        restore(home.settings, "2001-01-01T00:00:00Z")


def test_a_running_luna_is_not_restored_under(home: KeptHome) -> None:
    with home.open(), pytest.raises(ConflictError, match="Luna is running"):
        restore(home.settings, NEWEST)


def test_too_small_a_disk_is_known_before_anything_is_written(home: KeptHome) -> None:
    with pytest.raises(MachineError, match=r"needs \d+ MB and \d+ MB are free"):
        require_space(home.settings.data_folder, 10**18, what="a backup")


@pytest.mark.skipif(not AS_ROOT, reason="a disk of its own can be mounted by root alone")
def test_a_disk_that_fills_up_ends_the_backup_and_keeps_those_before(
    own_home: KeptHome, tmp_path: Path
) -> None:
    folder = open_folder(own_home.settings)
    small = tmp_path / "small"
    small.mkdir()
    size = sum(path.stat().st_size for path in folder.root.rglob("*") if path.is_file()) + 2_000_000
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small], check=True)
    try:
        shutil.copytree(folder.root, small / "kept")
        settings = own_home.settings.model_copy(update={"backup_folder": small / "kept"})
        kept = open_folder(settings)
        # What the last one took is what the next one is expected to take: it is let begin.
        kept.note(newest_bytes=1)
        with pytest.raises(MachineError, match=r"(cannot be written: No space left|disk is full)"):
            KeptHome(settings).back_up()
        assert kept.list_ids() == folder.list_ids()
        assert [path.name for path in kept.backups.iterdir()] == folder.list_ids()
        assert verify_backup(kept, NEWEST)["backup"] == folder.list_ids()[-1]
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_backup_that_is_killed_is_none_and_the_next_one_is_whole(own_home: KeptHome) -> None:
    folder = open_folder(own_home.settings)
    before = folder.list_ids()
    process = fork(own_home.back_up)
    # The copy of the cluster grows: its end, the end of the log and the manifest are still to come.
    wait_until(lambda: any(path.stat().st_size for path in folder.backups.glob(f".*/.{BASE}.*")))
    process.kill()
    process.join()
    assert set(folder.list_ids()) >= set(before)
    for backup_id in folder.list_ids():
        verify_backup(folder, backup_id)
    made = own_home.back_up()
    assert [path.name for path in folder.backups.iterdir() if path.name.startswith(".")] == []
    assert drill(own_home.settings).backup_id == made.backup_id


def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new_one(own_home: KeptHome) -> None:
    with own_home.open() as database:
        own_home.observe(database, 1000)
    rows = own_home.observed()
    backed_up = open_folder(own_home.settings).choose(NEWEST)[0].tables["slot_observations"].rows
    assert rows != backed_up
    found = {}
    # Each restore finds what the one before it left, and gets a step farther.
    for step in KILLED_AT:
        process = fork(partial(restore_until, own_home, step))
        process.join(600)
        assert (step, process.exitcode) == (step, -signal.SIGKILL)
        found[step] = own_home.observed()
    assert found == dict.fromkeys(KILLED_AT, rows) | {"checking": backed_up}
    with own_home.open() as database:
        own_home.observe(database, 1001)
    restore(own_home.settings, NEWEST)
    assert own_home.observed() == backed_up


def test_a_failure_after_the_change_is_rolled_back(
    own_home: KeptHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_home.open() as database:
        own_home.observe(database, 7777)
    rows = own_home.observed()
    # No job can be left for a service whose table the restored database refuses: asked of the real
    # one by taking its right to insert.
    folder = open_folder(own_home.settings)
    assert folder.list_ids()
    monkeypatch.setattr("services.backup.restore.request_reindex", _refuse)
    with pytest.raises(LunaError, match="as the test wants"):
        restore(own_home.settings, NEWEST)
    assert own_home.observed() == rows


def _refuse(url: str) -> None:
    raise MachineError("as the test wants")


def test_two_at_once_do_not_disturb_each_other(home: KeptHome) -> None:
    with home.work() as work, work.folder.alone(), pytest.raises(ConflictError, match="under way"):
        create_backup(work, "asked")


def test_a_gap_during_a_backup_needs_another_one(
    own_home: KeptHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_home.work() as work:
        copy_new = work.mirror.copy_new

        def copy_and_lose(now: datetime) -> tuple[ObjectEntry, ...]:
            work.folder.note_gap(work.clock.now())
            return copy_new(now)

        monkeypatch.setattr(work.mirror, "copy_new", copy_and_lose)
        create_backup(work, "asked")
        assert work.folder.read_status()["gap"]
        monkeypatch.undo()
        create_backup(work, "asked")
        assert "gap" not in work.folder.read_status()
