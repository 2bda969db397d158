"""What a stored plan would be with something different."""

from typing import Annotated, ClassVar

from pydantic import Field

from luna.contracts.message import Message, Request
from luna.contracts.plan import CompromiseReply, CostReply, Language
from luna.contracts.what_if import Variant
from luna.contracts.why_not import CostChange, PlanId, SlotChange


class PlanVariantReply(Message):
    """A plan and what it would be under a variant, from the same forecasts, prices and state."""

    plan_id: str
    variant: str
    before: CostReply
    after: CostReply
    cost: CostChange
    changes: list[SlotChange]
    compromises: list[CompromiseReply] = []
    text: str
    currency: str
    timezone: str
    slot_minutes: int = 15


class PlanVariantRequest(Request):
    """Plan a stored plan again with something different; ``export_kwh`` is to be sold from the batteries when selling pays most."""

    task: ClassVar[str] = "planner.plan.what_if"
    reply: ClassVar[type[Message]] = PlanVariantReply

    plan_id: PlanId
    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Annotated[Language | None, Field(description="default: the plan's")] = None
