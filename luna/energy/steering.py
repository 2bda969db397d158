"""What Luna and owners had devices do that moves what is measured of a site: PV held back, loads run. Nobody's habit, and not what the sun can do."""

from dataclasses import dataclass

import numpy as np

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


def is_metered_apart(site: Site, device: str) -> bool:
    """Return whether the site measures a device (``load:NAME``, ``vehicle:NAME``, as in the control log) beside the house, so that its load is none of it."""
    kind, _, name = device.partition(":")
    sensors = site.input_sensors
    if kind == "vehicle":
        return bool(sensors.vehicle_consumption)
    if any(pump.name == name for pump in site.heat_pumps):
        return bool(sensors.heat_pump_consumption)
    heats_water = any(load.name == name and load.kind == "water_heater" for load in site.loads)
    return heats_water and bool(sensors.water_heater_consumption)
