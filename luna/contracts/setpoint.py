"""What a battery is told, in the outward words."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.control import LoadMode, Mode, PvMode, VehicleMode

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


class VehicleSetpoint(Message):
    """What a vehicle's charger is told; ``charge_kw`` counts in the mode ``charge``, ``give_kw`` in the mode ``give``."""

    mode: VehicleMode
    charge_kw: Annotated[float, Field(ge=0, le=10_000)]
    give_kw: Annotated[float, Field(ge=0, le=10_000)] = 0.0


class LoadSetpoint(Message):
    """What an appliance is told."""

    mode: LoadMode


class PvSetpoint(Message):
    """How all arrays are held back; ``limit_kw`` counts in the mode ``limit``."""

    mode: PvMode
    limit_kw: Annotated[float | None, Field(ge=0, le=1_000_000)]


class PvSetpoints(Message):
    """How a plan holds PV back in each slot."""

    mode: list[PvMode]
    limit_kw: list[float | None]

    def at(self, slot: int) -> PvSetpoint:
        """Return what is told in one slot."""
        return PvSetpoint(mode=self.mode[slot], limit_kw=self.limit_kw[slot])


Setpoint = BatterySetpoint | VehicleSetpoint | LoadSetpoint | PvSetpoint
