"""Which backups stay."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.platform.settings import Settings
from services.backup.chain import require_whole
from services.backup.encryption import BackupKey
from services.backup.folder import MANIFEST as MANIFEST_FILE
from services.backup.folder import BackupFolder, stamp
from services.backup.retention import choose_retained, is_protected, prune
from services.backup.wal import SUFFIX
from tests.support.database.home_to_back_up import MANIFEST, SEGMENT_BYTES

START = datetime(2026, 1, 1, 2, tzinfo=UTC)
INSTANTS = st.lists(
    st.datetimes(
        datetime(2020, 1, 1),  # noqa: DTZ001
        datetime(2030, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    unique=True,
)


def days(count: int) -> list[datetime]:
    return [START + timedelta(days=day) for day in range(count)]


def test_the_last_of_each_day_week_and_month_stay() -> None:
    # 1 January to 10 April 2026, which is a Friday: 100 days.
    kept = sorted(choose_retained(days(100), daily=3, weekly=2, monthly=2))
    # Three days: 8 to 10 April. Weeks: that of 10 April, and the one that ended on 5 April. Months:
    # April, and March by its 31st.
    assert [f"{at:%m-%d}" for at in kept] == ["03-31", "04-05", "04-08", "04-09", "04-10"]


def test_of_several_in_a_day_the_last_one_sessions() -> None:
    morning = START
    evening = START + timedelta(hours=12)
    assert choose_retained([morning, evening], daily=7, weekly=0, monthly=0) == {evening}


def test_a_pause_of_months_costs_no_backup_its_place() -> None:
    old = days(3)
    assert choose_retained([*old, START + timedelta(days=300)], daily=4, weekly=0, monthly=0) == {
        *old,
        START + timedelta(days=300),
    }


def test_a_backup_that_was_asked_for_stays_for_the_days_and_any_for_one_day() -> None:
    newest = START
    window = START - timedelta(days=7)
    kept = {
        (reason, hours): is_protected(
            reason, START - timedelta(hours=hours), newest=newest, window=window
        )
        for reason in ("asked", "scheduled")
        for hours in (2, 30, 200)
    }
    assert [case for case, sessions in kept.items() if sessions] == [
        ("asked", 2),
        ("asked", 30),
        ("scheduled", 2),
    ]


@given(INSTANTS)
def test_the_newest_always_stays_and_keeping_twice_keeps_the_same(finished: list[datetime]) -> None:
    kept = choose_retained(finished, daily=2, weekly=2, monthly=2)
    assert kept <= set(finished)
    assert set(sorted(finished)[-1:]) <= kept
    assert choose_retained(sorted(kept), daily=2, weekly=2, monthly=2) == kept


@pytest.mark.parametrize("last_day", [10, 31], ids=["a backup each day", "off for three weeks"])
def test_any_instant_of_the_days_before_the_newest_backup_can_be_restored(
    tmp_path: Path, last_day: int
) -> None:
    folder = BackupFolder(tmp_path, BackupKey("a key that is long enough for a test"))
    folder.ensure()
    log = folder.wal(MANIFEST.system_identifier)
    log.mkdir(parents=True)
    for number, day in enumerate((*range(10), last_day)):
        made = START + timedelta(days=day, minutes=number)
        # The backup's own segment, and one that is written until the computer is switched off in
        # the evening.
        own, rest = (f"{1:08X}{0:08X}{2 * number + part:08X}" for part in (0, 1))
        for segment, written in ((own, made), (rest, made + timedelta(hours=16))):
            (log / f"{segment}{SUFFIX}").touch()
            os.utime(log / f"{segment}{SUFFIX}", (written.timestamp(), written.timestamp()))
        spans = {
            "started_at": made,
            "finished_at": made,
            "first_segment": own,
            "last_segment": own,
            "restore_lsn": 2 * number * SEGMENT_BYTES + 1,
        }
        manifest = MANIFEST.model_copy(
            update={"backup_id": stamp(made), "reason": "scheduled"} | spans
        )
        with folder.unfinished(stamp(made)) as place:
            folder.key.seal_bytes(manifest.model_dump_json().encode(), place / MANIFEST_FILE)
        prune(folder, Settings(_env_file=None))  # type: ignore[call-arg]  # pydantic reads it
    for hours in range(0, 7 * 24, 8):
        chosen, instant = folder.choose((made - timedelta(hours=hours)).isoformat())
        assert not require_whole(folder, chosen, instant).missing
