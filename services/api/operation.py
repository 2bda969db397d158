"""An operation of the gateway: its address, who may call it, and which command does the same. It is declared at the function that answers."""

from dataclasses import dataclass
from typing import Literal

from luna.contracts.edge import PUBLIC_TASKS
from luna.contracts.identity import Scope
from luna.platform.capabilities import CAPABILITIES
from luna.platform.capability import Capability

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of the gateway.

    Attributes:
        scope: what a caller must have been given.
        command: the ``luna`` command that does the same, with the option that makes it so where it does more; None where ``alone`` says why there is none.
        critical: the password is asked again, whoever calls.
        solves: whether it makes a worker compute for long, and has a budget of its own.
        monitor: a monitor may ask it without being anybody, on this machine or with its token.
        aliases: short paths of the same form, kept for those who know them.
        keyed: whether a second POST with the same idempotency key is answered by the first one's answer; what hands out secrets is never kept.
        most_bytes: of a body, where it may have more than others.
        name: its stable id in OpenAPI, the name of the function that answers, and of the method in a generated client.
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
        """Where it answers: its own path, then the short ones."""
        return self.path, *self.aliases

    @property
    def takes_key(self) -> bool:
        """Whether a caller may name a request, so that it is carried out once however often it comes."""
        return self.keyed and self.method == "POST"


def describe_declared(capability: Capability) -> Operation:
    """Return the operation of a declared capability."""
    shared = {name: getattr(capability, name) for name in ("name", "method", "path", "scope", "alone", "aliases", "critical", "solves")}
    return Operation(**shared, command=next(iter(capability.commands), capability.local_command), keyed=capability.noun != "identity")


# What a caller must have been given for a job, by its task: what its capability asks for, else what stands here; any other is the installation's.
JOB_SCOPES: dict[str, Scope] = {
    **{each.asks.task: each.scope for each in CAPABILITIES if each.asks is not None and each.asks.public},
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
