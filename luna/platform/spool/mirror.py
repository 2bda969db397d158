"""A spool with its drain: what a service opens."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine

from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.platform.clock import Clock, SystemClock
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.account import make_own_folder, open_lock, take
from luna.platform.retry import RetryPolicy
from luna.platform.spool.file import Stream, open_file
from luna.platform.spool.kind import RowKind
from luna.platform.spool.spool import Spool

BATCH_ROWS = 5_000
# Rows of a second travel together.
TURN = timedelta(seconds=1)
# A database that is back is found within half a minute; one process asks, so nothing has to be spread.
DELIVERY_RETRY = RetryPolicy(2 * TURN, longest=timedelta(seconds=30))
# A site that the database does not know may be added later.
REFUSED_PAUSE = timedelta(minutes=1)
PATIENCE_AT_END = timedelta(seconds=15)

log = structlog.get_logger("luna.spool")


class _SpoolUploader:
    """Delivers what waits in a spool, from a thread of its own, until it is stopped. No transaction is open while it waits.

    Args:
        kinds: by name; rows of any other kind stay in the spool.
        turn: pause between two looks into the spool.
    """

    def __init__(self, spool: Spool, engine: Engine, kinds: Mapping[str, RowKind[Any]], *, turn: timedelta = TURN) -> None:
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
        """End after the batch in hand. One that the database keeps hanging is left behind: it stays in the spool."""
        self._stop.set()
        self._thread.join(PATIENCE_AT_END.total_seconds())

    def deliver(self) -> int:
        """Deliver one batch of every stream and return the number of rows.

        Raises:
            UnavailableError: the database is away, or full; what was not delivered stays.
            MachineError: this disk is full.
        """
        due = [
            stream
            for stream, waiting in self._spool.waiting.items()
            if waiting.rows and stream.kind in self._kinds and time.monotonic() >= self._refused_until.get(stream, 0.0)
        ]
        return sum(self._deliver(stream) for stream in due)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                rows = self.deliver()
            except Exception as error:  # noqa: BLE001 - the edge of the thread: a drain that ended would fill the disk
                failures += 1
                if failures == 1 and not self._stop.is_set():
                    self._log(error, "rows wait in the spool")
                pause = self._retry.pause(failures)
            else:
                if failures:
                    log.info("the database takes rows again", rows=rows)
                failures, pause = 0, timedelta(0) if rows >= BATCH_ROWS else self._turn
            self._stop.wait(pause.total_seconds())

    @staticmethod
    def _log(error: Exception, event: str, **fields: str) -> None:
        # Our own errors say all there is to know; any other is a fault to be found.
        log.warning(event, reason=str(error), exc_info=None if isinstance(error, LunaError) else error, **fields)

    def _deliver(self, stream: Stream) -> int:
        entries = self._spool.oldest(stream, BATCH_ROWS)
        try:
            with unit_of_work(self._engine) as connection:
                self._kinds[stream.kind].store(connection, stream.site_id, [entry.body for entry in entries])
        except UnavailableError:
            raise
        except Exception as refusal:  # noqa: BLE001 - one stream that cannot be stored must not keep the others waiting
            self._refused_until[stream] = time.monotonic() + REFUSED_PAUSE.total_seconds()
            self._log(refusal, "the database refuses rows, they stay in the spool", kind=stream.kind, site_id=stream.site_id)
            return 0
        self._spool.remove(stream, entries[-1].sequence)
        return len(entries)


Row = TypeVar("Row")
LOOK_AGAIN_SECONDS = 0.02


class SpoolWriter:
    """Rows kept here are on the disk when their future is done, and reach the database by themselves. Threads may share it."""

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock

    def keep(self, kind: RowKind[Row], site_id: str, rows: Sequence[Row]) -> Future[None]:
        """Return what is done once all ``rows`` are safe, whatever happens to the process; ``asyncio.wrap_future`` makes it awaitable.

        It fails with a MachineError where the disk is full or failing: none of them was kept.

        Raises:
            InvalidInputError: a row that the database would refuse; none was kept.
            UnavailableError: the mirror is closed.
        """
        return self._spool.append(Stream(kind.name, site_id), [kind.encode(row) for row in rows])

    @property
    def rows(self) -> int:
        """How many rows wait for the database."""
        return sum(waiting.rows for waiting in self._spool.waiting.values())

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest waiting row has waited, nought where none does. A clock put back makes no row younger than nought."""
        kept_at = [waiting.oldest_kept_at for waiting in self._spool.waiting.values() if waiting.rows]
        return max(self._clock.now().timestamp() - min(kept_at), 0.0) if kept_at else 0.0

    def flush(self, timeout: timedelta) -> bool:
        """Wait until nothing waits any more; return whether that came true in time."""
        deadline = time.monotonic() + timeout.total_seconds()
        while self.rows and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
        return not self.rows


@contextmanager
def open_mirror(folder: Path, engine: Engine, *kinds: RowKind[Any], clock: Clock | None = None, turn: timedelta = TURN) -> Iterator[SpoolWriter]:
    """Open the spool in ``folder`` and deliver from it to ``engine`` while the block runs; what is left at its end waits for the next one.

    Args:
        folder: this writer's own, such as ``<data folder>/spool/<service>``; made where it is missing.
        engine: where rows go; the database may be away, also now.
        kinds: what is delivered.
        clock: says how old rows are.
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
            raise MachineError("another process has this spool open", field="data_folder", value=str(folder), remedy=remedy)
        spool = Spool(open_file(folder), clock)
        drain = _SpoolUploader(spool, engine, {kind.name: kind for kind in kinds}, turn=turn)
        try:
            drain.start()
            yield SpoolWriter(spool, clock)
        finally:
            drain.stop()
            spool.close()
    finally:
        os.close(descriptor)
