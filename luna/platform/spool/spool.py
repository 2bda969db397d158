"""A file with a thread of its own: callers that wait at the same time share one sync of the disk."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.platform.clock import Clock
from luna.platform.spool.file import Append, Remove, SpoolEntry, SpoolFile, Stream, Waiting

MIB = 1 << 20
RESERVED_SHARE = 0.05
LEAST_RESERVE, LARGEST_RESERVE = 64 * MIB, 1024 * MIB


class Space(Protocol):
    """Bytes of a disk."""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


Disk = Callable[[Path], Space]


def require_room(folder: Path, disk: Disk = shutil.disk_usage) -> None:
    """Check that more may be kept below ``folder``: a twentieth of the disk stays free, at least 64 MiB and at most 1 GiB.

    Raises:
        MachineError: the disk is too full.
    """
    space = disk(folder)
    reserve = min(max(int(space.total * RESERVED_SHARE), LEAST_RESERVE), LARGEST_RESERVE)
    if space.free < reserve:
        free = f"{space.free // MIB} MiB are free, {reserve // MIB} MiB are kept for delivering what waits"
        remedy = "Free some space on this disk, or bring the database back; nothing was acknowledged, what was kept stays."
        raise MachineError(f"the spool's disk is full: {free}", field="data_folder", value=str(folder), remedy=remedy)


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
    """Rows that wait for the database, stream by stream in the order they were kept. Threads may share it.

    Args:
        file: open; the spool closes it.
        clock: says how old rows are, nothing else: their order does not come from it.
        disk: tells how full a folder's disk is.
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
        """Where the file lies."""
        return self._file.path.parent

    @property
    def waiting(self) -> Mapping[Stream, Waiting]:
        """What waits, by stream; a stream without rows may be among them."""
        return self._file.waiting

    def append(self, stream: Stream, bodies: Sequence[bytes]) -> Future[None]:
        """Return what is done once the rows are on the disk. It fails with a MachineError where they are not: none of them was kept."""
        write = _Write(Append(stream, bodies, int(self._clock.now().timestamp())))
        self._enqueue(write)
        return write.result

    def oldest(self, stream: Stream, limit: int) -> list[SpoolEntry]:
        """Return the first rows of a stream."""
        read = _Read(stream, limit)
        self._enqueue(read)
        return read.result.result()

    def remove(self, stream: Stream, last: int) -> None:
        """Forget the rows of a stream up to and including ``last``; gone for good when this returns.

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
                raise UnavailableError("the spool is closed", field="data_folder", value=str(self.folder))
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
                except Exception as error:  # noqa: BLE001 - the edge of the thread: whoever waits has to hear of it
                    read.result.set_exception(error)

    def _commit(self, writes: Sequence[_Write]) -> None:
        # Who no longer waits was not promised anything.
        accepted = [write for write in writes if write.result.set_running_or_notify_cancel()]
        appends = [write for write in accepted if isinstance(write.change, Append)]
        try:
            if appends:
                require_room(self.folder, self._disk)
        except LunaError as error:
            # Without room on the disk only what makes some goes ahead.
            for write in appends:
                write.result.set_exception(error)
            accepted = [write for write in accepted if isinstance(write.change, Remove)]
        if not accepted:
            return
        try:
            self._file.commit([write.change for write in accepted])
        except Exception as error:  # noqa: BLE001 - as above
            for write in accepted:
                write.result.set_exception(error)
        else:
            for write in accepted:
                write.result.set_result(None)
