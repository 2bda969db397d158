"""Lines over a Unix socket in the folder of devices: a question and its answer, JSON each.

A client waits a moment at most. What is half or too long ends one connection alone.
"""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import cast

from luna.drivers.sharing import open_devices_folder

# A site's document has some ten thousand bytes; plans ahead add as much.
LONGEST_BYTES = 1_000_000
# A client that is silent for longer connects again.
IDLE_SECONDS = 60.0
_PIECE_BYTES = 65_536

AnswerLine = Callable[[bytes], bytes]


class SocketClient:
    """A connection to a process, opened at first use and again after a loss. Thread-safe."""

    def __init__(self, data_folder: Path, socket_file: str, *, patience_s: float) -> None:
        self._data_folder = data_folder
        self._socket_file = socket_file
        self._patience_s = patience_s
        self._mutex = threading.Lock()
        self._connection: socket.socket | None = None

    def exchange(self, line: bytes) -> bytes:
        """Send a line and return the answer.

        Raises:
            OSError: nobody listens, or the answer is late or breaks off.
        """
        deadline = time.monotonic() + self._patience_s
        with self._mutex:
            is_new = self._connection is None
            try:
                return self._try(line, deadline)
            except OSError as exc:
                self._drop()
                # A connection from before the process's restart is dead; a new one may be alive.
                if is_new or isinstance(exc, TimeoutError):
                    raise
            try:
                return self._try(line, deadline)
            except OSError:
                self._drop()
                raise

    def close(self) -> None:
        """Close the connection."""
        with self._mutex:
            self._drop()

    def _try(self, line: bytes, deadline: float) -> bytes:
        connection = self._connection or self._connect(deadline)
        self._connection = connection
        _set_timeout(connection, deadline)
        connection.sendall(line + b"\n")
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
                connection.connect(str(folder / self._socket_file))
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


class _SocketServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    answer: AnswerLine

    def __init__(self, path: str) -> None:
        super().__init__(path, _SocketHandler)
        self.clients: set[socket.socket] = set()

    def end_clients(self) -> None:
        """End the connections of all clients, which then find the next server."""
        for client in list(self.clients):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class _SocketHandler(socketserver.StreamRequestHandler):
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        server = cast("_SocketServer", self.server)
        server.clients.add(self.connection)
        try:
            self._answer_lines(server)
        finally:
            server.clients.discard(self.connection)

    def _answer_lines(self, server: _SocketServer) -> None:
        # A client that breaks off, or is silent for long, ends its connection alone.
        with suppress(OSError):
            while True:
                line = self.rfile.readline(LONGEST_BYTES + 1)
                if not line.endswith(b"\n"):
                    return
                self.wfile.write(server.answer(line) + b"\n")


@contextmanager
def serve_lines(data_folder: Path, socket_file: str, answer: AnswerLine) -> Iterator[None]:
    """Answer the lines of clients, each in a thread, while the block runs.

    The caller is the only process that does so.

    Raises:
        OSError: the folder takes no socket.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(open_devices_folder(data_folder))
        if folder is None:
            raise FileNotFoundError(f"no folder for devices in {data_folder}")
        path = folder / socket_file
        path.unlink(missing_ok=True)
        server = stack.enter_context(_SocketServer(str(path)))
        server.answer = answer
        path.chmod(0o600)
        thread = threading.Thread(
            target=server.serve_forever, args=(0.02,), name=socket_file, daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.end_clients()
            path.unlink(missing_ok=True)
