"""What was backed up comes back: as it was at a backup, at an instant, and before a restore."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from luna.energy.errors import ConflictError
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import open_objects
from services.backup.checksums import verify_backup
from services.backup.create import BackupWork, receiving
from services.backup.drill import drill
from services.backup.folder import LATEST, NEWEST, open_folder, status_instant
from services.backup.restore import restore, undo
from services.backup.wal import note_reach
from tests.support.database.home_to_back_up import KeptHome, wait_until
from tests.support.database.server_folders import server_folder


def test_a_backup_is_whole_and_says_what_it_holds(home: KeptHome) -> None:
    folder = open_folder(home.settings)
    manifest, _ = folder.choose(NEWEST)
    assert manifest.exact
    assert manifest.tables["slot_observations"].rows == 10
    assert manifest.tables["sites"].rows == 1
    assert [entry.key for entry in manifest.objects] == ["models/one"]
    assert verify_backup(folder, NEWEST)["objects"] == 1


def test_nothing_of_it_lies_plain_on_the_disk(home: KeptHome) -> None:
    root = open_folder(home.settings).root
    files = [
        path
        for path in root.rglob("*")
        if path.is_file() and path.name not in {"lock", "status.lock", "status.json", "recipient"}
    ]
    assert len(files) > 4
    assert {path.read_bytes()[:21] for path in files} == {b"age-encryption.org/v1"}


def test_a_drill_finds_what_the_manifest_says_and_touches_nothing(home: KeptHome) -> None:
    found = drill(home.settings)
    assert (found.compared, found.objects) == (True, 1)
    assert found.rows == sum(
        entry.rows for entry in open_folder(home.settings).choose(NEWEST)[0].tables.values()
    )
    assert "drill_passed_at" in open_folder(home.settings).read_status()
    assert home.observed() == 10


def test_a_restore_brings_back_rows_and_objects_and_can_be_undone(own_home: KeptHome) -> None:
    with own_home.open() as database:
        own_home.observe(database, 100)
    objects = open_objects(own_home.settings)
    objects.remove("models/one")
    objects.put("models/two", b"stored later")

    done = restore(own_home.settings, NEWEST)

    assert own_home.observed() == 10
    assert done.objects == 1
    assert objects.get("models/one") == b"what was learned" * 1000
    assert objects.get("models/two") == b"stored later"
    with own_home.open() as database, unit_of_work(database) as connection:
        assert [job.task for job in jobs.list_newest(connection, limit=5)] == [
            "rag.documents.reindex"
        ]
    undo(own_home.settings)
    assert own_home.observed() == 11
    undo(own_home.settings)
    assert own_home.observed() == 10


@dataclass(frozen=True)
class LoggedHome:
    """A home that was written to since its backup, with the log of it.

    Args:
        home: with two more quarter-hours and two more objects.
        between: when the first of each was there and the second was not.
        quiet: an instant some time after the last change, until which the log is safe.
    """

    home: KeptHome
    between: datetime
    quiet: datetime


@pytest.fixture(scope="module")
def logged(prepared: KeptHome) -> Iterator[LoggedHome]:
    """A home whose log was received while it was written to; it is copied."""
    with server_folder() as parent:
        home = prepared.copy(parent)
        objects = open_objects(home.settings)
        with home.work() as work, receiving(work):
            home.observe(work.database, 200)
            objects.put("models/three", b"stored before the instant")
            work.mirror.copy_new(datetime.now(UTC))
            between = instant_of(work.database)
            home.observe(work.database, 201)
            objects.put("models/four", b"stored after it")
            work.mirror.copy_new(datetime.now(UTC))
            await_reach(work, instant_of(work.database) + timedelta(seconds=1))
        quiet = datetime.fromisoformat(open_folder(home.settings).read_status()["wal_at"])
        yield LoggedHome(home, between, quiet)


@pytest.fixture
def parent() -> Iterator[Path]:
    """A folder for a copy of a home."""
    with server_folder() as folder:
        yield folder


def test_any_instant_since_a_backup_can_be_restored_with_the_objects_of_then(
    logged: LoggedHome, parent: Path
) -> None:
    home = logged.home.copy(parent)
    objects = open_objects(home.settings)
    for key in ("models/three", "models/four"):
        objects.remove(key)
    had = home.observed()

    restore(home.settings, logged.between.isoformat())

    assert home.observed() == had - 1
    assert [
        stored.key for stored in objects.list_all() if stored.key in {"models/three", "models/four"}
    ] == ["models/three"]


# The end of the log is restored in short runs as well: as the latest of a restored home.
@pytest.mark.long
def test_an_instant_in_a_quiet_time_is_what_was_written_before_it(
    logged: LoggedHome, parent: Path
) -> None:
    home = logged.home.copy(parent)
    rows = home.observed()
    restore(home.settings, logged.quiet.isoformat())
    assert home.observed() == rows


@pytest.fixture(scope="module")
def restored(prepared: KeptHome) -> Iterator[tuple[KeptHome, datetime]]:
    """A home that was restored and then written to, and the instant after that.

    No backup was made since.
    """
    with server_folder() as parent:
        home = prepared.copy(parent)
        restore(home.settings, NEWEST)
        with home.open() as database:
            home.observe(database, 300)
            instant = instant_of(database)
        yield home, instant


def test_what_came_after_a_restore_is_not_taken_for_what_came_before_it(
    restored: tuple[KeptHome, datetime],
) -> None:
    home, instant = restored
    rows = home.observed()
    with pytest.raises(ConflictError, match="go on over"):
        restore(home.settings, instant.isoformat())
    assert home.observed() == rows


def test_what_was_restored_goes_on_and_is_backed_up_on_its_own_timeline(
    restored: tuple[KeptHome, datetime], parent: Path
) -> None:
    home = restored[0].copy(parent)
    first, _ = open_folder(home.settings).choose(NEWEST)
    rows = home.observed()
    second = home.back_up()
    assert second.timeline > first.timeline
    assert drill(home.settings, first.backup_id).backup_id == first.backup_id
    assert restore(home.settings, LATEST).backup_id == second.backup_id
    assert home.observed() == rows


def test_how_far_the_log_is_safe_moves_on_while_rows_are_written_all_the_time(
    home: KeptHome,
) -> None:
    ended = threading.Event()

    def write(database: Engine) -> None:
        while not ended.wait(0.2):
            with unit_of_work(database) as connection:
                connection.execute(
                    text("SELECT pg_logical_emit_message(true, 'tests', repeat('x', 1000))")
                )

    with home.work() as work, receiving(work):
        writer = threading.Thread(target=write, args=(work.database,))
        writer.start()
        try:
            began = instant_of(work.database)
            assert ship(work) > began
            again = instant_of(work.database)
            assert ship(work) > again
        finally:
            ended.set()
            writer.join()


def instant_of(database: Engine) -> datetime:
    with unit_of_work(database) as connection:
        instant: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return instant


def await_reach(work: BackupWork, instant: datetime) -> None:
    """Ship until everything before the instant is safe."""
    wait_until(lambda: ship(work) > instant)


def ship(work: BackupWork) -> datetime:
    note_reach(work.folder, work.database, work.shipper, work.clock)
    return status_instant(work.folder.read_status(), "wal_at") or datetime.min.replace(tzinfo=UTC)
