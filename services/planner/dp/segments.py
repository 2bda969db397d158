"""Each slot's value of charging or discharging one battery, as a concave piecewise linear function
of stored energy, per scenario.
"""

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
# Penalty on breaking a limit, per stored kWh, above any trade. Source: prices are bounded by ±100
# per kWh in luna.energy.site.
FORBIDDEN_VALUE = 1e4


@dataclass(frozen=True, slots=True)
class Segments:
    """The linear pieces of slots for one battery, of the seven kinds ``BUY`` … ``SECOND_OUT``.

    ``length_kwh`` and ``value`` have shape ``(…, slots, 7)``: stored kWh, and currency per stored
    kWh. ``charge_kwh`` (``(…, slots)``) is the most stored energy that charging adds: the sum of
    the first three lengths. ``rest_cost`` (same shape) is the slot's cost with forced discharge
    alone. ``levels`` are the break-even values per slot, ``even`` marks slots with equal import and
    export price, ``displaces_first`` those where displacing PV comes before selling, ``convex``
    those whose values descend, ``covered`` those that the segments describe completely.
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
        """Return a selection along the first axis: of paths, or of the slots of a single path."""
        levels = BreakEven(*(level[part] for level in _read_levels(self.levels)))
        arrays = {
            each.name: getattr(self, each.name)[part]
            for each in fields(Segments)
            if each.name != "levels"
        }
        return Segments(levels=levels, **arrays)


@dataclass(frozen=True, slots=True)
class SlotCourse:
    """Expected load and PV, kWh, shape ``(…, slots)``.

    Prices, same shape or ``(slots,)``; each slot's length, ``(slots,)``.
    """

    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    hours: FloatArray


@dataclass(frozen=True, slots=True)
class SlotBounds:
    """Limits on energy per slot, kWh, shape ``(slots,)`` or that of the load.

    Args:
        import_kwh: default: the grid connection's limit.
        export_kwh: default: the site's feed-in limit.
        battery_kwh: of the battery's discharge, shape ``(slots,)``; default: its power's.
        inverters: of the battery and of PV alone, where there are any.
    """

    import_kwh: FloatArray | None = None
    export_kwh: FloatArray | None = None
    battery_kwh: FloatArray | None = None
    inverters: InverterLimits | None = None


def slot_segments(
    site: Site,
    course: SlotCourse,
    *,
    bounds: SlotBounds | None = None,
    direction: Direction | None = None,
) -> Segments:
    """Return the segments of each slot for the site's one battery.

    Args:
        site: with exactly one battery.
        course: load, PV and prices.
        bounds: default: those of connection and battery.
        direction: fixes the flow directions of every slot, as a mixed-integer plan decided them;
            default: prices decide.
    """
    offer = _Offer.of(site, course, bounds=bounds, direction=direction)
    battery = site.batteries[0]
    curtailable = site.curtailable
    house = offer.house
    length = offer.length
    value = offer.value
    unbound = battery.charge_from_grid and battery.discharge_to_grid
    # With the battery serving only the deficit beyond the connection's limit.
    served = length[..., SERVE_FORCED] * battery.discharge_efficiency
    earned = np.minimum(house.surplus, house.export_kwh) * offer.surplus_price
    rest_cost = np.asarray(
        (house.deficit - served) * course.import_price - earned + served * battery.wear_price
    )
    # Connection and battery together can carry the slot, and PV that is off at a negative import
    # price is not needed.
    carried = house.deficit <= house.import_kwh + house.discharge_kwh + 1e-9
    placed = curtailable | (house.surplus <= house.export_kwh + house.charge_kwh + 1e-9)
    pv_off = offer.import_earns & (offer.pv_kwh > 0)
    missed = pv_off & (house.import_kwh > 0) & (house.deficit + house.charge_kwh > house.import_kwh)
    one_way = offer.ways.may_export ^ offer.ways.may_import
    # Convex where the values of segments of non-zero length descend.
    has_length = length > 1e-12
    lowest_so_far = np.minimum.accumulate(np.where(has_length, value, np.inf), axis=-1)
    rises = has_length[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., :SERVE_FORCED].sum(axis=-1),
        rest_cost=rest_cost,
        levels=BreakEven(
            *map(partial(broadcast, shape=house.deficit.shape), _read_levels(offer.levels))
        ),
        even=broadcast(course.import_price - course.export_price < 1e-9, house.deficit.shape),
        displaces_first=broadcast(offer.displaces_first, house.deficit.shape),
        convex=~rises.any(axis=-1)
        & (one_way | (course.import_price >= course.export_price - 1e-12)),
        covered=carried
        & placed
        & ~missed
        & (unbound | (course.import_price >= 0) | (offer.pv_kwh <= 0)),
    )


@dataclass(frozen=True, slots=True)
class _House:
    """The house without its battery: deficit, surplus, and the limits of connection and battery,
    kWh at the terminals, ``(…, slots)``.

    ``direct_kwh`` is what the battery charges from PV behind a shared inverter.
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
    """The segments of slots, and their intermediate results.

    ``surplus_price`` is what surplus earns; PV is off where ``import_earns``, and displacing it
    comes before selling where ``displaces_first``: arrays of the shape of prices, because scenarios
    that differ in load and PV alone share them.
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
    def of(
        cls,
        site: Site,
        course: SlotCourse,
        *,
        bounds: SlotBounds | None,
        direction: Direction | None,
    ) -> Self:
        bounds = bounds or SlotBounds()
        battery = site.batteries[0]
        always = np.ones(course.hours.size, dtype=bool)
        curtailable = site.curtailable
        hours = course.hours
        export_price = course.export_price
        ways = direction or Direction(always, always, always, always)
        surplus_price = np.where(ways.may_export, export_price, 0.0)
        surplus_price = np.maximum(surplus_price, 0.0) if curtailable else surplus_price
        import_earns = (
            (course.import_price < 0)
            & curtailable
            & battery.charge_from_grid
            & (ways.may_import | (export_price < 0))
        )
        displaces_first = (export_price < 0) & curtailable
        sun = _convert(bounds.inverters, course.pv_kwh, hours) if bounds.inverters else None
        pv_kwh = course.pv_kwh if sun is None else sun.ac_kwh
        charge = battery.charge_limit_kw * hours * ways.may_charge
        discharge = battery.discharge_limit_kw * hours * ways.may_discharge
        charge = (
            charge
            if ways.charge_kwh is None
            else np.where(np.isfinite(ways.charge_kwh), ways.charge_kwh, charge)
        )
        discharge = (
            discharge
            if ways.discharge_kwh is None
            else np.where(np.isfinite(ways.discharge_kwh), ways.discharge_kwh, discharge)
        )
        discharge = (
            discharge if bounds.battery_kwh is None else np.minimum(discharge, bounds.battery_kwh)
        )
        if sun is not None:
            charge = np.minimum(charge, sun.intake_kwh + sun.direct_kwh)
            discharge = np.minimum(discharge, np.maximum(sun.room_kwh, 0.0))
        most_import = (
            site.grid.import_limit_kw * hours if bounds.import_kwh is None else bounds.import_kwh
        )
        most_export = (
            site.feed_in_limit_kw * hours if bounds.export_kwh is None else bounds.export_kwh
        )
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
        # PV in use, which the battery could displace: none where it is off or cannot be curtailed.
        in_use = np.minimum(pv_kwh, course.load_kwh) + np.where(
            surplus_price > 0, np.minimum(house.surplus, house.export_kwh), 0.0
        )
        displaceable = np.where(import_earns, 0.0, in_use) * (
            curtailable & (battery.discharge_to_grid | (course.load_kwh >= pv_kwh))
        )
        length = _lengths(battery, house, displaceable, displaces_first)
        levels = _levels(site, course, surplus_price, ways)
        levels = levels if ways.charge_kwh is None else _force(levels, ways)
        forced = np.full(levels.buy.shape, FORBIDDEN_VALUE)
        out = (
            np.where(displaces_first, levels.displace, levels.sell),
            np.where(displaces_first, levels.sell, levels.displace),
        )
        # Break-even values may be infinite where a slot has no such segment.
        value = np.where(
            length <= 0,
            0.0,
            np.stack([levels.buy, levels.store, levels.spill, forced, levels.serve, *out], axis=-1),
        )
        return cls(
            ways, pv_kwh, surplus_price, import_earns, displaces_first, house, levels, length, value
        )


def _levels(
    site: Site, course: SlotCourse, surplus_price: FloatArray, ways: Direction
) -> BreakEven:
    """Return the break-even values; infinite, against it, where a slot does not allow the flow."""
    battery = site.batteries[0]
    terms = {
        "charge_efficiency": battery.charge_efficiency,
        "discharge_efficiency": battery.discharge_efficiency,
        "wear_price": battery.wear_price,
    }
    surplus = break_even(course.import_price, surplus_price, **terms)
    sale = break_even(course.import_price, course.export_price, **terms)
    shape = np.broadcast_shapes(course.import_price.shape, surplus_price.shape)
    curtailable = site.curtailable
    may_buy = ways.may_import & ways.may_charge & battery.charge_from_grid
    may_sell = ways.may_export & ways.may_discharge & battery.discharge_to_grid
    # Surplus beyond the export limit is curtailed at no cost, or must be stored where PV cannot be
    # curtailed.
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
    """Return break-even values that force charge and discharge at any price."""
    charges, discharges = (
        np.zeros(ways.may_charge.shape, dtype=bool) if each is None else np.isfinite(each)
        for each in (ways.charge_kwh, ways.discharge_kwh)
    )
    charging = {
        name: np.where(charges, -FORBIDDEN_VALUE, getattr(levels, name))
        for name in ("buy", "store", "spill")
    }
    discharging = {
        name: np.where(discharges, FORBIDDEN_VALUE, getattr(levels, name))
        for name in ("serve", "sell", "displace")
    }
    return BreakEven(**charging, **discharging)


def _convert(inverters: InverterLimits, pv_kwh: FloatArray, hours: FloatArray) -> Conversion:
    """Return the inverters' conversion of PV, arrays of the shape of ``pv_kwh``."""
    paths = np.atleast_2d(pv_kwh)
    each = [inverters.convert(path, hours) for path in paths]
    return Conversion(
        *(
            np.array([np.squeeze(getattr(one, name)) for one in each]).reshape(pv_kwh.shape)
            for name in Conversion.__slots__
        )
    )


