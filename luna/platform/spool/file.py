"""The spool's file: SQLite in WAL mode, synced before a commit returns.

Its statements are the only SQL outside ``luna.platform.database``, as they are not for PostgreSQL.
A file is used by one thread.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

import structlog

from luna.energy.errors import MachineError
from luna.platform.embedded.account import folder_error, make_own_folder

NAME = "entries.sqlite"
# Exclusive: SQLite itself refuses a second process, and needs no shared memory. FULL syncs the log
# at every commit; fullfsync is what macOS calls a sync that reaches the disk.
PRAGMAS = (
    "locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
)
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entries (kind TEXT NOT NULL, site TEXT NOT NULL, sequence "
    "INTEGER NOT NULL, kept_at INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (kind, site, sequence)) WITHOUT ROWID"
)
WAITING = "SELECT kind, site, count(*), max(sequence) FROM entries GROUP BY kind, site"
APPEND = "INSERT INTO entries (kind, site, sequence, kept_at, body) VALUES (?, ?, ?, ?, ?)"
OLDEST = "SELECT sequence, body FROM entries WHERE kind = ? AND site = ? ORDER BY sequence LIMIT ?"
OLDEST_KEPT_AT = "SELECT kept_at FROM entries WHERE kind = ? AND site = ? ORDER BY sequence LIMIT 1"
REMOVE = "DELETE FROM entries WHERE kind = ? AND site = ? AND sequence <= ?"


class Stream(NamedTuple):
    """The unit of order: rows of one site; ``kind`` is the name of a ``RowKind``."""

    kind: str
    site_id: str


class SpoolEntry(NamedTuple):
    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """Rows to append to a stream; ``kept_at`` in seconds since 1970."""

    stream: Stream
    bodies: Sequence[bytes]
    kept_at: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the rows of a stream up to and including ``last``."""

    stream: Stream
    last: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The backlog of a stream.

    Attributes:
        rows: their number.
        last: sequence number of the last row.
        oldest_kept_at: when the first row was appended, seconds since 1970.
    """

    rows: int = 0
    last: int = 0
    oldest_kept_at: int = 0


class SpoolFile:
    """The open file; ``waiting`` is its backlog by stream.

    Raises:
        DamagedSpoolError: it cannot be read to its end.
        MachineError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.waiting: dict[Stream, Waiting] = {}
        with translated(self.path):
            self._connection = connect(self.path)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with translated(self.path):
            self._connection.execute(SCHEMA)
            (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise DamagedSpoolError(
                    f"the spool is damaged: {verdict}", field="data_folder", value=str(self.path)
                )
            for kind, site_id, rows, last in self._connection.execute(WAITING).fetchall():
                stream = Stream(kind, site_id)
                self.waiting[stream] = Waiting(rows, last, self._oldest_kept_at(stream))

    def commit(self, changes: Sequence[Append | Remove]) -> None:
        """Apply all changes, or none where it raises; they are on the disk when this returns.

        Raises:
            MachineError: the disk is full or failing.
        """
        after = self.waiting.copy()
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    after[change.stream] = self._make(change, after.get(change.stream, Waiting()))
                self._connection.execute("COMMIT")
            finally:
                # SQLite rolls back on a failing disk; any other error leaves the transaction open.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        self.waiting = after

    def oldest(self, stream: Stream, limit: int) -> list[SpoolEntry]:
        """Return the first rows of a stream, in order."""
        with translated(self.path):
            return [SpoolEntry(*row) for row in self._connection.execute(OLDEST, (*stream, limit))]

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def _make(self, change: Append | Remove, before: Waiting) -> Waiting:
        """Apply a change to a stream and return its backlog afterwards."""
        if isinstance(change, Remove):
            removed = self._connection.execute(REMOVE, (*change.stream, change.last)).rowcount
            return Waiting(before.rows - removed, before.last, self._oldest_kept_at(change.stream))
        rows = [
            (*change.stream, before.last + number, change.kept_at, body)
            for number, body in enumerate(change.bodies, start=1)
        ]
        self._connection.executemany(APPEND, rows)
        return Waiting(
            before.rows + len(rows),
            before.last + len(rows),
            before.oldest_kept_at if before.rows else change.kept_at,
        )

    def _oldest_kept_at(self, stream: Stream) -> int:
        row = self._connection.execute(OLDEST_KEPT_AT, stream).fetchone()
        return int(row[0]) if row else 0


def connect(path: Path) -> sqlite3.Connection:
    """Open a spool's file so that what is committed is on the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


class DamagedSpoolError(MachineError):
    """The spool's file cannot be read to its end."""

    title = "Spool damaged"
    code = "spool-damaged"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as exc:
        # The extended codes of SQLite carry the plain one in their last byte.
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        place = {"field": "data_folder", "value": str(path)}
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            remedy = (
                "Start again: what can still be read is carried over, and the damaged file is "
                "set aside."
            )
            raise DamagedSpoolError(f"the spool is damaged: {exc}", remedy=remedy, **place) from exc
        if code == sqlite3.SQLITE_BUSY:
            raise MachineError(
                "another process has the spool open",
                remedy="End it first: one process writes a spool.",
                **place,
            ) from exc
        remedy = (
            "Free some space on this disk, and see that it is writable and sound; nothing was "
            "acknowledged, what was kept stays."
        )
        raise MachineError(f"the spool cannot be written: {exc}", remedy=remedy, **place) from exc


# In both directions, because a damaged page ends a scan.
WALKS = (
    "SELECT kind, site, sequence, kept_at, body FROM entries",
    "SELECT kind, site, sequence, kept_at, body FROM entries ORDER BY 1 DESC, 2 DESC, 3 DESC",
)
KEEP = APPEND.replace("INSERT", "INSERT OR IGNORE")

log = structlog.get_logger("luna.spool")


def open_file(folder: Path) -> SpoolFile:
    """Open the spool's file in ``folder``; of a damaged one keep the readable rows.

    Raises:
        MachineError: nothing can be written there.
    """
    current = folder / "current"
    salvaged = folder / "salvaged"
    if salvaged.exists() and not current.exists():
        salvaged.rename(current)
    make_own_folder(current)
    _sync(folder)
    try:
        return SpoolFile(current)
    except DamagedSpoolError as damage:
        shutil.rmtree(salvaged, ignore_errors=True)
        make_own_folder(salvaged)
        rows = _carry_over(current / NAME, salvaged)
        asides = (folder / f"damaged-{number}" for number in count(1))
        aside = next(place for place in asides if not place.exists())
        _rename(current, aside)
        _rename(salvaged, current)
        _sync(folder)
        log.warning(
            "the spool was damaged; what could be read of it is carried over",
            reason=damage.message,
            rows=rows,
            damaged=str(aside),
        )
        return SpoolFile(current)


def _carry_over(damaged: Path, folder: Path) -> int:
    SpoolFile(folder).close()
    with translated(folder), closing(sqlite3.connect(folder / NAME)) as target:
        for walk in WALKS:
            target.executemany(KEEP, _read(damaged, walk))
        target.commit()
        (rows,) = target.execute("SELECT count(*) FROM entries").fetchone()
    return int(rows)


def _read(damaged: Path, walk: str) -> Iterator[tuple[object, ...]]:
    with closing(sqlite3.connect(damaged)) as source, suppress(sqlite3.DatabaseError):
        yield from source.execute(walk)


def _rename(place: Path, name: Path) -> None:
    try:
        place.rename(name)
    except OSError as exc:
        raise folder_error(name, exc) from exc


def _sync(folder: Path) -> None:
    """Sync the directory entries of the folder, its parent and that one's parent."""
    for place in (folder, *folder.parents[:2]):
        try:
            descriptor = os.open(place, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        except OSError as exc:
            raise folder_error(place, exc) from exc
