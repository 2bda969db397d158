"""What the process that keeps backups does next."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from luna.platform.clock import FixedClock
from luna.platform.database import engine
from luna.platform.database.backups import ServerIdentity
from luna.platform.health.readiness import Liveness
from luna.platform.objects import open_objects
from luna.platform.settings import Settings
from services.backup.create import BackupWork
from services.backup.encryption import BackupKey
from services.backup.folder import BackupFolder
from services.backup.keeper import BEAT, Keeper, next_step
from services.backup.mirror import ObjectMirror
from services.backup.postgres_programs import BackedUpServer
from services.backup.wal import WalShipper
from tests.support.suite.tables import each_row

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EMBEDDED = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic reads it
CONTAINERS = EMBEDDED.model_copy(update={"database_url": SecretStr("postgresql://db/luna")})


def ago(**how_long: float) -> str:
    return (NOW - timedelta(**how_long)).isoformat()


@each_row(
    ("status", "settings", "step"),
    [
        pytest.param({}, EMBEDDED, "backup", id="there is none"),
        pytest.param(
            {"newest_at": ago(hours=25), "drill_passed_at": ago(days=1)},
            EMBEDDED,
            "backup",
            id="a day old",
        ),
        pytest.param(
            {"newest_at": ago(hours=1), "drill_passed_at": ago(days=1)},
            EMBEDDED,
            None,
            id="all well",
        ),
        pytest.param(
            {"newest_at": ago(hours=1), "drill_passed_at": ago(days=1), "gap": True},
            EMBEDDED,
            "backup",
            id="the log has a gap",
        ),
        pytest.param({"newest_at": ago(hours=1)}, EMBEDDED, "drill", id="never tried"),
        pytest.param(
            {"newest_at": ago(hours=1), "drill_passed_at": ago(days=8)},
            EMBEDDED,
            "drill",
            id="tried long ago",
        ),
        pytest.param(
            {"newest_at": ago(hours=1)},
            CONTAINERS,
            None,
            id="in containers the machine's clock asks for drills",
        ),
        pytest.param(
            {}, EMBEDDED.model_copy(update={"backup_every": None}), None, id="nobody wants any"
        ),
    ],
)
def test_what_is_due(status: dict[str, Any], settings: Settings, step: str | None) -> None:
    assert next_step(status, settings, NOW) == step


@dataclass(frozen=True)
class CountingFolder(BackupFolder):
    """Counts the backups that are tried."""

    tries: list[str] = field(default_factory=list)

    @contextmanager
    def alone(self) -> Iterator[None]:
        self.tries.append("backup")
        with super().alone():
            yield


def test_every_gap_of_the_log_is_followed_by_a_backup_at_once_and_a_failed_one_by_a_pause(
    tmp_path: Path,
) -> None:
    settings = EMBEDDED.model_copy(update={"data_folder": tmp_path})
    address = "postgresql://luna@127.0.0.1:9/none"
    folder = CountingFolder(tmp_path / "backups", BackupKey("a key that is long enough for a test"))
    folder.note(newest_at=ago(hours=1), drill_passed_at=ago(days=1))
    objects = open_objects(settings)
    # Its database is away: every backup fails.
    work = BackupWork(
        settings=settings,
        server=BackedUpServer(address, tmp_path),
        database=engine.create(address),
        folder=folder,
        identity=ServerIdentity(
            "1",
            1,
            170_000,
            segment_bytes=16 * 2**20,
            database_bytes=1,
            extensions={},
            schema_revision=None,
        ),
        shipper=WalShipper(folder, tmp_path / "wal", "1"),
        objects=objects,
        mirror=ObjectMirror(folder, objects, tmp_path / "scratch"),
        clock=FixedClock(NOW),
    )
    ending = threading.Event()
    ending.set()
    keeper = Keeper(work, ending)
    tries: list[int] = []

    def turn() -> None:
        keeper.turn()
        keeper.run(Liveness(BEAT))  # waits for what was begun
        tries.append(len(folder.tries))

    for minutes in (1, 2):
        folder.note_gap(NOW + timedelta(minutes=minutes))
        turn()
        turn()
        # By a backup that somebody asked for.
        folder.note(gap=None)
        turn()
    assert tries == [1, 1, 1, 2, 2, 2]
