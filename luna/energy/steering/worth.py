"""Price a kWh that a battery stores, by the flows that a plan expects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Energy of a slot that counts as nothing.
LITTLE_KWH = 0.02
# A battery is empty for a plan within so much of its lowest level ahead.
_EMPTY_SOC = 0.01


@dataclass(frozen=True, slots=True)
class ExpectedSlot:
    """A plan's slot: prices, exchange with the grid, and the batteries' charge and final level."""

    import_price: float
    export_price: float
    import_kwh: float
    export_kwh: float
    charge_kwh: float
    soc: float


def price_stored_kwh(slots: Sequence[ExpectedSlot], *, round_trip: float) -> float:
    """Return what a kWh of surplus is worth that a battery stores in the first slot.

    With a kWh less it stores one more later, of surplus that would be fed in or of what it buys
    for itself anyway, where that comes before it is empty; once it is empty, the house buys that
    kWh, less the losses. A battery that is never empty saves the cheapest kWh ahead.

    Args:
        slots: from now on, in order; at least one.
        round_trip: share of a kWh that is left once it was charged and discharged.
    """
    empty_soc = min(slot.soc for slot in slots) + _EMPTY_SOC
    stored_price = math.inf
    cheapest_price = math.inf
    for slot in slots:
        is_bought = slot.import_kwh > LITTLE_KWH
        is_charged = slot.charge_kwh > LITTLE_KWH
        cheapest_price = min(cheapest_price, slot.import_price)
        if slot.export_kwh > LITTLE_KWH:
            stored_price = min(stored_price, slot.export_price)
        elif is_bought and is_charged:
            stored_price = min(stored_price, slot.import_price)
        elif is_bought and slot.soc <= empty_soc:
            return min(stored_price, round_trip * slot.import_price)
    return min(stored_price, round_trip * cheapest_price)
