"""What a slot offers to its one battery, as a concave piecewise linear function, on the expected course and on others beside it."""

from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from typing import Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.economics.costs import BreakEven, break_even
from luna.energy.physics.inverters import Conversion, InverterLimits
from luna.energy.physics.mode import BoolArray
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray, broadcast
from services.planner.problem.directions import Direction
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet

BUY, STORE, STORE_CURTAILED, SERVE_FORCED, SERVE, FIRST_OUT, SECOND_OUT = range(7)
KINDS = 7
_read_levels = attrgetter(*BreakEven.__slots__)
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
    offer, battery, curtailable = _Offer.of(site, course, bounds=bounds, direction=direction), site.batteries[0], site.curtailable
    house, length, value = offer.house, offer.length, offer.value
    unbound = battery.charge_from_grid and battery.discharge_to_grid
    # A slot costs this when the battery serves what the connection cannot carry, and nothing else.
    served = length[..., SERVE_FORCED] * battery.discharge_efficiency
    earned = np.minimum(house.surplus, house.export_kwh) * offer.surplus_price
    rest_cost = np.asarray((house.deficit - served) * course.import_price - earned + served * battery.wear_price)
    # Where connection and battery together carry a slot, and PV that is off because importing is paid is not missed.
    carried = house.deficit <= house.import_kwh + house.discharge_kwh + 1e-9
    placed = curtailable | (house.surplus <= house.export_kwh + house.charge_kwh + 1e-9)
    pv_off = offer.import_earns & (offer.pv_kwh > 0)
    missed = pv_off & (house.import_kwh > 0) & (house.deficit + house.charge_kwh > house.import_kwh)
    one_way = offer.ways.may_export ^ offer.ways.may_import
    # Convex where the values of the segments that have a length descend.
    has_length = length > 1e-12
    lowest_so_far = np.minimum.accumulate(np.where(has_length, value, np.inf), axis=-1)
    rises = has_length[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., :SERVE_FORCED].sum(axis=-1),
        rest_cost=rest_cost,
        levels=BreakEven(*map(partial(broadcast, shape=house.deficit.shape), _read_levels(offer.levels))),
        even=broadcast(course.import_price - course.export_price < 1e-9, house.deficit.shape),
        displaces_first=broadcast(offer.displaces_first, house.deficit.shape),
        convex=~rises.any(axis=-1) & (one_way | (course.import_price >= course.export_price - 1e-12)),
        covered=carried & placed & ~missed & (unbound | (course.import_price >= 0) | (offer.pv_kwh <= 0)),
    )


@dataclass(frozen=True, slots=True)
class _House:
    """What is left for the battery: deficit, surplus, and what connection and battery can move, kWh at the terminals, ``(…, slots)``.

    ``direct_kwh`` is what the battery takes of the sun behind an inverter that it shares with PV.
    """

    deficit: FloatArray
    surplus: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    direct_kwh: FloatArray | float


@dataclass(frozen=True, slots=True)
class _Offer:
    """The segments of slots, and what they are made of.

    ``surplus_price`` is what surplus earns; PV is off where ``import_earns``, and displacing it comes before selling where ``displaces_first``: arrays of the
    shape of prices, because courses that differ in load and PV alone share them.
    """

    ways: Direction
    pv_kwh: FloatArray
    surplus_price: FloatArray
    import_earns: BoolArray
    displaces_first: BoolArray
    house: _House
    levels: BreakEven
    length: FloatArray
    value: FloatArray

    @classmethod
    def of(cls, site: Site, course: SlotCourse, *, bounds: SlotBounds | None, direction: Direction | None) -> Self:
        bounds, battery, always = bounds or SlotBounds(), site.batteries[0], np.ones(course.hours.size, dtype=bool)
        curtailable, hours, export_price = site.curtailable, course.hours, course.export_price
        ways = direction or Direction(always, always, always, always)
        surplus_price = np.where(ways.may_export, export_price, 0.0)
        surplus_price = np.maximum(surplus_price, 0.0) if curtailable else surplus_price
        import_earns = (course.import_price < 0) & curtailable & battery.charge_from_grid & (ways.may_import | (export_price < 0))
        displaces_first = (export_price < 0) & curtailable
        sun = _convert(bounds.inverters, course.pv_kwh, hours) if bounds.inverters else None
        pv_kwh = course.pv_kwh if sun is None else sun.ac_kwh
        charge, discharge = battery.charge_limit_kw * hours * ways.may_charge, battery.discharge_limit_kw * hours * ways.may_discharge
        charge = charge if ways.charge_kwh is None else np.where(np.isfinite(ways.charge_kwh), ways.charge_kwh, charge)
        discharge = discharge if ways.discharge_kwh is None else np.where(np.isfinite(ways.discharge_kwh), ways.discharge_kwh, discharge)
        discharge = discharge if bounds.battery_kwh is None else np.minimum(discharge, bounds.battery_kwh)
        if sun is not None:
            charge, discharge = np.minimum(charge, sun.intake_kwh + sun.direct_kwh), np.minimum(discharge, np.maximum(sun.room_kwh, 0.0))
        most_import = site.grid.import_limit_kw * hours if bounds.import_kwh is None else bounds.import_kwh
        most_export = site.feed_in_limit_kw * hours if bounds.export_kwh is None else bounds.export_kwh
        net_kwh = course.load_kwh - np.where(import_earns, 0.0, pv_kwh)
        house = _House(
            deficit=np.maximum(net_kwh, 0.0),
            surplus=np.maximum(-net_kwh, 0.0),
            import_kwh=most_import * ways.may_import,
            export_kwh=most_export * ways.may_export,
            charge_kwh=charge,
            discharge_kwh=discharge,
            direct_kwh=0.0 if sun is None else sun.direct_kwh,
        )
        # The PV in use, which is what the battery could displace: none where it is off or may not be held back.
        in_use = np.minimum(pv_kwh, course.load_kwh) + np.where(surplus_price > 0, np.minimum(house.surplus, house.export_kwh), 0.0)
        displaceable = np.where(import_earns, 0.0, in_use) * (curtailable & (battery.discharge_to_grid | (course.load_kwh >= pv_kwh)))
        length = _lengths(battery, house, displaceable, displaces_first)
        levels = _levels(site, course, surplus_price, ways)
        levels = levels if ways.charge_kwh is None else _force(levels, ways)
        forced = np.full(levels.buy.shape, FORBIDDEN_VALUE)
        out = np.where(displaces_first, levels.displace, levels.sell), np.where(displaces_first, levels.sell, levels.displace)
        # What a slot does not offer has no worth, not an infinite one.
        value = np.where(length <= 0, 0.0, np.stack([levels.buy, levels.store, levels.spill, forced, levels.serve, *out], axis=-1))
        return cls(ways, pv_kwh, surplus_price, import_earns, displaces_first, house, levels, length, value)


