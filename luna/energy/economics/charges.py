"""Prices of a kWh that depend on what was drawn before it: one class for each kind, found by the rule it stands for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.prices import PricedSlots, prices
from luna.energy.site import BlockPrice, ImportRule
from luna.energy.timeline import FloatArray, IndexArray, Timeline, local_offsets


class EnergyCharge(Protocol):
    """What a tariff adds to the price of a slot because of what was drawn before it, with what counted when a horizon begins.

    Its class is declared with ``@charges``, the price of the first kWh with ``@prices``, and its rows in the planner's model with ``@rows_of``.
    """

    @classmethod
    def of(cls, rule: Any, drawn_kwh: float) -> Self:
        """Return the charge of a rule where so much has been drawn in the running period."""
        ...

    @staticmethod
    def count_drawn(import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return what the period that runs at the end of ``past``, which begins with a local month, has drawn, kWh; unknown (NaN) counts as nothing."""
        ...

    def slot_cost(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> FloatArray:
        """Return what is added to the cost of each slot, shape ``(slots,)``."""
        ...

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the charge as it is once the first slots of a timeline have drawn ``import_kwh``, shape ``(fewer slots,)``."""
        ...


ChargeT = TypeVar("ChargeT", bound=type[EnergyCharge])
_CHARGES: dict[type, type[EnergyCharge]] = {}


def charges(rule: type) -> Callable[[ChargeT], ChargeT]:
    """Declare the class of charges that a kind of rule makes."""

    def declare(charge: ChargeT) -> ChargeT:
        _CHARGES[rule] = charge
        return charge

    return declare


def find_charge(rule: ImportRule) -> type[EnergyCharge] | None:
    """Return the class of charges that a rule makes; None where every kWh of a slot costs the same."""
    return _CHARGES.get(type(rule))


@prices(BlockPrice)
def _price_first_block(rule: BlockPrice, slots: PricedSlots) -> FloatArray:
    return np.full(slots.timeline.count, rule.blocks[0].price)


@charges(BlockPrice)
@dataclass(frozen=True, slots=True)
class Blocks:
    """A block tariff and what the month in which a horizon begins has drawn so far: later blocks begin at ``begin_kwh`` and cost ``rise`` more.

    Both have shape ``(blocks − 1,)``; ``rise`` is what a kWh costs more than in the block before.
    """

    begin_kwh: FloatArray
    rise: FloatArray
    drawn_kwh: float = 0.0

    @classmethod
    def of(cls, rule: BlockPrice, drawn_kwh: float) -> Self:
        """Return the blocks of a tariff."""
        ends = [block.up_to_kwh for block in rule.blocks if block.up_to_kwh is not None]
        return cls(np.array(ends, dtype=float), np.diff([block.price for block in rule.blocks]), drawn_kwh)

    @staticmethod
    def count_drawn(import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        """Return what the month has drawn."""
        return float(np.nansum(import_kwh[list_months(past, zone)[-1]]))

    def slot_cost(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> FloatArray:
        """Return what later blocks add to the cost of each slot: a slot pays for the blocks that its own energy lies in."""
        cost = np.zeros(timeline.count)
        for number, slots in enumerate(list_months(timeline, zone)):
            drawn = np.cumsum(import_kwh[slots])
            left = self.left_kwh(first=number == 0)
            paid = (np.maximum(drawn[:, None] - left, 0.0) * self.rise).sum(axis=1)
            cost[slots] = np.diff(paid, prepend=0.0)
        return cost

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        """Return the blocks with what the month of the next slot has drawn."""
        first, months = import_kwh.size, list_months(timeline, zone)
        number = next(place for place, slots in enumerate(months) if first in slots)
        before = months[number][months[number] < first]
        return replace(self, drawn_kwh=(self.drawn_kwh if number == 0 else 0.0) + float(import_kwh[before].sum()))

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
