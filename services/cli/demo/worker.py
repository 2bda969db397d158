"""A worker beside a command: started with it, gone with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from luna.embedded import Servers
from luna.errors import MachineError
from luna.queue import Client

START_SECONDS = 60.0
STOP_SECONDS = 15.0
PAUSE_SECONDS = 0.1
# Variables that name an owner's servers: the demo has its own.
OTHER_SERVERS = ("LUNA_DATABASE_", "LUNA_REDIS_", "LUNA_OBJECTS_", "LUNA_VECTORS_", "LUNA_LANGUAGE_")


class Worker:
    """A worker process of ours. ``check`` says why it has ended, if it has."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Number of the process, and of its process group."""
        return self._process.pid

    def check(self) -> None:
        """Return if the worker lives.

        Raises:
            MachineError: it has ended; names its last words.
        """
        if self._process.poll() is None:
            return
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise MachineError(f"the worker has ended: {words[-1] if words else 'it said nothing'}", value=self._process.returncode, remedy=f"See {self._log}.")

    def wait_until_ready(self, client: Client) -> None:
        """Return when the worker takes messages.

        Raises:
            MachineError: it has ended, or is not ready in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while not client.workers():
            self.check()
            if time.monotonic() > deadline:
                raise MachineError(f"the worker is not ready after {START_SECONDS:g} s", remedy=f"See {self._log}.")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """End the worker and whatever it started."""
        with self._process as process:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            # What is left of it and its pool, and nothing else, carries its number as process group.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def run_worker(servers: Servers, folder: Path, *, cache: Path) -> Iterator[Worker]:
    """Start a worker for the tasks of all services and stop it at the end; its log lies in ``folder``, downloads are kept in ``cache``."""
    log = folder / "worker.log"
    own = {
        "LUNA_DATABASE_URL": servers.database_url,
        "LUNA_REDIS_URL": servers.redis_url,
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_CACHE_FOLDER": str(cache),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OTHER_SERVERS)} | own
    # Attended: it ends with this process, however that dies. In a session of its own: Ctrl-C reaches this process, which ends it.
    command = [sys.executable, "-m", "services.cli.attended", "luna.queue.worker"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True)
    worker = Worker(process, log)
    try:
        yield worker
    finally:
        worker.stop()
