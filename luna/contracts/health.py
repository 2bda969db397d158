"""Signs of life of processes, and the gateway's report on all of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from luna.contracts.message import Message
from luna.energy.timeline import Instant

# Signs that may fail to come before a process counts as gone.
SIGNS_MISSED = 3


@dataclass(frozen=True)
class Check:
    """The state of one dependency, with a fault or a finding as ``detail``.

    ``code`` and ``figures`` are of its fault, for sentences in the reader's language.
    """

    name: str
    ok: bool
    latency_ms: float
    detail: str = ""
    code: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


class Sign(Message):
    """A sign of life; fields of another version that this one lacks are skipped."""

    model_config = ConfigDict(extra="ignore")

    version: str
    started_at: Instant


class NodeSign(Sign):
    """A worker's sign.

    ``queues`` are those it serves, each with the dependencies that its tasks need.
    """

    queues: dict[str, tuple[str, ...]]
    checks: tuple[Check, ...] = ()


class TurningSign(Sign):
    """The sign of a process that gives one sign a turn.

    It says when it last turned, and how long a turn takes at most.
    """

    name: str
    turned_at: Instant
    turn: timedelta

    def age(self, now: Instant) -> timedelta:
        """Return how long ago the last turn was.

        Clocks of two machines may differ a little, so never below nought.
        """
        return max(now - self.turned_at, timedelta(0))

    def is_late(self, now: Instant) -> bool:
        """Return whether a process missed so many turns that it counts as frozen or gone."""
        return self.age(now) > SIGNS_MISSED * self.turn


class BeatSign(TurningSign):
    """Beat's: also when it asked for each task last."""

    asked_at: dict[str, Instant] = {}


class RecorderSign(TurningSign):
    """The recorder's: also what it last saw of all that it depends on."""

    checks: tuple[Check, ...] = ()


class ControlledDevice(Message):
    """The last command of a device of an armed site, with its reason.

    It also says when that was confirmed, null while it is not. ``fallback``: it does what it does
    by itself.
    """

    model_config = ConfigDict(extra="ignore")

    device: str
    slot_start: Instant | None = None
    told: dict[str, str] = {}
    reason: str | None = None
    confirmed_at: Instant | None = None
    fallback: bool = False


class ControlledSite(Message):
    """A site under control, as the executor or steering knows it.

    The executor says how the site is told, its last plan and its devices: ``dry_run`` sends
    nothing, and the plan is known by when it was issued. Steering says when its last cycle was.
    """

    model_config = ConfigDict(extra="ignore")

    site: str
    armed_at: Instant | None = None
    by: str | None = None
    plan_issued_at: Instant | None = None
    devices: tuple[ControlledDevice, ...] = ()
    cycled_at: Annotated[
        Instant | None, Field(description="when steering last decided; null: not yet")
    ] = None
    blind_since: Annotated[
        Instant | None,
        Field(description="since when steering lacks fresh meter values; null: it has them"),
    ] = None


class ControlSign(RecorderSign):
    """The sign of the executor or of steering: also how their sites stand."""

    sites: tuple[ControlledSite, ...] = ()


class InstanceReply(Message):
    """One process of a service.

    ``ready`` says whether all that this service needs answers it; ``sites`` are those that
    executor or steering control.
    """

    name: str
    queues: tuple[str, ...] = ()
    version: str
    started_at: Instant
    ready: bool
    checks: tuple[Check, ...]
    sites: tuple[ControlledSite, ...] = ()


class ServiceReply(Message):
    """A service is ready where an instance of it is.

    ``missing`` names dependencies that fail an instance, or the instance itself.
    """

    service: str
    ready: bool
    missing: tuple[str, ...]
    instances: tuple[InstanceReply, ...]


class UnreadableSiteReply(Message):
    """A stored site that this release cannot read.

    A newer release may have stored it. It says which field is the matter, why, and what mends it.
    """

    site: str
    field: str
    detail: str
    remedy: str
    armed: Annotated[
        bool, Field(description="its devices do what they do by themselves until it can be read")
    ] = False
    untold: Annotated[
        bool,
        Field(
            description=(
                "armed, and no older version can be read either: its devices keep what they "
                "were told last"
            )
        ),
    ] = False


class ServicesReply(Message):
    """Every service of the platform, present or not.

    Sites that cannot be read stop no service, and are planned and measured no more until they are
    mended.
    """

    ready: bool
    services: tuple[ServiceReply, ...]
    unreadable_sites: Annotated[
        tuple[UnreadableSiteReply, ...],
        Field(description="stored sites that this release cannot read"),
    ] = ()
