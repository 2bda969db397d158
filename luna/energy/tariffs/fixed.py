"""A component with one price for every slot."""

from typing import Literal

import numpy as np

from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.timeline import FloatArray


class FixedComponent(UnitComponent):
    """A part of the price that is the same at any time, such as a tax."""

    kind: Literal["fixed"] = "fixed"
    price: UnitPrice

    @property
    def bounds(self) -> tuple[float, float]:
        """The one price, twice."""
        price = self.per_kwh(self.price)
        return price, price

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price of every slot."""
        return np.full(slots.timeline.count, self.per_kwh(self.price))
