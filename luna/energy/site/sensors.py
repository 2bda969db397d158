"""Which sensors measure what of a site."""

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
from luna.energy.sensor_roles import DatedSensor, Flow, SensorName, SensorRole, Sensors, as_entries, roles_of
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
        """Return whether it counts at an instant."""
        return (self.start is None or self.start <= instant) and not self.has_ended(instant)

    def has_ended(self, instant: datetime) -> bool:
        """Return whether it does not count any more."""
        return self.end is not None and self.end <= instant

    def overlaps(self, other: Self) -> bool:
        """Return whether there is a time at which both hold."""
        return self.holds_between(other.start, other.end)

    def holds_between(self, start: datetime | None, end: datetime | None) -> bool:
        """Return whether it counts at any time from ``start`` on, before ``end``; None: of all times before, and after."""
        return not ((self.end and start and self.end <= start) or (end and self.start and end <= self.start))

    def limit(self, instants: InstantArray, values: FloatArray) -> tuple[InstantArray, FloatArray]:
        """Return what it said, in order, as far as it holds: what was said last before its start still held there, and from its end on nothing is known."""
        if self.start is not None:
            start = np.datetime64(self.start.replace(tzinfo=None), "us")
            first = max(int(np.searchsorted(instants, start, side="right")) - 1, 0)
            instants, values = np.maximum(instants[first:], start), values[first:]
        if self.end is not None:
            end = np.datetime64(self.end.replace(tzinfo=None), "us")
            last = int(np.searchsorted(instants, end))
            instants, values = np.append(instants[:last], end), np.append(values[:last], np.nan)
        return instants, values


def name_of(entry: str | DatedSensor) -> str:
    """Return the name of a sensor without its sign."""
    return (entry.sensor if isinstance(entry, DatedSensor) else entry).removeprefix("-").strip()


def resolve_sensors(entries: Sequence[str | DatedSensor], zone: ZoneInfo, *, field: str = "input_sensors") -> tuple[SiteSensor, ...]:
    """Return the sensors that a role names, with the instants at which local days begin.

    Raises:
        InvalidInputError: a time that there is not.
    """
    sensors = []
    for entry in entries:
        dated = entry if isinstance(entry, DatedSensor) else DatedSensor(sensor=entry)
        start = parse_instant(dated.from_, field=f"{field}.from", zone=zone) if dated.from_ else None
        end = parse_instant(dated.until, field=f"{field}.until", zone=zone) if dated.until else None
        sensors.append(SiteSensor(name_of(entry), -1 if dated.sensor.startswith("-") else 1, start, end))
    return tuple(sensors)


def require_in_order(sensors: Sequence[SiteSensor]) -> None:
    """Refuse a sensor that ends before it begins, and one that a role names twice for the same time.

    Raises:
        ValueError: says which.
    """
    for sensor in sensors:
        if sensor.start and sensor.end and sensor.end <= sensor.start:
            raise invalid_part("sensor-ends-early", name=sensor.name)
    for one, other in combinations(sensors, 2):
        # Without any time a name that stands twice counts twice, as it always did.
        if one.name == other.name and one.overlaps(other) and {one.start, one.end, other.start, other.end} != {None}:
            raise invalid_part("sensor-twice", name=one.name)


# A switch of Luna's own, beside those that a site names for vacation_mode.
OWN_VACATION = "luna:vacation"


class HouseSensorRoles(Part):
    """What is measured of the house itself."""

    total_load_consumption: Annotated[Sensors, SensorRole("energy", "load_kwh", "consumption")] = ()


# Fields stand in the order of their classes from the last to the first, then those of its own; the order is part of every plan's id.
class InputSensors(DeviceSensorRoles, HouseSensorRoles):
    """Which sensors hold what: names of the home automation's, or of a file's. Several of one role add up; one with a leading minus is taken off.

    Of a meter that was exchanged or renamed both names stand in the list, each with the time for which it holds.
    """

    vacation_mode: Annotated[Sensors, SensorRole("state")] = ()
    outage_warning: Annotated[Sensors, SensorRole("state")] = ()
    outside_house_meter: Annotated[
        tuple[SensorName, ...],
        BeforeValidator(as_entries),
        Field(
            max_length=16,
            description="those of devices' sensors that total_load_consumption does not count, as a wallbox before the house's meter: nothing is taken off",
        ),
    ] = ()

    @model_validator(mode="after")
    def _tells_what_lies_outside(self) -> Self:
        devices = {name_of(sensor) for name, role in SENSOR_ROLES.items() if role.flow == "submetered" for sensor in getattr(self, name)}
        strangers = set(self.outside_house_meter) - devices
        if strangers:
            last, *roles = (name for name, role in SENSOR_ROLES.items() if role.flow == "submetered")
            raise invalid_part("outside-meter-no-device", sensor=min(strangers), roles=", ".join(roles[::-1]), last=last)
        if self.outside_house_meter and not self.total_load_consumption:
            raise invalid_part("outside-meter-no-meter")
        return self

    @property
    def vacation_switches(self) -> Sensors:
        """Every switch that says nobody is at home: those of the site, and Luna's own."""
        return (*self.vacation_mode, OWN_VACATION)


# By their names in ``input_sensors``.
SENSOR_ROLES: Mapping[str, SensorRole] = roles_of(InputSensors)


def measured_series(*flows: Flow) -> tuple[str, ...]:
    """Return the columns of ``slot_observations`` that are this, or one of these, to the house."""
    return tuple(role.series for role in SENSOR_ROLES.values() if role.flow in flows and role.series)


# Loads with meters of their own, which follow plans instead of habits: nothing that learns the house's habits may see them. In the order of their columns;
# that of the fields is part of every plan's id.
SUBMETERED = measured_series("submetered")[::-1]
LEVELS = tuple(role.series for role in SENSOR_ROLES.values() if role.kind == "level" and role.series)
