"""Luna's process that charge points connect to, by the home's clock instead of the machine's."""

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from luna.platform.health.readiness import Liveness
from luna.platform.telemetry import configure_logging
from services.ocpp.__main__ import run
from services.ocpp.central_system import CentralSystem
from services.ocpp.records import RecordFolder

# In real time: the home's half minutes take a tenth of a second.
LOOK_SECONDS = 0.02
BOOT_SECONDS = 0.2
END_SECONDS = 10.0
# Nobody supervises it here.
BEAT_EVERY = timedelta(hours=1)


class SharedClock:
    """The home's clock, as another process reads it."""

    def __init__(self, instant: "Synchronized[float]") -> None:
        self._instant = instant

    def now(self) -> datetime:
        """Return the home's instant."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Return the home's instant in seconds; it never goes back."""
        return self._instant.value


class OcppProcess:
    """The process, listening at ``port`` on this machine."""

    def __init__(self, data_folder: Path, now: datetime) -> None:
        # Not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        self.port = _find_free_port()
        self._instant = context.Value("d", now.timestamp())
        self._process = context.Process(
            target=_serve, args=(data_folder, self.port, self._instant), daemon=True
        )

    def start(self) -> None:
        """Start it; charge points connect once it listens."""
        self._process.start()

    def set_clock(self, now: datetime) -> None:
        """Move its clock to the home's instant."""
        self._instant.value = now.timestamp()

    def stop(self) -> None:
        """End it in order."""
        self._process.terminate()
        self._process.join(END_SECONDS)


@contextmanager
def serve_ocpp(data_folder: Path, now: datetime) -> Iterator[OcppProcess]:
    """Yield the process of a data folder, which ends with the block."""
    process = OcppProcess(data_folder, now)
    process.start()
    try:
        yield process
    finally:
        process.stop()


def _serve(data_folder: Path, port: int, instant: "Synchronized[float]") -> None:
    """Do what ``python -m services.ocpp`` does, by another clock."""
    configure_logging("bench", level="CRITICAL")
    clock = SharedClock(instant)
    central = CentralSystem(
        RecordFolder(data_folder),
        clock,
        seconds=clock.seconds,
        boot_seconds=BOOT_SECONDS,
        look_seconds=LOOK_SECONDS,
    )
    asyncio.run(run(central, data_folder, port, Liveness(BEAT_EVERY)))


def _find_free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
