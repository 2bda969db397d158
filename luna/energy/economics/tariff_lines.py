"""The parts of a price, as a bill lists them.

These are market price, markup, tax, and one line for each price of a tariff by the clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.charges import find_charge
from luna.energy.economics.prices import PricedSlots, price_rule
from luna.energy.site import (
    BlockPrice,
    FixedPrice,
    ImportRule,
    PriceRule,
    SeriesPrice,
    SpotPrice,
    TimeOfUsePrice,
)
from luna.energy.timeline import FloatArray, Timeline


@dataclass(frozen=True, slots=True)
class TariffLine:
    """A part of a price per slot.

    Attributes:
        code: ``spot``, ``markup``, ``vat``, ``energy`` or ``blocks``.
        rate: currency per kWh, shape ``(slots,)``; 0 where the line does not hold, NaN where it is
            unknown.
        holds: the slots that the line is for, shape ``(slots,)``.
        price: the one price of the whole line; None where it changes.
        surcharge: cost per slot that depends on the energy drawn before, currency; None without
            one.
    """

    code: str
    rate: FloatArray
    holds: NDArray[np.bool_]
    price: float | None = None
    surcharge: FloatArray | None = None

    def slot_cost(self, energy_kwh: FloatArray) -> FloatArray:
        """Return the line's cost of these energies per slot."""
        if self.surcharge is not None:
            return np.where(np.isfinite(energy_kwh), self.surcharge, np.nan)
        return energy_kwh * self.rate

    def window(self, part: slice) -> "TariffLine":
        """Return the line in some of the slots."""
        surcharge = None if self.surcharge is None else self.surcharge[part]
        return replace(self, rate=self.rate[part], holds=self.holds[part], surcharge=surcharge)


def price_lines(rule: ImportRule | PriceRule, slots: PricedSlots) -> list[TariffLine]:
    """Return the parts of a rule's price, which add up to that of the first kWh."""
    split = _SPLITS.get(type(rule), _split_by_price)
    return split(rule, slots)


def surcharge_lines(
    rule: ImportRule,
    import_kwh: FloatArray,
    timeline: Timeline,
    *,
    drawn_kwh: float,
    slots: PricedSlots,
) -> list[TariffLine]:
    """Return the surcharges of a tariff's later blocks in the timeline's months.

    Args:
        rule: of bought energy.
        import_kwh: bought energy, shape ``(slots,)``; NaN counts as 0.
        timeline: of these slots.
        drawn_kwh: what the first month had drawn before.
        slots: with the tariff's time zone.
    """
    charge = find_charge(rule)
    if charge is None:
        return []
    added = charge.of(rule, drawn_kwh).slot_cost(
        np.nan_to_num(import_kwh), timeline, zone=slots.zone
    )
    return [TariffLine("blocks", np.zeros(timeline.count), added > 0, surcharge=added)]


def _split_spot(rule: SpotPrice, slots: PricedSlots) -> list[TariffLine]:
    everywhere = np.ones(slots.timeline.count, dtype=bool)
    gross = price_rule(rule, slots)
    net = gross / (1.0 + rule.vat)
    lines = [TariffLine("spot", net - rule.markup, everywhere)]
    if rule.markup:
        lines.append(
            TariffLine(
                "markup", np.full(slots.timeline.count, rule.markup), everywhere, rule.markup
            )
        )
    if rule.vat:
        lines.append(TariffLine("vat", gross - net, everywhere))
    return lines


def _split_by_price(rule: Any, slots: PricedSlots) -> list[TariffLine]:
    """Return one line for each price of a rule with few prices."""
    price = price_rule(rule, slots)
    lines = []
    for level in np.unique(price):
        holds = price == level
        lines.append(TariffLine("energy", np.where(holds, price, 0.0), holds, float(level)))
    return lines


def _keep_whole(rule: Any, slots: PricedSlots) -> list[TariffLine]:
    return [
        TariffLine("energy", price_rule(rule, slots), np.ones(slots.timeline.count, dtype=bool))
    ]


_SPLITS: Mapping[type, Callable[[Any, PricedSlots], list[TariffLine]]] = {
    SpotPrice: _split_spot,
    SeriesPrice: _keep_whole,
    FixedPrice: _split_by_price,
    TimeOfUsePrice: _split_by_price,
    BlockPrice: _split_by_price,
}
