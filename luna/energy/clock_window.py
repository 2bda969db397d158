"""A daily time window in the site's local time."""

from typing import Annotated, Literal

from pydantic import Field

from luna.energy.part import Part

ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ClockEnd = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Days = Literal["all", "weekday", "weekend"]


class ClockWindow(Part):
    """The time between two local clock times on some days.

    ``to`` at or before ``from`` runs over midnight.
    """

    from_: Annotated[ClockTime, Field(alias="from")] = "00:00"
    to: ClockEnd = "24:00"
    days: Days = "all"
