"""Serves a simulated device's JSON documents over HTTP; it answers slowly where it is told to."""

import json
import threading
import time
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from luna.energy.refusals import refuse
from luna.platform.drivers.modbus_server import ServerFaults
from luna.platform.drivers.point_image import JsonImage
from luna.platform.drivers.served import served
from luna.platform.drivers.simulator import SimulatedInverter


class DocumentServer:
    """The server of one device; ``port`` is where it listens. Use ``serve_documents``."""

    def __init__(self, device: SimulatedInverter, host: str, port: int) -> None:
        self.device, self.faults = device, ServerFaults()
        outer = self

        class DocumentHandler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(outer.faults.delay_s)
                documents = cast("JsonImage", outer.device.look()).documents()
                body = json.dumps(documents.get(self.path, {"error": "not found"})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Say nothing."""

        try:
            self._server = ThreadingHTTPServer((host, port), DocumentHandler)
        except OSError as exc:
            raise refuse("device-port-taken", field="--port", value=port) from exc
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="http server", daemon=True)

    def start(self) -> None:
        """Answer."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_documents(device: SimulatedInverter, *, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[DocumentServer]:
    """Serve a device's documents while the block runs; port 0: one that is free.

    Raises:
        UnavailableError: the port is taken.
    """
    return served(DocumentServer(device, host, port))