def _lengths(
    battery: Battery, house: _House, displaceable: FloatArray, displaces_first: BoolArray
) -> FloatArray:
    """Return the length of each segment in stored kWh, shape ``(…, slots, 7)``."""
    store_curtailed = np.minimum(
        np.maximum(house.surplus - house.export_kwh, 0.0) + house.direct_kwh, house.charge_kwh
    )
    store = np.minimum(
        np.minimum(house.surplus, house.export_kwh), house.charge_kwh - store_curtailed
    )
    room = np.minimum(
        house.charge_kwh - (store + store_curtailed), house.import_kwh - house.deficit
    )
    buy = np.maximum(room, 0.0) * battery.charge_from_grid
    forced = np.minimum(np.maximum(house.deficit - house.import_kwh, 0.0), house.discharge_kwh)
    serve = np.minimum(house.deficit, house.discharge_kwh) - forced
    beyond_deficit = np.maximum(house.discharge_kwh - house.deficit, 0.0)
    saleable = (
        np.maximum(house.export_kwh - house.surplus * ~displaces_first, 0.0)
        * battery.discharge_to_grid
    )
    first_out = np.minimum(beyond_deficit, np.where(displaces_first, displaceable, saleable))
    second_out = np.minimum(
        beyond_deficit - first_out, np.where(displaces_first, saleable, displaceable)
    )
    length = np.empty((*house.deficit.shape, KINDS))
    for kind, charged in ((BUY, buy), (STORE, store), (STORE_CURTAILED, store_curtailed)):
        length[..., kind] = charged * battery.charge_efficiency
    for kind, discharged in (
        (SERVE_FORCED, forced),
        (SERVE, serve),
        (FIRST_OUT, first_out),
        (SECOND_OUT, second_out),
    ):
        length[..., kind] = discharged / battery.discharge_efficiency
    return length


