"""The channel to the steering process: a Unix socket and two locks in the folder of devices.

A client writes a message as one line of JSON and reads the answer as another. Each waits a moment
at most, for nobody may be delayed by steering.

``steering.lock`` is locked while a steering process lives, ``sender.lock`` by the process that
commands the devices of steered sites. The operating system releases both however a process ends.
Source: docs/decisions/0122.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import ValidationError

from luna.contracts.health import ControlSign
from luna.contracts.steering import (
    REQUESTS,
    FetchedRecords,
    RecordsQuestion,
    SignQuestion,
    SiteRequest,
    SteeringAnswer,
    SteeringRequest,
    SteeringState,
)
from luna.drivers.socket_channel import SocketClient, serve_lines
from luna.energy.errors import UnavailableError

SOCKET_FILE = "steering.socket"
PROCESS_LOCK = "steering.lock"
SENDER_LOCK = "sender.lock"
# A client's longest wait for an answer.
PATIENCE_SECONDS = 0.2

log = structlog.get_logger("luna.steering")


class SteeringAwayError(UnavailableError):
    """Steering cannot be reached, or does not answer in time."""

    title = "Steering does not answer"
    code = "steering-away"


class SteeringClient:
    """A connection to the steering process, opened at first use and again after a loss.

    Thread-safe.
    """

    def __init__(self, data_folder: Path, *, patience_s: float = PATIENCE_SECONDS) -> None:
        self._client = SocketClient(data_folder, SOCKET_FILE, patience_s=patience_s)

    def ask(self, request: SiteRequest) -> SteeringState | None:
        """Send a request and return the state of its site, None where it has no target yet.

        Raises:
            SteeringAwayError: nobody listens, the answer is late or broken, or the request is
                refused.
        """
        return self._exchange(request).state

    def read_sign(self) -> ControlSign | None:
        """Return the sign of life of the process.

        Raises:
            SteeringAwayError: as for ``ask``.
        """
        return self._exchange(SignQuestion()).sign

    def fetch_records(self, journal: str, stored: int) -> FetchedRecords | None:
        """Confirm the records that are stored, and return the next ones.

        Raises:
            SteeringAwayError: as for ``ask``.
        """
        return self._exchange(RecordsQuestion(journal=journal, stored=stored)).records

    def _exchange(self, request: SteeringRequest) -> SteeringAnswer:
        try:
            text = self._client.exchange(request.model_dump_json(by_alias=True).encode())
            answer = SteeringAnswer.model_validate_json(text)
        except OSError as exc:
            raise SteeringAwayError(f"steering does not answer: {exc}") from exc
        except ValidationError as exc:
            raise SteeringAwayError("steering's answer cannot be read") from exc
        if answer.fault is not None:
            raise SteeringAwayError(f"steering refuses: {answer.fault}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _answer_line(
    line: bytes, answer: Callable[[SteeringRequest], SteeringAnswer]
) -> SteeringAnswer:
    try:
        request = REQUESTS.validate_json(line)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        log.warning("a message cannot be read", fault=str(faults[0])[:200])
        return SteeringAnswer(fault="the message cannot be read")
    return answer(request)


@contextmanager
def serve_steering(
    data_folder: Path, answer: Callable[[SteeringRequest], SteeringAnswer]
) -> Iterator[None]:
    """Answer the requests of clients while the block runs.

    The caller has ``PROCESS_LOCK``.

    Raises:
        OSError: the folder takes no socket.
    """

    def answer_line(line: bytes) -> bytes:
        return _answer_line(line, answer).model_dump_json(by_alias=True).encode()

    with serve_lines(data_folder, SOCKET_FILE, answer_line):
        yield
