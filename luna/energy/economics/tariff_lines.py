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
from luna.energy.economics.device_charges import DeviceCharge
from luna.energy.site import ImportRule, PriceRule
from luna.energy.tariffs.component import Component, PricedSlots
from luna.energy.timeline import FloatArray, Timeline


@dataclass(frozen=True, slots=True)
class TariffLine:
    """A part of a price per slot.

    Attributes:
        code: ``spot``, ``markup``, ``vat``, ``energy``, ``blocks``, ``beyond``, ``device`` or
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
        beyond_hours: hours of drawing of each day before the surcharge.
        flow: whose energy it is for, of ``luna.energy.account.FLOWS``; None: bought or sold.
        energy_kwh: the energy that it is for, shape ``(slots,)``, of a flow of its own.
    """

    code: str
    rate: FloatArray
    holds: NDArray[np.bool_]
    price: float | None = None
    surcharge: FloatArray | None = None
    name: str | None = None
    beyond_kwh: float | None = None
    beyond_hours: float | None = None
    flow: str | None = None
    energy_kwh: FloatArray | None = None
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
        energy_kwh = None if self.energy_kwh is None else self.energy_kwh[part]
        return replace(
            self,
            rate=self.rate[part],
            holds=self.holds[part],
            surcharge=surcharge,
            energy_kwh=energy_kwh,
        )


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


def device_lines(
    charge: DeviceCharge, use_kwh: FloatArray, timeline: Timeline, zone: ZoneInfo
) -> list[TariffLine]:
    """Return the lines of devices with a price of their own, with tax.

    They add to the house's price; energy at no other price has no line.

    Args:
        charge: with what its running allowance had counted before.
        use_kwh: their energy, shape ``(slots,)``; NaN counts as 0.
        timeline: of these slots.
        zone: whose clock counts.
    """
    price = charge.price
    drawn_kwh = np.nan_to_num(use_kwh)
    beyond_kwh = charge.beyond_kwh(drawn_kwh, timeline, zone=zone)
    first_price = charge.first_price(timeline, zone)
    levels: list[tuple[FloatArray, FloatArray, float | None, float | None]] = [
        (drawn_kwh - beyond_kwh, first_price, None, None)
    ]
    if price.has_limit:
        later_price = np.where(beyond_kwh > 0, first_price + price.rise, 0.0)
        levels.append((beyond_kwh, later_price, price.kwh_per_day, price.hours_per_day))
    lines = []
    for energy_kwh, per_kwh, limit_kwh, limit_hours in levels:
        for level in np.unique(np.round(per_kwh, 9)):
            holds = (np.round(per_kwh, 9) == level) & (energy_kwh > 0)
            if level == 0 or not holds.any():
                continue
            at_level = np.where(holds, energy_kwh, 0.0)
            lines.append(
                TariffLine(
                    "device" if limit_kwh is None and limit_hours is None else "beyond",
                    np.zeros(timeline.count),
                    holds,
                    float(level),
                    surcharge=at_level * per_kwh,
                    name=price.name,
                    beyond_kwh=limit_kwh,
                    beyond_hours=limit_hours,
                    flow=price.series.removesuffix("_kwh"),
                    energy_kwh=at_level,
                    valid_from=price.valid_from,
                    valid_to=price.valid_to,
                )
            )
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
