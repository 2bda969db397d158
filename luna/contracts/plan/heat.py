"""Heat pumps in a plan's messages."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message


class HeatPumpState(Message):
    """How warm a heat pump's store is (empty: the middle of its band), and for how long the pump has been on, or off."""

    temperature_c: Annotated[float, Field(ge=-60, le=120)] | None = None
    on_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0

    @model_validator(mode="after")
    def _on_or_off(self) -> Self:
        if self.on_hours and self.off_hours:
            raise ValueError(f"on_hours {self.on_hours:g} and off_hours {self.off_hours:g}: it is on or off, give one of them")
        return self


class HeatPumpFlow(Message):
    """What a heat pump uses in a slot, the heat it makes of it, and how warm its store is at the slot's end."""

    energy_kwh: float
    heat_kwh: float
    temperature_c: float
    on: bool
