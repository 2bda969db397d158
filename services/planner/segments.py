"""A slot's economics as the dynamic programme sees it: how much energy may move, and what each kWh of it is worth.

A slot offers up to six segments. Sorted from the most to the least valuable stored kWh they are: buying less from the grid, storing less
surplus that would be sold, storing less surplus that would be held back, serving load that the connection cannot carry, serving the load,
selling. Taking energy out of the battery walks them in this order; the slot is convex when their values descend.
"""

from dataclasses import dataclass

import numpy as np

from luna.economics import BreakEven, break_even
from luna.physics import BoolArray
from luna.site import Site
from luna.timeline import FloatArray

BUY, STORE, STORE_HELD_BACK, SERVE_FORCED, SERVE, SELL = range(6)
# Dearer than any trade: what breaking a limit costs per stored kWh. Source: prices are bounded by ±100 per kWh in luna.site.
FORBIDDEN_VALUE = 1e4


@dataclass(frozen=True, slots=True)
class Segments:
    """What slots offer to one battery; arrays over slots as their last axis but one or last axis.

    ``length_kwh`` and ``value`` have shape ``(…, slots, 6)``: stored kWh, and currency per stored kWh. ``charge_kwh`` (``(…, slots)``) is the
    stored energy that charging at most brings: the sum of the first three lengths. ``rest_cost`` (same shape) is what the slot costs when only
    what is forced moves. ``levels`` are the break-even values per slot, ``even`` says where buying and selling cost the same.
    """

    length_kwh: FloatArray
    value: FloatArray
    charge_kwh: FloatArray
    rest_cost: FloatArray
    levels: BreakEven
    even: BoolArray
    convex: BoolArray


@dataclass(frozen=True, slots=True)
class Direction:
    """Which way a slot goes, where the prices do not decide by themselves; boolean arrays of shape ``(slots,)``.

    ``may_import``/``may_export``: what the connection may do; ``may_charge``/``may_discharge``: what the battery may do.
    """

    may_import: BoolArray
    may_export: BoolArray
    may_charge: BoolArray
    may_discharge: BoolArray


def slot_segments(
    site: Site, *, load_kwh: FloatArray, pv_kwh: FloatArray, prices: tuple[FloatArray, FloatArray], hours: FloatArray, direction: Direction | None = None
) -> Segments:
    """Return what each slot offers to the site's one battery.

    Args:
        site: with exactly one battery.
        load_kwh: expected load, shape ``(…, slots)``.
        pv_kwh: expected PV, same shape.
        prices: import and export price, same shape or ``(slots,)``.
        hours: length of each slot, shape ``(slots,)``.
        direction: fixes the way of every slot, as a mixed-integer plan decided it; without it, prices decide.
    """
    battery, (import_price, export_price) = site.batteries[0], prices
    ways = direction or _free(hours)
    paid = (import_price < 0) & site.curtailable & battery.charge_from_grid & (ways.may_import | (export_price < 0))
    net = load_kwh - np.where(paid, 0.0, pv_kwh)
    deficit, surplus = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    surplus_price = np.where(ways.may_export, export_price, 0.0)
    surplus_price = np.maximum(surplus_price, 0.0) if site.curtailable else surplus_price
    levels = _levels(site, (import_price, surplus_price, np.broadcast_to(export_price, net.shape)), ways)
    export_kwh = site.grid.export_limit_kw * hours * ways.may_export
    length = _lengths(site, deficit, surplus, hours=hours, ways=ways)
    value = np.empty_like(length)
    value[..., BUY], value[..., STORE], value[..., SERVE], value[..., SELL] = levels.buy, levels.store, levels.serve, levels.sell
    value[..., STORE_HELD_BACK] = levels.spill
    value[..., SERVE_FORCED] = FORBIDDEN_VALUE
    value[length <= 0] = 0.0  # what a slot does not offer has no worth, not an infinite one
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., : STORE_HELD_BACK + 1].sum(axis=-1),
        rest_cost=_rest_cost(site, (deficit, surplus), prices=(import_price, surplus_price), forced=length[..., SERVE_FORCED], export_kwh=export_kwh),
        levels=levels,
        even=np.broadcast_to(import_price - export_price < 1e-9, net.shape),
        convex=_convex(length, value) & (ways.may_export ^ ways.may_import | (import_price >= export_price - 1e-12)),
    )


