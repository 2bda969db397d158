"""List the controllable units, one module per kind of device."""

from luna.drivers.control.units import battery, pv, switched, vehicle
from luna.drivers.control.units.unit import Controllable, DeviceUnits
from luna.energy.site import Site
from luna.energy.site.control import Control

# In the order of the sections in ``Control``, which is the order of the control steps.
DEVICE_UNITS: tuple[DeviceUnits, ...] = (
    battery.UNITS,
    vehicle.UNITS,
    switched.UNITS,
    pv.UNITS,
)


def list_units(site: Site, control: Control | None) -> dict[str, Controllable]:
    """Return a section's units by key; devices that the site lacks are left out."""
    by_key: dict[str, Controllable] = {}
    if control is not None:
        for units in DEVICE_UNITS:
            for unit in units.make(site, control):
                by_key[unit.key] = unit
    return by_key


def find_unit(site: Site, control: Control | None, key: str) -> Controllable | None:
    """Return the unit of a key, None where the section does not control it."""
    return list_units(site, control).get(key)
