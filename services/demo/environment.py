"""Environment of the demo.

It has its own servers and worker, the settings' servers, or a running Luna with a simulated home.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from luna.contracts import DemoLoadRequest, IssueRequest, PlanRequest, ReplayRequest, TrainRequest
from luna.contracts.simulated_home import SimulatedHomeReply, SimulatedHomeRequest
from luna.energy.errors import (
    ConflictError,
    InvalidInputError,
    LunaError,
    MachineError,
    UnavailableError,
)
from luna.platform.clock import CLOCK_VARIABLE, SystemClock, move_clock
from luna.platform.embedded.account import is_locked
from luna.platform.embedded.supervisor import Addresses, Servers
from luna.platform.private_folders import make_private
from luna.platform.queue import Client, Heartbeats, outlast
from luna.platform.settings import Settings, load_settings
from luna.simulated_home.preparation import list_preparation

# Generous: a busy machine that compiles everything anew, or starts all of Luna meanwhile, needs
# more than a minute.
START_SECONDS = 300.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.1
# Variables that name an owner's servers: the demo has its own.
OTHER_SERVERS = (
    "LUNA_DATABASE_",
    "LUNA_REDIS_",
    "LUNA_OBJECTS_",
    "LUNA_VECTORS_",
    "LUNA_LANGUAGE_",
)
_NEEDED_REQUESTS = (DemoLoadRequest, TrainRequest, IssueRequest, PlanRequest, ReplayRequest)
NEEDED_QUEUES = {request.queue() for request in _NEEDED_REQUESTS}
# Shows a step of the demo during its block; yields a function for progress: parts done, parts in
# all, and the current one.
ShowStep = Callable[[str], AbstractContextManager[Callable[[int, int, str], None]]]
# Includes the download of packages over a slow line.
MAKE_TIMEOUT = timedelta(hours=1)
STAGE_TIMEOUT = timedelta(minutes=30)
CLOCK_SECONDS = 0.2
FAST_FOLDER = "demo-fast"
PRICE_ORIGINS = {
    "market": "today's, of the market that it lies in",
    "recorded": "those of the recorded year: nobody was reached, or may be asked, for today's",
}


class Worker:
    """The demo's own worker process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Number of the process, and of its process group."""
        return self._process.pid

    def check(self) -> None:
        """Check that the worker is running.

        Raises:
            MachineError: it has ended; with the last line of its log.
        """
        if self._process.poll() is None:
            return
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise MachineError(
            f"the worker has ended: {words[-1] if words else 'it said nothing'}",
            value=self._process.returncode,
            remedy=f"See {self._log}.",
        )

    def wait_until_ready(self, heartbeats: Heartbeats) -> None:
        """Wait until the worker takes messages.

        Raises:
            MachineError: it has ended, or is not ready in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while not outlast(heartbeats.workers, patience=PATIENCE):
            self.check()
            if time.monotonic() > deadline:
                raise MachineError(
                    f"the worker is not ready after {START_SECONDS:g} s", remedy=f"See {self._log}."
                )
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End the worker and its process group."""
        with self._process as process:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            # The process group holds the worker and its pool, and nothing else.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def run_worker(servers: Servers, folder: Path, *, cache: Path) -> Iterator[Worker]:
    """Run a worker for the demo's services during the block.

    Its log goes to ``folder``, downloads to ``cache``.
    """
    log = folder / "worker.log"
    own = {
        "LUNA_DATABASE_URL": servers.database_url,
        "LUNA_REDIS_URL": servers.redis_url,
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_CACHE_FOLDER": str(cache),
    }
    inherited = os.environ.items()
    environment = {name: value for name, value in inherited if not name.startswith(OTHER_SERVERS)}
    environment |= own
    # ``parent_watch`` ends it with this process; in its own session, Ctrl-C reaches this process
    # only, which ends it in order. Only the demo's queues are loaded, and once, before the pool
    # forks, for two homes are trained side by side.
    command = [
        sys.executable,
        "-m",
        "luna.platform.supervision.parent_watch",
        "luna.platform.queue.worker",
        *sorted(NEEDED_QUEUES),
        "--load-first",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    worker = Worker(process, log)
    try:
        yield worker
    finally:
        worker.stop()


# Containers that start beside the demo need half a minute.
WORKERS_SECONDS = 60.0
# A machine that trains three models may keep its queue waiting, and containers may start anew.
PATIENCE = timedelta(minutes=1)
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """A queue with workers.

    ``check`` raises where they can never answer; ``folder`` is the data folder of the demo's own
    servers, if any.
    """

    client: Client
    check: Callable[[], None]
    folder: Path | None = None


@contextmanager
def own_stage(settings: Settings, step: ShowStep) -> Iterator[Stage]:
    """Run own servers and a worker during the block, apart from the owner's data.

    Raises:
        MachineError: servers or worker cannot be started on this machine.
    """
    from luna.platform.database import migrate
    from luna.platform.embedded import supervisor

    folder = settings.data_folder / "demo"
    make_private(folder, holds_servers=True)
    with step("start the servers"):
        servers = supervisor.start(folder / "servers")
    with (
        servers,
        run_worker(servers, folder, cache=settings.cache) as worker,
        queue(servers.redis_url) as client,
    ):
        with step("prepare the database"):
            migrate.upgrade(servers.database_url)
        with step("start the worker"):
            worker.wait_until_ready(client.heartbeats)
        yield Stage(client, worker.check, folder)


@contextmanager
def named_stage(settings: Settings, step: ShowStep) -> Iterator[Stage]:
    """Use the settings' queue and its workers.

    They are not supervised: the queue delivers a dead worker's messages again.

    Raises:
        InvalidInputError: the settings name no queue.
        UnavailableError: the queue does not answer, or a service has no worker.
    """
    if settings.redis_url is None:
        raise InvalidInputError(
            "no queue is named",
            field="LUNA_REDIS_URL",
            remedy="Name it, or run the demo without --on-servers.",
        )
    with queue(settings.redis_url.get_secret_value()) as client:
        with step("find the workers"):
            await_workers(client.heartbeats)
        yield Stage(client, lambda: None)


def await_workers(heartbeats: Heartbeats, *, seconds: float = WORKERS_SECONDS) -> None:
    """Wait until every service that the demo needs has a live worker.

    Raises:
        UnavailableError: services without a worker in time.
    """
    deadline = time.monotonic() + seconds
    while missing := NEEDED_QUEUES.difference(
        *outlast(heartbeats.workers, patience=PATIENCE).values()
    ):
        if time.monotonic() > deadline:
            names = ", ".join(sorted(missing))
            remedy = (
                "Start the containers, or a worker for each: python -m luna.platform.queue.worker."
            )
            raise UnavailableError(
                f"no worker of these services is there after {seconds:g} s",
                field="queue",
                value=names,
                remedy=remedy,
            )
        time.sleep(PAUSE_SECONDS)


@contextmanager
def queue(redis_url: str) -> Iterator[Client]:
    """Yield a client that is closed at the end."""
    client = Client(redis_url)
    try:
        yield client
    finally:
        client.close()


def prepare_home(addresses: Addresses, say: Callable[[str], object]) -> None:
    """Create the simulated home and prepare its first pages, reporting to ``say``.

    A failed preparation is reported and skipped.

    Raises:
        LunaError: the home cannot be created.
    """
    with queue(addresses.redis_url) as client:
        await_workers(client.heartbeats, seconds=START_SECONDS)
        home: SimulatedHomeReply = client.call(
            SimulatedHomeRequest(), timeout=MAKE_TIMEOUT, patience=PATIENCE
        )
        say(f"The simulated home lives. Its prices are {PRICE_ORIGINS[home.prices]}.")
        for name, request in list_preparation(SystemClock().now()).items():
            try:
                client.call(request, timeout=STAGE_TIMEOUT, patience=PATIENCE)
            except LunaError as error:
                say(f"{name.replace('_', ' ')}: {error}")


def speed_up_clock(settings: Settings, speed: float) -> Settings:
    """Return settings with a separate data folder and an accelerated clock from now on.

    The owner's own data never get future times.

    Raises:
        ConflictError: a simulated home is running in the folder.
    """
    folder = settings.data_folder / FAST_FOLDER
    users = folder / "servers" / "users.lock"
    if users.exists() and is_locked(users):
        raise ConflictError(
            "a simulated home lives in this folder already",
            field="data_folder",
            value=str(folder),
            remedy="End it with Ctrl-C.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder, holds_servers=True)
    clock = folder / "clock"
    move_clock(clock, timedelta())
    os.environ |= {
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_CACHE_FOLDER": str(settings.cache.resolve()),
        CLOCK_VARIABLE: str(clock),
    }
    threading.Thread(target=_run_clock, args=(clock, speed), daemon=True).start()
    load_settings.cache_clear()
    return load_settings()


def _run_clock(clock: Path, speed: float) -> None:
    began = time.monotonic()
    while True:
        time.sleep(CLOCK_SECONDS)
        move_clock(clock, timedelta(seconds=(time.monotonic() - began) * (speed - 1.0)))
