"""The channel to the steering process: a Unix socket and two locks in the folder of devices.

A client writes a message as one line of JSON and reads the answer as another. Each waits a moment
at most, for nobody may be delayed by steering.

``steering.lock`` is locked while a steering process lives, ``sender.lock`` by the process that
commands the devices of steered sites. The operating system releases both however a process ends.
Source: docs/decisions/0122.
"""

import fcntl
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import cast

import structlog
from pydantic import ValidationError

from luna.contracts.steering import (
    REQUESTS,
    SteeringAnswer,
    SteeringRequest,
    SteeringState,
)
from luna.energy.errors import UnavailableError
from luna.platform.drivers.sharing import open_devices_folder

SOCKET_FILE = "steering.socket"
PROCESS_LOCK = "steering.lock"
SENDER_LOCK = "sender.lock"
# A client's longest wait for an answer.
PATIENCE_SECONDS = 0.2
# A site's document has some ten thousand bytes; plans ahead add as much.
LONGEST_BYTES = 1_000_000
# A client that is silent for longer connects again.
IDLE_SECONDS = 60.0
_PIECE_BYTES = 65_536

log = structlog.get_logger("luna.steering")


class SteeringAwayError(UnavailableError):
    """Steering cannot be reached, or does not answer in time."""

    title = "Steering does not answer"
    code = "steering-away"


class FolderLock:
    """A lock file in the folder of devices, held by one process at a time. Thread-safe."""

    def __init__(self, data_folder: Path, name: str) -> None:
        self._data_folder = data_folder
        self._name = name
        self._mutex = threading.Lock()
        self._descriptor: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether this object has the lock."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take the lock unless another process has it; return whether this object has it."""
        with self._mutex:
            if self._descriptor is None:
                self._descriptor = self._try()
            return self._descriptor is not None

    def release(self) -> None:
        """Release the lock."""
        with self._mutex:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None

    def is_free(self) -> bool:
        """Return whether nobody has the lock."""
        with self._mutex:
            if self._descriptor is not None:
                return False
            descriptor = self._try()
            if descriptor is not None:
                os.close(descriptor)
            return descriptor is not None

    def _try(self) -> int | None:
        with open_devices_folder(self._data_folder) as folder:
            if folder is None:
                return None
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                descriptor = os.open(folder / self._name, flags, 0o600)
            except OSError as error:
                log.warning("a lock cannot be opened", name=self._name, error=str(error))
                return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor


class SteeringClient:
    """A connection to the steering process, opened at first use and again after a loss.

    Thread-safe.
    """

    def __init__(self, data_folder: Path, *, patience_s: float = PATIENCE_SECONDS) -> None:
        self._data_folder = data_folder
        self._patience_s = patience_s
        self._mutex = threading.Lock()
        self._connection: socket.socket | None = None

    def ask(self, request: SteeringRequest) -> SteeringState | None:
        """Send a request and return the state of its site, None where it has no target yet.

        Raises:
            SteeringAwayError: nobody listens, the answer is late or broken, or the request is
                refused.
        """
        deadline = time.monotonic() + self._patience_s
        line = request.model_dump_json(by_alias=True).encode() + b"\n"
        with self._mutex:
            text = self._exchange(line, deadline)
        try:
            answer = SteeringAnswer.model_validate_json(text)
        except ValidationError as exc:
            raise SteeringAwayError("steering's answer cannot be read") from exc
        if answer.fault is not None:
            raise SteeringAwayError(f"steering refuses: {answer.fault}")
        return answer.state

    def close(self) -> None:
        """Close the connection."""
        with self._mutex:
            self._drop()

    def _exchange(self, line: bytes, deadline: float) -> bytes:
        is_new = self._connection is None
        try:
            return self._try(line, deadline)
        except OSError as exc:
            self._drop()
            # A connection from before steering's restart is dead; a new one may be alive.
            if is_new or isinstance(exc, TimeoutError):
                raise SteeringAwayError(f"steering does not answer: {exc}") from exc
        try:
            return self._try(line, deadline)
        except OSError as exc:
            self._drop()
            raise SteeringAwayError(f"steering does not answer: {exc}") from exc

    def _try(self, line: bytes, deadline: float) -> bytes:
        connection = self._connection or self._connect(deadline)
        self._connection = connection
        _set_timeout(connection, deadline)
        connection.sendall(line)
        received = bytearray()
        while not received.endswith(b"\n"):
            _set_timeout(connection, deadline)
            piece = connection.recv(_PIECE_BYTES)
            if not piece or len(received) > LONGEST_BYTES:
                raise ConnectionResetError("the answer breaks off")
            received += piece
        return bytes(received)

    def _connect(self, deadline: float) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            with open_devices_folder(self._data_folder) as folder:
                if folder is None:
                    raise FileNotFoundError("no folder of devices")
                _set_timeout(connection, deadline)
                connection.connect(str(folder / SOCKET_FILE))
        except OSError:
            connection.close()
            raise
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _set_timeout(connection: socket.socket, deadline: float) -> None:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("no answer in time")
    connection.settimeout(left_s)


class _ChannelServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    answer: Callable[[SteeringRequest], SteeringAnswer]

    def __init__(self, path: str) -> None:
        super().__init__(path, _ChannelHandler)
        self.clients: set[socket.socket] = set()

    def end_clients(self) -> None:
        """End the connections of all clients, which then find the next server."""
        for client in list(self.clients):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class _ChannelHandler(socketserver.StreamRequestHandler):
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        server = cast("_ChannelServer", self.server)
        server.clients.add(self.connection)
        try:
            self._answer_lines(server)
        finally:
            server.clients.discard(self.connection)

    def _answer_lines(self, server: _ChannelServer) -> None:
        # A client that breaks off, or is silent for long, ends its connection alone.
        with suppress(OSError):
            while True:
                line = self.rfile.readline(LONGEST_BYTES + 1)
                if not line.endswith(b"\n"):
                    return
                answer = _answer_line(line, server.answer)
                self.wfile.write(answer.model_dump_json(by_alias=True).encode() + b"\n")


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
    with ExitStack() as stack:
        folder = stack.enter_context(open_devices_folder(data_folder))
        if folder is None:
            raise FileNotFoundError(f"no folder for devices in {data_folder}")
        path = folder / SOCKET_FILE
        path.unlink(missing_ok=True)
        server = stack.enter_context(_ChannelServer(str(path)))
        server.answer = answer
        path.chmod(0o600)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="steering channel")
        thread.daemon = True
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.end_clients()
            path.unlink(missing_ok=True)
