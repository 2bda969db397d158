"""Costs of slots, break-even values and planning prices.

Planning prices weigh carbon, self-sufficiency and wear beside money.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.refusals import refuse
from luna.energy.site import Objective
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Values of a stored kWh at which an action neither gains nor loses.

    They are in currency per stored kWh, of any shape. Above ``buy`` it pays to charge from the
    grid, above ``store`` to store surplus, above ``spill`` to store surplus that would be held
    back; below ``serve`` to serve the load, below ``sell`` to export, below ``displace`` to empty
    it in the place of PV that is then held back.
    """

    buy: FloatArray
    store: FloatArray
    spill: FloatArray
    serve: FloatArray
    sell: FloatArray
    displace: FloatArray


def break_even(
    import_price: FloatArray,
    export_price: FloatArray,
    *,
    charge_efficiency: float,
    discharge_efficiency: float,
    wear_price: float,
) -> BreakEven:
    """Return the break-even values of a battery's actions, prices in currency/kWh.

    Wear counts on both sides.

    ``export_price`` is what surplus earns when it is not stored: 0 where it would be held back
    instead of sold at a loss.
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
    """Cost per slot in the site's currency.

    Earnings are negative. Arrays have the slot as their last axis. ``device_cost`` is what devices
    with a price of their own cost beside the house's price.
    """

    import_cost: FloatArray
    export_cost: FloatArray
    wear_cost: FloatArray
    device_cost: FloatArray | float = 0.0

    @property
    def total(self) -> FloatArray:
        """The sum of the parts, per slot."""
        return self.import_cost + self.export_cost + self.wear_cost + self.device_cost

    @property
    def device_total(self) -> float:
        """What the devices cost beside the house's price over all slots."""
        return float(np.sum(self.device_cost))


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
        wear_price: currency per kWh of throughput, per battery, shape ``(batteries, 1)`` or one
            number.
    """
    wear = (throughput_kwh * wear_price).sum(axis=0)
    return Costs(import_kwh * import_price, -export_kwh * export_price, wear)


def carbon_g(import_kwh: FloatArray, carbon_g_per_kwh: FloatArray) -> float:
    """Return the carbon of what is imported, grams; exports are not credited."""
    return float(np.sum(import_kwh * carbon_g_per_kwh))


# --- planning prices: what counts beside money; costs stay at tariff prices. Source: docs/decisions

_GRAMS_PER_KG = 1_000.0
# Planning prices beyond this come close to the penalty of a broken limit.
MOST_PRICE = 1_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of a plan's figures beside a unit of currency.

    They count carbon per kg, self-sufficiency per imported kWh, and wear beside what cost holds of
    it.
    """

    carbon: float = 0.0
    self_sufficiency: float = 0.0
    wear: float = 0.0

    @classmethod
    def of(cls, objective: Objective, *, carbon_is_known: bool = True) -> Self:
        """Return the weights of an owner's objective that can be heeded.

        Carbon counts nothing where its intensity is unknown.
        """
        carbon = objective.carbon_price_per_kg if carbon_is_known else 0.0
        return cls(carbon, objective.self_sufficiency_price, objective.wear_factor - 1.0)


COST_ALONE = Weights()


def weigh_import(
    import_price: FloatArray, carbon_g_per_kwh: FloatArray | None, weights: Weights
) -> FloatArray:
    """Return the planning price of an imported kWh, same shape.

    Exports are credited with neither carbon nor self-sufficiency, so their price stays.

    Args:
        import_price: currency/kWh.
        carbon_g_per_kwh: the grid's intensity, same shape; needed where carbon counts.

    Raises:
        InvalidInputError: carbon counts and its intensity is unknown, or a weighted price is beyond
            ±1000.
    """
    if weights.carbon and carbon_g_per_kwh is None:
        raise refuse("carbon-missing", field="outlook.carbon_g_per_kwh")
    carbon = carbon_g_per_kwh if weights.carbon and carbon_g_per_kwh is not None else 0.0
    weighed: FloatArray = (
        import_price + weights.carbon * carbon / _GRAMS_PER_KG + weights.self_sufficiency
    )
    if float(np.abs(weighed).max(initial=0.0)) > MOST_PRICE:
        raise refuse(
            "weighted-price-high",
            field="objective",
            value=float(weighed.max()),
            most_price=MOST_PRICE,
        )
    return weighed


def weigh_wear(battery: Battery, weights: Weights) -> Battery:
    """Return the battery with its wear prices weighted."""
    factor = 1.0 + weights.wear
    segments = battery.wear_by_depth
    by_depth = [part.model_copy(update={"price": part.price * factor}) for part in segments]
    weighted = {"wear_price": battery.wear_price * factor, "wear_by_depth": tuple(by_depth)}
    return battery.model_copy(update=weighted)


def self_sufficiency(import_kwh: FloatArray, used_kwh: FloatArray) -> float | None:
    """Return the share of what is used that is not imported, 0 to 1.

    None where nothing is used. Import that is sold again counts as import.
    """
    used = float(used_kwh.sum())
    return max(1.0 - float(import_kwh.sum()) / used, 0.0) if used > 0 else None
