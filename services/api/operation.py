"""An operation of the gateway: its address, who may call it, and which command does the same."""

from dataclasses import dataclass
from typing import Literal

from luna.contracts.identity import Scope
from luna.platform.capability import Capability


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of the gateway.

    Attributes:
        name: its stable id in OpenAPI, the name of the function that answers, and of the method in a generated client.
        scope: what a caller must have been given.
        command: the ``luna`` command that does the same, with the option that makes it so where it does more; None where ``alone`` says why there is none.
        critical: the password is asked again, whoever calls.
        monitor: a monitor may ask it without being anybody, on this machine or with its token.
        aliases: short paths of the same form, kept for those who know them.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    scope: Scope
    command: str | None = None
    alone: str | None = None
    critical: bool = False
    monitor: bool = False
    aliases: tuple[str, ...] = ()


def describe_declared(capability: Capability) -> Operation:
    """Return the row of a declared capability."""
    shared = {name: getattr(capability, name) for name in ("name", "method", "path", "scope", "alone", "aliases", "critical")}
    return Operation(**shared, command=next(iter(capability.commands), capability.local_command))
