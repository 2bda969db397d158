"""Processes of Luna's that a test starts are forked from one that has loaded what they import: each
of a hundred would else take two seconds to load it.

It is what `luna up` does with its own. That each starts from nothing as well is shown where
commands are executed: `tests/system/test_up.py`, `tests/system/cli/test_demo_on_servers.py`,
`tests/system/test_dead_gateway.py`, the containers.
"""

import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from luna.platform.supervision.fork_server import ForkServer, run, show_command_line

ROOT = Path(__file__).parents[3]
MODULE = "tests.support.worker.fork_server"
STANDARD_ERROR = 2
# What tasks of the services import, in modules that have none: what is registered as a task in the
# process that loads is one in all that it becomes.
LOADED = (
    "celery.apps.worker",
    "celery.backends.redis",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "billiard.popen_fork",
    "celery.app.control",
    "celery.app.log",
    "luna.platform.queue.job_attempt",
    "luna.platform.queue.consumption",
    "luna.platform.queue.idle_processes",
    "luna.platform.queue.task_base",
    "services.forecaster.model.artefact",
    "services.ingest.loading",
    "services.planner.planner",
    "services.rag.extraction.extract",
)


class ForkedProcess:
    """A process that was forked for a test: what ``subprocess.Popen`` shows of one."""

    def __init__(self, server: ForkServer, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)

    def poll(self) -> int | None:
        """Return how it ended; None: it lives."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, once it has.

        Raises:
            subprocess.TimeoutExpired: it lives after ``timeout`` seconds.
        """
        ended = self._look(None if timeout is None else round(1000 * timeout))
        if ended is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return ended

    def send_signal(self, number: int) -> None:
        """Send a signal where it still lives."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _look(self, milliseconds: int | None) -> int | None:
        ended = select.poll()
        ended.register(self._descriptor, select.POLLIN)
        if self.returncode is None and ended.poll(milliseconds):
            self.returncode = self._server.reap(self.pid)
        return self.returncode


class _Loaded(ForkServer):
    """A fork server that has loaded what workers import."""

    def _execute(self) -> "subprocess.Popen[bytes]":
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LUNA_")
        } | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=self._far.fileno(),
            env=environment,
            start_new_session=True,
        )


@cache
def _server() -> ForkServer:
    """Return this process's own; it ends when this process does."""
    return _Loaded("shared")


Process = subprocess.Popen[bytes] | ForkedProcess


def start_python(
    *words: str, environment: Mapping[str, str], errors: int = STANDARD_ERROR
) -> Process:
    """Start ``python -m WORDS`` in a session of its own, with ``environment`` as all that it has.

    ``errors`` is its standard error.
    """
    if not hasattr(os, "pidfd_open"):
        return subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, start_new_session=True, stderr=errors
        )
    with Path(os.devnull).open("rb") as nothing:
        asked = [MODULE, json.dumps(dict(environment)), *words]
        pid, descriptor = _server().fork(asked, stdin=nothing.fileno(), stderr=errors)
    return ForkedProcess(_server(), pid, descriptor)


def run_python(*words: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run ``python -m WORDS`` to its end.

    Return its exit code and what it wrote to its standard error.
    """
    with tempfile.TemporaryFile() as errors:
        ended = start_python(*words, environment=environment, errors=errors.fileno()).wait(
            timeout=60
        )
        errors.seek(0)
        return ended, errors.read().decode()


def _become(environment: Mapping[str, str], *words: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    show_command_line([sys.executable, "-m", *words])
    sys.argv = list(words)
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        _become(json.loads(sys.argv[1]), *sys.argv[2:])
    else:
        for module in LOADED:
            import_module(module)
        run("shared")
