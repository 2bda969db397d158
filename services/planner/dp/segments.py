"""What a slot offers to its one battery, as a concave piecewise linear function, on the expected course and on others beside it."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from luna.economics import BreakEven, break_even
from luna.physics import BoolArray, Conversion, InverterLimits
from luna.site import Battery, Site
from luna.timeline import FloatArray, IndexArray
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet

BUY, STORE, STORE_HELD_BACK, SERVE_FORCED, SERVE, FIRST_OUT, SECOND_OUT = range(7)
KINDS = 7
# Dearer than any trade: what breaking a limit costs per stored kWh. Source: prices are bounded by ±100 per kWh in luna.site.
FORBIDDEN_VALUE = 1e4


@dataclass(frozen=True, slots=True)
class Segments:
    """What slots offer to one battery; arrays over slots as their last axis but one or last axis.

    ``length_kwh`` and ``value`` have shape ``(…, slots, 7)``: stored kWh, and currency per stored kWh. ``charge_kwh`` (``(…, slots)``) is the
    stored energy that charging at most brings: the sum of the first three lengths. ``rest_cost`` (same shape) is what the slot costs when only
    what is forced moves. ``levels`` are the break-even values per slot, ``even`` says where buying and selling cost the same,
    ``displaces_first`` where displacing PV comes before selling, ``covered`` where the segments say all there is to say about the slot.
    """

    length_kwh: FloatArray
    value: FloatArray
    charge_kwh: FloatArray
    rest_cost: FloatArray
    levels: BreakEven
    even: BoolArray
    displaces_first: BoolArray
    convex: BoolArray
    covered: BoolArray

    def pick(self, part: slice | IndexArray) -> "Segments":
        """Return some of the paths, or of the slots of a single path."""
        levels = BreakEven(*(getattr(self.levels, each.name)[part] for each in fields(BreakEven)))
        arrays = {each.name: getattr(self, each.name)[part] for each in fields(Segments) if each.name != "levels"}
        return Segments(levels=levels, **arrays)


def slot_segments(  # noqa: PLR0913  # what a slot is made of, each by its name
    site: Site,
    *,
    load_kwh: FloatArray,
    pv_kwh: FloatArray,
    prices: tuple[FloatArray, FloatArray],
    hours: FloatArray,
    direction: Direction | None = None,
    import_limit_kwh: FloatArray | None = None,
    export_limit_kwh: FloatArray | None = None,
    battery_limit_kwh: FloatArray | None = None,
    inverters: InverterLimits | None = None,
) -> Segments:
    """Return what each slot offers to the site's one battery.

    Args:
        site: with exactly one battery.
        load_kwh: expected load, shape ``(…, slots)``.
        pv_kwh: expected PV, same shape.
        prices: import and export price, same shape or ``(slots,)``.
        hours: length of each slot, shape ``(slots,)``.
        direction: fixes the way of every slot, as a mixed-integer plan decided it; without it, prices decide.
        import_limit_kwh: what may be imported per slot, shape ``(slots,)`` or that of the load; without it, what the connection carries.
        export_limit_kwh: what may be exported, in the same way.
        battery_limit_kwh: what the battery may give, shape ``(slots,)``; without it, what its power allows.
        inverters: of the battery and of PV alone, where there are any.
    """
    (import_price, export_price), ways = prices, direction or _free(hours)
    battery = site.batteries[0]
    sun = _convert(inverters, pv_kwh, hours) if inverters else None
    pv_kwh = pv_kwh if sun is None else sun.ac_kwh
    paid = (import_price < 0) & site.curtailable & battery.charge_from_grid & (ways.may_import | (export_price < 0))
    surplus_price = np.where(ways.may_export, export_price, 0.0)
    surplus_price = np.maximum(surplus_price, 0.0) if site.curtailable else surplus_price
    most_import = site.grid.import_limit_kw * hours if import_limit_kwh is None else import_limit_kwh
    most_export = site.feed_in_limit_kw * hours if export_limit_kwh is None else export_limit_kwh
    house = _House.of(battery, load_kwh - np.where(paid, 0.0, pv_kwh), (hours, most_import, most_export), ways)
    if battery_limit_kwh is not None:
        house = replace(house, discharge_kwh=np.minimum(house.discharge_kwh, battery_limit_kwh))
    house = house if sun is None else house.behind(sun)
    # PV in use is what the battery could displace: none where it is off or may not be held back.
    in_use = np.minimum(pv_kwh, load_kwh) + np.where(surplus_price > 0, np.minimum(house.surplus, house.export_kwh), 0.0)
    may_displace = site.curtailable & (battery.discharge_to_grid | (load_kwh >= pv_kwh))
    displaceable = np.where(paid, 0.0, in_use) * may_displace
    displaces_first = np.broadcast_to((export_price < 0) & site.curtailable, house.deficit.shape)
    surplus_price, sale_price = (np.broadcast_to(price, displaces_first.shape) for price in (surplus_price, export_price))
    levels = _levels(site, (import_price, surplus_price, sale_price), ways)
    length = _lengths(battery, house, displaceable, displaces_first)
    levels = levels if ways.charge_kwh is None else _force(levels, ways)
    value = _values(levels, displaces_first)
    value[length <= 0] = 0.0  # what a slot does not offer has no worth, not an infinite one
    unbound = battery.charge_from_grid and battery.discharge_to_grid
    one_way = ways.may_export ^ ways.may_import
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., :SERVE_FORCED].sum(axis=-1),
        rest_cost=_rest_cost(battery, house, length[..., SERVE_FORCED], (import_price, surplus_price)),
        levels=levels,
        even=np.broadcast_to(import_price - export_price < 1e-9, displaces_first.shape),
        displaces_first=displaces_first,
        convex=_convex(length, value) & (one_way | (import_price >= export_price - 1e-12)),
        covered=house.covered(paid & (pv_kwh > 0), curtailable=site.curtailable) & (unbound | (import_price >= 0) | (pv_kwh <= 0)),
    )


@dataclass(frozen=True, slots=True)
class _House:
    """What is left for the battery: deficit, surplus, and what connection and battery can move, kWh at the terminals, ``(…, slots)``."""

    deficit: FloatArray
    surplus: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    direct_kwh: FloatArray | float = 0.0

    @classmethod
    def of(cls, battery: Battery, net_kwh: FloatArray, room: tuple[FloatArray, FloatArray, FloatArray], ways: Direction) -> Self:
        hours, most_import, most_export = room
        return cls(
            deficit=np.maximum(net_kwh, 0.0),
            surplus=np.maximum(-net_kwh, 0.0),
            import_kwh=most_import * ways.may_import,
            export_kwh=most_export * ways.may_export,
            charge_kwh=_fixed(battery.charge_limit_kw * hours * ways.may_charge, ways.charge_kwh),
            discharge_kwh=_fixed(battery.discharge_limit_kw * hours * ways.may_discharge, ways.discharge_kwh),
        )

    def behind(self, sun: Conversion) -> Self:
        """Return what is left where the battery shares an inverter with PV: ``sun`` is what that gives to this one battery."""
        charge = np.minimum(self.charge_kwh, sun.intake_kwh + sun.direct_kwh)
        discharge = np.minimum(self.discharge_kwh, np.maximum(sun.room_kwh, 0.0))
        return replace(self, charge_kwh=charge, discharge_kwh=discharge, direct_kwh=sun.direct_kwh)

    def covered(self, pv_off: BoolArray, *, curtailable: bool) -> BoolArray:
        """Return where connection and battery together carry the slot, and PV that is off because importing is paid is not missed."""
        served = self.deficit <= self.import_kwh + self.discharge_kwh + 1e-9
        placed = curtailable | (self.surplus <= self.export_kwh + self.charge_kwh + 1e-9)
        missed = pv_off & (self.import_kwh > 0) & (self.deficit + self.charge_kwh > self.import_kwh)
        return np.asarray(served & placed & ~missed)


def _levels(site: Site, prices: tuple[FloatArray, FloatArray, FloatArray], ways: Direction) -> BreakEven:
    """Return the break-even values; what a slot does not allow is never worth it."""
    battery, (import_price, surplus_price, export_price) = site.batteries[0], prices
    terms = {"charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency, "wear_price": battery.wear_price}
    surplus, sale = break_even(import_price, surplus_price, **terms), break_even(import_price, export_price, **terms)
    shape = surplus_price.shape
    may_buy = ways.may_import & ways.may_charge & battery.charge_from_grid
    may_sell = ways.may_export & ways.may_discharge & battery.discharge_to_grid
    # Surplus beyond the export limit is held back for nothing, or must be stored where PV cannot be held back.
    spill = np.broadcast_to(surplus.spill, shape) if site.curtailable else np.full(shape, -FORBIDDEN_VALUE)
    may_displace = ways.may_discharge & site.curtailable
    return BreakEven(
        buy=np.where(may_buy, np.broadcast_to(surplus.buy, shape), np.inf),
        store=np.where(ways.may_charge, surplus.store, np.inf),
        spill=np.where(ways.may_charge, spill, np.inf),
        serve=np.where(ways.may_discharge, np.broadcast_to(surplus.serve, shape), -np.inf),
        sell=np.where(may_sell, sale.sell, -np.inf),
        displace=np.where(may_displace, np.broadcast_to(surplus.displace, shape), -np.inf),
    )


def _fixed(most_kwh: FloatArray, wanted_kwh: FloatArray | None) -> FloatArray:
    return most_kwh if wanted_kwh is None else np.where(np.isfinite(wanted_kwh), wanted_kwh, most_kwh)


def _force(levels: BreakEven, ways: Direction) -> BreakEven:
    """Return break-even values by which a battery does what it has to: no price is too high to charge, none too low to discharge."""
    charges, discharges = (np.zeros(ways.may_charge.size, dtype=bool) if each is None else np.isfinite(each) for each in (ways.charge_kwh, ways.discharge_kwh))
    taken = {name: np.where(charges, -FORBIDDEN_VALUE, getattr(levels, name)) for name in ("buy", "store", "spill")}
    given = {name: np.where(discharges, FORBIDDEN_VALUE, getattr(levels, name)) for name in ("serve", "sell", "displace")}
    return BreakEven(**taken, **given)


def _convert(inverters: InverterLimits, pv_kwh: FloatArray, hours: FloatArray) -> Conversion:
    """Return what PV gives to the one battery and beside it, arrays of the shape of ``pv_kwh``."""
    paths = np.atleast_2d(pv_kwh)
    each = [inverters.convert(path, hours) for path in paths]
    return Conversion(*(np.array([np.squeeze(getattr(one, name)) for one in each]).reshape(pv_kwh.shape) for name in Conversion.__slots__))


def _free(hours: FloatArray) -> Direction:
    always = np.ones(hours.size, dtype=bool)
    return Direction(always, always, always, always)


def _lengths(battery: Battery, house: _House, displaceable: FloatArray, displaces_first: BoolArray) -> FloatArray:
    """Return the length of each segment in stored kWh, shape ``(…, slots, 7)``."""
    length = np.zeros((*house.deficit.shape, KINDS))
    length[..., STORE_HELD_BACK] = np.minimum(np.maximum(house.surplus - house.export_kwh, 0.0) + house.direct_kwh, house.charge_kwh)
    length[..., STORE] = np.minimum(np.minimum(house.surplus, house.export_kwh), house.charge_kwh - length[..., STORE_HELD_BACK])
    room = np.minimum(house.charge_kwh - length[..., :SERVE_FORCED].sum(axis=-1), house.import_kwh - house.deficit)
    length[..., BUY] = np.maximum(room, 0.0) * battery.charge_from_grid
    length[..., SERVE_FORCED] = np.minimum(np.maximum(house.deficit - house.import_kwh, 0.0), house.discharge_kwh)
    length[..., SERVE] = np.minimum(house.deficit, house.discharge_kwh) - length[..., SERVE_FORCED]
    left = np.maximum(house.discharge_kwh - house.deficit, 0.0)
    saleable = np.maximum(house.export_kwh - house.surplus * ~displaces_first, 0.0) * battery.discharge_to_grid
    length[..., FIRST_OUT] = np.minimum(left, np.where(displaces_first, displaceable, saleable))
    length[..., SECOND_OUT] = np.minimum(left - length[..., FIRST_OUT], np.where(displaces_first, saleable, displaceable))
    length[..., :SERVE_FORCED] *= battery.charge_efficiency
    length[..., SERVE_FORCED:] /= battery.discharge_efficiency
    return length


def _values(levels: BreakEven, displaces_first: BoolArray) -> FloatArray:
    """Return the value of each segment per stored kWh, shape ``(…, slots, 7)``."""
    forced = np.full(levels.buy.shape, FORBIDDEN_VALUE)
    first, second = np.where(displaces_first, levels.displace, levels.sell), np.where(displaces_first, levels.sell, levels.displace)
    return np.stack([levels.buy, levels.store, levels.spill, forced, levels.serve, first, second], axis=-1)


def _rest_cost(battery: Battery, house: _House, forced_kwh: FloatArray, prices: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return what each slot costs when the battery serves what the connection cannot carry, and nothing else."""
    served = forced_kwh * battery.discharge_efficiency
    earned = np.minimum(house.surplus, house.export_kwh) * prices[1]
    return np.asarray((house.deficit - served) * prices[0] - earned + served * battery.wear_price)


