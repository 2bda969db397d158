"""A segment of the log that is missing is named before anything is started, with the instant until
which can be restored.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from luna.energy.errors import LunaError
from services.backup.chain import MissingSegmentError, list_missing, trace
from services.backup.checksums import verify_backup
from services.backup.create import BackupWork, receiving
from services.backup.drill import drill
from services.backup.folder import LATEST, NEWEST, open_folder, status_instant
from services.backup.keeper import show
from services.backup.recovery import explain_recovery
from services.backup.restore import restore
from services.backup.wal import note_reach
from tests.support.database.home_to_back_up import SegmentedHome, wait_until
from tests.support.database.server_folders import server_folder


@pytest.fixture
def holed(segmented: SegmentedHome) -> Iterator[SegmentedHome]:
    """A home whose third segment since the backup is missing."""
    with server_folder() as parent:
        home = segmented.home.copy(parent)
        folder = open_folder(home.settings)
        place = folder.wal(folder.choose(NEWEST)[0].system_identifier)
        segments = [place / path.name for path in segmented.segments]
        segments[2].unlink()
        yield replace(segmented, home=home, segments=segments)


def test_a_missing_segment_is_named_with_the_instant_until_which_can_be_restored(
    holed: SegmentedHome,
) -> None:
    settings = holed.home.settings
    name = holed.segments[2].name[:24]
    rows = holed.home.observed()
    for at in (holed.instants[3].isoformat(), LATEST):
        with pytest.raises(MissingSegmentError, match=f"{name} .*restored until") as refused:
            restore(settings, at)
        assert "backup_label" not in str(refused.value)
        assert "9999" not in str(refused.value)
    assert holed.home.observed() == rows

    folder = open_folder(settings)
    chain = trace(folder, folder.choose(NEWEST)[0])
    assert chain.until is not None
    assert holed.instants[1] - timedelta(seconds=5) < chain.until < holed.instants[3]
    proposed = datetime.fromisoformat(re.findall(r"--at (\S+Z)", str(refused.value))[0])
    assert timedelta(0) <= chain.until - proposed < timedelta(seconds=0.001)
    # Until then two of the four quarter-hours were written.
    assert restore(settings, chain.until.isoformat()).at == chain.until
    assert holed.home.observed() == rows - 2


def test_a_missing_segment_is_seen_before_it_is_needed(holed: SegmentedHome) -> None:
    folder = open_folder(holed.home.settings)
    name = holed.segments[2].name[:24]
    assert list_missing(folder) == [name]
    with pytest.raises(MissingSegmentError, match=name):
        verify_backup(folder, NEWEST)
    show({"missing": list_missing(folder)}, holed.home.settings)
    assert REGISTRY.get_sample_value("luna_backup_log_missing_segments") == 1
    assert drill(holed.home.settings).backup_id == folder.list_ids()[-1]


def test_a_segment_of_the_backup_itself_leaves_nothing_to_restore(holed: SegmentedHome) -> None:
    folder = open_folder(holed.home.settings)
    manifest, _ = folder.choose(NEWEST)
    (holed.segments[0].parent / f"{manifest.first_segment}.gz.age").unlink()
    for at in (NEWEST, holed.instants[0].isoformat()):
        with pytest.raises(
            MissingSegmentError,
            match=f"{manifest.first_segment} .*cannot be restored.*another backup",
        ):
            restore(holed.home.settings, at)


# Short runs go on on a new timeline in test_restore.py.
@pytest.mark.long
def test_the_latest_after_a_restore_is_the_end_of_the_newest_timeline(
    segmented: SegmentedHome,
) -> None:
    with server_folder() as parent, server_folder() as elsewhere:
        home = segmented.home.copy(parent)
        all_rows = home.observed()
        restore(home.settings, segmented.instants[1].isoformat())
        rows = home.observed()
        assert rows == all_rows - 2
        # Nothing of the new timeline is in the folder yet: the end of the log is what there was
        # before.
        other = home.copy(elsewhere)
        done = restore(other.settings, LATEST)
        assert other.observed() == all_rows
        assert done.at < datetime.now(UTC) + timedelta(minutes=1)

        with home.work() as work, receiving(work):
            home.observe(work.database, 900)
            wrote = datetime.now(UTC)
            wait_until(lambda: reach(work) > wrote)
        rows += 1
        assert home.observed() == rows
        done = restore(home.settings, LATEST)
        assert home.observed() == rows
        assert wrote - timedelta(minutes=1) < done.at < datetime.now(UTC) + timedelta(minutes=1)


def test_no_hint_of_the_server_to_remove_what_a_restore_needs_is_passed_on(tmp_path: Path) -> None:
    words = (
        "2026-05-01 UTC [1] FATAL:  could not locate required checkpoint record at 0/4000080\n"
        "2026-05-01 UTC [1] HINT:  If you are restoring from a backup, touch "
        '"/data/recovery.signal" and add required recovery options.\n'
        '\tIf you are not restoring from a backup, try removing the file "/data/backup_label".\n'
        '\tBe careful: removing "/data/backup_label" will result in a corrupt cluster if '
        "restoring from a backup.\n"
        "2026-05-01 UTC [2] LOG:  shutting down\n"
    )
    error: LunaError = explain_recovery(words, tmp_path)
    assert "checkpoint record" in str(error)
    assert "shutting down" in str(error)
    assert "backup_label" not in str(error)
    assert "touch" not in str(error)


def reach(work: BackupWork) -> datetime:
    note_reach(work.folder, work.database, work.shipper, work.clock)
    return status_instant(work.folder.read_status(), "wal_at") or datetime.min.replace(tzinfo=UTC)
