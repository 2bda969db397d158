"""A component that follows the day-ahead price of a market."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from luna.energy.tariffs.component import Component, MarketName, PricedSlots
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import SLOT, FloatArray, floor_to

BillingMinutes = Literal[15, 30, 60]


class SpotComponent(Component):
    """The price of a market, by the interval in which the supplier bills it.

    Where energy is billed by the hour, each quarter-hour costs the mean of its hour.
    """

    kind: Literal["spot"]
    market: MarketName
    factor: Annotated[float, Field(gt=0, le=10, description="times the market's price")] = 1.0
    billing_minutes: BillingMinutes = 15

    @property
    def is_averaged(self) -> bool:
        """Whether a quarter-hour costs the mean of a longer interval."""
        return self.billing_minutes > SLOT // timedelta(minutes=1)

    def list_markets(self) -> list[str]:
        """Return the market, and the one below whose zero the component counts nothing."""
        return [self.market, *super().list_markets()]

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the market's price, NaN where it is unknown."""
        return self.factor * slots.billed(self.market, self.billing_minutes)

    def describe_slot(self, slots: PricedSlots, slot: int) -> SlotDetail:
        """Return the market and the billing interval of a slot, which follows the local clock."""
        start = slots.timeline.start + slot * slots.timeline.step
        offset = start.astimezone(slots.zone).utcoffset() or timedelta(0)
        length = timedelta(minutes=self.billing_minutes)
        begin = floor_to(start + offset, length) - offset
        return SlotDetail("market", market=self.market, begin=begin, end=begin + length)
