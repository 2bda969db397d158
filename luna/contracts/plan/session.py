"""What the deadlines of vehicles cost."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message


class SessionReply(Message):
    """What a session's deadline costs, in money, everything else planned anew each time. Null: an hour sooner or later is no session of its own."""

    vehicle: str
    to: datetime
    target_soc: float
    soc_end: Annotated[float, Field(description="as planned")]
    target_cost: Annotated[float, Field(description="what it costs to leave with the target instead of what the vehicle came with")]
    hour_earlier_cost: Annotated[float | None, Field(description="what it costs more to be ready an hour earlier")]
    hour_earlier_missing_kwh: Annotated[float | None, Field(description="what the vehicle would then lack, beside what it lacks anyway")]
    hour_later_saving: Annotated[float | None, Field(description="what leaving an hour later saves")]
