"""Which sensors tell what of a site: one declaration per role, read by whoever measures, balances, judges or shows it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from luna.site.devices import Battery, ElectricVehicle, GridConnection, PvArray
from luna.site.loads import DeferrableLoad
from luna.site.part import Part

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
    return (value,) if isinstance(value, str) else value


Sensors = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=255)], ...], Field(max_length=16), BeforeValidator(_listed)]


# A switch of Luna's own, beside those that a site names for vacation_mode.
OWN_VACATION = "luna:vacation"


class InputSensors(Part):
    """Which sensors hold what: names of the home automation's, or of a file's. Several of one role add up; one with a leading minus is taken off."""

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
        Sensors,
        Field(description="those of devices' sensors that total_load_consumption does not count, as a wallbox before the house's meter: nothing is taken off"),
    ] = ()

    @model_validator(mode="after")
    def _tells_what_lies_outside(self) -> Self:
        devices = {sensor for name, role in SENSOR_ROLES.items() if role.flow == "appliance" for sensor in getattr(self, name)}
        strangers = set(self.outside_house_meter) - devices
        if strangers:
            remedy = "Name sensors there that stand under vehicle_consumption, heat_pump_consumption or water_heater_consumption as well."
            said = f"outside_house_meter: no device has the sensor {min(strangers)!r}"
            raise PydanticCustomError("outside_house_meter", "{said}", {"said": said, "remedy": remedy})
        if self.outside_house_meter and not self.total_load_consumption:
            remedy = "Remove it; where the grid's meter does not see a device either, name the device's sensor under total_grid_import as well."
            said = "outside_house_meter: the house has no meter of its own, total_load_consumption"
            raise PydanticCustomError("outside_house_meter", "{said}", {"said": said, "remedy": remedy})
        return self

    @property
    def roles(self) -> Iterator[tuple[str, Sensors]]:
        """Each role with its sensors."""
        return ((name, getattr(self, name)) for name in SENSOR_ROLES)

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
