"""Add a device with a profile to a site: what it drives, and sensors from its readings."""

from collections.abc import Collection, Mapping
from typing import Any

from luna.drivers.profile import ChargerTraits, DeviceProfile
from luna.drivers.readings import SIGNED_READINGS
from luna.drivers.sensor_name import ProfiledSensor, name_sensor
from luna.energy.devices import SWITCHED_KINDS
from luna.energy.devices.commands import Via
from luna.energy.devices.vehicle import MOST_OF_ONE_PHASE_KW, ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site

# Readings of a device by their sensor role in a site; a counter is preferred to a power.
READINGS_BY_ROLE: Mapping[str, tuple[str, ...]] = {
    "battery_soc": ("soc",),
    "total_battery_charge": ("charge_w",),
    "total_battery_discharge": ("discharge_w",),
    "total_pv_production": ("pv_kwh", "pv_w"),
    "total_grid_import": ("import_kwh", "import_w"),
    "total_grid_export": ("export_kwh", "export_w"),
    "vehicle_consumption": ("car_kwh", "car_w"),
    "vehicle_connected": ("car_plugged",),
    "vehicle_soc": ("car_soc",),
    "water_heater_consumption": ("heater_kwh", "heater_w"),
}
# Several chargers, or heaters, add up.
_ADDED_UP = frozenset({"vehicle_consumption", "water_heater_consumption"})
# Section of ``control`` and name of the device in it, by kind of profile.
_COMMANDED: Mapping[str, tuple[str, str]] = {
    "battery_inverter": ("batteries", "battery"),
    "charge_point": ("vehicles", "vehicle"),
    "switched_load": ("loads", "load"),
}

PHASES_ROLE = "grid_phase_import"


def list_phases(via: Via, kind: str, readings: Collection[str]) -> list[str]:
    """Return the sensors of the connection's phases; none where a device lacks one.

    Only a meter measures the connection alone.
    """
    if kind != "meter" or not set(SIGNED_READINGS) <= set(readings):
        return []
    return [name_sensor(via, reading) for reading in SIGNED_READINGS]


def add_device(site: Site, via: Via, profile: DeviceProfile, *, name: str | None = None) -> Site:
    """Return the site with a device: what it drives, and sensors from its readings.

    Readings fill only the roles that have no sensor, or those of other chargers and heaters. A
    vehicle without a charger gets the profile's. Idempotent.

    Args:
        site: as it is stored.
        via: where the device is.
        profile: of its product.
        name: of the battery, vehicle or load behind it, needed where there are several.

    Raises:
        InvalidInputError: what is behind it is unknown or not named, the topic prefix is missing,
            or a meter has a proxy port.
    """
    if via.prefix is None and profile.needs_prefix:
        raise refuse("device-prefix-missing", field="--prefix", profile=profile.profile)
    if via.proxy is not None and profile.kind == "meter":
        raise refuse("profile-not-shared", field="--listen-port", profile=profile.profile)
    document: dict[str, Any] = site.model_dump(mode="json", by_alias=True)
    commanded: str | None = None
    if profile.kind in _COMMANDED and profile.is_commanded:
        section, key = _COMMANDED[profile.kind]
        commanded = _choose_name(site, section, name)
        command = {key: commanded, "via": via.model_dump(mode="json", exclude_none=True)}
        _put_command(document, section, key, command)
    if profile.kind == "pv_inverter" and profile.is_commanded and site.pv:
        _put_pv(document, via)
    if profile.charger is not None:
        for vehicle, vehicle_document in zip(site.vehicles, document["vehicles"], strict=True):
            if vehicle.name == commanded and vehicle.charger is None:
                vehicle_document["charger"] = _describe_charger(vehicle, profile.charger)
    heaters = [load.name for load in site.loads if load.kind == "water_heater"]
    _add_sensors(document, via, profile, is_heater=commanded in heaters)
    return parse_site(document)


def _choose_name(site: Site, section: str, name: str | None) -> str:
    """Return the named device of a section, or its only one.

    Raises:
        InvalidInputError: there is none of that name, or several and no name.
    """
    names = _list_names(site, section)
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        raise refuse(
            "device-unclear", field="--name", value=name, section=section, names=tuple(names)
        )
    return name


def _list_names(site: Site, section: str) -> list[str]:
    if section == "batteries":
        return [battery.name for battery in site.batteries]
    if section == "vehicles":
        return [vehicle.name for vehicle in site.vehicles]
    names = []
    for kind in SWITCHED_KINDS:
        names += [load.name for load in kind.of(site)]
    return names


def _put_command(document: dict[str, Any], section: str, key: str, command: dict[str, Any]) -> None:
    """Put a device's command into a section of ``control``, in place of its former one."""
    control = document["control"]
    if control is None or control["by"] == "advice":
        document["control"] = {"by": "profile", section: [command]}
        return
    commands = [former for former in control[section] if former[key] != command[key]]
    control[section] = [*commands, command]


def _put_pv(document: dict[str, Any], via: Via) -> None:
    """Have an inverter's profile curtail all arrays; the owner's own writes stay."""
    control = document["control"]
    command = {"via": via.model_dump(mode="json", exclude_none=True)}
    if control is None or control["by"] == "advice":
        document["control"] = {"by": "profile", "pv": command}
    elif control["pv"] is None or control["pv"].get("via"):
        control["pv"] = command


def _describe_charger(vehicle: ElectricVehicle, traits: ChargerTraits) -> dict[str, Any]:
    """Return a vehicle's charger as its product is usually connected."""
    phases: tuple[int, ...] = traits.phases
    if vehicle.charge_limit_kw <= MOST_OF_ONE_PHASE_KW and 1 in phases:
        phases = (1,)
    return {
        "phases": list(phases),
        "min_current_a": traits.least_a,
        "max_current_a": traits.most_a,
    }


def _add_sensors(
    document: dict[str, Any], via: Via, profile: DeviceProfile, *, is_heater: bool
) -> None:
    sensors = document["input_sensors"]
    for role, readings in READINGS_BY_ROLE.items():
        if role == "water_heater_consumption" and not is_heater:
            continue
        measured = [reading for reading in readings if reading in profile.reads]
        if not measured:
            continue
        sensor = name_sensor(via, measured[0])
        present = sensors.get(role) or []
        may_add = role in _ADDED_UP and all(map(_is_profiled, present))
        if sensor not in present and (not present or may_add):
            sensors[role] = [*present, sensor]
    phases = list_phases(via, profile.kind, profile.reads)
    fuse_phases = document["grid"].get("main_fuse_phases")
    if phases and fuse_phases != 1 and not sensors.get(PHASES_ROLE):
        sensors[PHASES_ROLE] = phases


def _is_profiled(sensor: object) -> bool:
    """Return whether a sensor is a device's own reading."""
    return isinstance(sensor, str) and ProfiledSensor.parse(sensor) is not None
