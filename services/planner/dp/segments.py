"""Each slot's value of charging or discharging one battery, per scenario.

It is a concave piecewise linear function of stored energy.
"""

from dataclasses import dataclass, replace
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
        """Return a selection along the first axis: of paths, or of a single path's slots."""
        return Segments(
            length_kwh=self.length_kwh[part],
            value=self.value[part],
            charge_kwh=self.charge_kwh[part],
            rest_cost=self.rest_cost[part],
            levels=BreakEven(*(level[part] for level in _read_levels(self.levels))),
            even=self.even[part],
            displaces_first=self.displaces_first[part],
            convex=self.convex[part],
            covered=self.covered[part],
        )


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
    scenario: SlotCourse,
    *,
    bounds: SlotBounds | None = None,
    direction: Direction | None = None,
) -> Segments:
    """Return the segments of each slot for the site's one battery.

    Args:
        site: with exactly one battery.
        scenario: load, PV and prices.
        bounds: default: those of connection and battery.
        direction: fixes the flow directions of every slot, as a mixed-integer plan decided them;
            default: prices decide.
    """
    offer = _Offer.of(site, scenario, bounds=bounds, direction=direction)
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
        (house.deficit - served) * scenario.import_price - earned + served * battery.wear_price
    )
    # Connection and battery together can carry the slot, and PV that is off at a negative import
    # price is not needed.
    carried = house.deficit <= house.import_kwh + house.discharge_kwh + 1e-9
    placed = curtailable | (house.surplus <= house.export_kwh + house.charge_kwh + 1e-9)
    pv_off = offer.import_earns & (offer.pv_kwh > 0)
    missed = pv_off & (house.import_kwh > 0) & (house.deficit + house.charge_kwh > house.import_kwh)
    is_described = unbound | (scenario.import_price >= 0) | (offer.pv_kwh <= 0)
    one_way = offer.ways.may_export ^ offer.ways.may_import
    # Convex where the values of segments of non-zero length descend.
    has_length = length > 1e-12
    lowest_so_far = np.minimum.accumulate(np.where(has_length, value, np.inf), axis=-1)
    rises = has_length[..., 1:] & (value[..., 1:] > lowest_so_far[..., :-1] + 1e-12)
    selling_pays_less = scenario.import_price >= scenario.export_price - 1e-12
    shape = house.deficit.shape
    even = scenario.import_price - scenario.export_price < 1e-9
    return Segments(
        length_kwh=length,
        value=value,
        charge_kwh=length[..., :SERVE_FORCED].sum(axis=-1),
        rest_cost=rest_cost,
        levels=BreakEven(*(broadcast(level, shape) for level in _read_levels(offer.levels))),
        even=broadcast(even, shape),
        displaces_first=broadcast(offer.displaces_first, shape),
        convex=~rises.any(axis=-1) & (one_way | selling_pays_less),
        covered=carried & placed & ~missed & is_described,
    )


