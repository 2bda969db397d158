"""What is controlled, one module per kind of device: what a plan, an owner or nobody says of it, what of that is safe, and what is written."""

from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.devices import battery, pv, switched, vehicle
from services.executor.devices.unit import Controllable

# In the order in which units take their turns.
_MAKERS = (battery.make_units, vehicle.make_units, switched.make_units, pv.make_units)


def list_units(site: Site, control: Control | None) -> dict[str, Controllable]:
    """Return what is told by a section, by key; what the site does not have is left out."""
    if control is None:
        return {}
    return {unit.key: unit for make in _MAKERS for unit in make(site, control)}


def find_unit(site: Site, control: Control | None, key: str) -> Controllable | None:
    """Return one of them, None where it is not told by this section."""
    return list_units(site, control).get(key)
