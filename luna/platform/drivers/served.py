"""A simulated device's server, for as long as somebody needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class StartedServer(Protocol):
    """What is started and stopped."""

    def start(self) -> None:
        """Answer from now on."""

    def stop(self) -> None:
        """Answer no more."""


ServerT = TypeVar("ServerT", bound=StartedServer)


@contextmanager
def served(server: ServerT) -> Iterator[ServerT]:
    """Let a server answer while the block runs.

    Raises:
        UnavailableError: it cannot: its port is taken, or there is no broker.
    """
    server.start()
    try:
        yield server
    finally:
        server.stop()
