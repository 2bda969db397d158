"""What a kWh is made of: the components of a price per slot, with tax."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from luna.energy.economics.prices import PRICE_ROUNDING
from luna.energy.site import ImportRule, PriceRule
from luna.energy.tariffs.calendar import CalendarComponent
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class PricePart:
    """A component of a price per slot.

    Attributes:
        code: of a rule of one kind, such as ``markup``; ``component`` where it has a name.
        name: of a component, as the owner calls it; None where the code says it.
        price: with tax, currency per kWh, shape ``(slots,)``; NaN where it is unknown.
        by_calendar: whether clock, weekday, month or a date alone decide the price.
    """

    code: str
    name: str | None
    price: FloatArray
    by_calendar: bool


class LowPart(NamedTuple):
    """A component that makes a price low: its price then, and its highest of the day."""

    part: PricePart
    price: float
    highest: float


def price_parts(rule: ImportRule | PriceRule, slots: PricedSlots) -> list[PricePart]:
    """Return the components of a rule's price, which add up to it.

    Components of one name, whose price changes on a date, are one part.
    """
    parts: dict[str, PricePart] = {}
    for component in rule.components:
        price = component.gross_price(slots)
        by_calendar = isinstance(component, CalendarComponent) and not component.zero_below_spot
        before = parts.get(component.name)
        if before is not None:
            price = before.price + price
            by_calendar = by_calendar and before.by_calendar
        code, name = rule.label(component)
        parts[component.name] = PricePart(code, name, price, by_calendar)
    return list(parts.values())


def find_low_part(parts: Sequence[PricePart], slot: int) -> LowPart | None:
    """Return the calendar component that alone makes the price of a slot low.

    The whole price is below its mean, this component is at its lowest and below its mean, and no
    other is below its own mean. None where no component is, or a price is unknown.

    Args:
        parts: of a price over one local day.
        slot: of that day.
    """
    if len(parts) < 2:
        return None
    total = sum((part.price for part in parts), np.zeros(parts[0].price.size))
    if not np.isfinite(total).all() or not _is_below_mean(total, slot):
        return None
    below = [part for part in parts if _is_below_mean(part.price, slot)]
    if len(below) != 1 or not below[0].by_calendar:
        return None
    (part,) = below
    price = float(part.price[slot])
    if price > part.price.min() + PRICE_ROUNDING:
        return None
    return LowPart(part, price, float(part.price.max()))


def _is_below_mean(price: FloatArray, slot: int) -> bool:
    return bool(price[slot] < price.mean() - PRICE_ROUNDING)
