"""Add a device with a profile to a site: its battery and its sensors."""

from collections.abc import Collection, Mapping
from typing import Any

from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site
from luna.platform.drivers.profile import SIGNED_READINGS, DeviceProfile
from luna.platform.drivers.sensor_name import name_sensor

# Readings of a device by their sensor role in a site; a counter is preferred to a power.
READINGS_BY_ROLE: Mapping[str, tuple[str, ...]] = {
    "battery_soc": ("soc",),
    "total_battery_charge": ("charge_w",),
    "total_battery_discharge": ("discharge_w",),
    "total_pv_production": ("pv_w",),
    "total_grid_import": ("import_kwh", "import_w"),
    "total_grid_export": ("export_kwh", "export_w"),
}

PHASES_ROLE = "grid_phase_import"


def list_phases(via: Via, kind: str, readings: Collection[str]) -> list[str]:
    """Return the sensors of the connection's phases, none where a device lacks one of them.

    Only a meter measures the connection alone.
    """
    if kind != "meter" or not set(SIGNED_READINGS) <= set(readings):
        return []
    return [name_sensor(via, reading) for reading in SIGNED_READINGS]


def add_device(site: Site, via: Via, profile: DeviceProfile, *, battery: str | None = None) -> Site:
    """Return the site with a device: an inverter's battery, and sensors from its readings.

    Readings fill only the roles that have no sensor. Idempotent.

    Args:
        site: as it is stored.
        via: where the device is.
        profile: of its product.
        battery: the one behind it, needed where there are several.

    Raises:
        InvalidInputError: the battery is unknown or not named, the topic prefix is missing, or a
            meter has a proxy port.
    """
    if via.prefix is None and profile.needs_prefix:
        raise refuse("device-prefix-missing", field="--prefix", profile=profile.profile)
    if via.proxy is not None and profile.kind == "meter":
        raise refuse("profile-not-shared", field="--listen-port", profile=profile.profile)
    document: dict[str, Any] = site.model_dump(mode="json", by_alias=True)
    if profile.kind == "battery_inverter":
        names = [other.name for other in site.batteries]
        commanded = names[0] if battery is None and len(names) == 1 else battery
        if commanded not in names:
            raise refuse(
                "device-battery-unclear", field="--name", value=battery, names=tuple(names)
            )
        entry = {"battery": commanded, "via": via.model_dump(mode="json", exclude_none=True)}
        control = document["control"]
        if control is None or control["by"] == "advice":
            document["control"] = {"by": "profile", "batteries": [entry]}
        else:
            others = [other for other in control["batteries"] if other["battery"] != commanded]
            control["batteries"] = [*others, entry]
    sensors = document["input_sensors"]
    for role, readings in READINGS_BY_ROLE.items():
        reading = next((name for name in readings if name in profile.reads), None)
        if reading is not None and not sensors.get(role):
            sensors[role] = [name_sensor(via, reading)]
    phases = list_phases(via, profile.kind, profile.reads)
    if phases and site.grid.main_fuse_phases != 1 and not sensors.get(PHASES_ROLE):
        sensors[PHASES_ROLE] = phases
    return parse_site(document)
