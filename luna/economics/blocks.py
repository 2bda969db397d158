"""Block tariffs: what a kWh costs beside the first block's price depends on how much the month has drawn before it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from luna.site import BlockPrice
from luna.timeline import FloatArray, IndexArray, Timeline, local_offsets


@dataclass(frozen=True, slots=True)
class Blocks:
    """A block tariff and what the month in which a horizon begins has drawn so far: later blocks begin at ``begin_kwh`` and cost ``rise`` more.

    Both have shape ``(blocks − 1,)``; ``rise`` is what a kWh costs more than in the block before.
    """

    begin_kwh: FloatArray
    rise: FloatArray
    drawn_kwh: float = 0.0

    @classmethod
    def of(cls, price: BlockPrice, drawn_kwh: float) -> "Blocks":
        """Return the blocks of a tariff."""
        ends = [block.up_to_kwh for block in price.blocks if block.up_to_kwh is not None]
        return cls(np.array(ends, dtype=float), np.diff([block.price for block in price.blocks]), drawn_kwh)

    def left_kwh(self, *, first: bool) -> FloatArray:
        """Return what a month may still draw before each later block begins; ``first``: it is the month in which the horizon begins."""
        return np.maximum(self.begin_kwh - (self.drawn_kwh if first else 0.0), 0.0)

    def block_of(self, energy_kwh: float, *, first: bool) -> int:
        """Return in which block the next kWh lies when a month draws so much more."""
        return int((self.left_kwh(first=first) <= energy_kwh).sum())

    def price_above(self, block: int) -> float:
        """Return what a kWh costs more there than in the first block."""
        return float(self.rise[:block].sum())


def list_months(timeline: Timeline, zone: ZoneInfo) -> list[IndexArray]:
    """Return the slots of each local month, in order."""
    months = (timeline.starts + local_offsets(timeline.starts, zone)).astype("datetime64[M]").astype(np.int64)
    return [np.flatnonzero(months == month) for month in np.unique(months)]


def block_cost(import_kwh: FloatArray, timeline: Timeline, blocks: Blocks, *, zone: ZoneInfo) -> FloatArray:
    """Return what later blocks add to the cost of each slot, shape ``(slots,)``: a slot pays for the blocks that its own energy lies in."""
    cost = np.zeros(timeline.count)
    for number, slots in enumerate(list_months(timeline, zone)):
        after = np.cumsum(import_kwh[slots])
        left = blocks.left_kwh(first=number == 0)
        paid = (np.maximum(after[:, None] - left, 0.0) * blocks.rise).sum(axis=1)
        cost[slots] = np.diff(paid, prepend=0.0)
    return cost
