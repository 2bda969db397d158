"""Processes of Luna's that a test starts, and how they say they are."""

import fcntl
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.worker.fork_server import Process, start_python


@contextmanager
def luna_process(module: str, *arguments: str, **settings: str) -> Iterator[Process]:
    """Run ``python -m module`` with no settings of Luna's but these.

    Whatever is left of it ends with the block.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
    environment = (
        plain
        | {f"LUNA_{name.upper()}": value for name, value in settings.items()}
        | {"PYTHONPATH": str(Path(__file__).parents[3])}
    )
    process = start_python(module, *arguments, environment=environment)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)


BLOCK = 500


def _own_ports() -> Iterator[int]:
    """Ports below those that the system hands out, of a block that no other process holds: nobody
    takes one before the process it is meant for does.
    """
    for first in range(20_000, 32_500, BLOCK):
        # Held until this process ends.
        block = os.open(
            Path(tempfile.gettempdir()) / f"luna-tests-ports-{first}.lock",
            os.O_RDONLY | os.O_CREAT,
            0o644,
        )
        with suppress(BlockingIOError):
            fcntl.flock(block, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield from range(first, first + BLOCK)
        os.close(block)


_PORTS = _own_ports()


def free_port() -> int:
    """Return a port that nobody uses and that no other call returns."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def ask(port: int, question: str, *, seconds: float = 20) -> tuple[int, Any]:
    """Return status and document of ``/health/<question>``; 0 where nobody answers in time."""
    # A proxy of this machine's has no business between Luna and its test.
    with httpx.Client(trust_env=False, timeout=seconds, verify=NO_CERTIFICATES) as client:
        try:
            answer = client.get(f"http://127.0.0.1:{port}/health/{question}")
        except httpx.TransportError:
            return 0, None
        return answer.status_code, answer.json()


def says(port: int, question: str, status: int) -> bool:
    return ask(port, question)[0] == status


def is_silent(port: int) -> bool:
    """Whether nobody says within a second that he lives."""
    return ask(port, "live", seconds=1)[0] == 0


def checks(port: int) -> dict[str, dict[str, Any]]:
    """Return the checks of ``/health/ready`` by name; none where nobody answers."""
    _, document = ask(port, "ready")
    return {check["name"]: check for check in document["checks"]} if document else {}


def failing(port: int) -> list[str]:
    """Return the names of the checks that fail in ``/health/ready``."""
    return [name for name, check in checks(port).items() if not check["ok"]]
