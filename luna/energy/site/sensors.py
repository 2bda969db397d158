"""Which sensors tell what of a site: one declaration per role, read by whoever measures, balances, judges or shows it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Annotated, Any, Literal, Protocol, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from luna.energy.refusals import invalid_part
from luna.energy.site.devices import Battery, ElectricVehicle, GridConnection, PvArray
from luna.energy.site.loads import DeferrableLoad
from luna.energy.site.part import Part
from luna.energy.timeline import FloatArray, InstantArray, parse_instant

# ``energy``: counters (Wh, kWh, …) that only rise, or powers (W, kW, …), never below zero in a slot; the unit is read with the value, a minus takes off.
# ``level``: a state of charge, a fraction or per cent, at the end of a slot. ``state``: recorded as it is said, on or off, or any number.
Kind = Literal["energy", "level", "state"]
# What an energy is to the house: all it uses, what supplies it, what takes from it, or a load with a meter of its own, which is no part of ``load_kwh``.
Flow = Literal["consumption", "source", "sink", "appliance"]


class Equipment(Protocol):
    """What of a site bounds what its sensors can say."""

    @property
    def grid(self) -> GridConnection: ...
    @property
    def batteries(self) -> Sequence[Battery]: ...
    @property
    def pv(self) -> Sequence[PvArray]: ...
    @property
    def vehicles(self) -> Sequence[ElectricVehicle]: ...
    @property
    def loads(self) -> Sequence[DeferrableLoad]: ...


@dataclass(frozen=True, slots=True)
class SensorRole:
    """A role of ``input_sensors``.

    Args:
        kind: what its sensors say, and in which units.
        series: the column of ``slot_observations`` that they hold; None: they are recorded, and asked for what they said last.
        flow: what an energy is to the house; None: it is none.
        limit_kw: the highest power that the site's equipment gives an energy, 0 where it says nothing; None: whatever the house's whole load may be.
    """

    kind: Kind
    series: str | None = None
    flow: Flow | None = None
    limit_kw: Callable[[Equipment], float] | None = None


def _vehicle_limit_kw(site: Equipment) -> float:
    return sum(max(vehicle.charge_limit_kw, vehicle.min_charge_kw) for vehicle in site.vehicles)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str | Mapping) else value


def _as_text(value: Any) -> Any:
    # YAML reads a day as a date.
    return value.isoformat() if isinstance(value, date) else value


def _tag_of(value: Any) -> str:
    return DATED_SENSOR if isinstance(value, Mapping | DatedSensor) else SENSOR_NAME


# A sensor that names its topic: mqtt:path/to/topic [kWh], or mqtt:path/to/topic#path.into.json [W].
OWN_TOPIC = "mqtt:"
_OWN_UNIT = re.compile(r"\s+\[([^\[\]]+)\]$")


def split_unit(sensor: str) -> tuple[str, str | None]:
    """Return a sensor's name without the unit that it says, and that unit; only one that names its topic says one."""
    unit = _OWN_UNIT.search(sensor) if sensor.startswith(OWN_TOPIC) else None
    return (sensor, None) if unit is None else (sensor[: unit.start()], unit[1].strip())


# They stand in pydantic's paths alone; nobody wrote them.
SENSOR_NAME, DATED_SENSOR = "sensor name", "dated sensor"
SensorName = Annotated[str, Field(min_length=1, max_length=255)]
LocalTime = Annotated[str, Field(max_length=64), BeforeValidator(_as_text)]


class DatedSensor(Part):
    """A sensor that counts for a part of the time: its meter was exchanged, or it was renamed."""

    sensor: Annotated[SensorName, Field(description="as its home automation or its file names it; a leading minus takes off")]
    from_: Annotated[LocalTime | None, Field(alias="from", description="it holds from this local day, or instant, on; empty: it always did")] = None
    until: Annotated[LocalTime | None, Field(description="it holds before this local day, or instant; empty: for good")] = None


