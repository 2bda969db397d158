"""Processes of Luna's that a test starts, and how they say they are."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

Process = subprocess.Popen[bytes]


@contextmanager
def luna_process(module: str, *arguments: str, **settings: str) -> Iterator[Process]:
    """Run ``python -m module`` with no settings of Luna's but these; whatever is left of it ends with the block."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
    environment = plain | {f"LUNA_{name.upper()}": value for name, value in settings.items()} | {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


# Below those that the system hands out, and apart for each of the processes that run tests: nobody takes one before the process it is meant for does.
_PORTS = itertools.count(21_000 + 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def free_port() -> int:
    """Return a port that nobody uses and that no other call returns."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ask(port: int, question: str) -> tuple[int, Any]:
    """Return status and document of ``/health/<question>``; 0 where nobody answers within a second."""
    # A proxy of this machine's has no business between Luna and its test.
    with httpx.Client(trust_env=False, timeout=1) as client:
        try:
            answer = client.get(f"http://127.0.0.1:{port}/health/{question}")
        except httpx.TransportError:
            return 0, None
        return answer.status_code, answer.json()


def says(port: int, question: str, status: int) -> bool:
    return ask(port, question)[0] == status


def failing(port: int) -> list[str]:
    """Return the names of the checks that fail in ``/health/ready``."""
    _, document = ask(port, "ready")
    return [check["name"] for check in document["checks"] if not check["ok"]]
