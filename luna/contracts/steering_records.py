"""Record of what steering had a device do in a quarter-hour."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.part import SiteName
from luna.energy.timeline import Instant

MOST_SWITCHES = 12


class SteeredSwitch(Message):
    """A change of a device's mode."""

    at: Annotated[Instant, Field(description="when it was commanded")]
    mode: Annotated[str, Field(description="from then on, such as charge or stop")]
    power_kw: Annotated[
        float | None, Field(description="commanded with it; null: the mode has none")
    ] = None
    reason: Annotated[str, Field(description="code of what decided it")]


class SteeringRecord(Message):
    """Commands of steering to one device in a quarter-hour, or in a part of it.

    A restart of steering ends a record, and the rest of the quarter-hour gets another one.
    """

    site_id: SiteName
    device: Annotated[str, Field(max_length=80, description="by its name; pv: all solar inverters")]
    begins_at: Instant
    ends_at: Instant
    mean_kw: Annotated[
        float | None,
        Field(
            description=(
                "mean of the commanded powers, negative while a battery serves; null: none was "
                "commanded"
            )
        ),
    ] = None
    least_kw: Annotated[float | None, Field(description="the lowest commanded power")] = None
    most_kw: Annotated[float | None, Field(description="the highest commanded power")] = None
    moved_kwh: Annotated[
        float | None,
        Field(
            description=(
                "what the device took beyond its plan, negative: less; null: the plan gave it no "
                "power, or it has no meter"
            )
        ),
    ] = None
    reasons: Annotated[
        dict[str, float], Field(description="seconds that each reason decided, by its code")
    ] = {}
    switches: Annotated[
        list[SteeredSwitch],
        Field(max_length=MOST_SWITCHES, description="changes of mode, the first ones"),
    ] = []
