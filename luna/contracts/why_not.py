"""Why not otherwise: what an alternative to a stored plan would cost, and what it would change."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from luna.contracts.message import Instant, Message, Request
from luna.contracts.plan import CompromiseReply, Language
from luna.wording import read_mode

AlternativeMode = Literal["self_consumption", "save", "supply", "hold", "charge", "export", "on", "off"]
PlanId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


class Alternative(Message):
    """What one device does instead of what is planned, in the slot that covers ``slot`` or in all up to ``until``.

    A battery knows its modes, a vehicle ``charge`` and ``hold``, a load ``on`` and ``off``. ``power_kw`` bounds exchange with the grid (default: all the
    battery can), ``target_soc`` is where that exchange ends (default: where the battery is full, or at its reserve).
    """

    slot: Instant
    until: Instant | None = None
    mode: Annotated[AlternativeMode, BeforeValidator(read_mode)]
    device: Annotated[str | None, Field(min_length=1, max_length=64, description="battery, vehicle or load by its name; empty: the only battery")] = None
    power_kw: Annotated[float | None, Field(gt=0, le=10_000)] = None
    target_soc: Annotated[float | None, Field(ge=0, le=1)] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.slot:
            raise ValueError("until must be later than slot")
        if self.mode not in ("charge", "export") and (self.power_kw is not None or self.target_soc is not None):
            raise ValueError(f"power_kw and target_soc go with charge and export, not with {self.mode}")
        return self


class CostChange(Message):
    """What is paid more than under the plan, negative: less; ``stored`` is what the energy is worth that is missing at the end."""

    total: float
    import_: Annotated[float, Field(alias="import")]
    export: float
    wear: float
    peak: float = 0.0
    stored: float


class SlotAction(Message):
    """What a device does in a slot: its mode, and energy into it (negative: out of it), at its terminals."""

    mode: str
    energy_kwh: float


class SlotChange(Message):
    """A slot in which a device does something else than planned."""

    start: datetime
    device: str
    before: SlotAction
    after: SlotAction


class WhyNotReply(Message):
    """What the alternative costs more over the whole horizon, everything after it planned anew, and which slots change.

    ``cost`` is money on the expected course. ``cost_by_value`` is read from the value of stored energy, as a slot's ``cost_of_opposite`` is: the same where
    the plan counts money alone and one course; else all that it weighs, and the mean over its courses. ``binding`` are limits at work in the alternative's
    slots, ``compromises`` what is missed beside what the plan misses.
    """

    plan_id: str
    alternative: Alternative
    cost: CostChange
    cost_by_value: float | None = None
    changes: list[SlotChange]
    binding: list[str] = []
    compromises: list[CompromiseReply] = []
    text: str
    currency: str
    timezone: str
    slot_minutes: int = 15


class WhyNotRequest(Request):
    """Ask what an alternative to a stored plan would cost."""

    task: ClassVar[str] = "planner.plan.why_not"
    reply: ClassVar[type[Message]] = WhyNotReply

    plan_id: PlanId
    alternative: Alternative
    language: Annotated[Language | None, Field(description="default: the plan's")] = None
