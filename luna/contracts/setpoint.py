"""What a battery is told, in the outward words."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.control import Mode

Soc = Annotated[float | None, Field(ge=0, le=1)]


class BatterySetpoint(Message):
    """A mode with its limits, as ``luna.physics.SetPoint`` has them for one battery; null: what battery and connection bear."""

    mode: Mode
    power_kw: Annotated[float | None, Field(ge=0, le=10_000, description="bounds exchange with the grid while charging and exporting")] = None
    target_soc: Annotated[Soc, Field(description="where that exchange ends")] = None
    floor_soc: Annotated[Soc, Field(description="where serving the load ends")] = None
    ceiling_soc: Annotated[Soc, Field(description="where storing surplus ends")] = None


class BatterySetpoints(Message):
    """What a battery is told in each slot of a plan: lists with a value per slot, for a model per slot would take longer than many a plan."""

    mode: list[Mode]
    power_kw: list[float]
    target_soc: list[float]
    floor_soc: list[float]
    ceiling_soc: list[float]

    def at(self, slot: int) -> BatterySetpoint:
        """Return what it is told in one slot."""
        return BatterySetpoint.model_validate({name: getattr(self, name)[slot] for name in type(self).model_fields})
