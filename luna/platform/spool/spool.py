"""Write rows to the disk before they are acknowledged, and deliver them from there.

One thread writes the file, so that concurrent writers share a sync of the disk; another thread
delivers.
"""

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Engine

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.platform.clock import Clock, SystemClock
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.account import make_own_folder, open_lock, take
from luna.platform.retry import RetryPolicy
from luna.platform.spool.file import (
    Append,
    Remove,
    SpoolEntry,
    SpoolFile,
    Stream,
    Waiting,
    open_file,
)
from luna.platform.spool.row_kind import RowKind

MIB = 1 << 20
RESERVED_SHARE = 0.05
LEAST_RESERVE = 64 * MIB
LARGEST_RESERVE = 1024 * MIB


class Space(Protocol):
    """Bytes of a disk."""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


Disk = Callable[[Path], Space]


def require_room(folder: Path, disk: Disk = shutil.disk_usage) -> None:
    """Check that ``folder`` may grow.

    A twentieth of the disk stays free, at least 64 MiB and at most 1 GiB.

    Raises:
        MachineError: the disk is too full, or does not answer.
    """
    try:
        space = disk(folder)
    except OSError as exc:
        remedy = (
            "See that this disk is there and sound; nothing was acknowledged, what was kept stays."
        )
        place = {"field": "data_folder", "value": str(folder)}
        raise MachineError(
            f"the spool's disk does not answer: {exc.strerror}", remedy=remedy, **place
        ) from exc
    reserve = min(max(int(space.total * RESERVED_SHARE), LEAST_RESERVE), LARGEST_RESERVE)
    if space.free < reserve:
        free = (
            f"{space.free // MIB} MiB are free, {reserve // MIB} MiB are kept for delivering "
            "what waits"
        )
        remedy = (
            "Free some space on this disk, or bring the database back; nothing was "
            "acknowledged, what was kept stays."
        )
        raise MachineError(
            f"the spool's disk is full: {free}",
            field="data_folder",
            value=str(folder),
            remedy=remedy,
        )


@dataclass(frozen=True, slots=True)
class _Write:
    change: Append | Remove
    result: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Read:
    stream: Stream
    limit: int
    result: Future[list[SpoolEntry]] = field(default_factory=Future)


