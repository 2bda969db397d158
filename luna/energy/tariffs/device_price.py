"""A price for what one kind of device draws, such as a car tariff."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.energy.refusals import invalid_part
from luna.energy.tariffs.allowance import DailyAllowance
from luna.energy.tariffs.component import UnitPrice

PricedDevices = Literal["vehicles", "heat_pumps"]
# The recorded energy by the devices' section.
DEVICE_SERIES: Mapping[PricedDevices, str] = {
    "vehicles": "vehicle_kwh",
    "heat_pumps": "heat_pump_kwh",
}


class DevicePrice(DailyAllowance):
    """A price per kWh that devices draw, beside that of the house.

    Below zero it is cheaper. It counts all that their own meter counts, also from the sun. With
    ``kwh_per_day`` or ``hours_per_day`` it rises beyond that; a quarter-hour counts in which they
    draw anything.
    """

    devices: Annotated[PricedDevices, Field(description="whose energy it is for")]
    kwh_per_day: Annotated[
        float | None, Field(gt=0, le=100_000, description="at price; null: no limit")
    ] = None
    hours_per_day: Annotated[
        float | None,
        Field(gt=0, le=24, multiple_of=0.25, description="of drawing at price; null: no limit"),
    ] = None
    price_beyond: Annotated[
        UnitPrice, Field(description="of a kWh beyond the allowance: at least as dear")
    ] = 0.0

    @property
    def has_limit(self) -> bool:
        """Whether the price holds for so many kWh or hours of each day only."""
        return self.kwh_per_day is not None or self.hours_per_day is not None

    @property
    def beyond(self) -> float:
        """Price of a kWh beyond the allowance; without one there is no other price."""
        return self.price_beyond if self.has_limit else self.price

    @property
    def _outside(self) -> float:
        return self.price_beyond if self.price_outside is None else self.price_outside

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.kwh_per_day is not None and self.hours_per_day is not None:
            raise invalid_part("device-price-limits", name=self.name)
        return self

    @property
    def series(self) -> str:
        """The recorded energy that it is for."""
        return DEVICE_SERIES[self.devices]
