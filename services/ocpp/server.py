"""Listen for charge points: ``ws://HOST:PORT/ocpp/IDENTITY``."""

import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from services.ocpp.access import (
    WrongPasswords,
    load_certificate,
    may_connect,
    needs_password,
)
from services.ocpp.central_system import REJECTED, CentralSystem
from services.ocpp.link import PING_SECONDS

FOLDER = "/ocpp/"
IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The first that both know is spoken.
PROTOCOLS = ("ocpp1.6", "ocpp2.0.1")
# A message of a charge point has some kilobytes, with all its settings some ten.
LONGEST_BYTES = 262_144
MOST_CONNECTIONS = 128
OPEN_SECONDS = 10.0
# Silence for a ping's interval and that is the end of a connection.
PONG_SECONDS = 30.0
CLOSE_SECONDS = 1.0
_WAITING_MESSAGES = 4

log = structlog.get_logger("luna.ocpp")

# The library logs a traceback for whoever connects and says nothing; here that is no error.
_SILENT = logging.getLogger("luna.ocpp.websocket")
_SILENT.setLevel(logging.CRITICAL)


@asynccontextmanager
async def serve_charge_points(
    central: CentralSystem, host: str | None, port: int, *, data_folder: Path
) -> AsyncIterator[Server]:
    """Take connections while the block runs.

    Raises:
        OSError: the port is taken, or its certificate cannot be read.
    """
    doorkeeper = _Doorkeeper(central, data_folder)
    async with serve(
        doorkeeper.serve,
        host,
        port,
        ssl=load_certificate(data_folder),
        select_subprotocol=choose_protocol,
        process_request=doorkeeper.judge,
        # What is packed can be a thousand times as large.
        compression=None,
        max_size=LONGEST_BYTES,
        max_queue=_WAITING_MESSAGES,
        open_timeout=OPEN_SECONDS,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        close_timeout=CLOSE_SECONDS,
        server_header=None,
        logger=_SILENT,
    ) as server:
        yield server


def choose_protocol(
    _connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Return the version to speak; a charge point that offers none speaks 1.6."""
    if not offered:
        return None
    for name in PROTOCOLS:
        if name in offered:
            return Subprotocol(name)
    raise NegotiationError("no version of OCPP that Luna speaks")


def read_identity(path: str) -> str | None:
    """Return the identity that a path ends with, None where it names none."""
    place = unquote(urlsplit(path).path).rstrip("/")
    if not place.startswith(FOLDER):
        return None
    identity = place.removeprefix(FOLDER)
    return identity if IDENTITY.fullmatch(identity) else None


class _Doorkeeper:
    """Decides who comes in."""

    def __init__(self, central: CentralSystem, data_folder: Path) -> None:
        self._central = central
        self._data_folder = data_folder
        self._inside = 0
        self._wrong_passwords = WrongPasswords(central.seconds)

    async def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return why a connection is turned away, None where it is let in."""
        identity = read_identity(request.path)
        if identity is None:
            REJECTED.inc()
            return connection.respond(
                HTTPStatus.NOT_FOUND,
                "A charge point connects to /ocpp/ and its name of letters, digits and . _ -\n",
            )
        if self._inside >= MOST_CONNECTIONS:
            REJECTED.inc()
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections.\n")
        address = client_address(connection)
        if needs_password(identity, self._data_folder):
            refusal = self._judge_password(connection, request, identity, address)
            if refusal is not None:
                REJECTED.inc()
                return refusal
        obstacle = await self._central.find_obstacle(identity, address)
        if obstacle is not None:
            return connection.respond(HTTPStatus.CONFLICT, f"{obstacle}\n")
        return None

    def _judge_password(
        self, connection: ServerConnection, request: Request, identity: str, address: str
    ) -> Response | None:
        """Return why a charge point may not show its password, or why that is wrong."""
        if self._wrong_passwords.are_too_many(address):
            return connection.respond(
                HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords; wait a minute.\n"
            )
        shown = request.headers.get_all("Authorization")
        if may_connect(identity, shown[0] if shown else "", self._data_folder):
            return None
        self._wrong_passwords.add(address)
        log.warning("a charge point shows a wrong password", charge_point=identity, address=address)
        return connection.respond(HTTPStatus.UNAUTHORIZED, "The password is wrong.\n")

    async def serve(self, connection: ServerConnection) -> None:
        """Serve a charge point that came in."""
        request = connection.request
        identity = None if request is None else read_identity(request.path)
        if identity is None:
            return
        self._inside += 1
        try:
            await self._central.serve(identity, client_address(connection), connection)
        finally:
            self._inside -= 1


def client_address(connection: ServerConnection) -> str:
    """Return the address that a connection comes from, empty once it is closed."""
    peer = connection.remote_address
    return str(peer[0]) if peer else ""
