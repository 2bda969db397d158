"""What appliances look at when they are placed: prices and surplus ahead."""

from dataclasses import dataclass

import numpy as np

from luna.physics import BoolArray
from luna.site import DeferrableLoad
from luna.timeline import FloatArray

# What a kWh costs that an appliance does not get, as a multiple of the dearest price: dear enough that a slot more is cheaper than the last
# few watt-hours missing; a vehicle's are dearer.
LOAD_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class Ahead:
    """Slots ahead, arrays of shape ``(slots,)``: their hours, what PV leaves beyond the load, what a bought kWh costs.

    ``tie`` is a sliver per kWh that makes the earlier of two equal slots the better one, ``dearest`` the dearest price of all, ``mean_price`` the
    mean of what a plan optimises by, ``left_price`` what a kWh is worth that is left at the horizon.
    """

    hours: FloatArray
    surplus_kwh: FloatArray
    import_price: FloatArray
    tie: FloatArray
    dearest: float
    mean_price: float
    left_price: float

    def bound(self, load: DeferrableLoad) -> BoolArray:
        """Return the slots in which an appliance may take PV surplus alone."""
        too_dear = np.zeros(self.hours.size, dtype=bool) if load.price_limit is None else self.import_price > load.price_limit
        return too_dear | load.surplus_only
