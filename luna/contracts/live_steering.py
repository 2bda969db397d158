"""Present commands of steering to the devices of a site."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.steering import SteeredUnitState, SteeringState


class LiveSteering(Message):
    """The last commands of steering, for those who look."""

    stale: Annotated[bool, Field(description="whether the measured powers are too old")]
    units: Annotated[dict[str, SteeredUnitState], Field(description="by the unit's key")]

    @classmethod
    def of(cls, state: SteeringState | None) -> "LiveSteering | None":
        """Return what a state has to show, None where steering commands nothing."""
        if state is None or not state.sends or not state.units:
            return None
        return cls(stale=state.stale, units=state.units)
