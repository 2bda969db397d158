"""What a slot offers to its one battery, as a concave piecewise linear function, on the expected course and on others beside it."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from luna.energy.devices import Battery
from luna.energy.economics import BreakEven, break_even
from luna.energy.physics import BoolArray, Conversion, InverterLimits
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray, broadcast
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet

BUY, STORE, STORE_HELD_BACK, SERVE_FORCED, SERVE, FIRST_OUT, SECOND_OUT = range(7)
KINDS = 7
# Dearer than any trade: what breaking a limit costs per stored kWh. Source: prices are bounded by ±100 per kWh in luna.energy.site.
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

    def pick(self, part: slice | IndexArray | int) -> "Segments":
        """Return some of the paths, one of them, or some of the slots of a single path."""
        levels = BreakEven(*(getattr(self.levels, each.name)[part] for each in fields(BreakEven)))
        arrays = {each.name: getattr(self, each.name)[part] for each in fields(Segments) if each.name != "levels"}
        return Segments(levels=levels, **arrays)


@dataclass(frozen=True, slots=True)
class SlotCourse:
    """What slots bring: expected load and PV, kWh, shape ``(…, slots)``; prices, same shape or ``(slots,)``; each slot's length, ``(slots,)``."""

    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    hours: FloatArray


@dataclass(frozen=True, slots=True)
class SlotBounds:
    """What may be moved per slot, kWh, shape ``(slots,)`` or that of the load.

    Args:
        import_kwh: what may be imported; without it, what the connection carries.
        export_kwh: what may be exported, in the same way.
        battery_kwh: what the battery may give, shape ``(slots,)``; without it, what its power allows.
        inverters: of the battery and of PV alone, where there are any.
    """

    import_kwh: FloatArray | None = None
    export_kwh: FloatArray | None = None
    battery_kwh: FloatArray | None = None
    inverters: InverterLimits | None = None


def slot_segments(site: Site, course: SlotCourse, *, bounds: SlotBounds | None = None, direction: Direction | None = None) -> Segments:
    """Return what each slot offers to the site's one battery.

    Args:
        site: with exactly one battery.
        course: what the slots bring.
        bounds: what may be moved; without it, what connection and battery carry.
        direction: fixes the way of every slot, as a mixed-integer plan decided it; without it, prices decide.
    """
    offer, battery = _Offer.of(site, course, bounds=bounds, direction=direction), site.batteries[0]
    market, house, length, value = offer.market, offer.house, offer.length, offer.value
    unbound = battery.charge_from_grid and battery.discharge_to_grid
    # A slot costs this when the battery serves what the connection cannot carry, and nothing else.
    served = length[..., SERVE_FORCED] * battery.discharge_efficiency
    earned = np.minimum(house.surplus, house.export_kwh) * market.surplus_price
    rest_cost = np.asarray((house.deficit - served) * market.import_price - earned + served * battery.wear_price)
    one_way = offer.ways.may_export ^ offer.ways.may_import
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., :SERVE_FORCED].sum(axis=-1),
        rest_cost=rest_cost,
        levels=BreakEven(*(broadcast(getattr(offer.levels, each.name), house.deficit.shape) for each in fields(BreakEven))),
        even=broadcast(course.import_price - course.export_price < 1e-9, house.deficit.shape),
        displaces_first=broadcast(market.displaces_first, house.deficit.shape),
        convex=_convex(length, value) & (one_way | (course.import_price >= course.export_price - 1e-12)),
        covered=house.covered(market.import_earns & (offer.pv_kwh > 0), curtailable=site.curtailable)
        & (unbound | (course.import_price >= 0) | (offer.pv_kwh <= 0)),
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """The segments of slots, and what they are made of."""

    ways: Direction
    pv_kwh: FloatArray
    market: "_Market"
    house: "_House"
    levels: BreakEven
    length: FloatArray
    value: FloatArray

    @classmethod
    def of(cls, site: Site, course: SlotCourse, *, bounds: SlotBounds | None, direction: Direction | None) -> Self:
        bounds, battery, always = bounds or SlotBounds(), site.batteries[0], np.ones(course.hours.size, dtype=bool)
        ways = direction or Direction(always, always, always, always)
        sun = _convert(bounds.inverters, course.pv_kwh, course.hours) if bounds.inverters else None
        pv_kwh = course.pv_kwh if sun is None else sun.ac_kwh
        market = _Market.of(site, course, ways)
        most_import = site.grid.import_limit_kw * course.hours if bounds.import_kwh is None else bounds.import_kwh
        most_export = site.feed_in_limit_kw * course.hours if bounds.export_kwh is None else bounds.export_kwh
        net_kwh = course.load_kwh - np.where(market.import_earns, 0.0, pv_kwh)
        house = _House.of(battery, net_kwh, (course.hours, most_import, most_export), ways)
        if bounds.battery_kwh is not None:
            house = replace(house, discharge_kwh=np.minimum(house.discharge_kwh, bounds.battery_kwh))
        house = house if sun is None else house.behind(sun)
        # The PV in use, which is what the battery could displace: none where it is off or may not be held back.
        in_use = np.minimum(pv_kwh, course.load_kwh) + np.where(market.surplus_price > 0, np.minimum(house.surplus, house.export_kwh), 0.0)
        displaceable = np.where(market.import_earns, 0.0, in_use) * (site.curtailable & (battery.discharge_to_grid | (course.load_kwh >= pv_kwh)))
        levels = _levels(site, market, ways)
        length = _lengths(battery, house, displaceable, market.displaces_first)
        levels = levels if ways.charge_kwh is None else _force(levels, ways)
        forced, first = np.full(levels.buy.shape, FORBIDDEN_VALUE), market.displaces_first
        out = np.where(first, levels.displace, levels.sell), np.where(first, levels.sell, levels.displace)
        # What a slot does not offer has no worth, not an infinite one.
        value = np.where(length <= 0, 0.0, np.stack([levels.buy, levels.store, levels.spill, forced, levels.serve, *out], axis=-1))
        return cls(ways, pv_kwh, market, house, levels, length, value)


