"""Serve the health and metrics of a process other than the gateway, from a thread.

The paths are ``/health/live``, ``/health/ready`` and ``/metrics``.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar, NamedTuple

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Info, generate_latest

from luna.energy.errors import LunaError, MachineError, NotFoundError, UnavailableError
from luna.platform.health.readiness import Liveness, Readiness, not_ready
from luna.platform.telemetry import new_trace_id

_RELEASE = Info("luna_build", "The release of Luna that this process runs.")


def announce_release() -> None:
    """Publish the release in this process' metrics."""
    _RELEASE.info({"version": version("luna-energy")})


log = structlog.get_logger("luna.health")

CALLER_SECONDS = 5


class _HealthAnswer(NamedTuple):
    status: int
    media_type: str
    body: bytes


class HealthServer:
    """Listens at once and answers from ``start`` on: earlier requests wait until then.

    ``age_seconds``: how long ago its loop turned last.

    Raises:
        MachineError: the port is in use, or the address is not this machine's.
    """

    def __init__(self, host: str, port: int, *, pulse: Liveness, readiness: Readiness) -> None:
        class Handler(_Handler):
            answers = _Answers(pulse, readiness)

        try:
            self._server = _Server((host, port), Handler)
        except OSError as exc:
            remedy = (
                "Name a free port with --health-port, and an address of this machine with "
                "LUNA_API_HOST."
            )
            raise MachineError(
                f"health cannot be served: {exc.strerror}",
                field="--health-port",
                value=f"{host}:{port}",
                remedy=remedy,
            ) from exc
        self.age_seconds = self._server.age_seconds
        self._answering = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        """Answer in a separate thread."""
        self._answering.start()

    def close(self) -> None:
        """Stop answering and listening."""
        if self._answering.is_alive():
            self._server.shutdown()
        self._server.server_close()


@contextmanager
def serve_health(
    host: str, port: int, *, pulse: Liveness, readiness: Readiness
) -> Iterator[HealthServer]:
    """Serve at ``host:port`` while the block runs; 0 takes any free port.

    Raises:
        MachineError: as ``HealthServer`` does.
    """
    with closing(HealthServer(host, port, pulse=pulse, readiness=readiness)) as server:
        server.start()
        yield server


class _Answers:
    """The response to each path."""

    def __init__(self, pulse: Liveness, readiness: Readiness) -> None:
        self._pulse = pulse
        self._readiness = readiness

    def to(self, path: str) -> _HealthAnswer:
        match path:
            case "/health/live":
                try:
                    return _document({"status": "live", "detail": self._pulse.probe()})
                except UnavailableError as error:
                    return _problem(error)
            case "/health/ready":
                checks = self._readiness.look()
                document = [asdict(check) for check in checks]
                failed = not_ready(checks)
                if failed:
                    return _problem(failed, checks=document)
                return _document({"status": "ready", "checks": document})
            case "/metrics":
                return _HealthAnswer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest())
            case _:
                return _problem(
                    NotFoundError(
                        "no such page",
                        value=path,
                        remedy="There are /health/live, /health/ready, /metrics.",
                    )
                )


# Not HTTPServer, which resolves this machine's host name and waits for that.
class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)
        self._turned_at = time.monotonic()

    def service_actions(self) -> None:
        """Note a turn of the loop that takes connections; it turns every half second."""
        self._turned_at = time.monotonic()

    def age_seconds(self) -> float:
        """Return how long ago that was."""
        return time.monotonic() - self._turned_at

    def handle_error(self, request: object, client_address: object) -> None:
        log.warning("health could not be answered", error=repr(sys.exception()))


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[_Answers]
    timeout = CALLER_SECONDS

    def do_GET(self) -> None:
        answer = self.answers.to(self.path.partition("?")[0])
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "luna"

    def log_message(self, *_: object) -> None:
        """Say nothing: monitors ask every few seconds."""


def _document(document: dict[str, Any]) -> _HealthAnswer:
    return _HealthAnswer(HTTPStatus.OK, "application/json", json.dumps(document).encode())


def _problem(error: LunaError, **extras: Any) -> _HealthAnswer:
    document = {**error.problem(), "trace_id": new_trace_id(), **extras}
    return _HealthAnswer(error.status, "application/problem+json", json.dumps(document).encode())
