"""The parts of a price, as a bill lists them.

These are the components before tax, one line for each price of a component by the clock, and one
line for the tax.
"""

from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.charges import ChargedComponent
from luna.energy.site import ImportRule, PriceRule
from luna.energy.tariffs.component import Component, PricedSlots
from luna.energy.timeline import FloatArray, Timeline


@dataclass(frozen=True, slots=True)
class TariffLine:
    """A part of a price per slot.

    Attributes:
        code: ``spot``, ``markup``, ``vat``, ``energy``, ``blocks``, ``beyond`` or
            ``component``.
        name: of a component, as the owner calls it; None where the code says it.
        valid_from: first local day of a component that begins on a date.
        valid_to: local day on which a component has ended.
        rate: currency per kWh, shape ``(slots,)``; 0 where the line does not hold, NaN where it is
            unknown.
        holds: the slots that the line is for, shape ``(slots,)``.
        price: the one price of the whole line; None where it changes.
        surcharge: cost per slot that depends on the energy drawn before, currency; None without
            one.
        beyond_kwh: energy of each period before the surcharge; None where it has several steps.
    """

    code: str
    rate: FloatArray
    holds: NDArray[np.bool_]
    price: float | None = None
    surcharge: FloatArray | None = None
    name: str | None = None
    beyond_kwh: float | None = None
    valid_from: date | None = None
    valid_to: date | None = None

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
    lines: list[TariffLine] = []
    tax = np.zeros(slots.timeline.count)
    for component in rule.components:
        net = component.net_price(slots)
        tax += net * component.vat
        code, name = rule.label(component)
        holds = component.holds_at(slots.times)
        for line in _split_by_price(code, net, holds, component):
            dated = replace(line, valid_from=component.valid_from, valid_to=component.valid_to)
            lines.append(replace(dated, name=name))
    if any(component.vat for component in rule.components):
        lines.append(TariffLine("vat", tax, np.ones(slots.timeline.count, dtype=bool)))
    return lines


def _split_by_price(
    code: str, net: FloatArray, holds: NDArray[np.bool_], component: Component
) -> list[TariffLine]:
    """Return one line for each price of a component with few prices, one for all others."""
    if component.bounds is None:
        return [TariffLine(code, net, holds)]
    lines = []
    for level in np.unique(net[holds]):
        at_level = holds & (net == level)
        lines.append(TariffLine(code, np.where(at_level, net, 0.0), at_level, float(level)))
    return lines


def surcharge_line(
    charged: ChargedComponent,
    import_kwh: FloatArray,
    timeline: Timeline,
    *,
    drawn_kwh: float,
    zone: ZoneInfo,
) -> TariffLine:
    """Return what later kWh cost more than the first one of each period.

    Args:
        charged: the component.
        import_kwh: bought energy, shape ``(slots,)``; NaN counts as 0.
        timeline: of these slots.
        drawn_kwh: what the first period had drawn before.
        zone: time zone of the periods.
    """
    charge = charged.after(drawn_kwh)
    added = charge.slot_cost(np.nan_to_num(import_kwh), timeline, zone=zone)
    line = TariffLine(
        "blocks",
        np.zeros(timeline.count),
        added > 0,
        surcharge=added,
        valid_from=charged.component.valid_from,
        valid_to=charged.component.valid_to,
    )
    if charge.allowance_kwh is None:
        return line
    return replace(
        line, code="beyond", name=charged.component.name, beyond_kwh=charge.allowance_kwh
    )
