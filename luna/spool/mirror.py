"""A spool with its drain: what a service opens."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from luna.embedded.account import make_folder
from luna.embedded.locks import open_lock, take
from luna.errors import MachineError
from luna.spool.drain import TURN, Drain
from luna.spool.file import Lane
from luna.spool.kind import Kind
from luna.spool.salvage import open_file
from luna.spool.spool import Spool
from luna.timeline import Clock, SystemClock

Row = TypeVar("Row")
LOOK_AGAIN_SECONDS = 0.02


class Mirror:
    """Rows kept here are on the disk when their future is done, and reach the database by themselves. Threads may share it."""

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock

    def keep(self, kind: Kind[Row], site_id: str, rows: Sequence[Row]) -> Future[None]:
        """Return what is done once all ``rows`` are safe, whatever happens to the process; ``asyncio.wrap_future`` makes it awaitable.

        It fails with a MachineError where the disk is full or failing: none of them was kept.

        Raises:
            InvalidInputError: a row that the database would refuse; none was kept.
            UnavailableError: the mirror is closed.
        """
        return self._spool.append(Lane(kind.name, site_id), [kind.encode(row) for row in rows])

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
def open_mirror(folder: Path, engine: Engine, *kinds: Kind[Any], clock: Clock | None = None, turn: timedelta = TURN) -> Iterator[Mirror]:
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
    with _one_writer(folder):
        spool = Spool(open_file(folder), clock)
        drain = Drain(spool, engine, {kind.name: kind for kind in kinds}, turn=turn)
        try:
            drain.start()
            yield Mirror(spool, clock)
        finally:
            drain.stop()
            spool.close()


@contextmanager
def _one_writer(folder: Path) -> Iterator[None]:
    make_folder(folder)
    descriptor = open_lock(folder / "lock")
    try:
        if not take(descriptor, fcntl.LOCK_EX):
            raise MachineError(
                "another process has this spool open", field="data_folder", value=str(folder), remedy="End it first: one process writes a spool."
            )
        yield
    finally:
        os.close(descriptor)
