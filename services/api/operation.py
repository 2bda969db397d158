"""Operation of the gateway, declared at its handler.

Method, path, scope, limits and equivalent command.
"""

from dataclasses import dataclass
from typing import Literal

from luna.contracts.edge import PUBLIC_TASKS
from luna.contracts.identity import Scope
from luna.house.capabilities.registry import CAPABILITIES
from luna.house.capability import Capability

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that the gateway offers.

    Attributes:
        scope: the permission that a caller needs.
        command: the ``luna`` command that does the same, with its option if it needs one; None
            where ``alone`` gives the reason why there is none.
        critical: whether the password has to be confirmed.
        solves: whether a worker computes for long; such operations have a rate limit of their own.
        monitor: whether monitoring may call it without a user, from this machine or with its token.
        aliases: short paths with the same parameters, kept for compatibility.
        keyed: whether a POST takes an idempotency key; False where the response holds secrets,
            which are never stored.
        most_bytes: the body's size limit, where it differs from the default.
        name: stable id in OpenAPI, name of the handler and of the method in a generated client.
    """

    method: Method
    path: str
    scope: Scope
    command: str | None = None
    alone: str | None = None
    critical: bool = False
    solves: bool = False
    monitor: bool = False
    aliases: tuple[str, ...] = ()
    keyed: bool = True
    most_bytes: int | None = None
    name: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The path, then the aliases."""
        return self.path, *self.aliases

    @property
    def takes_key(self) -> bool:
        """Whether a request may carry an idempotency key."""
        return self.keyed and self.method == "POST"


def describe_declared(capability: Capability) -> Operation:
    """Return the operation of a declared capability."""
    return Operation(
        method=capability.method,
        path=capability.path,
        scope=capability.scope,
        command=next(iter(capability.commands), capability.local_command),
        alone=capability.alone,
        critical=capability.critical,
        solves=capability.solves,
        aliases=capability.route.aliases,
        keyed=capability.noun != "identity",
        name=capability.name,
    )


# The scope for a job by its task: of its capability, else from this table; any other task needs
# ``administer``.
JOB_SCOPES: dict[str, Scope] = {
    **{
        capability.asks.task: capability.scope
        for capability in CAPABILITIES
        if capability.asks is not None and capability.asks.public
    },
    **dict.fromkeys(PUBLIC_TASKS, "analyse"),
    "planner.replay.spread": "analyse",
    "planner.schedule.pareto": "analyse",
    "agent.replay.run": "analyse",
    "agent.night.run": "administer",
    "forecaster.forecast.judge": "analyse",
    "rag.recommendations.refresh": "analyse",
    "ingest.demo.load": "administer",
    "ingest.simulated_home.make": "administer",
    "ingest.simulated_home.remove": "administer",
}
