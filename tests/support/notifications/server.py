"""A server that takes messages, as Apprise's ``json://`` and as Home Assistant's notify services,
and fails as asked.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "long-lived"


class MessageServer:
    """``taken`` are the messages by path, ``headers`` those of each.

    ``faults`` are statuses, or ``hang_up``, for the next ones.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[list[tuple[str, str]]] = []
        self.faults: deque[str] = deque()
        self.port = 0

    @property
    def texts(self) -> list[str]:
        return [str(document["message"]) for _, document in self.taken]


@contextmanager
def serve_messages() -> Iterator[MessageServer]:
    """Run a server until the block ends."""
    house = MessageServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fault = house.faults.popleft() if house.faults else "200"
            if fault == "hang_up":
                self.close_connection = True
                return
            known = (
                not self.path.startswith("/api/")
                or self.headers.get("Authorization") == f"Bearer {TOKEN}"
            )
            status = int(fault) if known else 401
            if status == 200:
                house.taken.append((self.path, document))
                house.headers.append(self.headers.items())
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    house.port = server.server_address[1]
    try:
        yield house
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
