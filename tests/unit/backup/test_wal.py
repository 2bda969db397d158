"""What the receiver of the write-ahead log does where the database or the disk fails it."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from sqlalchemy import create_engine

from luna.energy.errors import UnavailableError
from luna.platform.clock import FixedClock
from services.backup.encryption import BackupKey
from services.backup.folder import BackupFolder
from services.backup.postgres_programs import BackedUpServer
from services.backup.wal import WalReceiver, WalShipper, list_segments
from tests.support.database.home_to_back_up import wait_until

SEGMENT = "000000010000000000000003"


def receiver(place: Path, connect: Callable[[], NoReturn]) -> WalReceiver:
    shipper = WalShipper(
        BackupFolder(place / "backups", BackupKey("a key that is long enough for a test")),
        place / "wal",
        "1",
    )
    database = create_engine("postgresql+psycopg://", creator=connect)
    return WalReceiver(
        BackedUpServer("postgresql://luna@127.0.0.1:9/none", place),
        database,
        shipper,
        clock=FixedClock(datetime(2026, 5, 1, tzinfo=UTC)),
    )


def test_a_refused_right_to_replicate_is_tried_again(tmp_path: Path) -> None:
    tries = itertools.count()

    def refuse() -> NoReturn:
        next(tries)
        raise psycopg.errors.InsufficientPrivilege("permission denied to use replication slots")

    with receiver(tmp_path, refuse).running():
        # ``count`` shows its next number.
        wait_until(lambda: repr(tries) not in {"count(0)", "count(1)"})


def test_a_gap_that_cannot_be_recorded_yet_is_found_again(tmp_path: Path) -> None:
    def be_away() -> NoReturn:
        raise psycopg.OperationalError("connection refused")

    spool = tmp_path / "wal"
    spool.mkdir()
    (spool / SEGMENT).write_bytes(b"log")
    with pytest.raises(UnavailableError):
        receiver(tmp_path, be_away).begin_anew("requested WAL segment has already been removed")
    # From an empty spool the log would go on without a word, as in a new home.
    assert list_segments(spool) == [SEGMENT]
