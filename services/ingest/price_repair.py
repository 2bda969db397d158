"""Repair of recorded zero prices that stand for missing ones. Pure.

Some recorders write zero without a price, which would mislead training. A zero among other prices
of its day counts as missing unless market or tariff confirm it; a day of zeros alone gives no price
to fill in, and is unchanged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray

BoolArray = NDArray[np.bool_]
FORWARD = "zero price filled forward"
BACKWARD = "zero price filled backward"
# Prices have three decimals at least: a smaller one rounds to zero.
ROUNDING_PRICE = 0.0005


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """A price column, currency per kWh, NaN where unknown, all of shape ``(slots,)``.

    ``paid`` is the price recorded at the site, ``due`` that of tariff and market, ``market`` the
    market's own price.
    """

    paid: FloatArray
    due: FloatArray
    market: FloatArray

    def on(self, place: slice) -> "PriceRecord":
        """Return the record of some slots."""
        return PriceRecord(self.paid[place], self.due[place], self.market[place])

    @property
    def has_cost(self) -> BoolArray:
        """Slots with a recorded or a tariff price."""
        return np.isfinite(self.paid) | np.isfinite(self.due)

    @property
    def missing_zeros(self) -> BoolArray:
        """Zeros that count as missing: neither market nor tariff price was at or below zero."""
        return np.asarray((self.paid == 0) & ~(np.fmin(self.due, self.market) <= ROUNDING_PRICE))


@dataclass(frozen=True, slots=True)
class RepairedPrices:
    """A day's prices after the repair, and which slots were filled forward and backward."""

    price: FloatArray
    forward: BoolArray
    backward: BoolArray

    @property
    def slots(self) -> int:
        """Number of filled slots."""
        return int((self.forward | self.backward).sum())


def repair_prices(record: PriceRecord) -> RepairedPrices:
    """Return one local day's prices with missing zeros filled from the nearest other price.

    They are filled forward, those at the beginning of the day backward.

    Invariants: idempotent; a day without both missing zeros and other prices is unchanged; NaN
    stays NaN.
    """
    paid = record.paid
    slots = np.arange(record.paid.size)
    wrong = record.missing_zeros
    source = np.isfinite(record.paid) & (record.paid != 0)
    before = np.maximum.accumulate(np.where(source, slots, -1))
    behind = np.minimum.accumulate(np.where(source, slots, slots.size)[::-1])[::-1]
    forward = wrong & (before >= 0)
    backward = wrong & ~forward & (behind < slots.size)
    place = np.select([forward, backward], [before, behind], slots)
    return RepairedPrices(paid[place], forward, backward)
