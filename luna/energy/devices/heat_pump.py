"""Heat pumps and immersion heaters with their heat store: models, sensor roles and state."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.energy.clock_window import ClockWindow
from luna.energy.devices.kind import (
    DeviceConsumption,
    DeviceKind,
    DeviceNotes,
    DevicePlanContent,
    NamedDevice,
)
from luna.energy.devices.switched import ON_OFF, SWITCHED, SwitchedFlow
from luna.energy.part import Name, Part
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import SensorRole, Sensors

Celsius = Annotated[float, Field(ge=-60, le=120)]


class CopPoint(Part):
    """Heat per kWh of electricity at an outdoor temperature.

    1 is what an immersion heater makes of it.
    """

    outdoor_c: Annotated[float, Field(ge=-60, le=60)]
    cop: Annotated[float, Field(ge=0.5, le=12)]


class ComfortBand(ClockWindow):
    """Between which temperatures the store is kept from one clock time to another."""

    min_c: Celsius
    max_c: Celsius

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_band(self.min_c, self.max_c)
        return self


class HeatStore(Part):
    """Heat store: a tank, or the house itself with its walls."""

    capacity_kwh_per_k: Annotated[
        float, Field(gt=0, le=10_000, description="water: 1.16 per 1,000 litres")
    ]
    min_c: Celsius
    max_c: Celsius
    bands: Annotated[
        list[ComfortBand],
        Field(
            max_length=24,
            description="other temperatures by the clock; the first that fits decides",
        ),
    ] = []
    loss_kw_per_k: Annotated[
        float,
        Field(
            ge=0,
            le=1_000,
            description="for each K warmer than what surrounds it; of a house its UA",
        ),
    ] = 0.0
    surroundings_c: Annotated[
        Celsius | None, Field(description="temperature of what surrounds it; empty: outdoors")
    ] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_band(self.min_c, self.max_c)
        return self


class HeatPump(NamedDevice):
    """A heat pump, or an immersion heater, with the store that it warms."""

    name: Name = "heat_pump"
    power_kw: Annotated[float, Field(gt=0, le=1_000, description="the most electricity it takes")]
    min_power_kw: Annotated[
        float,
        Field(
            ge=0, le=1_000, description="the least while it is on; power_kw where it is on or off"
        ),
    ] = 0.0
    # Source: typical air-to-water pumps at 35 °C, rating points of EN 14511.
    cop: Annotated[
        list[CopPoint],
        Field(min_length=1, max_length=24, description="linear between points, steady beyond"),
    ] = [
        CopPoint(outdoor_c=-7, cop=2.7),
        CopPoint(outdoor_c=2, cop=3.5),
        CopPoint(outdoor_c=7, cop=4.4),
        CopPoint(outdoor_c=12, cop=5.0),
    ]
    min_on_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    min_off_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    heat_demand_kw: Annotated[
        float,
        Field(
            ge=0,
            le=1_000,
            description="heat drawn from the store, where the outlook does not say it",
        ),
    ] = 0.0
    store: HeatStore

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_power_kw > self.power_kw:
            raise invalid_part(
                "bounds-crossed",
                least=self.min_power_kw,
                most=self.power_kw,
                lower="min_power_kw",
                upper="power_kw",
                unit="kW",
            )
        if any(one.outdoor_c >= other.outdoor_c for one, other in pairwise(self.cop)):
            raise invalid_part("cop-points")
        return self

    @property
    def least_run(self) -> timedelta:
        """Shortest run once it is on."""
        return timedelta(minutes=self.min_on_minutes)

    @property
    def ends_itself(self) -> bool:
        """Whether its own controller ends a run."""
        return True


def _require_band(min_c: float, max_c: float) -> None:
    if min_c >= max_c:
        raise invalid_part(
            "bounds-crossed", least=min_c, most=max_c, lower="min_c", upper="max_c", unit="°C"
        )


class HeatPumpSensorRoles(Part):
    """Sensor roles of heat pumps."""

    heat_pump_consumption: Annotated[
        Sensors, SensorRole("energy", "heat_pump_kwh", "submetered", mark=10)
    ] = ()


class HeatPumpState(Part):
    """A heat pump's store temperature, and how long the pump has been on or off.

    An empty temperature stands for the middle of its band.
    """

    temperature_c: Annotated[float, Field(ge=-60, le=120)] | None = None
    on_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0

    @model_validator(mode="after")
    def _on_or_off(self) -> Self:
        if self.on_hours and self.off_hours:
            raise invalid_part("on-and-off", on_hours=self.on_hours, off_hours=self.off_hours)
        return self


class HeatPumpFlow(SwitchedFlow, Part):
    """A heat pump's use and heat in a slot, and its store's final temperature."""

    energy_kwh: float
    heat_kwh: float
    temperature_c: float
    on: bool


HEAT_PUMP = DeviceKind(
    "heat_pump",
    "heat_pumps",
    HeatPump,
    power_kw=lambda pump: pump.power_kw,
    most=8,
    sensors=HeatPumpSensorRoles,
    commands=SWITCHED,
    actions=ON_OFF,
    consumption=DeviceConsumption(
        meter=lambda _: "heat_pump_consumption",
        kind=lambda _: "heater",
        household_part="heating",
    ),
    plan=DevicePlanContent(
        state=HeatPumpState,
        flow=HeatPumpFlow,
        flows={"energy_kwh": "heat_pump_kw"},
        notes=DeviceNotes(assumed=("heat_assumed",)),
    ),
)
