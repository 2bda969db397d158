"""Continuous archiving of PostgreSQL's write-ahead log.

It is received from the server into a spool, and encrypted from there into the backup folder.
"""

import fcntl
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine

from luna.energy.errors import LunaError, UnavailableError
from luna.platform.clock import Clock
from luna.platform.database import backups, engine
from luna.platform.private_folders import make_private
from services.backup.folder import BackupFolder
from services.backup.postgres_programs import BackedUpServer, explain

SLOT = "luna_backup"
RESTART_SECONDS = 2.0
# Interval of the receiver's feedback to the server.
REPORT_SECONDS = 5
PARTIAL = ".partial"
SUFFIX = ".gz.age"
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_LOG_FILE = re.compile(r"(?P<segment>[0-9A-F]{24})(\.partial)?|[0-9A-F]{8}\.history")
# Messages of ``pg_receivewal`` where its spool cannot be continued: after a restore, or when the
# server has removed segments.
_BROKEN = (
    "has already been removed",
    "ahead of the WAL flush position",
    "is not in this server's history",
    "is not present in the server",
    "invalidated",
    "can no longer",
)

log = structlog.get_logger("luna.backup")


@dataclass
class WalShipper:
    """Moves received segments from the spool into the backup folder.

    Args:
        folder: of backups.
        spool: folder that the receiver writes to, local to this machine.
        system_identifier: of the cluster that wrote the log.
    """

    folder: BackupFolder
    spool: Path
    system_identifier: str
    _shipped: dict[str, int] = field(default_factory=dict)
    _written: dict[str, datetime] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The folder of this cluster's log."""
        return self.folder.wal(self.system_identifier)

    def learn(self, connection: Connection) -> None:
        """Record the server's write times of segments not yet in the folder.

        They may arrive much later.
        """
        written_at = self._written | backups.list_written(connection)
        self._written = {}
        for name, written in written_at.items():
            if not (self.place / f"{name}{SUFFIX}").exists():
                self._written[name] = written

    def ship(self) -> int:
        """Encrypt new files into the folder and return their number.

        Complete segments leave the spool, except the last.

        Raises:
            MachineError: the folder cannot be written; the spool keeps what it has.
        """
        make_private(self.place)
        with _locked(self.spool / ".ship"):
            names = list_segments(self.spool)
            count = sum(self._ship(name) for name in names)
            whole = [name for name in names if _SEGMENT.fullmatch(name)]
            # The receiver continues after the last complete segment.
            for name in whole[:-1]:
                (self.spool / name).unlink(missing_ok=True)
        return count

    def _ship(self, name: str) -> bool:
        path = self.spool / name
        place = self.place / f"{name}{SUFFIX}"
        try:
            written = path.stat().st_mtime_ns
            if self._shipped.get(name) == written or (_SEGMENT.fullmatch(name) and place.exists()):
                return False
            content = path.read_bytes()
        except FileNotFoundError:
            # The receiver has completed and renamed it meanwhile; the next pass ships it.
            return False
        self.folder.key.seal_bytes(content, place, compress=True)
        # The modification time is the last instant that this segment restores if the next one is
        # missing: the server's time where known, else that of receipt.
        server_time = self._written.get(name)
        age = written
        if server_time is not None:
            age = min(written, int(server_time.timestamp()) * 1_000_000_000)
        os.utime(place, ns=(age, age))
        self._shipped[name] = written
        if not name.endswith(PARTIAL):
            (self.place / f"{name}{PARTIAL}{SUFFIX}").unlink(missing_ok=True)
        return True


