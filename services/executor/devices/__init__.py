"""Controllable units, one module per kind of device: set-points by plan, owner or fallback, the
safety layer, the writes.
"""

from importlib import import_module
from pkgutil import iter_modules

from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.devices.unit import Controllable, DeviceUnits

_MODULES = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
_BY_SECTION: dict[str, DeviceUnits] = {
    module.UNITS.section: module.UNITS for module in _MODULES if hasattr(module, "UNITS")
}
# In the order of the sections in ``Control``, which is the order of the control steps.
_UNITS = [_BY_SECTION[section] for section in Control.model_fields if section in _BY_SECTION]


def list_units(site: Site, control: Control | None) -> dict[str, Controllable]:
    """Return a section's units by key; devices that the site lacks are left out."""
    if control is None:
        return {}
    return {unit.key: unit for units in _UNITS for unit in units.make(site, control)}


def find_unit(site: Site, control: Control | None, key: str) -> Controllable | None:
    """Return the unit of a key, None where the section does not control it."""
    return list_units(site, control).get(key)
