"""``luna up``: everything on this machine, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import typer

from services.cli.console import err

if TYPE_CHECKING:
    from luna.settings import Settings

# What somebody waits for has a worker that no job can fill.
COMPANIONS = {
    "interactive worker": ("luna.queue.worker", "--only", "interactive", "--processes", "1"),
    "worker": ("luna.queue.worker", "--only", "jobs"),
    "beat": ("luna.queue.beat",),
    "executor": ("services.executor",),
    "recorder": ("services.ingest.live",),
}
WATCH_SECONDS = 1.0
PAUSE_SECONDS = 0.05
# What a task under way gets to end by itself; a task that is cut off is done again at the next start.
GRACE_SECONDS = 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="up")(up)


def up() -> None:
    """Run everything on this machine: servers, a worker for plans and one for jobs, beat, executor and gateway; Ctrl-C stops it all.

    A recorder runs where a source is configured.
    """
    from luna.database import migrate
    from luna.embedded import running
    from luna.settings import load_settings
    from services.api.server import listen, serve

    settings = load_settings()
    # Gateway, worker with beat, and servers end in this order; the port comes first, so that nothing is started where it is in use.
    with suppress(KeyboardInterrupt), listen(settings) as listener, running(settings, keep_alive=True) as addresses:
        migrate.upgrade(addresses.database_url)
        with companions(_needed(settings)):
            err.print(f"Luna runs at http://{settings.api_host}:{settings.api_port} and stops with Ctrl-C.")
            serve(settings, addresses, listener=listener)


def _needed(settings: "Settings") -> list[str]:
    """Return the companions to run: the recorder only where there is something to listen to."""
    listens = settings.home_assistant_url or settings.mqtt_url
    return [name for name in COMPANIONS if name != "recorder" or listens]


@contextmanager
def companions(names: Iterable[str]) -> Iterator[None]:
    """Run these of ``COMPANIONS``, and another one whenever one dies; at the end return when no process of theirs is left.

    A second Ctrl-C cuts the worker's tasks off.
    """
    done, hurry = threading.Event(), threading.Event()
    watches = [threading.Thread(target=_keep_running, args=(name, _start(name), done, hurry), daemon=True) for name in names]
    for watch in watches:
        watch.start()
    try:
        yield
    finally:
        done.set()
        try:
            _join(watches)
        except (KeyboardInterrupt, SystemExit):
            hurry.set()
            _join(watches)


def _join(watches: list[threading.Thread]) -> None:
    for watch in watches:
        watch.join()


def _keep_running(name: str, process: subprocess.Popen[bytes], done: threading.Event, hurry: threading.Event) -> None:
    import structlog

    while not done.wait(WATCH_SECONDS):
        if process.poll() is not None:
            structlog.get_logger("luna.up").error("process died and is started again", name=name, exit_code=process.returncode)
            _end(process, hurry)
            process = _start(name)
    _end(process, hurry)


def _start(name: str) -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C reaches this process, which ends it after the gateway.
    command = [sys.executable, "-m", "services.cli.parent_watch", *COMPANIONS[name]]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _end(process: subprocess.Popen[bytes], hurry: threading.Event) -> None:
    with process:
        process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not hurry.is_set():
            time.sleep(PAUSE_SECONDS)
        # What is left of it and its pool.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
