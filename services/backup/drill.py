"""Restore drill: restores a backup temporarily, compares it, measures RTO and RPO."""

import time
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog

from luna.energy.errors import LunaError
from luna.platform.clock import Clock, SystemClock
from luna.platform.settings import Settings
from services.backup import mirror
from services.backup.folder import NEWEST, BackupFolder, open_folder, status_instant
from services.backup.recovery import aim, check_usable, discard
from services.backup.restore import Report, open_home, recover

PLACE = "drill"

log = structlog.get_logger("luna.backup")


@dataclass(frozen=True)
class DrillReport:
    """Result of a drill.

    Args:
        backup_id: the restored backup.
        compared: whether the tables were compared with the manifest; not where they changed while
            it was made.
        tables: number of tables.
        rows: of all tables.
        objects: number of objects verified.
        seconds: until the database was up: the time of a restore (RTO).
        behind_seconds: age of the last safe instant (RPO); None where no log is shipped.
    """

    backup_id: str
    compared: bool
    tables: int
    rows: int
    objects: int
    seconds: float
    behind_seconds: float | None


def drill(
    settings: Settings,
    at: str = NEWEST,
    *,
    clock: Clock | None = None,
    report: Report = lambda _: None,
) -> DrillReport:
    """Restore a backup into a temporary folder and record the outcome.

    Tables, files and objects are compared with the manifest.

    Raises:
        LunaError: a restore would fail; recorded for monitors.
    """
    clock = clock or SystemClock()
    folder = open_folder(settings)
    try:
        now = clock.now()
        home = open_home(settings)
        with folder.alone():
            behind = behind_seconds(folder, now)
            target = aim(folder, at)
            manifest = target.manifest
            instant = target.instant
            check_usable(manifest, home.major)
            place = home.home / PLACE
            began = time.monotonic()
            discard(place)
            try:
                rows = recover(folder, home, target, place, report=report)
            finally:
                discard(place)
            seconds = round(time.monotonic() - began, 1)
            report("objects")
            entries = mirror.entries_at(folder, manifest, instant)
            mirror.check_copies(folder, entries)
        drill_report = DrillReport(
            backup_id=manifest.backup_id,
            compared=target.is_exact,
            tables=len(rows),
            rows=sum(rows.values()),
            objects=len(entries),
            seconds=seconds,
            behind_seconds=behind,
        )
    except LunaError as error:
        # The status is plain and copied to other computers: the sentence, with paths and the
        # server's log, stays here.
        folder.note(drill_failed_at=clock.now().isoformat(), drill_failure=error.code)
        raise
    folder.note(
        drill_passed_at=clock.now().isoformat(),
        drill_seconds=drill_report.seconds,
        drill_failed_at=None,
        drill_failure=None,
    )
    log.info("drill passed", **asdict(drill_report))
    return drill_report


def behind_seconds(folder: BackupFolder, now: datetime) -> float | None:
    """Return the age of the last instant up to which all writes are safe.

    None where no log is shipped.
    """
    reached = status_instant(folder.read_status(), "wal_at")
    return None if reached is None else round((now - reached).total_seconds(), 1)
