"""The channel to the process that charge points connect to: a Unix socket beside steering's.

Source: docs/decisions/0124.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import ValidationError

from luna.contracts.charge_points import (
    CHARGE_POINT_REQUESTS,
    ChargePointAnswer,
    ChargePointRequest,
)
from luna.drivers.socket_channel import SocketClient, serve_lines

SOCKET_FILE = "ocpp.socket"
PROCESS_LOCK = "ocpp.lock"
# A charge point may be asked five things in turn, and takes seconds over each.
PATIENCE_SECONDS = 20.0
LIST_SECONDS = 2.0

log = structlog.get_logger("luna.ocpp")


class ChargePointClient:
    """A connection to the process that charge points connect to. Thread-safe."""

    def __init__(self, data_folder: Path, *, patience_s: float = PATIENCE_SECONDS) -> None:
        self._client = SocketClient(data_folder, SOCKET_FILE, patience_s=patience_s)

    def ask(self, request: ChargePointRequest) -> ChargePointAnswer:
        """Send a request and return the answer, which may be a fault.

        Raises:
            OSError: nobody listens, or the answer is late or cannot be read.
        """
        line = self._client.exchange(request.model_dump_json().encode())
        try:
            return ChargePointAnswer.model_validate_json(line)
        except ValidationError as exc:
            raise ConnectionAbortedError("the answer cannot be read") from exc

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@contextmanager
def serve_charge_points(
    data_folder: Path, answer: Callable[[ChargePointRequest], ChargePointAnswer]
) -> Iterator[None]:
    """Answer requests while the block runs; the caller has ``PROCESS_LOCK``.

    Raises:
        OSError: the folder takes no socket.
    """

    def answer_line(line: bytes) -> bytes:
        try:
            request = CHARGE_POINT_REQUESTS.validate_json(line)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            log.warning("a request cannot be read", fault=str(faults[0])[:200])
            return ChargePointAnswer(fault="unreadable").model_dump_json().encode()
        return answer(request).model_dump_json().encode()

    with serve_lines(data_folder, SOCKET_FILE, answer_line):
        yield
