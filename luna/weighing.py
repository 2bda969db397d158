"""What counts beside money, as prices: what a plan by them optimises; what it costs stays with ``luna.economics``.

Source: docs/decisions/0024.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.errors import InvalidInputError
from luna.site import Battery, Objective
from luna.timeline import FloatArray

# Grams in a kilogram.
_GRAMS = 1_000.0
# Planning prices beyond this come close to those that stand for a broken limit.
MOST_PRICE = 1_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """What each figure of a plan counts: money per unit of currency, carbon per kg, self-sufficiency per imported kWh, wear beside what cost holds of it."""

    cost: float = 1.0
    carbon: float = 0.0
    self_sufficiency: float = 0.0
    wear: float = 0.0

    @classmethod
    def of(cls, objective: Objective) -> Self:
        """Return the weights of an owner's objective."""
        return cls(1.0, objective.carbon_price_per_kg, objective.self_sufficiency_price, objective.wear_factor - 1.0)

    def known(self, carbon_g_per_kwh: FloatArray | None) -> "Weights":
        """Return the weights that can be heeded: carbon counts nothing where its intensity is unknown."""
        return self if carbon_g_per_kwh is not None else replace(self, carbon=0.0)

    @property
    def wear_factor(self) -> float:
        """How often wear counts in all."""
        return self.cost + self.wear


COST_ALONE = Weights()
Prices = tuple[FloatArray, FloatArray]


def weigh_prices(prices: Prices, carbon_g_per_kwh: FloatArray | None, weights: Weights) -> Prices:
    """Return import and export price as they count: what is imported carries carbon and self-sufficiency, what is exported is credited with neither.

    Args:
        prices: import and export price, currency/kWh.
        carbon_g_per_kwh: the grid's intensity, same shape; needed where carbon counts.

    Raises:
        InvalidInputError: carbon counts and its intensity is unknown, or a weighted price is beyond ±1000.
    """
    if weights.carbon and carbon_g_per_kwh is None:
        remedy = "Add it, load it (luna data load --kind carbon), or leave carbon out."
        raise InvalidInputError("the grid's carbon intensity is missing", field="outlook.carbon_g_per_kwh", remedy=remedy)
    carbon = carbon_g_per_kwh if weights.carbon and carbon_g_per_kwh is not None else 0.0
    weighed = weights.cost * prices[0] + weights.carbon * carbon / _GRAMS + weights.self_sufficiency
    if float(np.abs(weighed).max(initial=0.0)) > MOST_PRICE:
        remedy = f"Lower carbon_price_per_kg or self_sufficiency_price: prices count up to ±{MOST_PRICE:g} per kWh."
        raise InvalidInputError("a weighted price is too high", field="objective", value=float(weighed.max()), remedy=remedy)
    return weighed, weights.cost * prices[1]


def weigh_wear(battery: Battery, weights: Weights) -> Battery:
    """Return a battery whose wear is priced as it counts."""
    return battery.model_copy(update={"wear_price": battery.wear_price * weights.wear_factor})


def self_sufficiency(import_kwh: FloatArray, used_kwh: FloatArray) -> float | None:
    """Return the share of what is used that is not imported, 0 to 1; None where nothing is used. Import that is sold again counts as import."""
    used = float(used_kwh.sum())
    return max(1.0 - float(import_kwh.sum()) / used, 0.0) if used > 0 else None
