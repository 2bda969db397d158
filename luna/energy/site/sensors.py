"""The section ``input_sensors`` of a site: sensors by role, their signs and periods of validity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from luna.energy.devices import DeviceSensorRoles
from luna.energy.part import Part
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import (
    DatedSensor,
    Flow,
    SensorName,
    SensorRole,
    Sensors,
    as_entries,
    roles_of,
)
from luna.energy.timeline import FloatArray, InstantArray, parse_instant


@dataclass(frozen=True, slots=True)
class SiteSensor:
    """A sensor as a role of a site names it.

    Args:
        name: without its sign.
        sign: −1 where it is taken off; of a switch: on while it says off.
        start: from when on it holds, UTC; None: it always did.
        end: before when it holds; None: for good.
    """

    name: str
    sign: int = 1
    start: datetime | None = None
    end: datetime | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Return whether the sensor is valid at an instant."""
        has_begun = self.start is None or self.start <= instant
        return has_begun and not self.has_ended(instant)

    def has_ended(self, instant: datetime) -> bool:
        """Return whether the sensor's validity ended by an instant."""
        return self.end is not None and self.end <= instant

    def overlaps(self, other: Self) -> bool:
        """Return whether both are valid at some time."""
        return self.holds_between(other.start, other.end)

    def holds_between(self, start: datetime | None, end: datetime | None) -> bool:
        """Return whether the sensor is valid at some time in ``[start, end)``; None: unbounded."""
        if start is not None and self.has_ended(start):
            return False
        return end is None or self.start is None or self.start < end

    def limit(self, instants: InstantArray, values: FloatArray) -> tuple[InstantArray, FloatArray]:
        """Cut readings, in order, to the validity.

        The last one before the start moves to the start, and a NaN is appended at the end.
        """
        if self.start is not None:
            start = np.datetime64(self.start.replace(tzinfo=None), "us")
            first = max(int(np.searchsorted(instants, start, side="right")) - 1, 0)
            instants = np.maximum(instants[first:], start)
            values = values[first:]
        if self.end is not None:
            end = np.datetime64(self.end.replace(tzinfo=None), "us")
            last = int(np.searchsorted(instants, end))
            instants = np.append(instants[:last], end)
            values = np.append(values[:last], np.nan)
        return instants, values


def name_of(entry: str | DatedSensor) -> str:
    """Return the name of a sensor without its sign."""
    signed = entry.sensor if isinstance(entry, DatedSensor) else entry
    return signed.removeprefix("-").strip()


def resolve_sensors(
    entries: Sequence[str | DatedSensor], zone: ZoneInfo, *, field: str = "input_sensors"
) -> tuple[SiteSensor, ...]:
    """Resolve the entries of a role, with local days and times as UTC instants.

    Raises:
        InvalidInputError: a time is invalid.
    """
    sensors = []
    for entry in entries:
        dated = entry if isinstance(entry, DatedSensor) else DatedSensor(sensor=entry)
        sign = -1 if dated.sensor.startswith("-") else 1
        start = None
        if dated.from_:
            start = parse_instant(dated.from_, field=f"{field}.from", zone=zone)
        end = None
        if dated.until:
            end = parse_instant(dated.until, field=f"{field}.until", zone=zone)
        sensors.append(SiteSensor(name_of(entry), sign, start, end))
    return tuple(sensors)


def require_in_order(sensors: Sequence[SiteSensor]) -> None:
    """Check that sensors of a role end after they begin, and occur once at a time.

    Raises:
        ValueError: names the sensor.
    """
    for sensor in sensors:
        if sensor.start and sensor.end and sensor.end <= sensor.start:
            raise invalid_part("sensor-ends-early", name=sensor.name)
    for first, second in combinations(sensors, 2):
        # A name that occurs twice without any times counts twice.
        has_times = {first.start, first.end, second.start, second.end} != {None}
        if first.name == second.name and first.overlaps(second) and has_times:
            raise invalid_part("sensor-twice", name=first.name)


# Luna's own switch for vacation_mode, besides those of the site.
OWN_VACATION = "luna:vacation"


class HouseSensorRoles(Part):
    """Sensor roles of the house itself."""

    total_load_consumption: Annotated[Sensors, SensorRole("energy", "load_kwh", "consumption")] = ()


# Field order is part of every plan's id: the bases from last to first, then the class's own.
class InputSensors(DeviceSensorRoles, HouseSensorRoles):
    """Sensors by role: names from the home automation or from a file.

    Several of one role add up; one with a leading minus is taken off.

    Of a meter that was exchanged or renamed both names stand in the list, each with the time for
    which it holds.
    """

    vacation_mode: Annotated[Sensors, SensorRole("state")] = ()
    outage_warning: Annotated[Sensors, SensorRole("state")] = ()
    outside_house_meter: Annotated[
        tuple[SensorName, ...],
        BeforeValidator(as_entries),
        Field(
            max_length=16,
            description=(
                "those of devices' sensors that total_load_consumption does not count, as a "
                "wallbox before the house's meter: nothing is taken off"
            ),
        ),
    ] = ()

    @model_validator(mode="after")
    def _tells_what_lies_outside(self) -> Self:
        roles = [name for name, role in SENSOR_ROLES.items() if role.flow == "submetered"]
        submeters: set[str] = set()
        for role in roles:
            submeters.update(name_of(sensor) for sensor in getattr(self, role))
        unknown = set(self.outside_house_meter) - submeters
        if unknown:
            last, *others = roles
            raise invalid_part(
                "outside-meter-no-device",
                sensor=min(unknown),
                roles=", ".join(others[::-1]),
                last=last,
            )
        if self.outside_house_meter and not self.total_load_consumption:
            raise invalid_part("outside-meter-no-meter")
        return self

    @property
    def vacation_switches(self) -> Sensors:
        """All vacation switches: those of the site, and Luna's own."""
        return (*self.vacation_mode, OWN_VACATION)


# Field of ``input_sensors`` → role.
SENSOR_ROLES: Mapping[str, SensorRole] = roles_of(InputSensors)


def measured_series(*flows: Flow) -> tuple[str, ...]:
    """Return the columns of ``slot_observations`` with one of these flows."""
    return tuple(
        role.series for role in SENSOR_ROLES.values() if role.flow in flows and role.series
    )


# Submetered loads, in the order of their columns. They follow plans, so models of the house's usual
# load must not see them.
SUBMETERED = measured_series("submetered")[::-1]
LEVELS = tuple(
    role.series for role in SENSOR_ROLES.values() if role.kind == "level" and role.series
)
