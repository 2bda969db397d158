"""What a new plan changes, and which of its inputs did it."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request
from luna.contracts.plan import Language
from luna.contracts.why_not import PlanId

# courses: what load and sun may do; horizon: time has passed, the plan looks further ahead.
CauseCode = Literal["site", "options", "strategy", "prices", "load", "pv", "courses", "soc", "vehicles", "loads", "peaks", "manual", "horizon"]


class ModeChange(Message):
    """A device that is told something else in a slot than by the plan before; ``cause`` is the input that did it."""

    start: datetime
    device: str
    before: str
    after: str
    cause: CauseCode


class ChangeCause(Message):
    """One input that is other than before: in words, how many modes it changed, and what the plan costs more because of it (negative: less)."""

    code: CauseCode
    text: str
    modes: int
    cost: float
    figures: dict[str, float] = {}


class PlanChangesReply(Message):
    """What differs from the plan before, over the slots that both cover (``slots``).

    Inputs are put back one after the other in the order of ``causes``, each time everything is planned anew: a mode that is as before from then on was changed
    by that input. What remains is the horizon's. An input that changed no mode and no cost is left out.
    """

    plan_id: str
    before_id: str
    site: str
    timezone: str
    currency: str
    slots: int
    slot_minutes: int
    causes: list[ChangeCause]
    changes: list[ModeChange]


class PlanChangesRequest(Request):
    """Compare a stored plan with the one issued before it for the same site, or with ``before_id``."""

    task: ClassVar[str] = "planner.plan.compare"
    reply: ClassVar[type[Message]] = PlanChangesReply

    plan_id: PlanId
    before_id: PlanId | None = None
    language: Annotated[Language | None, Field(description="of the sentences; empty: that of the plan")] = None
