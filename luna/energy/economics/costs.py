"""What slots cost, and at which prices storing, serving, buying and selling break even."""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from luna.energy.physics import Curtailment, IntArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray


def curtailment_rule(import_price: FloatArray, export_price: FloatArray, *, house_first: bool = False) -> IntArray:
    """Return how PV that may be held back is used: not exported where that costs money, off where importing is paid and selling is not.

    Where both pay, PV is sold: which pays more depends on load and sun, and a plan that knows them may choose otherwise.
    ``house_first``: PV keeps serving house and battery even then, because a battery may take from nothing else.
    """
    kept = np.where(export_price < 0, Curtailment.EXPORT, Curtailment.NONE)
    off = (import_price < 0) & (export_price <= 0) & (not house_first)
    return np.where(off, Curtailment.ALL, kept).astype(np.int8)


def site_curtailment(site: Site, import_price: FloatArray, export_price: FloatArray) -> IntArray:
    """Return the rule for a site's PV: none where it may not be held back, the house first where a battery may take from nothing else."""
    if not site.curtailable:
        return np.zeros(import_price.shape, dtype=np.int8)
    return curtailment_rule(import_price, export_price, house_first=not all(map(attrgetter("charge_from_grid"), site.batteries)))


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The value of one stored kWh at which an action neither gains nor loses, currency per stored kWh, any shape.

    Above ``buy`` it pays to charge from the grid, above ``store`` to store surplus, above ``spill`` to store surplus that would be held back;
    below ``serve`` to serve the load, below ``sell`` to export, below ``displace`` to empty it in the place of PV that is then held back.
    """

    buy: FloatArray
    store: FloatArray
    spill: FloatArray
    serve: FloatArray
    sell: FloatArray
    displace: FloatArray


def break_even(import_price: FloatArray, export_price: FloatArray, *, charge_efficiency: float, discharge_efficiency: float, wear_price: float) -> BreakEven:
    """Return the break-even values of a battery's four actions; wear counts on both sides.

    ``export_price`` is what surplus earns when it is not stored: 0 where it would be held back instead of sold at a loss.
    """
    return BreakEven(
        buy=(import_price + wear_price) / charge_efficiency,
        store=(export_price + wear_price) / charge_efficiency,
        spill=np.full_like(import_price, wear_price / charge_efficiency),
        serve=(import_price - wear_price) * discharge_efficiency,
        sell=(export_price - wear_price) * discharge_efficiency,
        displace=np.full_like(import_price, -wear_price * discharge_efficiency),
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost per slot in the site's currency; earnings are negative. Arrays have the slot as their last axis."""

    import_cost: FloatArray
    export_cost: FloatArray
    wear_cost: FloatArray

    @property
    def total(self) -> FloatArray:
        """The sum of the parts, per slot."""
        return self.import_cost + self.export_cost + self.wear_cost


def slot_costs(
    *,
    import_kwh: FloatArray,
    export_kwh: FloatArray,
    throughput_kwh: FloatArray,
    import_price: FloatArray,
    export_price: FloatArray,
    wear_price: FloatArray | float,
) -> Costs:
    """Return what each slot costs; all arrays broadcast against each other.

    Args:
        import_kwh: energy bought, at the meter.
        export_kwh: energy sold, at the meter.
        throughput_kwh: charge + discharge per battery at its terminals, shape ``(batteries, …)``.
        import_price: currency/kWh.
        export_price: currency/kWh earned.
        wear_price: currency per kWh of throughput, per battery, shape ``(batteries, 1)`` or one number.
    """
    wear = (throughput_kwh * wear_price).sum(axis=0)
    return Costs(import_kwh * import_price, -export_kwh * export_price, wear)


def carbon_g(import_kwh: FloatArray, carbon_g_per_kwh: FloatArray) -> float:
    """Return the carbon of what is imported, grams; exports are not credited."""
    return float(np.sum(import_kwh * carbon_g_per_kwh))
