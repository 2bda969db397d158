"""What Luna and owners had devices do that moves what is measured of a site: PV held back, loads run. Nobody's habit, and not what the sun can do."""

from dataclasses import dataclass

import numpy as np

from luna.energy.devices import DEVICE_KINDS
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, InstantArray


@dataclass(frozen=True, slots=True)
class Steering:
    """The slots concerned, by their starts in UTC; one may be there more than once.

    Args:
        pv_starts: PV was limited in them.
        pv_limit_kwh: by slot of ``pv_starts``: zero where PV was off, infinite where it was only kept from the grid.
        run_starts: a load ran by a plan, an order or an owner's block in them that no meter of its own takes out of the house's.
    """

    pv_starts: InstantArray
    pv_limit_kwh: FloatArray
    run_starts: InstantArray


_NONE: InstantArray = np.empty(0, dtype="datetime64[s]")
NO_STEERING = Steering(_NONE, np.empty(0), _NONE)


def is_metered_apart(site: Site, key: str) -> bool:
    """Return whether the site measures a device (by its key, as in the control log) beside the house, so that its load is none of it."""
    roles = {kind.meter(device) for kind in DEVICE_KINDS if kind.commands and kind.meter for device in kind.of(site) if kind.commands.key(device.name) == key}
    return any(role is not None and getattr(site.input_sensors, role) for role in roles)
