"""The websocket of a Home Assistant, asked for its energy dashboard."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from luna.platform.addresses import HomeAssistantAccess
from services.api.pages.setup.home_assistant import look_up


def test_a_redirection_leads_the_token_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)

        class Redirecting(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bodies = {"/api/config": b'{"version": "2026.11"}', "/api/states": b"[]"}
                body = bodies.get(self.path, b"")
                self.send_response(200 if body else 302)
                self.send_header("Location", f"ws://127.0.0.1:{elsewhere.getsockname()[1]}/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Redirecting)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            found = look_up(HomeAssistantAccess(f"http://127.0.0.1:{server.server_port}", "secret"))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        assert (found.fault, found.version, dict(found.dashboard)) == (None, "2026.11", {})
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