def _convex(length: FloatArray, value: FloatArray) -> BoolArray:
    """Return whether the values of the segments that have a length descend."""
    present = length > 1e-12
    held = np.where(present, value, np.inf)
    lowest_so_far = np.minimum.accumulate(held, axis=-1)
    rises = present[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    return np.asarray(~rises.any(axis=-1))


def problem_segments(problem: Problem, direction: Direction | None = None) -> Segments:
    """Return what the slots of the expected course offer; ``direction`` (default: the problem's) fixes the way of each."""
    outlook = problem.outlook
    return _offer(
        problem, load_kwh=outlook.load_kwh, pv_kwh=outlook.pv_kwh, import_limit_kwh=problem.import_limit_kwh, direction=direction or problem.direction
    )


def offer_courses(problem: Problem, courses: ScenarioSet, direction: Direction | None) -> Segments:
    """Return what the slots of all courses offer, the expected one first, ``(courses + 1, slots, 7)``.

    A peak that the expected course keeps does not bind where the load of another is beyond it whatever the battery does.
    """
    outlook, expected = problem.outlook, problem.import_limit_kwh
    limit = np.maximum(expected, np.minimum(courses.load_kwh - courses.pv_kwh, problem.connection_limit_kwh))
    return _offer(
        problem,
        load_kwh=np.vstack([outlook.load_kwh, courses.load_kwh]),
        pv_kwh=np.vstack([outlook.pv_kwh, courses.pv_kwh]),
        import_limit_kwh=np.vstack([expected, limit]),
        direction=direction,
    )


def _offer(problem: Problem, **course: Any) -> Segments:
    outlook = problem.outlook
    return slot_segments(
        problem.site,
        prices=(outlook.import_price, outlook.export_price),
        hours=outlook.timeline.hours,
        export_limit_kwh=problem.export_limit_kwh,
        battery_limit_kwh=problem.storage.give_limit_kwh,
        inverters=problem.limits.inverters,
        **course,
    )
