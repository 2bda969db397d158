"""A component whose price depends on what the local month has drawn."""

from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from luna.energy.part import Part
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import FloatArray


class PriceBlock(Part):
    """Price of a kWh while the month has drawn no more than ``up_to_kwh``.

    The last block has no end.
    """

    up_to_kwh: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    price: UnitPrice


Blocks = Annotated[tuple[PriceBlock, ...], Field(min_length=1, max_length=12)]


def check_blocks(blocks: tuple[PriceBlock, ...]) -> None:
    """Check that blocks follow each other and never get cheaper.

    Raises:
        PydanticCustomError: one ends before it begins, or costs less than the one before.
    """
    ends = [block.up_to_kwh for block in blocks]
    if None in ends[:-1] or ends[-1] is not None:
        raise invalid_part("blocks-open")
    for number, (one, other) in enumerate(pairwise(blocks), start=2):
        if (
            one.up_to_kwh is not None
            and other.up_to_kwh is not None
            and one.up_to_kwh >= other.up_to_kwh
        ):
            raise invalid_part(
                "blocks-fall", number=number, up_to_kwh=other.up_to_kwh, before=one.up_to_kwh
            )
        if one.price > other.price:
            raise invalid_part("blocks-cheaper", number=number, price=other.price, before=one.price)


class BlockComponent(UnitComponent):
    """A part of the price that rises with what the local month has drawn.

    A month counts from its first day, also where the component begins later.
    """

    kind: Literal["blocks"]
    blocks: Blocks

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_blocks(self.blocks)
        return self

    @property
    def counts_drawn(self) -> bool:
        """True: the price depends on what the month has drawn."""
        return True

    @property
    def bounds(self) -> tuple[float, float]:
        """The price of the first and of the last block."""
        return self.per_kwh(self.blocks[0].price), self.per_kwh(self.blocks[-1].price)

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the price of the month's first kWh; its charge adds what later ones cost more."""
        return np.full(slots.timeline.count, self.per_kwh(self.blocks[0].price))

    def describe_slot(self, slots: PricedSlots, slot: int) -> SlotDetail:
        """Return the first block, of which the price is."""
        return SlotDetail("block", up_to_kwh=self.blocks[0].up_to_kwh)
