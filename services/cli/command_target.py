"""Target of commands: Luna on this machine, or a remote gateway (``--server``)."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from luna.energy.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A gateway's address and the API key for it."""

    url: str
    key: str | None = None


_SERVER: ContextVar[RemoteServer | None] = ContextVar("server", default=None)


def name_server(server: RemoteServer | None) -> None:
    """Send this process's commands to a gateway; None: run them here."""
    _SERVER.set(server)


def find_server() -> RemoteServer | None:
    """Return the gateway of remote commands, None if they run here."""
    return _SERVER.get()


def require_over_http(words: Sequence[str]) -> None:
    """Require a command that a remote gateway offers.

    Args:
        words: the command line from the command on.

    Raises:
        InvalidInputError: the command works on Luna's own machine alone.
    """
    from luna.house.capabilities.registry import CAPABILITIES

    # A declared command may end in an option.
    names: dict[str, None] = {}
    for capability in CAPABILITIES:
        for command in capability.commands:
            names[command.partition(" --")[0]] = None
    commands = list(names)
    for command in commands:
        command_words = command.split()
        if list(words[: len(command_words)]) == command_words:
            return
    named = " ".join(word for word in words[:2] if not word.startswith("-"))
    remedy = f"Over HTTP you can run: {', '.join(commands)}."
    raise InvalidInputError(
        "works on Luna's own machine alone", field="--server", value=f"luna {named}", remedy=remedy
    )
