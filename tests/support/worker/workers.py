"""Worker processes of a test's own, and what is done to them."""

import os
import platform
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis

from luna.platform.queue.app import PREFIX
from tests.support.worker.fork_server import Process, start_python

Worker = Process


@contextmanager
def worker_process(
    redis_url: str,
    database_url: str,
    *modules: str,
    health_port: int = 0,
    beat_seconds: float = 1,
    data_folder: Path | None = None,
    options: Sequence[str] = (),
) -> Iterator[Worker]:
    """Run a worker for the tasks of ``modules``.

    Whatever is left of it ends with the block. Killed, it is missed after five beats at most.
    """
    environment = os.environ | {
        "LUNA_REDIS_URL": redis_url,
        "LUNA_DATABASE_URL": database_url,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    environment |= {} if data_folder is None else {"LUNA_DATA_FOLDER": str(data_folder)}
    words = [
        "luna.platform.queue.worker",
        "--modules",
        *modules,
        "--beat-seconds",
        str(beat_seconds),
        "--health-port",
        str(health_port),
    ]
    process = start_python(*words, *options, environment=environment)
    try:
        yield process
    finally:
        kill(process)
        process.wait(timeout=60)
        _forget(redis_url, process)


def kill(process: Worker) -> None:
    """End a worker and its pool at once, as a power cut would."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _forget(redis_url: str, process: Worker) -> None:
    """Remove the sign of life that outlives a killed worker: who comes next would wait for a
    worker, see this one and ask nobody.
    """
    with redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{PREFIX}node:{platform.node()}-{process.pid}-*"):
            client.delete(key)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return as soon as ``condition`` holds.

    The time is for a machine that is busy with much else.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)
