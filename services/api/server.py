"""Serves the gateway: ``python -m services.api``."""

import errno
import gc
import socket

import uvicorn

from luna.energy.refusals import refuse
from luna.platform.embedded import Addresses
from luna.platform.settings import Settings
from services.api.app import create_app
from services.api.http_protocol import GatewayProtocol

# What a plan under way has to end when the gateway is told to stop.
GRACE_SECONDS = 10
# Longer than callers and proxies keep an idle connection (httpx 5 s, nginx 60, Caddy 120): where the gateway closed it first, a request that is under way
# just then would get no answer.
IDLE_SECONDS = 130


def serve(settings: Settings, addresses: Addresses | None = None, *, listener: socket.socket | None = None) -> None:
    """Serve until SIGTERM or SIGINT; a ``listener`` that is given is closed at the end.

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
            # Whose word on the caller's address counts is a setting of Luna's.
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
        # What is loaded by now stays: no collection has to look through it again.
        gc.freeze()
        uvicorn.Server(config).run(sockets=[open_listener])


def listen(settings: Settings) -> socket.socket:
    """Return a socket at the gateway's address, so that a port in use is known before anything is started.

    Raises:
        MachineError: the address is in use or not this machine's.
    """
    address = (settings.api_host, settings.api_port)
    try:
        listener = socket.create_server(address, family=socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET, backlog=512)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise refuse("port-in-use", field="api_port", value=settings.api_port) from exc
        raise refuse("cannot-listen", field="api_host", value=settings.api_host, why=exc.strerror) from exc
    # Connections inherit it. Without, an answer of two packets waits 40 ms for the caller's delayed acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
