"""Where the demo runs: on servers and a worker of its own, or on those that the settings name."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from luna.contracts import DemoLoadRequest, IssueRequest, PlanRequest, ReplayRequest, TrainRequest
from luna.errors import InvalidInputError, UnavailableError
from luna.queue import Client
from luna.settings import Settings
from services.cli.demo.bars import Bars

NEEDED_QUEUES = {request.queue() for request in (DemoLoadRequest, TrainRequest, IssueRequest, PlanRequest, ReplayRequest)}
# Containers that start beside the demo need half a minute.
WORKERS_SECONDS = 60.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Stage:
    """A queue with workers behind it.

    ``check`` raises why they will never answer, where that is known. ``folder`` holds the data of servers of the demo's own.
    """

    client: Client
    check: Callable[[], None]
    folder: Path | None = None


@contextmanager
def own_stage(settings: Settings, bars: Bars) -> Iterator[Stage]:
    """Start servers and a worker for as long as the block runs: the owner's data lies elsewhere and stays untouched.

    Raises:
        MachineError: servers or worker cannot be had on this machine.
    """
    from luna import embedded
    from luna.database import migrate
    from services.cli.demo.worker import run_worker

    folder = settings.data_folder / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with bars.step("start the servers"):
        servers = embedded.start(folder / "servers")
    with servers, run_worker(servers, folder, cache=settings.cache) as worker, queue(servers.redis_url) as client:
        with bars.step("prepare the database"):
            migrate.upgrade(servers.database_url)
        with bars.step("start the worker"):
            worker.wait_until_ready(client)
        yield Stage(client, worker.check, folder)


@contextmanager
def named_stage(settings: Settings, bars: Bars) -> Iterator[Stage]:
    """Use the queue that the settings name, and whoever works there. What happens to a worker meanwhile is the queue's to repair.

    Raises:
        InvalidInputError: the settings name no queue.
        UnavailableError: it does not answer, or a service has no worker.
    """
    if settings.redis_url is None:
        raise InvalidInputError("no queue is named", field="LUNA_REDIS_URL", remedy="Name it, or run the demo without --on-servers.")
    with queue(settings.redis_url.get_secret_value()) as client:
        with bars.step("find the workers"):
            await_workers(client)
        yield Stage(client, lambda: None)


def await_workers(client: Client, *, seconds: float = WORKERS_SECONDS) -> None:
    """Return when every service that the demo needs has a live worker.

    Raises:
        UnavailableError: names the services that have none in time.
    """
    deadline = time.monotonic() + seconds
    while missing := NEEDED_QUEUES.difference(*client.workers().values()):
        if time.monotonic() > deadline:
            names, remedy = ", ".join(sorted(missing)), "Start the containers, or a worker for each: python -m luna.queue.worker."
            raise UnavailableError(f"no worker of these services is there after {seconds:g} s", field="queue", value=names, remedy=remedy)
        time.sleep(PAUSE_SECONDS)


@contextmanager
def queue(redis_url: str) -> Iterator[Client]:
    """Yield a client that is closed at the end."""
    client = Client(redis_url)
    try:
        yield client
    finally:
        client.close()
