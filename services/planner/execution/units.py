"""Which units a site's section ``control`` names."""

from luna.control import Control
from luna.site import DeferrableLoad, HeatPump, Site
from services.planner.execution.appliance import Appliance
from services.planner.execution.arrays import Arrays
from services.planner.execution.batteries import Batteries
from services.planner.execution.charger import Charger
from services.planner.execution.unit import Unit


def list_units(site: Site, control: Control | None) -> dict[str, Unit]:
    """Return what is told by a section, by key; what the site does not have is left out."""
    if control is None:
        return {}
    batteries = [Batteries(site, control)] if control.batteries else []
    vehicles = {each.name: each for each in site.vehicles}
    loads: dict[str, DeferrableLoad | HeatPump] = {each.name: each for each in site.heat_pumps} | {each.name: each for each in site.loads}
    chargers = [Charger(site, vehicles[each.vehicle], each) for each in control.vehicles if each.vehicle in vehicles]
    appliances = [Appliance.of(loads[each.load], each) for each in control.loads if each.load in loads]
    arrays = [Arrays(site, control.pv)] if control.pv is not None and site.pv else []
    units: list[Unit] = [*batteries, *chargers, *appliances, *arrays]
    return {unit.key: unit for unit in units}


def find_unit(site: Site, control: Control | None, key: str) -> Unit | None:
    """Return one of them, None where it is not told by this section."""
    return list_units(site, control).get(key)
