"""Which Luna carries commands out: this machine's own, or a gateway elsewhere."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """Where a gateway is, and the key that requests to it are signed with."""

    url: str
    key: str | None = None


_SERVER: ContextVar[RemoteServer | None] = ContextVar("server", default=None)


def name_server(server: RemoteServer | None) -> None:
    """Let the commands of this process be carried out by a gateway; None: here."""
    _SERVER.set(server)


def find_server() -> RemoteServer | None:
    """Return the gateway that carries commands out, None where that is done here."""
    return _SERVER.get()
