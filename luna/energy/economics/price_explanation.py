"""Why a kWh costs what it costs in one slot: the price's components beside their local day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from luna.energy.economics.device_kwh import DeviceKwh
from luna.energy.economics.prices import PRICE_ROUNDING, price_rule
from luna.energy.site import ImportRule, PriceRule
from luna.energy.tariffs.component import PricedSlots
from luna.energy.tariffs.components import AnyComponent, ComponentLabel
from luna.energy.tariffs.slot_detail import SlotDetail
from luna.energy.timeline import FloatArray

Standing = Literal["highest", "lowest", "between", "constant", "unknown"]


@dataclass(frozen=True, slots=True)
class PriceOnDay:
    """A price in a slot beside its known slots of the same day, currency/kWh; NaN: unknown."""

    price: float
    day_mean: float
    day_lowest: float
    day_highest: float

    @classmethod
    def of(cls, day: FloatArray, slot: int) -> "PriceOnDay":
        """Return a slot's price beside those of its day, shape ``(slots,)``."""
        known = day[np.isfinite(day)]
        if not known.size:
            return cls(np.nan, np.nan, np.nan, np.nan)
        return cls(float(day[slot]), float(known.mean()), float(known.min()), float(known.max()))

    @property
    def deviation(self) -> float:
        """The price less the day's mean."""
        return self.price - self.day_mean

    @property
    def standing(self) -> Standing:
        """The place of the price in its day."""
        if np.isnan(self.price):
            return "unknown"
        if self.day_highest - self.day_lowest <= PRICE_ROUNDING:
            return "constant"
        if self.price >= self.day_highest - PRICE_ROUNDING:
            return "highest"
        if self.price <= self.day_lowest + PRICE_ROUNDING:
            return "lowest"
        return "between"


@dataclass(frozen=True, slots=True)
class ExplainedComponent:
    """A component that is in force in the slot.

    Attributes:
        code: ``energy``, ``spot`` or ``markup``; ``component`` where the owner named it.
        name: as the owner calls it; None where the code says it.
        kind: of the component.
        net_price: without tax, currency/kWh; NaN: unknown.
        tax: on it, currency/kWh.
        on_day: the price with tax beside that of the day's other slots.
        detail: the part of its rule that sets the price.
        below_spot: the market whose price below zero makes this one nothing in the slot; None
            elsewhere.
    """

    code: str
    name: str | None
    kind: str
    net_price: float
    tax: float
    on_day: PriceOnDay
    detail: SlotDetail
    below_spot: str | None


@dataclass(frozen=True, slots=True)
class PriceRank:
    """The place of a price among the known ones of its day; 1 is the cheapest, or the dearest."""

    from_cheapest: int
    from_dearest: int
    count: int


@dataclass(frozen=True, slots=True)
class PriceExplanation:
    """A price in one slot, its components and the one that moves it most.

    Attributes:
        start: of the slot.
        end: of the slot.
        on_day: the price, that of ``price_slots``, beside those of the local day.
        rank: its place in the day; None where it is unknown.
        components: those in force, in the tariff's order.
        main: the component that deviates most from its own mean of the day, in the direction of
            the price; None where the price is unknown or equals the day's mean.
        devices: what the next kWh of devices with a price of their own costs beside it.
    """

    start: datetime
    end: datetime
    on_day: PriceOnDay
    rank: PriceRank | None
    components: tuple[ExplainedComponent, ...]
    main: ExplainedComponent | None
    devices: tuple[DeviceKwh, ...] = ()


def explain_price(rule: ImportRule | PriceRule, day: PricedSlots, at: datetime) -> PriceExplanation:
    """Return the components of the price at an instant, and the main one.

    Args:
        rule: of bought or sold energy.
        day: the slots of the instant's local day with their price series.
        at: the instant.

    Raises:
        InvalidInputError: the instant lies outside the slots, or a price series is missing.
    """
    slot = day.timeline.index_of(at)
    start = day.timeline.start + slot * day.timeline.step
    total = price_rule(rule, day)
    on_day = PriceOnDay.of(total, slot)
    components = []
    for component in rule.components:
        if component.holds_at(day.times)[slot]:
            label = rule.label(component)
            components.append(_explain_component(component, label, day, slot))
    return PriceExplanation(
        start=start,
        end=start + day.timeline.step,
        on_day=on_day,
        rank=_rank_price(total, slot),
        components=tuple(components),
        main=_find_main(components, on_day.deviation),
    )


def _explain_component(
    component: AnyComponent, label: ComponentLabel, day: PricedSlots, slot: int
) -> ExplainedComponent:
    net = component.net_price(day)
    market = component.zero_below_spot
    is_below = market is not None and bool(day.series(market)[slot] < 0)
    return ExplainedComponent(
        code=label.code,
        name=label.name,
        kind=component.kind,
        net_price=float(net[slot]),
        tax=float(net[slot] * component.vat),
        on_day=PriceOnDay.of(component.gross_price(day), slot),
        detail=component.describe_slot(day, slot),
        below_spot=market if is_below else None,
    )


def _rank_price(total: FloatArray, slot: int) -> PriceRank | None:
    """Return the rank of a slot's price; prices that differ in their last bits share one."""
    price = total[slot]
    if np.isnan(price):
        return None
    return PriceRank(
        from_cheapest=1 + int((total < price - PRICE_ROUNDING).sum()),
        from_dearest=1 + int((total > price + PRICE_ROUNDING).sum()),
        count=int(np.isfinite(total).sum()),
    )


def _find_main(
    components: Sequence[ExplainedComponent], deviation: float
) -> ExplainedComponent | None:
    """Return the component that moves the price most in the direction of its deviation."""
    if abs(deviation) <= PRICE_ROUNDING:
        return None
    direction = float(np.sign(deviation))
    main = None
    largest = PRICE_ROUNDING
    for component in components:
        moved = direction * component.on_day.deviation
        if moved > largest:
            main = component
            largest = moved
    return main
