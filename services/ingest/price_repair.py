"""Prices of zero that stand for a price nobody had. Pure.

A recorder that had no price wrote zero, and a kWh that costs nothing teaches the wrong thing. A zero among other prices of its day is taken for missing
unless market or tariff had it; a day of nothing but zeros says too little to be repaired, and stays as it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray

BoolArray = NDArray[np.bool_]
FORWARD, BACKWARD = "zero price filled forward", "zero price filled backward"
# Prices are written in thousandths at the coarsest: what rounds to zero is zero.
ROUNDING_PRICE = 0.0005


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """A price column, currency per kWh, NaN where unknown, all of shape ``(slots,)``.

    ``paid`` is the price recorded at the site, ``due`` that of tariff and market, ``market`` the market's own price.
    """

    paid: FloatArray
    due: FloatArray
    market: FloatArray

    def on(self, place: slice) -> "PriceRecord":
        """Return the same on some of the slots."""
        return PriceRecord(self.paid[place], self.due[place], self.market[place])

    @property
    def has_cost(self) -> BoolArray:
        """Slots with a cost."""
        return np.isfinite(self.paid) | np.isfinite(self.due)

    @property
    def missing_zeros(self) -> BoolArray:
        """Zeros that neither market nor tariff had: at zero or below it, a zero is a price."""
        return np.asarray((self.paid == 0) & ~(np.fmin(self.due, self.market) <= ROUNDING_PRICE))


@dataclass(frozen=True, slots=True)
class RepairedPrices:
    """A day's prices after the repair, and where they were filled from before and from behind."""

    price: FloatArray
    forward: BoolArray
    backward: BoolArray

    @property
    def slots(self) -> int:
        """How many were filled."""
        return int((self.forward | self.backward).sum())


def repair_prices(record: PriceRecord) -> RepairedPrices:
    """Return one local day's prices with its missing zeros filled forward, what is left at its beginning backward, always from a price other than zero.

    Invariants: repairing twice is repairing once; a day without both missing zeros and prices other than zero stays as it is; unknown stays unknown.
    """
    paid, slots = record.paid, np.arange(record.paid.size)
    wrong, source = record.missing_zeros, np.isfinite(record.paid) & (record.paid != 0)
    before = np.maximum.accumulate(np.where(source, slots, -1))
    behind = np.minimum.accumulate(np.where(source, slots, slots.size)[::-1])[::-1]
    forward = wrong & (before >= 0)
    backward = wrong & ~forward & (behind < slots.size)
    place = np.select([forward, backward], [before, behind], slots)
    return RepairedPrices(paid[place], forward, backward)
