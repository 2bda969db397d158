"""What a vehicle's charger may be told."""

import math

from luna.site import ElectricVehicle, Site

_NOTHING_KW = 1e-6


def clamp_charging(power_kw: float, vehicle: ElectricVehicle, site: Site) -> float:
    """Return the nearest power that a charger may be told, kW: none, or one within its ranges that is not beyond what the connection carries.

    Between two ranges it is the end of the lower one, below all of them the least there is. Total: an unknown power is none. Invariants: idempotent.
    """
    carried = site.grid.import_limit_kw
    ranges = [(least, min(most, carried)) for least, most in vehicle.power_ranges if least <= carried]
    if math.isnan(power_kw) or power_kw <= _NOTHING_KW or not ranges:
        return 0.0
    least, most = ([each for each in ranges if each[0] <= power_kw] or ranges[:1])[-1]
    return min(max(power_kw, least), most)


def clamp_giving(power_kw: float, soc: float, vehicle: ElectricVehicle) -> float:
    """Return the nearest power that a car may give to the house, kW; none where it holds no more than it keeps, or nobody knows what it holds."""
    if math.isnan(power_kw) or not soc > vehicle.min_soc:
        return 0.0
    return min(max(power_kw, 0.0), vehicle.discharge_limit_kw)
