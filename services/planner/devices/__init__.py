"""What the planner knows of each kind of device that it places: one module per kind, each ending in one declaration."""

from luna.energy.part import Part
from luna.energy.site import Site
from services.planner.devices.appliance import PLANNED_APPLIANCES
from services.planner.devices.heat_pump import PLANNED_HEAT_PUMPS
from services.planner.devices.kind import PlannedKind
from services.planner.devices.vehicle.planned import PLANNED_VEHICLES

__all__ = ["PLANNED_KINDS", "find_planned_kind"]

# In the order in which they stand in a model and in a reply.
PLANNED_KINDS: tuple[PlannedKind, ...] = (PLANNED_VEHICLES, PLANNED_APPLIANCES, PLANNED_HEAT_PUMPS)


def find_planned_kind(site: Site, device: Part) -> PlannedKind:
    """Return the kind of a site's device."""
    return next(kind for kind in PLANNED_KINDS if any(each is device for each in kind.of(site)))
