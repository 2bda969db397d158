"""What a vehicle's charger may be told."""

import math

from luna.site import ElectricVehicle, Site

_NOTHING_KW = 1e-6


def clamp_charging(power_kw: float, vehicle: ElectricVehicle, site: Site) -> float:
    """Return the nearest power that a charger may be told, kW: none, or at least its least, at most its limit and what the connection carries.

    Total: an unknown power is none. Invariants: idempotent.
    """
    most = min(vehicle.charge_limit_kw, site.grid.import_limit_kw)
    if math.isnan(power_kw) or power_kw <= _NOTHING_KW or most < vehicle.min_charge_kw:
        return 0.0
    return min(max(power_kw, vehicle.min_charge_kw), most)