def _levels(site: Site, prices: tuple[FloatArray, FloatArray, FloatArray], ways: Direction) -> BreakEven:
    """Return the break-even values; what a slot does not allow is never worth it."""
    battery, (import_price, surplus_price, export_price) = site.batteries[0], prices
    terms = {"charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency, "wear_price": battery.wear_price}
    surplus, sale = break_even(import_price, surplus_price, **terms), break_even(import_price, export_price, **terms)
    shape = surplus_price.shape
    may_buy = ways.may_import & ways.may_charge & battery.charge_from_grid
    may_sell = ways.may_export & ways.may_discharge & battery.discharge_to_grid
    # Surplus beyond the export limit is held back for nothing, or must be stored where PV cannot be held back.
    spill = surplus.spill if site.curtailable else np.full(shape, -FORBIDDEN_VALUE)
    return BreakEven(
        buy=np.where(may_buy, np.broadcast_to(surplus.buy, shape), np.inf),
        store=np.where(ways.may_charge, surplus.store, np.inf),
        spill=np.where(ways.may_charge, spill, np.inf),
        serve=np.where(ways.may_discharge, np.broadcast_to(surplus.serve, shape), -np.inf),
        sell=np.where(may_sell, sale.sell, -np.inf),
    )


def _free(hours: FloatArray) -> Direction:
    always = np.ones(hours.size, dtype=bool)
    return Direction(always, always, always, always)


def _lengths(site: Site, deficit: FloatArray, surplus: FloatArray, *, hours: FloatArray, ways: Direction) -> FloatArray:
    """Return the length of each segment in stored kWh, shape ``(…, slots, 6)``."""
    battery = site.batteries[0]
    charge = battery.charge_limit_kw * hours * ways.may_charge
    discharge = battery.discharge_limit_kw * hours * ways.may_discharge
    import_kwh = site.grid.import_limit_kw * hours * ways.may_import
    export_kwh = site.grid.export_limit_kw * hours * ways.may_export
    length = np.zeros((*deficit.shape, 6))
    length[..., STORE_HELD_BACK] = np.minimum(np.maximum(surplus - export_kwh, 0.0), charge)
    length[..., STORE] = np.minimum(np.minimum(surplus, export_kwh), charge - length[..., STORE_HELD_BACK])
    stored = length[..., STORE] + length[..., STORE_HELD_BACK]
    length[..., BUY] = np.clip(np.minimum(charge - stored, import_kwh - deficit), 0.0, None) * battery.charge_from_grid
    length[..., SERVE_FORCED] = np.minimum(np.maximum(deficit - import_kwh, 0.0), discharge)
    length[..., SERVE] = np.minimum(deficit, discharge) - length[..., SERVE_FORCED]
    served = length[..., SERVE] + length[..., SERVE_FORCED]
    length[..., SELL] = np.clip(np.minimum(discharge - served, export_kwh - surplus), 0.0, None) * battery.discharge_to_grid
    length[..., :SERVE_FORCED] *= battery.charge_efficiency
    length[..., SERVE_FORCED:] /= battery.discharge_efficiency
    return length


def _rest_cost(
    site: Site, net: tuple[FloatArray, FloatArray], *, prices: tuple[FloatArray, FloatArray], forced: FloatArray, export_kwh: FloatArray
) -> FloatArray:
    """Return what each slot costs when the battery serves what the connection cannot carry, and nothing else."""
    battery, (deficit, surplus), (import_price, surplus_price) = site.batteries[0], net, prices
    served = forced * battery.discharge_efficiency
    return np.asarray((deficit - served) * import_price - np.minimum(surplus, export_kwh) * surplus_price + served * battery.wear_price)


def _convex(length: FloatArray, value: FloatArray) -> BoolArray:
    """Return whether the values of the segments that have a length descend."""
    present = length > 1e-12
    held = np.where(present, value, np.inf)
    lowest_so_far = np.minimum.accumulate(held, axis=-1)
    rises = present[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    return np.asarray(~rises.any(axis=-1))
