"""Count the writes to points that wear out in a file, for a process without a database."""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import structlog

from luna.energy.errors import MachineError
from luna.platform.clock import Clock
from luna.platform.private_folders import make_private
from luna.platform.written_files import write_whole

WINDOW = timedelta(days=1)

log = structlog.get_logger("luna.steering")


class FileWrites:
    """The writes of one device, a ``luna.drivers.write_limits.WriteCounter``.

    Stored before the write, so that a restart forgets none. On a full disk this process counts on
    in memory. Thread-safe.
    """

    def __init__(self, folder: Path, clock: Clock, device: str) -> None:
        self._folder = folder
        self._file = folder / f"{sha256(device.encode()).hexdigest()[:32]}.writes"
        self._clock = clock
        self._mutex = threading.Lock()
        self._written = _load(self._file)

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count one write of each point and return None.

        A point that had its ``most`` within a day stops them all: then none is counted, and the
        instant is returned at which the budget has room again.
        """
        with self._mutex:
            now = self._clock.now()
            self._forget(now)
            free_at = []
            for point, count in most.items():
                written = self._written.get(point, [])
                if len(written) >= count:
                    # A budget has room again when its oldest counted write is a day old.
                    free_at.append(written[-count] + WINDOW)
            if not free_at:
                for point in most:
                    self._written.setdefault(point, []).append(now)
                self._store()
        return max(free_at, default=None)

    def read_share(self, most: Mapping[str, int]) -> float:
        """Return the largest used share, 0–1, of the points' ``most`` writes within a day."""
        with self._mutex:
            self._forget(self._clock.now())
            shares = [len(self._written.get(point, ())) / count for point, count in most.items()]
        return max(shares, default=0.0)

    def _forget(self, now: datetime) -> None:
        for point, written in self._written.items():
            self._written[point] = [at for at in written if at > now - WINDOW]

    def _store(self) -> None:
        instants = {}
        for point, written in self._written.items():
            instants[point] = [at.isoformat() for at in written]
        try:
            make_private(self._folder)
            write_whole(self._file, json.dumps(instants))
        except (OSError, MachineError) as error:
            log.warning("writes cannot be counted on disk", error=str(error))


def _load(file: Path) -> dict[str, list[datetime]]:
    try:
        stored = json.loads(file.read_bytes())
        written = {}
        for point, instants in stored.items():
            written[str(point)] = [datetime.fromisoformat(at) for at in instants]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("the count of writes cannot be read", error=str(error))
        return {}
    return written
