"""The write-ahead log as it is written: received from the server into a spool, and from there encrypted into the folder of backups."""

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
from services.backup.server import BackedUpServer, explain

SLOT = "luna_backup"
RESTART_SECONDS = 2.0
# So often the receiver tells the server how far it is.
REPORT_SECONDS = 5
PARTIAL = ".partial"
SUFFIX = ".gz.age"
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_LOG_FILE = re.compile(r"(?P<segment>[0-9A-F]{24})(\.partial)?|[0-9A-F]{8}\.history")
# What the receiver says when what it has does not continue what the server has: after a restore, or when the server could keep no more.
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
    """Moves what was received from the spool into the folder of backups.

    Args:
        folder: of backups.
        spool: where the receiver writes; of this machine alone.
        system_identifier: the cluster.
    """

    folder: BackupFolder
    spool: Path
    system_identifier: str
    _shipped: dict[str, int] = field(default_factory=dict)
    _written: dict[str, datetime] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """Where the log of this cluster lies in the folder."""
        return self.folder.wal(self.system_identifier)

    def learn(self, connection: Connection) -> None:
        """Remember when the server wrote what is not in the folder yet: it can arrive long after that."""
        written_at = self._written | backups.list_written(connection)
        self._written = {name: written for name, written in written_at.items() if not (self.place / f"{name}{SUFFIX}").exists()}

    def ship(self) -> int:
        """Encrypt what is new into the folder; return how many files that were. What was shipped whole leaves the spool, but for the last of it.

        Raises:
            MachineError: the folder cannot be written; the spool keeps what it has.
        """
        make_private(self.place)
        with _locked(self.spool / ".ship"):
            names = list_segments(self.spool)
            count = sum(self._ship(name) for name in names)
            whole = [name for name in names if _SEGMENT.fullmatch(name)]
            # The last whole one tells the receiver where to go on.
            for name in whole[:-1]:
                (self.spool / name).unlink(missing_ok=True)
        return count

    def _ship(self, name: str) -> bool:
        path, place = self.spool / name, self.place / f"{name}{SUFFIX}"
        try:
            written = path.stat().st_mtime_ns
            if self._shipped.get(name) == written or (_SEGMENT.fullmatch(name) and place.exists()):
                return False
            content = path.read_bytes()
        except FileNotFoundError:
            # The receiver has completed it meanwhile; the next look finds it under its own name.
            return False
        self.folder.key.seal_bytes(content, place, compress=True)
        # Its age says until when it can be restored where the next one is missing; what was received live was written then.
        server_time = self._written.get(name)
        age = written if server_time is None else min(written, int(server_time.timestamp()) * 1_000_000_000)
        os.utime(place, ns=(age, age))
        self._shipped[name] = written
        if not name.endswith(PARTIAL):
            (self.place / f"{name}{PARTIAL}{SUFFIX}").unlink(missing_ok=True)
        return True


class WalReceiver:
    """Runs PostgreSQL's ``pg_receivewal``, again and again, as long as the block lasts. Of several processes one does; the others lean on it."""

    def __init__(self, server: BackedUpServer, database: Engine, shipper: WalShipper, *, clock: Clock) -> None:
        self._server, self._database, self._shipper, self._clock = server, database, shipper, clock
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
                except LunaError as error:
                    log.warning("write-ahead log is not received", error=str(error))
                self._ending.wait(RESTART_SECONDS)

    def _receive(self, lock: int) -> None:
        make_private(self._shipper.spool)
        with engine.own_session(self._database) as connection:
            self._shipper.learn(connection)
            if not backups.ensure_slot(connection, SLOT) and list_segments(self._shipper.spool):
                self._begin_anew("the server keeps no more of it")
        arguments = ("-D", self._shipper.spool, "-S", SLOT, "-s", str(REPORT_SECONDS), "--no-loop", "--no-password")
        # It holds the lock too: whoever is killed leaves his receiver behind, which goes on, and the next one leans on it.
        self._process = process = self._server.spawn("pg_receivewal", *arguments, lock=lock)
        words = (process.communicate()[1] or b"").decode(errors="replace")
        if self._ending.is_set():
            return
        if any(sign in words for sign in _BROKEN):
            self._begin_anew(words)
            return
        raise explain("pg_receivewal", words)

    def _begin_anew(self, reason: str) -> None:
        """Ship what was received and forget it: the log goes on elsewhere, and only a new base backup can be restored to an instant from here on."""
        log.error("the write-ahead log has a gap; a backup is made now", reason=" ".join(reason.split())[-300:])
        self._shipper.ship()
        for name in list_segments(self._shipper.spool):
            (self._shipper.spool / name).unlink(missing_ok=True)
        with engine.own_session(self._database) as connection:
            backups.drop_slot(connection, SLOT)
            backups.ensure_slot(connection, SLOT)
        self._shipper.folder.note_gap(self._clock.now())


