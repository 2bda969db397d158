"""Stays of vehicles at their chargers that a stored site knows of."""

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from luna.contracts.plan.state import VehicleSession
from luna.energy.refusals import invalid_part

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class NewSession(VehicleSession):
    """A stay to be stored: in every plan of the site from the next one on, until it is over or taken back.

    ``arrival_soc`` is how full the vehicle is when the stay begins, or now where it has begun; it may be left out where an earlier stay is stored,
    or where the vehicle's sensor says it.

    With ``days`` the stay repeats until it is taken back: ``from`` and ``to`` are its first time, and from then on it lasts from the one to the other clock
    time of the site, leaving on each of these days. A stay without days takes the place of a repeated one that it overlaps.
    """

    vehicle: Annotated[str, Field(min_length=1, max_length=64, description="by its name")]
    days: Annotated[list[Weekday], Field(max_length=7, description="weekdays on which it leaves, again every week; empty: once")] = []

    @field_validator("to")
    @classmethod
    def _ends_later(cls, to: datetime, info: ValidationInfo) -> datetime:
        if "from_" in info.data and to <= info.data["from_"]:
            raise invalid_part("stay-reversed")
        return to

    @field_validator("days")
    @classmethod
    def _in_order(cls, days: list[Weekday]) -> list[Weekday]:
        return [day for day in WEEKDAYS if day in days]


class StoredSession(NewSession):
    """A stay with who added it when, and who took it back."""

    session_id: Annotated[int, Field(description="number by which it is taken back")]
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None
    removed_by: str | None = None