class Spool:
    """Rows that wait for the database, first in first out per stream.

    Threads may share it.

    Args:
        file: open; the spool closes it.
        clock: timestamps rows for their age; the order is that of appending.
        disk: returns the size and the free space of a folder's disk.
    """

    def __init__(self, file: SpoolFile, clock: Clock, disk: Disk = shutil.disk_usage) -> None:
        self._file = file
        self._clock = clock
        self._disk = disk
        self._operations: SimpleQueue[_Write | _Read | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="spool", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        return self._file.path.parent

    @property
    def waiting(self) -> Mapping[Stream, Waiting]:
        """Number and age of the waiting rows by stream; streams may be empty."""
        return self._file.waiting

    def append(self, stream: Stream, bodies: Sequence[bytes]) -> Future[None]:
        """Return a future of the rows being on the disk.

        It fails with a MachineError where none of them was written.
        """
        write = _Write(Append(stream, bodies, int(self._clock.now().timestamp())))
        self._enqueue(write)
        return write.result

    def oldest(self, stream: Stream, limit: int) -> list[SpoolEntry]:
        """Return the first rows of a stream."""
        read = _Read(stream, limit)
        self._enqueue(read)
        return read.result.result()

    def remove(self, stream: Stream, last: int) -> None:
        """Remove the rows of a stream up to and including ``last``, and sync the disk.

        Raises:
            MachineError: the disk is failing; the rows stay.
        """
        write = _Write(Remove(stream, last))
        self._enqueue(write)
        write.result.result()

    def close(self) -> None:
        """Finish the pending writes and reads, and close the file."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._operations.put(None)
        self._thread.join()
        self._file.close()

    def _enqueue(self, operation: _Write | _Read) -> None:
        with self._gate:
            if self._closed:
                raise UnavailableError(
                    "the spool is closed", field="data_folder", value=str(self.folder)
                )
            self._operations.put(operation)

    def _serve(self) -> None:
        ended = False
        while not ended:
            operations = [self._operations.get()]
            while not self._operations.empty():
                operations.append(self._operations.get())
            ended = None in operations
            self._commit([operation for operation in operations if isinstance(operation, _Write)])
            for read in (operation for operation in operations if isinstance(operation, _Read)):
                try:
                    read.result.set_result(self._file.oldest(read.stream, read.limit))
                except Exception as error:  # noqa: BLE001
                    # The edge of the thread: the caller's future carries it.
                    read.result.set_exception(error)

    def _commit(self, writes: Sequence[_Write]) -> None:
        # A cancelled future was never acknowledged.
        accepted = [write for write in writes if write.result.set_running_or_notify_cancel()]
        appends = [write for write in accepted if isinstance(write.change, Append)]
        try:
            if appends:
                require_room(self.folder, self._disk)
        except Exception as error:  # noqa: BLE001
            # The edge of the thread, as below: MemoryError too.
            # On a full disk removals go ahead: they make room.
            for write in appends:
                write.result.set_exception(error)
            accepted = [write for write in accepted if isinstance(write.change, Remove)]
        if not accepted:
            return
        try:
            self._file.commit([write.change for write in accepted])
        except Exception as error:  # noqa: BLE001
            # The edge of the thread: the callers' futures carry it.
            for write in accepted:
                write.result.set_exception(error)
        else:
            for write in accepted:
                write.result.set_result(None)


BATCH_ROWS = 5_000
# Rows of one second are delivered in one transaction.
TURN = timedelta(seconds=1)
# No longer than half a minute after the database is back; without jitter, for one process alone
# retries.
DELIVERY_RETRY = RetryPolicy(2 * TURN, longest=timedelta(seconds=30))
# A site that the database does not know may be added later.
REFUSED_PAUSE = timedelta(minutes=1)
PATIENCE_AT_END = timedelta(seconds=15)

log = structlog.get_logger("luna.spool")


class _SpoolUploader:
    """Delivers a spool's rows to the database from its own thread until it is stopped.

    No transaction is open while it waits.

    Args:
        kinds: by name; rows of any other kind stay in the spool.
        turn: pause between two deliveries.
    """

    def __init__(
        self,
        spool: Spool,
        engine: Engine,
        kinds: Mapping[str, RowKind[Any]],
        *,
        turn: timedelta = TURN,
    ) -> None:
        self._spool = spool
        self._engine = engine
        self._kinds = kinds
        self._turn = turn
        self._retry = replace(DELIVERY_RETRY, first=2 * turn)
        self._refused_until: dict[Stream, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool drain", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the current batch.

        One that hangs in the database is abandoned and stays in the spool.
        """
        self._stop.set()
        self._thread.join(PATIENCE_AT_END.total_seconds())

    def deliver(self) -> int:
        """Deliver one batch of every stream and return the number of rows.

        Raises:
            UnavailableError: the database is away, full, or did not take one site's rows in time;
                what was not delivered stays.
            MachineError: this disk is full.
        """
        due_streams: list[Stream] = []
        for stream, waiting in self._spool.waiting.items():
            if not waiting.rows or stream.kind not in self._kinds:
                continue
            if time.monotonic() >= self._refused_until.get(stream, 0.0):
                due_streams.append(stream)
        rows = 0
        failure = None
        for stream in due_streams:
            try:
                rows += self._deliver(stream)
            except UnavailableError as error:
                # A lock or statement that times out may be this site's alone: the others are
                # delivered all the same.
                failure = error
        if failure is not None:
            raise failure
        return rows

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                rows = self.deliver()
            except Exception as error:  # noqa: BLE001
                # The edge of the thread: if it ended, the disk would fill.
                failures += 1
                if failures == 1 and not self._stop.is_set():
                    # If memory is short, logging a failure may fail as well.
                    with suppress(MemoryError):
                        self._log(error, "rows wait in the spool")
                pause = self._retry.pause(failures)
            else:
                if failures:
                    log.info("the database takes rows again", rows=rows)
                failures = 0
                pause = timedelta(0) if rows >= BATCH_ROWS else self._turn
            self._stop.wait(pause.total_seconds())

    @staticmethod
    def _log(error: Exception, event: str, **fields: str) -> None:
        # A LunaError explains itself; any other is a bug and needs its traceback.
        log.warning(
            event,
            reason=str(error),
            exc_info=None if isinstance(error, LunaError) else error,
            **fields,
        )

    def _deliver(self, stream: Stream) -> int:
        entries = self._spool.oldest(stream, BATCH_ROWS)
        try:
            with unit_of_work(self._engine) as connection:
                self._kinds[stream.kind].store(
                    connection, stream.site_id, [entry.body for entry in entries]
                )
        except UnavailableError:
            raise
        except Exception as refusal:  # noqa: BLE001
            # One stream that cannot be stored must not keep the others waiting.
            self._refused_until[stream] = time.monotonic() + REFUSED_PAUSE.total_seconds()
            self._log(
                refusal,
                "the database refuses rows, they stay in the spool",
                kind=stream.kind,
                site_id=stream.site_id,
            )
            return 0
        self._spool.remove(stream, entries[-1].sequence)
        return len(entries)


Row = TypeVar("Row")
_FLUSH_POLL_SECONDS = 0.02


class SpoolWriter:
    """Writes rows to the spool, from which they are delivered in the background.

    Threads may share it.
    """

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock

    def keep(self, kind: RowKind[Row], site_id: str, rows: Sequence[Row]) -> Future[None]:
        """Return a future of all ``rows`` being on the disk.

        ``asyncio.wrap_future`` makes it awaitable.

        It fails with a MachineError where the disk is full or failing and none of them was written.

        Raises:
            InvalidInputError: the database would refuse a row; none was written.
            UnavailableError: the spool is closed.
        """
        return self._spool.append(Stream(kind.name, site_id), [kind.encode(row) for row in rows])

    @property
    def rows(self) -> int:
        """Return the number of rows that wait for the database."""
        return sum(waiting.rows for waiting in self._spool.waiting.values())

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest waiting row, 0 without one.

        Never negative, for the clock may be set back.
        """
        backlogs = [waiting for waiting in self._spool.waiting.values() if waiting.rows]
        if not backlogs:
            return 0.0
        oldest_at = min(waiting.oldest_kept_at for waiting in backlogs)
        return max(self._clock.now().timestamp() - oldest_at, 0.0)

    def flush(self, timeout: timedelta) -> bool:
        """Wait until all rows are delivered; return whether they were in time."""
        deadline = time.monotonic() + timeout.total_seconds()
        while self.rows and time.monotonic() < deadline:
            time.sleep(_FLUSH_POLL_SECONDS)
        return not self.rows


@contextmanager
def open_mirror(
    folder: Path,
    engine: Engine,
    *kinds: RowKind[Any],
    clock: Clock | None = None,
    turn: timedelta = TURN,
) -> Iterator[SpoolWriter]:
    """Open the spool in ``folder`` and deliver to ``engine`` while the block runs.

    Rows left at its end are delivered at the next opening.

    Args:
        folder: of this writer alone, such as ``<data folder>/spool/<service>``; created where it is
            missing.
        engine: the database to deliver to, which may be away.
        kinds: of rows to deliver.
        clock: timestamps rows for their age.
        turn: pause between two deliveries.

    Raises:
        MachineError: another process has the folder open, or it cannot be written.
    """
    clock = clock or SystemClock()
    make_own_folder(folder)
    descriptor = open_lock(folder / "lock")
    try:
        if not take(descriptor, fcntl.LOCK_EX):
            remedy = "End it first: one process writes a spool."
            raise MachineError(
                "another process has this spool open",
                field="data_folder",
                value=str(folder),
                remedy=remedy,
            )
        spool = Spool(open_file(folder), clock)
        uploader = _SpoolUploader(spool, engine, {kind.name: kind for kind in kinds}, turn=turn)
        try:
            uploader.start()
            yield SpoolWriter(spool, clock)
        finally:
            uploader.stop()
            spool.close()
    finally:
        os.close(descriptor)
