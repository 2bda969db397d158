"""Loop of the backup process.

It ships the log, starts due backups and restore drills, prunes expired backups, and sets the
metrics.
"""

import threading
from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge

from luna.energy.errors import LunaError
from luna.platform.health.readiness import Liveness
from luna.platform.memory import FreedMemory
from luna.platform.settings import Settings
from services.backup.chain import list_missing
from services.backup.create import BackupWork, create_backup
from services.backup.drill import drill
from services.backup.folder import status_instant
from services.backup.retention import prune
from services.backup.wal import note_reach

BEAT = timedelta(seconds=15)
# A starting system has other work, and nothing new to back up.
FIRST_AFTER = timedelta(minutes=5)
AGAIN_AFTER = timedelta(minutes=15)
LOOKED_AFTER = timedelta(minutes=5)

NEWEST = Gauge("luna_backup_newest_timestamp_seconds", "When the newest backup was made.")
SAFE = Gauge(
    "luna_backup_log_timestamp_seconds",
    "Until when everything written is safe in the folder of backups.",
)
DRILLED = Gauge("luna_backup_drill_passed_timestamp_seconds", "When a trial restore passed last.")
SINCE = Gauge(
    "luna_backup_since_timestamp_seconds", "When the first backup in this folder was made."
)
DRILL_FAILED = Gauge(
    "luna_backup_drill_failed_bool", "Whether the last trial restore failed: 1 or 0."
)
DRILL_SECONDS = Gauge("luna_backup_drill_seconds", "How long the last trial restore took.")
MISSING = Gauge(
    "luna_backup_log_missing_segments",
    "Segments of the log that are missing from the folder of backups after a backup.",
)
DUE_SECONDS = Gauge(
    "luna_backup_every_seconds",
    "Time between two backups as the settings say it; 0: none by itself.",
)

log = structlog.get_logger("luna.backup")


class Keeper:
    """The loop of the backup process.

    Backups and drills take minutes and run in a thread of their own, one at a time.
    """

    def __init__(self, work: BackupWork, ending: threading.Event) -> None:
        self._work = work
        self._ending = ending
        self._settings = work.settings
        self._clock = work.clock
        self._not_before = self._clock.now() + FIRST_AFTER
        self._look_at = self._clock.now()
        # The newest gap of the log for which a backup was started.
        self._gap: str | None = None
        self._busy: threading.Thread | None = None
        self._freed = FreedMemory()

    def run(self, pulse: Liveness) -> None:
        """Run turns until ``ending`` is set."""
        while not self._ending.is_set():
            pulse.beat()
            self.turn()
            self._ending.wait(BEAT.total_seconds())
        if self._busy is not None:
            self._busy.join()

    def turn(self) -> None:
        """Ship log and objects, look for missing segments, start a due step, set metrics."""
        try:
            note_reach(
                self._work.folder,
                self._work.database,
                self._work.shipper,
                self._clock,
                ending=self._ending,
            )
            self._work.mirror.copy_new(self._clock.now())
            now = self._clock.now()
            if now >= self._look_at:
                self._look_at = now + LOOKED_AFTER
                missing = list_missing(self._work.folder)
                self._work.folder.note(missing=missing or None)
                if missing:
                    log.error(
                        "segments of the write-ahead log are missing; luna backup list "
                        "says until when can be restored",
                        segments=missing[:5],
                    )
        except LunaError as error:
            log.warning("not everything is safe yet", error=str(error))
        if self._busy is None or not self._busy.is_alive():
            status = self._work.folder.read_status()
            now = self._clock.now()
            step = next_step(status, self._settings, now)
            gap = status["gaps"][-1] if status.get("gap") else None
            # A new gap does not wait; a backup for it that failed does.
            if step is not None and (now >= self._not_before or gap not in {None, self._gap}):
                self._gap = gap
                self._not_before = now + AGAIN_AFTER
                self._busy = threading.Thread(target=self._do, args=(step,), name=step)
                self._busy.start()
        show(self._work.folder.read_status(), self._settings)
        # Encryption holds whole segments of 16 MB in memory.
        self._freed.give_back()

    def _do(self, step: str) -> None:
        try:
            if step == "backup":
                create_backup(self._work, "scheduled")
                prune(self._work.folder, self._settings)
            else:
                drill(self._settings)
        except LunaError as error:
            # Tried again; the alert tells.
            log.error("what was due failed", step=step, error=str(error))  # noqa: TRY400
        except Exception:  # the edge of the thread: a fault of ours must not end the shipping
            log.exception("what was due failed unexpectedly", step=step)


def next_step(status: dict[str, object], settings: Settings, now: datetime) -> str | None:
    """Return the due step: ``backup``, ``drill`` or None.

    A gap of the log makes a backup due at once: only a new one can be restored to an instant.
    """
    newest = status_instant(status, "newest_at")
    drilled = status_instant(status, "drill_passed_at")
    every = settings.backup_every
    if every is not None and (newest is None or status.get("gap") or now - newest >= every):
        return "backup"
    # Only an embedded database is restored for a trial.
    if settings.database_url is not None or settings.drill_every is None or newest is None:
        return None
    is_due = drilled is None or now - drilled >= settings.drill_every
    return "drill" if is_due else None


def show(status: dict[str, object], settings: Settings) -> None:
    """Set this process's metrics from the folder's status."""
    for gauge, name in (
        (NEWEST, "newest_at"),
        (SAFE, "wal_at"),
        (SINCE, "since"),
        (DRILLED, "drill_passed_at"),
    ):
        instant = status_instant(status, name)
        gauge.set(0 if instant is None else instant.timestamp())
    missing = status.get("missing")
    MISSING.set(len(missing) if isinstance(missing, list) else 0)
    DRILL_FAILED.set("drill_failed_at" in status)
    seconds = status.get("drill_seconds")
    DRILL_SECONDS.set(seconds if isinstance(seconds, (int, float)) else 0)
    DUE_SECONDS.set(settings.backup_every.total_seconds() if settings.backup_every else 0)
