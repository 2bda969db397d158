"""Dehumidifiers: switched, each with the room whose air it keeps within a band of relative
humidity.
"""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from luna.energy.devices.kind import (
    DeviceConsumption,
    DeviceKind,
    DeviceNotes,
    DevicePlanContent,
    DeviceReasonFigures,
    NamedDevice,
)
from luna.energy.devices.switched import ON_OFF, SWITCHED, SwitchedFlow
from luna.energy.part import Name, Part
from luna.energy.reason import ReasonReply
from luna.energy.sensor_roles import SensorRole, Sensors

# Relative humidity.
Percent = Annotated[float, Field(ge=0, le=100)]


class Dehumidifier(NamedDevice):
    """A dehumidifier, and how the humidity of its room goes: down at one rate while it is on, up at
    another while it is off.
    """

    name: Name = "dehumidifier"
    power_w: Annotated[float, Field(gt=0, le=20_000, description="while it is on")]
    least_percent: Percent = 45.0
    most_percent: Percent = 60.0
    falls_percent_per_h: Annotated[float, Field(gt=0, le=100, description="while it is on")]
    rises_percent_per_h: Annotated[float, Field(ge=0, le=100, description="while it is off")]
    most_starts_per_day: Annotated[int, Field(ge=1, le=96)] = 4

    # It may be switched at any time, and stays off when nobody tells it anything.
    least_run: ClassVar[timedelta] = timedelta(0)
    ends_itself: ClassVar[bool] = False

    @field_validator("most_percent")
    @classmethod
    def _ordered(cls, most: float, info: ValidationInfo) -> float:
        least = info.data.get("least_percent", 0.0)
        if most <= least:
            raise PydanticKnownError("greater_than", {"gt": least})
        return most

    @property
    def power_kw(self) -> float:
        """What it takes while it is on."""
        return self.power_w / 1000


class DehumidifierSensorRoles(Part):
    """What is measured of dehumidifiers."""

    dehumidifier_consumption: Annotated[
        Sensors,
        SensorRole(
            "energy",
            "dehumidifier_kwh",
            "submetered",
            lambda dryers: sum(each.power_kw for each in dryers),
        ),
    ] = ()


class DehumidifierState(Part):
    """How humid a dehumidifier's room is (empty: the middle of its band), whether it is on, and how
    often it was switched on today.
    """

    humidity_percent: Percent | None = None
    on: bool = False
    starts_today: Annotated[int, Field(ge=0, le=1440)] = 0


class DehumidifierFlow(SwitchedFlow, Part):
    """What a dehumidifier uses in a slot, and how humid its room is at the slot's end."""

    energy_kwh: float
    humidity_percent: float
    on: bool
    reason: Annotated[ReasonReply | None, Field(description="why it runs or waits")] = None


DEHUMIDIFIER = DeviceKind(
    "dehumidifier",
    "dehumidifiers",
    Dehumidifier,
    power_kw=lambda dryer: dryer.power_kw,
    most=8,
    sensors=DehumidifierSensorRoles,
    commands=SWITCHED,
    actions=ON_OFF,
    consumption=DeviceConsumption(meter=lambda _: "dehumidifier_consumption"),
    plan=DevicePlanContent(
        state=DehumidifierState,
        flow=DehumidifierFlow,
        flows={"energy_kwh": "dehumidifier_kw"},
        notes=DeviceNotes(assumed=("air_assumed",)),
        reasons=DeviceReasonFigures(
            forms={"humidity": "share", "driest": "share", "dampest": "share"},
            compared={"air_waits": (("price", "buy"),)},
        ),
    ),
)