def note_reach(folder: BackupFolder, database: Engine, shipper: WalShipper, clock: Clock, *, ending: threading.Event | None = None) -> None:
    """Ship, and remember until when the log is safe: what the server has written by now is waited for, whatever it writes meanwhile.

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
        folder.note(wal_at=now.isoformat(), wal_lsn=written, wal_timeline=timeline, wal_cluster=shipper.system_identifier)


def await_received(database: Engine, lsn: int, *, seconds: float) -> None:
    """Return once the receiver has everything before ``lsn``.

    Raises:
        UnavailableError: nobody receives it in time.
    """
    if not _arrives(database, lsn, seconds=seconds, every=0.1):
        raise UnavailableError("the write-ahead log does not arrive", field="database_url", remedy="Let the database's user replicate; see its log.")


def _arrives(database: Engine, lsn: int, *, seconds: float, every: float, ending: threading.Event | None = None) -> bool:
    """Return whether the receiver has everything before ``lsn`` in time, which is looked for ``every`` so many seconds until ``ending`` is set."""
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
    """Return the files of the log in a spool, by name."""
    return sorted(path.name for path in folder.iterdir() if _LOG_FILE.fullmatch(path.name)) if folder.is_dir() else []


def unpack(folder: BackupFolder, system_identifier: str, first_segment: str, into: Path) -> int:
    """Decrypt the log from ``first_segment`` on into ``into``, as PostgreSQL names its files; return how many bytes that are.

    Raises:
        MachineError: a file is damaged.
    """
    return sum((into / name).write_bytes(content) for name, content in read_log(folder, system_identifier, first_segment))


def read_log(folder: BackupFolder, system_identifier: str, first_segment: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the log from ``first_segment`` on, named as PostgreSQL asks for them.

    Raises:
        MachineError: a file is damaged.
    """
    place = folder.wal(system_identifier)
    for path in sorted(place.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        segment = name.removesuffix(PARTIAL)
        if not _LOG_FILE.fullmatch(name) or (_SEGMENT.fullmatch(segment) and segment[8:] < first_segment[8:]):
            continue
        if name.endswith(PARTIAL) and (place / f"{segment}{SUFFIX}").exists():
            continue
        yield segment, folder.key.read(path, compressed=True)


def size_from(folder: BackupFolder, system_identifier: str, first_segment: str, segment_bytes: int) -> int:
    """Return the bytes that ``unpack`` will write at most."""
    segments = [path.name[:24] for path in folder.wal(system_identifier).glob(f"*{SUFFIX}") if path.name[8:24] >= first_segment[8:]]
    return len(segments) * segment_bytes


def prune_log(folder: BackupFolder, system_identifier: str, keep: list[tuple[str, str | None]]) -> int:
    """Delete segments that lie in none of the spans ``keep`` (first and last segment; None: to the end); return how many."""
    count = 0
    for path in folder.wal(system_identifier).glob(f"*{SUFFIX}"):
        segment = path.name[8:24]
        inside = any(first[8:] <= segment and (last is None or segment <= last[8:]) for first, last in keep)
        if _SEGMENT.fullmatch(path.name[:24]) and not inside:
            path.unlink(missing_ok=True)
            count += 1
    return count


@contextmanager
def _locked(path: Path, *, ending: threading.Event | None = None) -> Iterator[int | None]:
    """Hold a lock, and wait for it; until ``ending`` is set where that is given: then it may come to nothing. Yields the lock's descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not (mine := _take(descriptor, wait=ending is None)) and ending is not None and not ending.wait(1):
            pass
        yield descriptor if mine else None
    finally:
        os.close(descriptor)


def _take(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
