"""Run the gateway's HTTP server (``python -m services.api``).

It is uvicorn with a time limit for headers, and problem documents for malformed requests.
"""

import asyncio
import errno
import gc
import json
import socket
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from luna.energy.refusals import refuse
from luna.platform.embedded.supervisor import Addresses
from luna.platform.health.readiness import Liveness
from luna.platform.health.stall_watch import StallWatch
from luna.platform.settings import Settings
from luna.platform.telemetry import new_trace_id
from services.api.app import create_app
from services.api.events import ENDLESS
from services.api.problems import MEDIA_TYPE

# From the connection, or from the first byte of a further request; trickling bytes do not extend
# it.
HEADER_SECONDS = 10.0
# uvicorn's loop ticks ten times a second.
BEAT = timedelta(seconds=1)


class GatewayProtocol(H11Protocol):
    """A connection.

    It is closed when headers take longer than ``header_seconds``, and does not delay a shutdown by
    an endless stream.
    """

    header_seconds = HEADER_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope.get(ENDLESS):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(
            HTTPStatus.BAD_REQUEST, msg.rstrip("."), field="request", remedy="Send HTTP/1.1."
        )

    def _watch_headers(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        received, _ = self.conn.trailing_data
        if self.transport.is_closing() or self.conn.our_state is not h11.IDLE:
            return
        # Browsers open connections ahead of use: such a one is closed without a response.
        if not received:
            self.transport.close()
            return
        self._refuse(
            HTTPStatus.REQUEST_TIMEOUT,
            "the headers did not come in",
            field="headers",
            remedy="Send the whole request without long pauses.",
        )

    def _refuse(self, status: HTTPStatus, detail: str, *, field: str, remedy: str) -> None:
        kind = status.phrase.lower().replace(" ", "-")
        document = {
            "type": f"urn:luna:problem:{kind}",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "field": field,
            "remedy": remedy,
            "trace_id": new_trace_id(),
        }
        body = json.dumps(document).encode()
        headers = [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        start = h11.Response(status_code=status.value, headers=headers, reason=status.phrase)
        for event in (start, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


# On shutdown, requests under way have so long to end.
GRACE_SECONDS = 10
# Longer than clients and proxies keep an idle connection (httpx 5 s, nginx 60, Caddy 120): if the
# gateway closed it first, a request sent at that moment would be lost.
IDLE_SECONDS = 130


class GatewayServer(uvicorn.Server):
    """Calls ``at_end`` when a signal ends it, before it waits for requests under way.

    The process ends where the event loop stands still.
    """

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._at_end = at_end

    async def main_loop(self) -> None:
        pulse = Liveness(BEAT)
        self._pulse = pulse
        watch = StallWatch()
        watch.add("main", lambda: pulse.age_seconds)
        watch.start()
        try:
            await super().main_loop()
        finally:
            watch.stop()

    async def on_tick(self, counter: int) -> bool:
        self._pulse.beat()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._at_end()
        super().handle_exit(sig, frame)


def serve(
    settings: Settings,
    addresses: Addresses | None = None,
    *,
    listener: socket.socket | None = None,
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, which call ``at_end`` at once.

    ``listener`` is closed at the end.

    Raises:
        MachineError: the address is in use or not this machine's.
    """
    with listener or listen(settings) as open_listener:
        config = uvicorn.Config(
            create_app(settings, addresses),
            http=GatewayProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            # Luna reads forwarding headers itself, by its setting of trusted proxies.
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
        # Loaded modules stay for good: exempt them from garbage collection.
        gc.freeze()
        GatewayServer(config, at_end).run(sockets=[open_listener])


def listen(settings: Settings) -> socket.socket:
    """Return a socket bound to the gateway's address.

    A port in use is thus reported before anything is started.

    Raises:
        MachineError: the address is in use or not this machine's.
    """
    address = (settings.api_host, settings.api_port)
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    try:
        listener = socket.create_server(address, family=family, backlog=512)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise refuse("port-in-use", field="api_port", value=settings.api_port) from exc
        raise refuse(
            "cannot-listen", field="api_host", value=settings.api_host, why=exc.strerror
        ) from exc
    # Connections inherit it. Without it, a response of two packets waits 40 ms for the delayed
    # acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
