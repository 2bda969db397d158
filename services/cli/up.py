"""``luna up``: everything on this machine, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from services.cli.console import err

WORKER = [sys.executable, "-m", "services.cli.attended", "luna.queue.worker"]
WATCH_SECONDS = 1.0
PAUSE_SECONDS = 0.05
# What a task under way gets to end by itself; a task that is cut off is done again at the next start.
GRACE_SECONDS = 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="up")(up)


def up() -> None:
    """Run servers, one worker and the gateway on this machine; Ctrl-C stops everything."""
    from luna.database import migrate
    from luna.embedded import running
    from luna.settings import load_settings
    from services.api.server import listen, serve

    settings = load_settings()
    # Gateway, worker and servers end in this order; the port comes first, so that nothing is started where it is in use.
    with suppress(KeyboardInterrupt), listen(settings) as listener, running(settings, keep_alive=True) as addresses:
        migrate.upgrade(addresses.database_url)
        with worker():
            err.print(f"Luna runs at http://{settings.api_host}:{settings.api_port} and stops with Ctrl-C.")
            serve(settings, addresses, listener=listener)


@contextmanager
def worker() -> Iterator[None]:
    """Run a worker, and another one whenever it dies; at the end return when no process of it is left. A second Ctrl-C cuts its tasks off."""
    done, hurry = threading.Event(), threading.Event()
    watch = threading.Thread(target=_keep_working, args=(_start_worker(), done, hurry), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        try:
            watch.join()
        except (KeyboardInterrupt, SystemExit):
            hurry.set()
            watch.join()


def _keep_working(process: subprocess.Popen[bytes], done: threading.Event, hurry: threading.Event) -> None:
    import structlog

    while not done.wait(WATCH_SECONDS):
        if process.poll() is not None:
            structlog.get_logger("luna.up").error("worker died and is started again", exit_code=process.returncode)
            _end_worker(process, hurry)
            process = _start_worker()
    _end_worker(process, hurry)


def _start_worker() -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C reaches this process, which ends the worker after the gateway.
    return subprocess.Popen(WORKER, stdin=subprocess.PIPE, start_new_session=True)


def _end_worker(process: subprocess.Popen[bytes], hurry: threading.Event) -> None:
    with process:
        process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not hurry.is_set():
            time.sleep(PAUSE_SECONDS)
        # What is left of it and its pool.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
