"""States of charge that owners state where no sensor tells them, counted on by the meter."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.charging_sessions import find_vehicle
from luna.contracts.message import Message
from luna.contracts.plan.state import VehicleSession
from luna.energy.charge_sensors import SeenCharge
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.part import Fraction
from luna.energy.refusals import invalid_part, refuse
from luna.energy.site import Site

# The charger's meter is read back so far; what was said before is nothing to count from.
LONGEST_COUNT = timedelta(days=2)
# Somebody may say it a little before the car is plugged in.
BEFORE_PLUG = timedelta(hours=1)


class NewVehicleLevel(Message):
    """Level of a vehicle now, or the energy it still needs: one of both."""

    vehicle: Annotated[
        str | None,
        Field(max_length=64, description="by its name; empty: the site's only one"),
    ] = None
    soc: Annotated[Fraction | None, Field(description="state of charge now: 0.4")] = None
    need_kwh: Annotated[
        float | None,
        Field(gt=0, le=500, description="energy that it still has to store until it leaves"),
    ] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.soc is None) is (self.need_kwh is None):
            raise invalid_part("level-or-need")
        return self


class VehicleLevel(Message):
    """A state of charge as its owner stated it, and what the meter made of it since."""

    vehicle: Annotated[str, Field(description="by its name")]
    soc: Annotated[Fraction, Field(description="as it was stated, or followed from the need")]
    need_kwh: Annotated[
        float | None, Field(description="the need that it was stated by; null: by its level")
    ] = None
    stated_at: Annotated[datetime, Field(description="when")]
    stated_by: Annotated[str, Field(description="who stated it")]
    estimated_soc: Annotated[
        Fraction | None, Field(description="now, with what was charged since; null: not counted")
    ] = None
    charged_kwh: Annotated[
        float | None, Field(description="counted by the charger since; null: not counted")
    ] = None


def find_stated(site: Site, level: NewVehicleLevel) -> ElectricVehicle:
    """Return the vehicle that a level is about.

    Raises:
        InvalidInputError: the site has no such vehicle, or several and none is named.
    """
    if level.vehicle is None and len(site.vehicles) == 1:
        return site.vehicles[0]
    return find_vehicle(site, level.vehicle or "")


def read_stated_soc(
    level: NewVehicleLevel, vehicle: ElectricVehicle, sessions: Iterable[VehicleSession]
) -> float:
    """Return the state of charge that a level says, itself or by the need.

    What it needs is missing of the target of its present or next session, else of a full car.

    Raises:
        InvalidInputError: it needs more than it can hold.
    """
    if level.need_kwh is None:
        return level.soc or 0.0
    target_soc = next((session.target_soc for session in sessions), None) or vehicle.max_soc
    holds_kwh = target_soc * vehicle.capacity_kwh
    if level.need_kwh > holds_kwh:
        raise refuse(
            "need-beyond-vehicle",
            field="need_kwh",
            value=level.need_kwh,
            holds_kwh=round(holds_kwh, 1),
        )
    return target_soc - level.need_kwh / vehicle.capacity_kwh


def still_holds(
    level: VehicleLevel,
    sensed: SeenCharge | None,
    sessions: Iterable[VehicleSession],
    *,
    now: datetime,
) -> bool:
    """Return whether a stated level is still about the charge that the vehicle has.

    It is not once the vehicle has left, by its plug or by the end of a session.

    Args:
        level: as it was stated.
        sensed: the vehicle by its sensors; None without any.
        sessions: its sessions that had not ended when it was stated.
        now: an instant.
    """
    if not level.stated_at <= now <= level.stated_at + LONGEST_COUNT:
        return False
    if sensed is not None and sensed.connected is not None and sensed.since is not None:
        latest = level.stated_at + BEFORE_PLUG if sensed.connected else level.stated_at
        return sensed.since <= latest
    return not any(level.stated_at < session.to.astimezone(UTC) <= now for session in sessions)
