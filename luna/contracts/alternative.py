"""Alternatives: another action in slots of one plan, and its cost."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from luna.contracts.message import Message, Request
from luna.contracts.plan import CompromiseReply, PlanId
from luna.contracts.slot_changes import CostChange, SlotChange
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Instant
from luna.words import read_mode
from luna.words.language import Language

AlternativeMode = Literal[
    "self_consumption", "save", "supply", "hold", "charge", "export", "on", "off"
]


class Alternative(Message):
    """Another action of one device than the planned one.

    It holds in the slot that covers ``slot``, or in all up to ``until``. A battery knows its modes,
    a vehicle ``charge`` and ``hold``, a load ``on`` and ``off``. ``power_kw`` bounds exchange with
    the grid (default: all the battery can), ``target_soc`` is where that exchange ends (default:
    where the battery is full, or at its reserve).
    """

    slot: Instant
    until: Instant | None = None
    mode: Annotated[AlternativeMode, BeforeValidator(read_mode)]
    device: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description="battery, vehicle or load by its name; empty: the only battery",
        ),
    ] = None
    power_kw: Annotated[float | None, Field(gt=0, le=10_000)] = None
    target_soc: Annotated[float | None, Field(ge=0, le=1)] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until <= self.slot:
            raise invalid_part("ends-before-start")
        if self.mode not in ("charge", "export") and (
            self.power_kw is not None or self.target_soc is not None
        ):
            raise invalid_part("figures-without-charge", mode=self.mode)
        return self


class WhyNotReply(Message):
    """The extra cost of the alternative, and the slots that change.

    The cost is that of the whole horizon, with everything after the alternative planned anew.
    ``cost`` is money on the expected scenario. ``cost_by_value`` is read from the value of stored
    energy, as a slot's ``cost_of_opposite`` is: the same where the plan counts money alone and one
    scenario; else all that it weighs, and the mean over its scenarios. ``binding`` are limits at
    work in the alternative's slots, ``compromises`` what is missed beside what the plan misses.
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
