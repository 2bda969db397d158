"""The kinds of flexible devices that the planner schedules: one module per kind, each ending in one
declaration, ``PLANNED``.
"""

from importlib import import_module
from pkgutil import iter_modules

from luna.energy.devices import DEVICE_KINDS
from luna.energy.part import Part
from luna.energy.site import Site
from services.planner.devices.kind import PlannedKind

__all__ = ["PLANNED_KINDS", "find_planned_kind"]


_MODULES = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
_PLACES = {kind.section: place for place, kind in enumerate(DEVICE_KINDS)}
# In the order of ``DEVICE_KINDS``, which is also that of models and replies.
PLANNED_KINDS: tuple[PlannedKind, ...] = tuple(
    sorted(
        (module.PLANNED for module in _MODULES if hasattr(module, "PLANNED")),
        key=lambda kind: _PLACES[kind.section],
    )
)


def find_planned_kind(site: Site, device: Part) -> PlannedKind:
    """Return the kind of a site's device."""
    return next(
        kind
        for kind in PLANNED_KINDS
        if any(each is device for each in getattr(site, kind.section))
    )