@dataclass(frozen=True, slots=True)
class _Market:
    """What a kWh costs and earns: bought, as surplus, and sold from the battery; where importing is ``paid``, and displacing PV comes before selling.

    Arrays have the shape of prices: courses that differ in load and PV alone share them.
    """

    import_price: FloatArray
    surplus_price: FloatArray
    sale_price: FloatArray
    import_earns: BoolArray
    displaces_first: BoolArray

    @classmethod
    def of(cls, site: Site, course: SlotCourse, ways: Direction) -> Self:
        export_price = course.export_price
        surplus_price = np.where(ways.may_export, export_price, 0.0)
        surplus_price = np.maximum(surplus_price, 0.0) if site.curtailable else surplus_price
        return cls(
            import_price=course.import_price,
            surplus_price=surplus_price,
            sale_price=export_price,
            import_earns=(course.import_price < 0) & site.curtailable & site.batteries[0].charge_from_grid & (ways.may_import | (export_price < 0)),
            displaces_first=(export_price < 0) & site.curtailable,
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


def _levels(site: Site, market: _Market, ways: Direction) -> BreakEven:
    """Return the break-even values; what a slot does not allow is never worth it."""
    battery = site.batteries[0]
    terms = {"charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency, "wear_price": battery.wear_price}
    surplus, sale = break_even(market.import_price, market.surplus_price, **terms), break_even(market.import_price, market.sale_price, **terms)
    shape = np.broadcast_shapes(market.import_price.shape, market.surplus_price.shape)
    may_buy = ways.may_import & ways.may_charge & battery.charge_from_grid
    may_sell = ways.may_export & ways.may_discharge & battery.discharge_to_grid
    # Surplus beyond the export limit is held back for nothing, or must be stored where PV cannot be held back.
    spill = broadcast(surplus.spill, shape) if site.curtailable else np.full(shape, -FORBIDDEN_VALUE)
    may_displace = ways.may_discharge & site.curtailable
    return BreakEven(
        buy=np.where(may_buy, broadcast(surplus.buy, shape), np.inf),
        store=np.where(ways.may_charge, surplus.store, np.inf),
        spill=np.where(ways.may_charge, spill, np.inf),
        serve=np.where(ways.may_discharge, broadcast(surplus.serve, shape), -np.inf),
        sell=np.where(may_sell, sale.sell, -np.inf),
        displace=np.where(may_displace, broadcast(surplus.displace, shape), -np.inf),
    )


def _fixed(most_kwh: FloatArray, fixed_kwh: FloatArray | None) -> FloatArray:
    return most_kwh if fixed_kwh is None else np.where(np.isfinite(fixed_kwh), fixed_kwh, most_kwh)


def _force(levels: BreakEven, ways: Direction) -> BreakEven:
    """Return break-even values by which a battery does what it has to: no price is too high to charge, none too low to discharge."""
    charges, discharges = (np.zeros(ways.may_charge.shape, dtype=bool) if each is None else np.isfinite(each) for each in (ways.charge_kwh, ways.discharge_kwh))
    charging = {name: np.where(charges, -FORBIDDEN_VALUE, getattr(levels, name)) for name in ("buy", "store", "spill")}
    discharging = {name: np.where(discharges, FORBIDDEN_VALUE, getattr(levels, name)) for name in ("serve", "sell", "displace")}
    return BreakEven(**charging, **discharging)


def _convert(inverters: InverterLimits, pv_kwh: FloatArray, hours: FloatArray) -> Conversion:
    """Return what PV gives to the one battery and beside it, arrays of the shape of ``pv_kwh``."""
    paths = np.atleast_2d(pv_kwh)
    each = [inverters.convert(path, hours) for path in paths]
    return Conversion(*(np.array([np.squeeze(getattr(one, name)) for one in each]).reshape(pv_kwh.shape) for name in Conversion.__slots__))


def _lengths(battery: Battery, house: _House, displaceable: FloatArray, displaces_first: BoolArray) -> FloatArray:
    """Return the length of each segment in stored kWh, shape ``(…, slots, 7)``."""
    held_back = np.minimum(np.maximum(house.surplus - house.export_kwh, 0.0) + house.direct_kwh, house.charge_kwh)
    store = np.minimum(np.minimum(house.surplus, house.export_kwh), house.charge_kwh - held_back)
    room = np.minimum(house.charge_kwh - (store + held_back), house.import_kwh - house.deficit)
    buy = np.maximum(room, 0.0) * battery.charge_from_grid
    forced = np.minimum(np.maximum(house.deficit - house.import_kwh, 0.0), house.discharge_kwh)
    serve = np.minimum(house.deficit, house.discharge_kwh) - forced
    left = np.maximum(house.discharge_kwh - house.deficit, 0.0)
    saleable = np.maximum(house.export_kwh - house.surplus * ~displaces_first, 0.0) * battery.discharge_to_grid
    first_out = np.minimum(left, np.where(displaces_first, displaceable, saleable))
    second_out = np.minimum(left - first_out, np.where(displaces_first, saleable, displaceable))
    length = np.empty((*house.deficit.shape, KINDS))
    for kind, charged in ((BUY, buy), (STORE, store), (STORE_HELD_BACK, held_back)):
        length[..., kind] = charged * battery.charge_efficiency
    for kind, discharged in ((SERVE_FORCED, forced), (SERVE, serve), (FIRST_OUT, first_out), (SECOND_OUT, second_out)):
        length[..., kind] = discharged / battery.discharge_efficiency
    return length


def _convex(length: FloatArray, value: FloatArray) -> BoolArray:
    """Return whether the values of the segments that have a length descend."""
    present = length > 1e-12
    present_value = np.where(present, value, np.inf)
    lowest_so_far = np.minimum.accumulate(present_value, axis=-1)
    rises = present[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    return np.asarray(~rises.any(axis=-1))


def problem_segments(problem: Problem, direction: Direction | None = None) -> Segments:
    """Return what the slots of the expected course offer; ``direction`` (default: the problem's) fixes the way of each: one for all, or several as paths."""
    outlook, direction = problem.outlook, direction or problem.direction
    energies = outlook.load_kwh, outlook.pv_kwh
    if direction is not None:
        energies = broadcast(energies[0], direction.may_import.shape), broadcast(energies[1], direction.may_import.shape)
    course, bounds = _describe_slots(problem, energies, problem.import_limit_kwh)
    return slot_segments(problem.site, course, bounds=bounds, direction=direction)


def offer_courses(problem: Problem, courses: ScenarioSet, direction: Direction | None) -> Segments:
    """Return what the slots of all courses offer, the expected one first, ``(courses + 1, slots, 7)``.

    A peak that the expected course keeps does not bind where the load of another is beyond it whatever the battery does.
    """
    outlook = problem.outlook
    energies = np.vstack([outlook.load_kwh, courses.load_kwh]), np.vstack([outlook.pv_kwh, courses.pv_kwh])
    course, bounds = _describe_slots(problem, energies, np.vstack([problem.import_limit_kwh, _widen_limit(problem, courses)]))
    return slot_segments(problem.site, course, bounds=bounds, direction=direction)


def offer_lengths(problem: Problem, courses: ScenarioSet, direction: Direction | None) -> tuple[FloatArray, FloatArray]:
    """Return lengths and values alone of what the slots of all courses offer, both ``(courses, slots, 7)``: all that it takes to cost a policy on them."""
    course, bounds = _describe_slots(problem, (courses.load_kwh, courses.pv_kwh), _widen_limit(problem, courses))
    offer = _Offer.of(problem.site, course, bounds=bounds, direction=direction)
    return offer.length, offer.value


def _widen_limit(problem: Problem, courses: ScenarioSet) -> FloatArray:
    return np.maximum(problem.import_limit_kwh, np.minimum(courses.load_kwh - courses.pv_kwh, problem.connection_limit_kwh))


def _describe_slots(problem: Problem, energies: tuple[FloatArray, FloatArray], import_limit_kwh: FloatArray) -> tuple[SlotCourse, SlotBounds]:
    outlook = problem.outlook
    course = SlotCourse(*energies, outlook.import_price, outlook.export_price, outlook.timeline.hours)
    return course, SlotBounds(import_limit_kwh, problem.export_limit_kwh, problem.storage.give_limit_kwh, problem.limits.inverters)
