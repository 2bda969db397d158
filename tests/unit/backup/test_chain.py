"""Which segments of the log are missing after a base backup, from their names, and until when it is
whole.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.backup.chain import Chain, find_missing, follow, read_history, trace
from services.backup.encryption import BackupKey
from services.backup.folder import BackupFolder
from tests.support.database.home_to_back_up import BEGIN, MANIFEST
from tests.support.suite.tables import each_row


def at(number: int) -> datetime:
    return BEGIN + timedelta(hours=number)


def name(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def written(*numbers: int, timeline: int = 1) -> dict[str, datetime]:
    return {name(number, timeline): at(number) for number in numbers}


def unfinished(number: int, timeline: int = 1) -> dict[str, datetime]:
    return {f"{name(number, timeline)}.partial": at(number)}


@each_row(
    ("segments", "end", "chain"),
    [
        pytest.param(written(2, 3, 4) | unfinished(5), 0, Chain(1, at(5)), id="whole"),
        pytest.param(written(1, 2, 3, 4, 5, 6), 0, Chain(1, at(6)), id="older ones do not matter"),
        pytest.param(
            written(2, 3, 4, 6), 0, Chain(1, at(4), (name(5),), at(6)), id="one in the middle"
        ),
        pytest.param(
            written(2, 3, 6, 7),
            0,
            Chain(1, at(3), (name(4), name(5)), at(6)),
            id="two in the middle",
        ),
        pytest.param(
            written(2, 3, 5) | unfinished(4),
            0,
            Chain(1, at(4), (name(4),), at(5)),
            id="never finished counts as far as it goes",
        ),
        pytest.param(written(3, 4), 0, Chain(1, None, (name(2),), at(3)), id="the first"),
        pytest.param(written(2, 4), 0, Chain(1, None, (name(3),), at(4)), id="the backup's own"),
        pytest.param(
            written(2, 4) | unfinished(3),
            0,
            Chain(1, None, (name(3),), at(4)),
            id="the backup's own was never finished",
        ),
        pytest.param(
            written(2, 3, 4),
            5,
            Chain(1, at(4), (name(5),), None),
            id="the last, which is known to have been written",
        ),
        pytest.param(
            written(2, 3) | written(3, 4, 6, timeline=2),
            0,
            Chain(1, at(3)),
            id="another timeline's",
        ),
        pytest.param({}, 0, Chain(1, None, (name(2), name(3)), None), id="none"),
    ],
)
def test_the_missing_segments_are_named(
    segments: dict[str, datetime], end: int, chain: Chain
) -> None:
    assert follow(segments, MANIFEST, ((1, 0),), end=end) == chain


def test_segments_are_numbered_over_the_end_of_four_gigabytes() -> None:
    manifest = MANIFEST.model_copy(update={"first_segment": name(254), "last_segment": name(254)})
    assert follow(written(254, 255, 257), manifest, ((1, 0),)) == Chain(
        1, at(255), ("000000010000000100000000",), at(257)
    )


@each_row(
    ("segments", "chain"),
    [
        pytest.param(
            written(2, 3, 4) | written(4, 5, timeline=2),
            Chain(2, at(5)),
            id="the switch's own segment is the newer timeline's",
        ),
        pytest.param(
            written(2, 3, 4) | written(5, timeline=2),
            Chain(2, at(3), (name(4, 2),), at(5)),
            id="the newer timeline's first is missing",
        ),
        pytest.param(
            written(2, 3) | written(4, 6, timeline=2),
            Chain(2, at(4), (name(5, 2),), at(6)),
            id="one after the switch",
        ),
        pytest.param(
            written(2, 3, 4, 5, 9) | unfinished(4, timeline=2),
            Chain(2, at(4)),
            id="the older timeline went on",
        ),
    ],
)
def test_a_switch_of_timelines_is_followed(segments: dict[str, datetime], chain: Chain) -> None:
    assert follow(segments, MANIFEST, ((1, 0), (2, 4))) == chain


def test_a_history_names_each_timeline_and_where_the_next_one_begins() -> None:
    text = (
        "1\t0/5000028\tbefore 2026-05-01 00:00:00+00\n\n2\t1/6000000\tno recovery target "
        "specified\n"
    )
    assert read_history(text) == ((1, 0x5000028), (2, 0x1_0600_0000))


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    """A folder whose log lacks segment 4 after a backup."""
    folder = BackupFolder(tmp_path / "backups", BackupKey("a key that is long enough for a test"))
    folder.ensure()
    fill(folder, written(2, 3, 5))
    return folder


def fill(folder: BackupFolder, segments: dict[str, datetime]) -> None:
    place = folder.wal(MANIFEST.system_identifier)
    place.mkdir(parents=True, exist_ok=True)
    for segment, instant in segments.items():
        path = place / f"{segment}.gz.age"
        path.touch()
        os.utime(path, (instant.timestamp(), instant.timestamp()))


@each_row(
    ("since", "gaps", "missing"),
    [
        pytest.param(at(-1), [], (name(4),), id="nobody meant to"),
        pytest.param(at(-1), [at(6)], (name(4),), id="a later interruption does not explain it"),
        pytest.param(
            at(-1),
            [at(1)],
            (),
            id="from an earlier interruption on nothing is restored from this backup",
        ),
        pytest.param(at(-1), [at(4)], (), id="an interruption that was noticed"),
        pytest.param(at(1), [], (), id="the retention deleted it"),
    ],
)
def test_what_was_deleted_on_purpose_or_noticed_is_not_missing(
    folder: BackupFolder, since: datetime, gaps: list[datetime], missing: tuple[str, ...]
) -> None:
    folder.note(log_since=since.isoformat(), gaps=[gap.isoformat() for gap in gaps])
    found = find_missing(folder, MANIFEST)
    assert (found.missing if found else ()) == missing


def test_the_newest_timeline_is_the_last_one_that_came_of_the_backup_and_is_in_the_folder(
    folder: BackupFolder,
) -> None:
    fill(folder, written(4, 5) | written(5, 6, timeline=2) | written(7, timeline=4))
    # The third one left the first before the backup was made; of the fourth the segment of the
    # switch is not there.
    histories = {
        2: "1\t0/5000028\tx\n",
        3: "1\t0/2000028\tx\n",
        4: "1\t0/5000028\tx\n\n2\t0/6000028\tx\n",
    }
    for timeline, text in histories.items():
        folder.key.seal_bytes(
            text.encode(),
            folder.wal(MANIFEST.system_identifier) / f"{timeline:08X}.history.gz.age",
            compress=True,
        )
    assert trace(folder, MANIFEST) == Chain(1, at(5))
    assert trace(folder, MANIFEST, newest_timeline=True) == Chain(2, at(6))
