"""What counts beside money, as prices: what a plan by them optimises; what it costs stays with ``luna.energy.economics``.

Source: docs/decisions/0024.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.energy.devices import Battery
from luna.energy.refusals import refuse
from luna.energy.site import Objective
from luna.energy.timeline import FloatArray

# Grams in a kilogram.
_GRAMS = 1_000.0
# Planning prices beyond this come close to those that stand for a broken limit.
MOST_PRICE = 1_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What figures of a plan count beside a unit of currency: carbon per kg, self-sufficiency per imported kWh, wear beside what cost holds of it."""

    carbon: float = 0.0
    self_sufficiency: float = 0.0
    wear: float = 0.0

    @classmethod
    def of(cls, objective: Objective) -> Self:
        """Return the weights of an owner's objective."""
        return cls(objective.carbon_price_per_kg, objective.self_sufficiency_price, objective.wear_factor - 1.0)

    def known(self, carbon_g_per_kwh: FloatArray | None) -> "Weights":
        """Return the weights that can be heeded: carbon counts nothing where its intensity is unknown."""
        return self if carbon_g_per_kwh is not None else replace(self, carbon=0.0)


COST_ALONE = Weights()


def weigh_import(import_price: FloatArray, carbon_g_per_kwh: FloatArray | None, weights: Weights) -> FloatArray:
    """Return what an imported kWh counts; an exported one is credited with neither carbon nor self-sufficiency, so its price stays.

    Args:
        import_price: currency/kWh.
        carbon_g_per_kwh: the grid's intensity, same shape; needed where carbon counts.

    Raises:
        InvalidInputError: carbon counts and its intensity is unknown, or a weighted price is beyond ±1000.
    """
    if weights.carbon and carbon_g_per_kwh is None:
        raise refuse("carbon-missing", field="outlook.carbon_g_per_kwh")
    carbon = carbon_g_per_kwh if weights.carbon and carbon_g_per_kwh is not None else 0.0
    weighed: FloatArray = import_price + weights.carbon * carbon / _GRAMS + weights.self_sufficiency
    if float(np.abs(weighed).max(initial=0.0)) > MOST_PRICE:
        raise refuse("weighted-price-high", field="objective", value=float(weighed.max()), most_price=MOST_PRICE)
    return weighed


def weigh_wear(battery: Battery, weights: Weights) -> Battery:
    """Return a battery whose wear is priced as it counts."""
    factor = 1.0 + weights.wear
    by_depth = tuple(segment.model_copy(update={"price": segment.price * factor}) for segment in battery.wear_by_depth)
    return battery.model_copy(update={"wear_price": battery.wear_price * factor, "wear_by_depth": by_depth})


def self_sufficiency(import_kwh: FloatArray, used_kwh: FloatArray) -> float | None:
    """Return the share of what is used that is not imported, 0 to 1; None where nothing is used. Import that is sold again counts as import."""
    used = float(used_kwh.sum())
    return max(1.0 - float(import_kwh.sum()) / used, 0.0) if used > 0 else None
