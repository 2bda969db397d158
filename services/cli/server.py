"""Which Luna carries commands out: this machine's own, or a gateway elsewhere."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from luna.energy.errors import InvalidInputError


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


def require_over_http(words: Sequence[str]) -> None:
    """Return where a command is one that a gateway carries out.

    Args:
        words: the command line from the command on.

    Raises:
        InvalidInputError: it works on Luna's own machine alone.
    """
    from luna.platform.capabilities import CAPABILITIES

    # What is behind an option is the same command's.
    commands = list(dict.fromkeys(command.partition(" --")[0] for each in CAPABILITIES for command in each.commands))
    if any(list(words[: len(command.split())]) == command.split() for command in commands):
        return
    named = " ".join(word for word in words[:2] if not word.startswith("-"))
    remedy = f"Over HTTP there are: {', '.join(commands)}."
    raise InvalidInputError("works on Luna's own machine alone", field="--server", value=f"luna {named}", remedy=remedy)