def problem_segments(problem: Problem, direction: Direction | None = None) -> Segments:
    """Return the segments of the expected course.

    ``direction`` (default: the problem's) is one path of flow directions, or several.
    """
    outlook = problem.outlook
    direction = direction or problem.direction
    energies = outlook.load_kwh, outlook.pv_kwh
    if direction is not None:
        energies = (
            broadcast(energies[0], direction.may_import.shape),
            broadcast(energies[1], direction.may_import.shape),
        )
    course, bounds = _describe_slots(problem, energies, problem.import_limit_kwh)
    return slot_segments(problem.site, course, bounds=bounds, direction=direction)


def offer_courses(problem: Problem, courses: ScenarioSet, direction: Direction | None) -> Segments:
    """Return the segments of all scenarios, the expected course first, ``(courses + 1, slots, 7)``.

    A peak limit of the expected course is raised to a scenario's own net load where that exceeds
    it.
    """
    outlook = problem.outlook
    energies = (
        np.vstack([outlook.load_kwh, courses.load_kwh]),
        np.vstack([outlook.pv_kwh, courses.pv_kwh]),
    )
    course, bounds = _describe_slots(
        problem, energies, np.vstack([problem.import_limit_kwh, _widen_limit(problem, courses)])
    )
    return slot_segments(problem.site, course, bounds=bounds, direction=direction)


def offer_lengths(
    problem: Problem, courses: ScenarioSet, direction: Direction | None
) -> tuple[FloatArray, FloatArray]:
    """Return the segments' lengths and values alone for all scenarios, both
    ``(courses, slots, 7)``: enough to cost a policy on them.
    """
    course, bounds = _describe_slots(
        problem, (courses.load_kwh, courses.pv_kwh), _widen_limit(problem, courses)
    )
    offer = _Offer.of(problem.site, course, bounds=bounds, direction=direction)
    return offer.length, offer.value


def _widen_limit(problem: Problem, courses: ScenarioSet) -> FloatArray:
    return np.maximum(
        problem.import_limit_kwh,
        np.minimum(courses.load_kwh - courses.pv_kwh, problem.connection_limit_kwh),
    )


def _describe_slots(
    problem: Problem, energies: tuple[FloatArray, FloatArray], import_limit_kwh: FloatArray
) -> tuple[SlotCourse, SlotBounds]:
    outlook = problem.outlook
    course = SlotCourse(
        *energies, outlook.import_price, outlook.export_price, outlook.timeline.hours
    )
    return course, SlotBounds(
        import_limit_kwh,
        problem.export_limit_kwh,
        problem.storage.give_limit_kwh,
        problem.limits.inverters,
    )