@dataclass(frozen=True, slots=True)
class _House:
    """The house without its battery, kWh at the terminals, ``(…, slots)``.

    Deficit, surplus, and the limits of connection and battery.

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
        scenario: SlotCourse,
        *,
        bounds: SlotBounds | None,
        direction: Direction | None,
    ) -> Self:
        bounds = bounds or SlotBounds()
        battery = site.batteries[0]
        always = np.ones(scenario.hours.size, dtype=bool)
        curtailable = site.curtailable
        hours = scenario.hours
        export_price = scenario.export_price
        ways = direction or Direction(always, always, always, always)
        surplus_price = np.where(ways.may_export, export_price, 0.0)
        if curtailable:
            surplus_price = np.maximum(surplus_price, 0.0)
        may_buy = curtailable & battery.charge_from_grid
        import_earns = (
            may_buy & (scenario.import_price < 0) & (ways.may_import | (export_price < 0))
        )
        displaces_first = (export_price < 0) & curtailable
        sun = _convert(bounds.inverters, scenario.pv_kwh, hours) if bounds.inverters else None
        pv_kwh = scenario.pv_kwh if sun is None else sun.ac_kwh
        charge = battery.charge_limit_kw * hours * ways.may_charge
        if ways.charge_kwh is not None:
            charge = np.where(np.isfinite(ways.charge_kwh), ways.charge_kwh, charge)
        discharge = battery.discharge_limit_kw * hours * ways.may_discharge
        if ways.discharge_kwh is not None:
            discharge = np.where(np.isfinite(ways.discharge_kwh), ways.discharge_kwh, discharge)
        if bounds.battery_kwh is not None:
            discharge = np.minimum(discharge, bounds.battery_kwh)
        if sun is not None:
            charge = np.minimum(charge, sun.intake_kwh + sun.direct_kwh)
            discharge = np.minimum(discharge, np.maximum(sun.room_kwh, 0.0))
        most_import = bounds.import_kwh
        if most_import is None:
            most_import = site.grid.import_limit_kw * hours
        most_export = bounds.export_kwh
        if most_export is None:
            most_export = site.feed_in_limit_kw * hours
        net_kwh = scenario.load_kwh - np.where(import_earns, 0.0, pv_kwh)
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
        sold = np.where(surplus_price > 0, np.minimum(house.surplus, house.export_kwh), 0.0)
        in_use = np.minimum(pv_kwh, scenario.load_kwh) + sold
        no_surplus = scenario.load_kwh >= pv_kwh
        may_displace = curtailable & (battery.discharge_to_grid | no_surplus)
        displaceable = np.where(import_earns, 0.0, in_use) * may_displace
        length = _lengths(battery, house, displaceable, displaces_first)
        levels = _levels(site, scenario, surplus_price, ways)
        if ways.charge_kwh is not None:
            levels = _force(levels, ways)
        values_of_kinds = [
            levels.buy,
            levels.store,
            levels.spill,
            np.full(levels.buy.shape, FORBIDDEN_VALUE),
            levels.serve,
            np.where(displaces_first, levels.displace, levels.sell),
            np.where(displaces_first, levels.sell, levels.displace),
        ]
        # Break-even values may be infinite where a slot has no such segment.
        value = np.where(length <= 0, 0.0, np.stack(values_of_kinds, axis=-1))
        return cls(
            ways, pv_kwh, surplus_price, import_earns, displaces_first, house, levels, length, value
        )


def _levels(
    site: Site, scenario: SlotCourse, surplus_price: FloatArray, ways: Direction
) -> BreakEven:
    """Return the break-even values; infinite, against it, where a slot does not allow the flow."""
    battery = site.batteries[0]
    terms = {
        "charge_efficiency": battery.charge_efficiency,
        "discharge_efficiency": battery.discharge_efficiency,
        "wear_price": battery.wear_price,
    }
    surplus = break_even(scenario.import_price, surplus_price, **terms)
    sale = break_even(scenario.import_price, scenario.export_price, **terms)
    shape = np.broadcast_shapes(scenario.import_price.shape, surplus_price.shape)
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
    charges = _find_forced(ways.charge_kwh, ways)
    discharges = _find_forced(ways.discharge_kwh, ways)
    return BreakEven(
        buy=np.where(charges, -FORBIDDEN_VALUE, levels.buy),
        store=np.where(charges, -FORBIDDEN_VALUE, levels.store),
        spill=np.where(charges, -FORBIDDEN_VALUE, levels.spill),
        serve=np.where(discharges, FORBIDDEN_VALUE, levels.serve),
        sell=np.where(discharges, FORBIDDEN_VALUE, levels.sell),
        displace=np.where(discharges, FORBIDDEN_VALUE, levels.displace),
    )


def _find_forced(energy_kwh: FloatArray | None, ways: Direction) -> BoolArray:
    if energy_kwh is None:
        return np.zeros(ways.may_charge.shape, dtype=bool)
    return np.isfinite(energy_kwh)


def _convert(inverters: InverterLimits, pv_kwh: FloatArray, hours: FloatArray) -> Conversion:
    """Return the inverters' conversion of PV, arrays of the shape of ``pv_kwh``."""
    conversions = [inverters.convert(path, hours) for path in np.atleast_2d(pv_kwh)]
    joined = []
    for name in Conversion.__slots__:
        of_paths = [np.squeeze(getattr(conversion, name)) for conversion in conversions]
        joined.append(np.array(of_paths).reshape(pv_kwh.shape))
    return Conversion(*joined)