def _levels(site: Site, course: SlotCourse, surplus_price: FloatArray, ways: Direction) -> BreakEven:
    """Return the break-even values; what a slot does not allow is never worth it."""
    battery = site.batteries[0]
    terms = {"charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency, "wear_price": battery.wear_price}
    surplus, sale = break_even(course.import_price, surplus_price, **terms), break_even(course.import_price, course.export_price, **terms)
    shape = np.broadcast_shapes(course.import_price.shape, surplus_price.shape)
    curtailable = site.curtailable
    may_buy = ways.may_import & ways.may_charge & battery.charge_from_grid
    may_sell = ways.may_export & ways.may_discharge & battery.discharge_to_grid
    # Surplus beyond the export limit is held back for nothing, or must be stored where PV cannot be held back.
    spill = broadcast(surplus.spill, shape) if curtailable else np.full(shape, -FORBIDDEN_VALUE)
    may_displace = ways.may_discharge & curtailable
    return BreakEven(
        buy=np.where(may_buy, broadcast(surplus.buy, shape), np.inf),
        store=np.where(ways.may_charge, surplus.store, np.inf),
        spill=np.where(ways.may_charge, spill, np.inf),
        serve=np.where(ways.may_discharge, broadcast(surplus.serve, shape), -np.inf),
        sell=np.where(may_sell, sale.sell, -np.inf),
        displace=np.where(may_displace, broadcast(surplus.displace, shape), -np.inf),
    )


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
    store_curtailed = np.minimum(np.maximum(house.surplus - house.export_kwh, 0.0) + house.direct_kwh, house.charge_kwh)
    store = np.minimum(np.minimum(house.surplus, house.export_kwh), house.charge_kwh - store_curtailed)
    room = np.minimum(house.charge_kwh - (store + store_curtailed), house.import_kwh - house.deficit)
    buy = np.maximum(room, 0.0) * battery.charge_from_grid
    forced = np.minimum(np.maximum(house.deficit - house.import_kwh, 0.0), house.discharge_kwh)
    serve = np.minimum(house.deficit, house.discharge_kwh) - forced
    beyond_deficit = np.maximum(house.discharge_kwh - house.deficit, 0.0)
    saleable = np.maximum(house.export_kwh - house.surplus * ~displaces_first, 0.0) * battery.discharge_to_grid
    first_out = np.minimum(beyond_deficit, np.where(displaces_first, displaceable, saleable))
    second_out = np.minimum(beyond_deficit - first_out, np.where(displaces_first, saleable, displaceable))
    length = np.empty((*house.deficit.shape, KINDS))
    for kind, charged in ((BUY, buy), (STORE, store), (STORE_CURTAILED, store_curtailed)):
        length[..., kind] = charged * battery.charge_efficiency
    for kind, discharged in ((SERVE_FORCED, forced), (SERVE, serve), (FIRST_OUT, first_out), (SECOND_OUT, second_out)):
        length[..., kind] = discharged / battery.discharge_efficiency
    return length


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