SensorEntry = Annotated[Annotated[SensorName, Tag(SENSOR_NAME)] | Annotated[DatedSensor, Tag(DATED_SENSOR)], Discriminator(_tag_of)]
Sensors = Annotated[tuple[SensorEntry, ...], Field(max_length=16), BeforeValidator(_listed)]


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
    found = []
    for entry in entries:
        dated = entry if isinstance(entry, DatedSensor) else DatedSensor(sensor=entry)
        start = parse_instant(dated.from_, field=f"{field}.from", zone=zone) if dated.from_ else None
        end = parse_instant(dated.until, field=f"{field}.until", zone=zone) if dated.until else None
        found.append(SiteSensor(name_of(entry), -1 if dated.sensor.startswith("-") else 1, start, end))
    return tuple(found)


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


class InputSensors(Part):
    """Which sensors hold what: names of the home automation's, or of a file's. Several of one role add up; one with a leading minus is taken off.

    Of a meter that was exchanged or renamed both names stand in the list, each with the time for which it holds.
    """

    total_load_consumption: Annotated[Sensors, SensorRole("energy", "load_kwh", "consumption")] = ()
    total_pv_production: Annotated[Sensors, SensorRole("energy", "pv_kwh", "source", lambda site: sum(array.peak_kw for array in site.pv))] = ()
    total_grid_import: Annotated[Sensors, SensorRole("energy", "import_kwh", "source", lambda site: site.grid.import_limit_kw)] = ()
    total_grid_export: Annotated[Sensors, SensorRole("energy", "export_kwh", "sink", lambda site: site.grid.export_limit_kw)] = ()
    total_battery_charge: Annotated[
        Sensors, SensorRole("energy", "charge_kwh", "sink", lambda site: sum(battery.charge_limit_kw for battery in site.batteries))
    ] = ()
    total_battery_discharge: Annotated[
        Sensors, SensorRole("energy", "discharge_kwh", "source", lambda site: sum(battery.discharge_limit_kw for battery in site.batteries))
    ] = ()
    battery_soc: Annotated[Sensors, SensorRole("level", "soc")] = ()
    water_heater_consumption: Annotated[
        Sensors,
        SensorRole("energy", "water_heater_kwh", "appliance", lambda site: sum(device.power_kw for device in site.loads if device.kind == "water_heater")),
    ] = ()
    heat_pump_consumption: Annotated[Sensors, SensorRole("energy", "heat_pump_kwh", "appliance")] = ()
    vehicle_consumption: Annotated[Sensors, SensorRole("energy", "vehicle_kwh", "appliance", _vehicle_limit_kw)] = ()
    vehicle_soc: Annotated[Sensors, SensorRole("level")] = ()
    vehicle_connected: Annotated[Sensors, SensorRole("state")] = ()
    vacation_mode: Annotated[Sensors, SensorRole("state")] = ()
    outage_warning: Annotated[Sensors, SensorRole("state")] = ()
    outside_house_meter: Annotated[
        tuple[SensorName, ...],
        BeforeValidator(_listed),
        Field(
            max_length=16,
            description="those of devices' sensors that total_load_consumption does not count, as a wallbox before the house's meter: nothing is taken off",
        ),
    ] = ()

    @model_validator(mode="after")
    def _tells_what_lies_outside(self) -> Self:
        devices = {name_of(sensor) for name, role in SENSOR_ROLES.items() if role.flow == "appliance" for sensor in getattr(self, name)}
        strangers = set(self.outside_house_meter) - devices
        if strangers:
            raise invalid_part("outside-meter-no-device", sensor=min(strangers))
        if self.outside_house_meter and not self.total_load_consumption:
            raise invalid_part("outside-meter-no-meter")
        return self

    @property
    def vacation_switches(self) -> Sensors:
        """Every switch that says nobody is at home: those of the site, and Luna's own."""
        return (*self.vacation_mode, OWN_VACATION)


# By their names in ``input_sensors``.
SENSOR_ROLES: Mapping[str, SensorRole] = {
    name: role for name, field in InputSensors.model_fields.items() for role in field.metadata if isinstance(role, SensorRole)
}


def measured_series(*flows: Flow) -> tuple[str, ...]:
    """Return the columns of ``slot_observations`` that are this, or one of these, to the house."""
    return tuple(role.series for role in SENSOR_ROLES.values() if role.flow in flows and role.series)


# Loads with meters of their own, which follow plans instead of habits: nothing that learns the house's habits may see them. In the order of their columns;
# that of the fields is part of every plan's id.
APPLIANCES = measured_series("appliance")[::-1]
LEVELS = tuple(role.series for role in SENSOR_ROLES.values() if role.kind == "level" and role.series)