def _lengths(
    battery: Battery, house: _House, displaceable: FloatArray, displaces_first: BoolArray
) -> FloatArray:
    """Return the length of each segment in stored kWh, shape ``(…, slots, 7)``."""
    unsaleable = np.maximum(house.surplus - house.export_kwh, 0.0) + house.direct_kwh
    store_curtailed = np.minimum(unsaleable, house.charge_kwh)
    saleable_surplus = np.minimum(house.surplus, house.export_kwh)
    store = np.minimum(saleable_surplus, house.charge_kwh - store_curtailed)
    charge_room = house.charge_kwh - (store + store_curtailed)
    room = np.minimum(charge_room, house.import_kwh - house.deficit)
    buy = np.maximum(room, 0.0) * battery.charge_from_grid
    forced = np.minimum(np.maximum(house.deficit - house.import_kwh, 0.0), house.discharge_kwh)
    serve = np.minimum(house.deficit, house.discharge_kwh) - forced
    beyond_deficit = np.maximum(house.discharge_kwh - house.deficit, 0.0)
    export_room = np.maximum(house.export_kwh - house.surplus * ~displaces_first, 0.0)
    saleable = export_room * battery.discharge_to_grid
    first = np.where(displaces_first, displaceable, saleable)
    first_out = np.minimum(beyond_deficit, first)
    second = np.where(displaces_first, saleable, displaceable)
    second_out = np.minimum(beyond_deficit - first_out, second)
    length = np.empty((*house.deficit.shape, KINDS))
    length[..., BUY] = buy * battery.charge_efficiency
    length[..., STORE] = store * battery.charge_efficiency
    length[..., STORE_CURTAILED] = store_curtailed * battery.charge_efficiency
    length[..., SERVE_FORCED] = forced / battery.discharge_efficiency
    length[..., SERVE] = serve / battery.discharge_efficiency
    length[..., FIRST_OUT] = first_out / battery.discharge_efficiency
    length[..., SECOND_OUT] = second_out / battery.discharge_efficiency
    return length


def problem_segments(problem: Problem, direction: Direction | None = None) -> Segments:
    """Return the segments of the expected scenario.

    ``direction`` (default: the problem's) is one path of flow directions, or several.
    """
    outlook = problem.outlook
    direction = direction or problem.direction
    load_kwh = outlook.load_kwh
    pv_kwh = outlook.pv_kwh
    if direction is not None:
        load_kwh = broadcast(load_kwh, direction.may_import.shape)
        pv_kwh = broadcast(pv_kwh, direction.may_import.shape)
    scenario, bounds = _describe_slots(problem, (load_kwh, pv_kwh), problem.import_limit_kwh)
    return slot_segments(problem.site, scenario, bounds=bounds, direction=direction)


def offer_scenarios(
    problem: Problem, scenarios: ScenarioSet, direction: Direction | None
) -> Segments:
    """Return segments of the expected scenario and all scenarios, ``(scenarios + 1, slots, 7)``.

    A peak limit of the expected scenario is raised to a scenario's own net load where that exceeds
    it.
    """
    outlook = problem.outlook
    energies = (
        np.vstack([outlook.load_kwh, scenarios.load_kwh]),
        np.vstack([outlook.pv_kwh, scenarios.pv_kwh]),
    )
    limit_kwh = np.vstack([problem.import_limit_kwh, _widen_limit(problem, scenarios)])
    scenario, bounds = _describe_slots(problem, energies, limit_kwh)
    change = scenarios.price_change
    if change is not None:
        as_expected = np.zeros((1, outlook.load_kwh.size))
        scenario = replace(
            scenario,
            import_price=outlook.import_price + np.vstack([as_expected, change.import_price]),
            export_price=outlook.export_price + np.vstack([as_expected, change.export_price]),
        )
    return slot_segments(problem.site, scenario, bounds=bounds, direction=direction)


def offer_lengths(
    problem: Problem, scenarios: ScenarioSet, direction: Direction | None
) -> tuple[FloatArray, FloatArray]:
    """Return lengths and values of the scenarios' segments, both ``(scenarios, slots, 7)``."""
    scenario, bounds = _describe_slots(
        problem, (scenarios.load_kwh, scenarios.pv_kwh), _widen_limit(problem, scenarios)
    )
    offer = _Offer.of(problem.site, scenario, bounds=bounds, direction=direction)
    return offer.length, offer.value


def _widen_limit(problem: Problem, scenarios: ScenarioSet) -> FloatArray:
    net_load_kwh = np.minimum(scenarios.load_kwh - scenarios.pv_kwh, problem.connection_limit_kwh)
    return np.maximum(problem.import_limit_kwh, net_load_kwh)


def _describe_slots(
    problem: Problem, energies: tuple[FloatArray, FloatArray], import_limit_kwh: FloatArray
) -> tuple[SlotCourse, SlotBounds]:
    outlook = problem.outlook
    scenario = SlotCourse(
        *energies, outlook.import_price, outlook.export_price, outlook.timeline.hours
    )
    return scenario, SlotBounds(
        import_limit_kwh,
        problem.export_limit_kwh,
        problem.storage.give_limit_kwh,
        problem.limits.inverters,
    )
