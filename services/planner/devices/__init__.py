"""List the kinds of flexible devices that the planner schedules.

Each kind is a module or package with one declaration, ``PLANNED``.
"""

from luna.energy.part import Part
from luna.energy.site import Site
from services.planner.devices import appliance, heat_pump, vehicle
from services.planner.devices.kind import PlannedKind

__all__ = ["PLANNED_KINDS", "find_planned_kind"]

# In the order of ``DEVICE_KINDS``, which is also that of models and replies.
PLANNED_KINDS: tuple[PlannedKind, ...] = (
    vehicle.PLANNED,
    appliance.PLANNED,
    heat_pump.PLANNED,
)


def find_planned_kind(site: Site, device: Part) -> PlannedKind:
    """Return the kind of a site's device."""
    for kind in PLANNED_KINDS:
        for site_device in getattr(site, kind.section):
            if site_device is device:
                return kind
    raise LookupError(device)
