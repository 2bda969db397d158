"""An owner's blocks, prohibitions and reserves."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from luna.contracts.message import Message
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Instant
from luna.words.notes import Rule

# The connection's name among the devices.
GRID = "grid"
# The ``block_id`` of a block that stands for an override in force.
OVERRIDE_BLOCK = 0
Action = Literal[
    "charge",
    "discharge",
    "hold",
    "no_charge",
    "no_discharge",
    "on",
    "off",
    "no_import",
    "no_export",
]


class ManualBlock(Message):
    """An owner's block: an action of one device, or its prohibition, for a time.

    Then the block has expired.

    ``charge`` and ``discharge`` happen at ``power_kw`` (default: all the device can) until a
    battery is full or at its reserve. ``block_id`` is set where the block is stored, 0 where it
    stands for an override in force: what cannot be had of such a block any more is said in the
    reply, of others it is refused.
    """

    device: Annotated[
        str, Field(min_length=1, max_length=64, description="a device by its name, or grid")
    ]
    action: Annotated[Action, Field(description="what it does, or leaves")]
    from_: Annotated[Instant, Field(alias="from", description="when it begins")]
    to: Annotated[
        Instant,
        Field(
            description=(
                "when the block expires, such as 2026-11-20T18:00; without offset, by the "
                "site's clock"
            )
        ),
    ]
    power_kw: Annotated[
        float | None,
        Field(
            gt=0,
            le=10_000,
            description="at this power; charge and discharge only; usual: all the device can",
        ),
    ] = None
    block_id: int | None = None

    @field_validator("to")
    @classmethod
    def _ordered(cls, to: datetime, info: ValidationInfo) -> datetime:
        if "from_" in info.data and to <= info.data["from_"]:
            raise invalid_part("ends-before-start")
        return to

    @field_validator("power_kw")
    @classmethod
    def _has_power(cls, power_kw: float | None, info: ValidationInfo) -> float | None:
        action = info.data.get("action", "charge")
        if power_kw is not None and action not in ("charge", "discharge"):
            raise invalid_part("power-without-charge", action=action)
        return power_kw


class Authored(Message):
    """The author and time of an entry, and of its removal."""

    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None

    @property
    def whose(self) -> str:
        """The person who added it, and the one who took it back."""
        if self.removed_by is None:
            return self.added_by
        return f"{self.added_by}, taken back by {self.removed_by}"


class StoredBlock(Authored, ManualBlock):
    """A block of a site's history, with its author and the one who took it back."""


class BlockReply(ManualBlock):
    """A block in a plan.

    ``applied`` is false where it could not be had; ``why`` has the reason.
    """

    applied: bool = True
    why: str | None = None


class ManualReply(Message):
    """The blocks a plan was made around.

    ``cost``: what it costs more than the plan without them, compromises and stored energy counted
    in. Null: one of the two was not found in time.
    """

    blocks: list[BlockReply]
    cost: float | None


Days = Annotated[list[Annotated[float, Field(ge=-100, le=200)]], Field(max_length=366)]


class OutageWarning(Message):
    """A warning of a storm or an outage."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to <= self.from_:
            raise invalid_part("ends-before-start")
        return self


class Reserve(OutageWarning):
    """The share of capacity that one battery or all should hold for a time."""

    soc: Annotated[float, Field(ge=0, le=1)]
    battery: Annotated[str | None, Field(max_length=64)] = None


class Surroundings(Message):
    """Facts known besides forecasts and prices ahead.

    ``temperature_c`` is the mean of the days ahead; ``past_levels`` and ``past_spreads`` are the
    mean import price of each of the last days, and how far its dearest slot was above its cheapest.
    """

    vacation: bool = False
    warnings: Annotated[list[OutageWarning], Field(max_length=16)] = []
    temperature_c: Annotated[float | None, Field(ge=-90, le=60)] = None
    past_levels: Days = []
    past_spreads: Days = []


class AppliedRule(Message):
    """A rule that set a parameter of a plan: to what, and why."""

    rule: Rule
    parameter: str
    value: float
    why: str