class WalReceiver:
    """Runs PostgreSQL's ``pg_receivewal`` in a thread, restarted after it ends.

    Of several processes the holder of a lock runs it for all.
    """

    def __init__(
        self,
        server: BackedUpServer,
        database: Engine,
        shipper: WalShipper,
        *,
        clock: Clock,
        report_seconds: int = REPORT_SECONDS,
    ) -> None:
        self._server = server
        self._database = database
        self._shipper = shipper
        self._clock = clock
        self._report_seconds = report_seconds
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Receive while the block runs."""
        make_private(self._shipper.spool)
        thread = threading.Thread(target=self._run, name="wal", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            while thread.is_alive():
                if self._process is not None and self._process.poll() is None:
                    self._process.terminate()
                thread.join(0.1)

    def _run(self) -> None:
        with _locked(self._shipper.spool / ".receive", ending=self._ending) as mine:
            while mine is not None and not self._ending.is_set():
                try:
                    self._receive(mine)
                # The edge of the thread: if it ended, nothing would be received any more
                except Exception as error:
                    log.warning(
                        "write-ahead log is not received",
                        error=str(error),
                        exc_info=None if isinstance(error, LunaError) else error,
                    )
                self._ending.wait(RESTART_SECONDS)

    def _receive(self, lock: int) -> None:
        make_private(self._shipper.spool)
        with engine.own_session(self._database) as connection:
            self._shipper.learn(connection)
            if not backups.ensure_slot(connection, SLOT) and list_segments(self._shipper.spool):
                self.begin_anew("the server keeps no more of it")
        arguments = (
            "-D",
            self._shipper.spool,
            "-S",
            SLOT,
            "-s",
            str(self._report_seconds),
            "--no-loop",
            "--no-password",
        )
        # The child inherits the lock: it outlives a killed parent and keeps other processes from
        # starting a second receiver.
        self._process = process = self._server.spawn("pg_receivewal", *arguments, lock=lock)
        words = (process.communicate()[1] or b"").decode(errors="replace")
        if self._ending.is_set():
            return
        if any(sign in words for sign in _BROKEN):
            self.begin_anew(words)
            return
        raise explain("pg_receivewal", words)

    def begin_anew(self, reason: str) -> None:
        """Ship the spool, empty it and recreate the slot after a gap.

        From here on only a new base backup can be restored to an instant.
        """
        log.error(
            "the write-ahead log has a gap; a backup is made now",
            reason=" ".join(reason.split())[-300:],
        )
        self._shipper.ship()
        with engine.own_session(self._database) as connection:
            backups.drop_slot(connection, SLOT)
            backups.ensure_slot(connection, SLOT)
        self._shipper.folder.note_gap(self._clock.now())
        # Last: until the gap is recorded, the old segments show the next attempt that there is one.
        for name in list_segments(self._shipper.spool):
            (self._shipper.spool / name).unlink(missing_ok=True)


def note_reach(
    folder: BackupFolder,
    database: Engine,
    shipper: WalShipper,
    clock: Clock,
    *,
    ending: threading.Event | None = None,
) -> None:
    """Ship, and record the instant until which the log is safe.

    First wait for what the server has written by now.

    Raises:
        LunaError: the database is away, or the folder cannot be written.
    """
    now = clock.now()
    with engine.own_session(database) as connection:
        written = backups.written_position(connection)
        shipper.learn(connection)
    arrived = _arrives(database, written, seconds=REPORT_SECONDS + 1, every=0.5, ending=ending)
    shipper.ship()
    if arrived:
        received = list_segments(shipper.spool)
        timeline = int(received[-1][:8], 16) if received else None
        folder.note(
            wal_at=now.isoformat(),
            wal_lsn=written,
            wal_timeline=timeline,
            wal_cluster=shipper.system_identifier,
        )


def await_received(database: Engine, lsn: int, *, seconds: float) -> None:
    """Return once the receiver has everything before ``lsn``.

    Raises:
        UnavailableError: it is not received in time.
    """
    if not _arrives(database, lsn, seconds=seconds, every=0.1):
        raise UnavailableError(
            "the write-ahead log does not arrive",
            field="database_url",
            remedy="Let the database's user replicate; see its log.",
        )


def _arrives(
    database: Engine,
    lsn: int,
    *,
    seconds: float,
    every: float,
    ending: threading.Event | None = None,
) -> bool:
    """Return whether the receiver has everything before ``lsn`` within ``seconds``.

    Polls ``every`` so many seconds until ``ending`` is set.
    """
    pause = ending or threading.Event()
    for _ in range(int(seconds / every)):
        with engine.own_session(database) as connection:
            received = backups.received_position(connection, SLOT)
        if received is not None and received >= lsn:
            return True
        if pause.wait(every):
            break
    return False


def list_segments(folder: Path) -> list[str]:
    """Return the names of a spool's log files in order, history files included."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _LOG_FILE.fullmatch(path.name))


def unpack(folder: BackupFolder, system_identifier: str, first_segment: str, into: Path) -> int:
    """Decrypt the log from ``first_segment`` on, and return the bytes written.

    The files get PostgreSQL's names.

    Raises:
        MachineError: a file is damaged.
    """
    written = 0
    for name, content in read_log(folder, system_identifier, first_segment):
        written += (into / name).write_bytes(content)
    return written


def read_log(
    folder: BackupFolder, system_identifier: str, first_segment: str
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the log's files from ``first_segment`` on.

    The names are PostgreSQL's.

    Raises:
        MachineError: a file is damaged.
    """
    place = folder.wal(system_identifier)
    for path in sorted(place.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        segment = name.removesuffix(PARTIAL)
        is_earlier = _SEGMENT.fullmatch(segment) and segment[8:] < first_segment[8:]
        if is_earlier or not _LOG_FILE.fullmatch(name):
            continue
        if name.endswith(PARTIAL) and (place / f"{segment}{SUFFIX}").exists():
            continue
        yield segment, folder.key.read(path, compressed=True)


def size_from(
    folder: BackupFolder, system_identifier: str, first_segment: str, segment_bytes: int
) -> int:
    """Return an upper bound of the bytes that ``unpack`` writes."""
    paths = folder.wal(system_identifier).glob(f"*{SUFFIX}")
    count = sum(path.name[8:24] >= first_segment[8:] for path in paths)
    return count * segment_bytes


def prune_log(
    folder: BackupFolder, system_identifier: str, keep: list[tuple[str, str | None]]
) -> int:
    """Delete the segments outside the spans ``keep``.

    A span is the first and the last segment; None: to the end.

    Return their number.
    """
    count = 0
    for path in folder.wal(system_identifier).glob(f"*{SUFFIX}"):
        segment = path.name[8:24]
        inside = any(_is_inside(segment, first, last) for first, last in keep)
        if _SEGMENT.fullmatch(path.name[:24]) and not inside:
            path.unlink(missing_ok=True)
            count += 1
    return count


def _is_inside(segment: str, first: str, last: str | None) -> bool:
    return first[8:] <= segment and (last is None or segment <= last[8:])


@contextmanager
def _locked(path: Path, *, ending: threading.Event | None = None) -> Iterator[int | None]:
    """Wait for a file lock and yield its descriptor, or None if ``ending`` came first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        is_locked = _take(descriptor, wait=ending is None)
        while not is_locked and ending is not None and not ending.wait(1):
            is_locked = _take(descriptor, wait=False)
        yield descriptor if is_locked else None
    finally:
        os.close(descriptor)


def _take(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
