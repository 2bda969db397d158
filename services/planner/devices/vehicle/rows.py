"""Vehicles in the mixed-integer model: charging sessions, least powers, runs, what is missing at
departure, and what may charge them.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import (
    PIN_SLACK,
    EnergyStay,
    LoadPricing,
    RangedUse,
    SurroundingColumns,
)
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.linear.model import IMPLIED, Indices, ModelBuilder, Term
from services.planner.linear.ranges import RangeRules

# Price of a kWh missing of a minimum, as a multiple of the dearest price: below that of a departure
# target, equal to that of a load.
MINIMUM_SLACK = 60.0
# What a kWh costs that a vehicle is short of full because its least power would overfill it: more
# than any kWh is worth.
SHORT_SLACK = 2.0
_SAME_KWH = 1e-9
# What waiting for a slot costs beside its price: equal slots are taken early, and the same ones
# each time. Over two days less than 1e-5 in all.
_TIE = 1e-8


def add_minimum(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: tuple[Indices, FloatArray],
    *,
    stored: tuple[Indices, Indices],
    dearest: float,
) -> None:
    """Add the minimum that a stay has to charge.

    Args:
        builder: of the model.
        session: the vehicle and one of its stays.
        charge: the vehicle's columns, and what each charges at most, ``(slots,)``.
        stored: what the stay before left, empty where the vehicle came with something else, and
            what is stored at the end of each of the stay's slots.
        dearest: the dearest price.
    """
    demand, stay = session
    slots = find_bound(demand, stay)
    if not slots.size:
        return
    least = demand.least_charge_kwh[slots]
    inside = slots - stay.first
    missing = builder.add_columns(
        slots.size,
        cost=dearest * np.where(demand.pinned[slots], PIN_SLACK, MINIMUM_SLACK),
        upper=least,
    )
    rows = builder.add_rows(
        least, np.full(slots.size, np.inf), [(charge[0][slots], 1.0), (missing, 1.0)]
    )
    begin = stay.most_kwh if stay.arrival_kwh is None else stay.arrival_kwh
    reach = (
        begin
        + np.concatenate([[0.0], np.cumsum(charge[1][stay.first : stay.end])])
        * demand.vehicle.charge_efficiency
    )
    ended = _add_ends(
        builder,
        stored[1][inside],
        stay,
        full_kwh=stay.full_kwh - demand.gap_kwh[slots],
        reach_kwh=reach[inside + 1],
    )
    builder.add_entries(rows, ended, least)
    before = np.concatenate([stored[0], stored[1]])[inside + stored[0].size - 1]
    later = np.flatnonzero((inside + stored[0].size > 0) & (demand.step_kwh[slots] > 0))
    step = demand.step_kwh[slots[later]]
    overfull = _add_ends(
        builder, before[later], stay, full_kwh=stay.full_kwh - step, reach_kwh=reach[inside[later]]
    )
    builder.add_entries(rows[later], overfull, least[later])
    # Nobody stops just short of full for the sake of the price.
    short = builder.add_columns(1, cost=SHORT_SLACK * dearest, upper=float(step.max(initial=0.0)))
    lowest = np.full(later.size, stay.left_least_kwh)
    builder.add_rows(
        lowest,
        np.full(later.size, np.inf),
        [
            (before[later], 1.0),
            (overfull, lowest - stay.full_kwh),
            (np.repeat(short, later.size), 1.0),
        ],
    )


def find_bound(demand: VehicleDemand, stay: ChargingSession) -> IndexArray:
    """Return the slots of a stay in which the vehicle has to charge, unless it is full by then."""
    slots = np.arange(stay.first, stay.end)
    comes_full = (
        slots == stay.first
        if stay.arrival_kwh is not None and stay.end > stay.first
        else np.zeros(slots.size, dtype=bool)
    )
    comes_full = comes_full & ((stay.arrival_kwh or 0.0) > stay.full_kwh - demand.step_kwh[slots])
    return slots[
        (demand.least_charge_kwh[slots] > 0) & (stay.left_least_kwh < stay.full_kwh) & ~comes_full
    ]


def _add_ends(
    builder: ModelBuilder,
    stored: Indices,
    stay: ChargingSession,
    *,
    full_kwh: FloatArray,
    reach_kwh: FloatArray,
) -> Indices:
    """Add a binary per column of what is stored that says that the vehicle is full.

    None where it cannot be yet.
    """
    lowest = stay.left_least_kwh
    full = builder.add_columns(
        stored.size, cost=0.0, upper=(reach_kwh >= full_kwh - _SAME_KWH).astype(float), integer=True
    )
    builder.add_rows(
        np.full(stored.size, lowest),
        np.full(stored.size, np.inf),
        [(stored, 1.0), (full, np.minimum(lowest - full_kwh, 0.0))],
    )
    return full


def add_choice(
    builder: ModelBuilder,
    demand: VehicleDemand,
    charge: Indices,
    slots: tuple[IndexArray, FloatArray],
) -> tuple[Indices, ...]:
    """Let the vehicle charge within one of its ranges or not at all.

    Args:
        builder: of the model.
        demand: whose vehicle charges.
        charge: the columns of the slots in which it may charge.
        slots: these slots, and what each charges at most, kWh.

    Returns:
        A ladder of binaries per slot: whether it charges at all, then whether in the higher range.
    """
    choosable, most = slots
    count = choosable.size
    low, high = range_bounds(demand, choosable, most)
    on = tuple(
        builder.add_columns(count, cost=0.0, upper=possible.astype(float), integer=True)
        for possible in low <= high + 1e-9
    )
    steps = [np.diff(bound, axis=0, prepend=np.zeros((1, count))) for bound in (low, high)]
    nothing = np.zeros(count)
    unbound = np.full(count, np.inf)
    builder.add_rows(
        nothing,
        unbound,
        [(charge, 1.0), *((each, -step) for each, step in zip(on, steps[0], strict=True))],
    )
    builder.add_rows(
        -unbound,
        nothing,
        [(charge, 1.0), *((each, -step) for each, step in zip(on, steps[1], strict=True))],
    )
    for rung, higher in pairwise(on):
        builder.add_rows(-unbound, nothing, [(higher, 1.0), (rung, -1.0)])
    return on


def range_bounds(
    demand: VehicleDemand, choosable: IndexArray, most: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and highest charge of each range of power in each slot, ``(ranges, slots)``
    both, kWh.
    """
    hours = demand.plugged_hours[choosable]
    lowest_kw, highest_kw = np.array(demand.vehicle.power_ranges).T
    return lowest_kw[:, None] * hours, np.minimum(highest_kw[:, None] * hours, most)


def shortest_run(demand: VehicleDemand) -> int:
    """Return the shortest run in slots, at least one."""
    hours = float(demand.plugged_hours.max(initial=1e-9))
    return max(int(np.ceil(demand.vehicle.min_run_minutes / 60 / hours - 1e-9)), 1)


def add_runs(
    builder: ModelBuilder, demand: VehicleDemand, on: tuple[Indices, ...], choosable: IndexArray
) -> tuple[Indices, ...]:
    """Price every start, and let what has started go on for its shortest run.

    Only where it may not charge any more a run ends sooner.

    Source: Rajan and Takriti (2005): with starts as variables of their own, these rows describe the
    convex hull of runs.

    Returns:
        The starts within each range; none where nothing asks for them.
    """
    vehicle = demand.vehicle
    count = choosable.size
    run = shortest_run(demand)
    if count == 0 or (run < 2 and vehicle.start_price == 0):
        return ()
    follows = _follows(choosable)
    goes_on = _goes_on(demand, choosable)
    block = np.cumsum(~follows)
    later = np.flatnonzero(follows)
    starts_each = []
    for place in range(len(on)):
        # Within a range it is where the ladder ends on its rung.
        within: list[Term] = [
            (each, sign) for each, sign in zip(on[place : place + 2], (1.0, -1.0), strict=False)
        ]
        starts = builder.add_columns(
            count, cost=vehicle.start_price, upper=1.0 - goes_on, integer=IMPLIED
        )
        rows = builder.add_rows(np.full(count, -np.inf), goes_on, [*within, (starts, -1.0)])
        for each, sign in within:
            builder.add_entries(rows[later], each[later - 1], -np.asarray(sign))
        if run > 1:
            slots = np.arange(count)
            first = np.maximum(slots - run + 1, np.searchsorted(block, block))
            # sum of starts[first ... slot] <= within[slot]
            rows = builder.add_windows(-np.inf, 0.0, starts, (first, slots + 1))
            for each, sign in within:
                builder.add_entries(rows, each, -np.asarray(sign))
        starts_each.append(starts)
    return tuple(starts_each)


def require_start(
    builder: ModelBuilder,
    demand: VehicleDemand,
    stay: ChargingSession,
    *,
    starts: tuple[Indices, ...],
    slots: tuple[IndexArray, Indices],
) -> None:
    """Say what follows for whole starts but not for shares of them: a stay that needs energy starts
    once, or lacks it.

    Args:
        builder: of the model.
        demand: whose vehicle charges.
        stay: within it.
        starts: of the vehicle, in the slots in which it may charge.
        slots: these slots, and the column of what the stay lacks.
    """
    choosable, missing = slots
    inside = np.flatnonzero((choosable >= stay.first) & (choosable < stay.end))
    need = stay.required_kwh - (stay.required_kwh if stay.arrival_kwh is None else stay.arrival_kwh)
    if not starts or not inside.size or need <= 1e-3:
        return
    if not (_follows(choosable) | (_goes_on(demand, choosable) > 0))[inside[0]]:
        builder.add_sum(
            1.0, np.inf, [*((each[inside], 1.0) for each in starts), (missing, 1.0 / need)]
        )


def _follows(choosable: IndexArray) -> BoolArray:
    return np.append(np.zeros(1, dtype=bool), np.diff(choosable) == 1)[: choosable.size]


def _goes_on(demand: VehicleDemand, choosable: IndexArray) -> FloatArray:
    return np.asarray((choosable == 0) * float(demand.charging))


# What a kWh costs that is missing when a vehicle leaves, as a multiple of the dearest price: dearer
# than any trade, cheaper than the connection's limits.
DEPARTURE_SLACK = 80.0


@dataclass(frozen=True, slots=True)
class VehicleColumns:
    """Where a vehicle stands in the model: charging and giving per slot (``(slots,)``; giving is
    empty where it never may).

    ``on`` says whether it charges in the slots ``choosable``, and then whether in its higher range;
    it is empty where the vehicle charges with any power and nobody asks whether it does.
    ``missing`` is what each stay lacks at its end, ``ranged`` its ranges of power.
    """

    charge: Indices
    give: Indices
    choosable: IndexArray
    on: tuple[Indices, ...]
    missing: Indices
    ranged: RangedUse | None


def add_vehicle(builder: ModelBuilder, demand: VehicleDemand, ahead: LoadPricing) -> VehicleColumns:
    """Add a vehicle with its stays."""
    vehicle = demand.vehicle
    most = _most_charge_kwh(demand, ahead)
    charge = builder.add_columns(
        most.size, cost=_TIE * np.arange(most.size, dtype=np.float64), upper=most
    )
    choosable = np.flatnonzero(most > 0)
    chooses_power = (
        vehicle.power_ranges[0][0] > 0
        or len(vehicle.power_ranges) > 1
        or vehicle.start_price > 0
        or vehicle.min_run_minutes > 0
    )
    chooses = (
        chooses_power
        or vehicle.from_battery == "never"
        or any(stay.gives or stay.surplus_only for stay in demand.stays)
    )
    on = (
        add_choice(builder, demand, charge[choosable], (choosable, most[choosable]))
        if chooses
        else ()
    )
    starts = add_runs(builder, demand, on, choosable) if on else ()
    give = charge[:0]
    gives = demand.slots_of("gives")
    if gives.any():
        # It may supply a house that lacks energy, in slots in which it does not charge.
        most_given = (
            vehicle.discharge_limit_kw * demand.plugged_hours * gives * (ahead.deficit_kwh > 0)
        )
        give = builder.add_columns(most.size, cost=vehicle.wear_price, upper=most_given)
        given = most_given[choosable]
        builder.add_rows(
            np.full(given.size, -np.inf),
            given,
            [(give[choosable], 1.0), *((each, given) for each in on[:1])],
        )
    missing = []
    stored = charge[:0]
    for stay in demand.stays:
        before = stored if stay.arrival_kwh is None else charge[:0]
        bound = find_bound(demand, stay).size > 0
        stay_stored = (
            _add_slots(builder, (demand, stay), charge, give, before=before)
            if stay.gives or bound
            else _add_stay(builder, (demand, stay), charge, before=before)
        )
        add_minimum(
            builder,
            (demand, stay),
            (charge, most),
            stored=(before, stay_stored),
            dearest=ahead.dearest,
        )
        stored = stay_stored[-1:]
        missing.append(_want(builder, stay, stored, ahead, efficiency=vehicle.charge_efficiency))
        require_start(builder, demand, stay, starts=starts, slots=(choosable, missing[-1]))
    return VehicleColumns(
        charge,
        give,
        choosable,
        on,
        np.concatenate([*missing, charge[:0]]),
        _read_ranges(demand, (on, starts), choosable, most),
    )


def _read_ranges(
    demand: VehicleDemand,
    binaries: tuple[tuple[Indices, ...], tuple[Indices, ...]],
    choosable: IndexArray,
    most: FloatArray,
) -> RangedUse | None:
    """Return the vehicle's ranges of power, None where nobody chooses one.

    ``binaries`` are the ladder of its choice and its starts.
    """
    on, starts = binaries
    if not on or not choosable.size:
        return None
    low, high = range_bounds(demand, choosable, most[choosable])
    vehicle = demand.vehicle
    rules = RangeRules(
        ~_follows(choosable),
        shortest_run(demand),
        vehicle.start_price,
        goes_on=bool(_goes_on(demand, choosable)[0]),
    )
    stays = tuple(
        EnergyStay(stay.first, stay.end, stay.arrival_kwh, stay.required_kwh, stay.most_kwh)
        for stay in demand.stays
    )
    return RangedUse(
        choosable,
        np.array(on),
        np.concatenate([*starts, on[0][:0]]),
        low,
        high,
        rules,
        stays,
        vehicle.charge_efficiency,
    )


def _most_charge_kwh(demand: VehicleDemand, ahead: LoadPricing) -> FloatArray:
    """Return each slot's largest charge; 0 where that is less than the least power gives."""
    vehicle = demand.vehicle
    hours = demand.plugged_hours
    most = np.zeros(hours.size)
    for stay in demand.stays:
        slots = slice(stay.first, stay.end)
        lowest = stay.left_least_kwh if stay.gives else stay.least_kwh
        most[slots] = np.minimum(
            vehicle.most_charge_kw * hours[slots],
            (stay.most_kwh - lowest) / vehicle.charge_efficiency,
        )
        if stay.surplus_only:
            most[slots] = np.minimum(
                most[slots], np.maximum(ahead.surplus_kwh, demand.least_charge_kwh)[slots]
            )
    most = np.where(demand.pinned, np.minimum(most, demand.least_charge_kwh), most)
    return np.where(most >= vehicle.power_ranges[0][0] * hours - 1e-9, most, 0.0)


def _add_stay(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: Indices,
    *,
    before: Indices,
) -> Indices:
    """Add what is stored at the end of a stay that only charges.

    ``before`` is what the stay before left, empty where that does not count.
    """
    demand, stay = session
    stored = builder.add_columns(1, cost=0.0, upper=stay.most_kwh)
    arrives = stay.arrival_kwh or 0.0
    builder.add_sum(
        arrives,
        arrives,
        [
            (stored, 1.0),
            (before, -1.0),
            (charge[stay.first : stay.end], -demand.vehicle.charge_efficiency),
        ],
    )
    return stored


def _add_slots(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: Indices,
    give: Indices,
    *,
    before: Indices,
) -> Indices:
    """Add what is stored in every slot of a stay: never less than the reserve where it also
    gives.
    """
    demand, stay = session
    slots = slice(session[1].first, session[1].end)
    if stay.first == stay.end:
        return _add_stay(builder, session, charge, before=before)
    stored = builder.add_columns(
        stay.end - stay.first,
        cost=0.0,
        lower=stay.reserve_kwh if stay.gives else 0.0,
        upper=stay.most_kwh,
    )
    begin = np.zeros(stored.size)
    begin[0] = stay.arrival_kwh or 0.0
    discharge = [(give[slots], 1.0 / demand.vehicle.discharge_efficiency)] if stay.gives else []
    rows = builder.add_rows(
        begin,
        begin,
        [
            (stored, 1.0),
            (stored[:-1], -1.0),
            (charge[slots], -demand.vehicle.charge_efficiency),
            *discharge,
        ],
    )
    builder.add_entries(rows[: before.size], before, -1.0)
    return stored


def _want(
    builder: ModelBuilder,
    stay: ChargingSession,
    stored: Indices,
    ahead: LoadPricing,
    *,
    efficiency: float,
) -> Indices:
    """Require the energy at the stay's end, with a price on the missing part and a value on energy
    beyond it.
    """
    missing = builder.add_columns(1, cost=DEPARTURE_SLACK * ahead.dearest, upper=stay.target_kwh)
    extra_value = ahead.left_price if stay.extra_value is None else stay.extra_value
    later_price = max(ahead.mean_price, 0.0) / efficiency
    worth = min(extra_value, later_price) if stay.open else extra_value
    # What is worth less than nothing counts all the same, however much it is.
    beyond = builder.add_columns(
        1, cost=-worth, upper=stay.worth_to_kwh - stay.worth_from_kwh if worth >= 0 else np.inf
    )
    if worth < 0:
        builder.add_sum(-np.inf, stay.worth_from_kwh, [(stored, 1.0), (beyond, -1.0)])
    builder.add_sum(stay.required_kwh, np.inf, [(stored, 1.0), (missing, 1.0)])
    # What is left for after the horizon will be bought at what a kWh costs on the average.
    later = builder.add_columns(1, cost=later_price, upper=stay.target_kwh if stay.open else 0.0)
    builder.add_sum(
        stay.worth_from_kwh, np.inf, [(stored, 1.0), (missing, 1.0), (later, 1.0), (beyond, -1.0)]
    )
    return missing


# --- what a vehicle may be charged from: nothing but PV surplus, or anything but the house's batter
# Both are judged at the site's meter per slot, as what batteries may take and give. Source:
# docs/decisions/0005, 0031.


_NOTHING_KWH = 1e-6


def add_sources(
    demand: VehicleDemand, columns: VehicleColumns, builder: ModelBuilder, site: SurroundingColumns
) -> None:
    """Add what a vehicle that charges from surplus leaves to everything else, and what batteries
    may give while it charges.
    """
    batteries = site.batteries
    if demand.slots_of("surplus_only").any():
        stored = [
            *((each, 1.0) for each in batteries[:, 0]),
            *((each, -1.0) for each in site.direct),
        ]
        _leave_surplus(
            builder,
            site,
            (demand, columns),
            [*site.others(columns.charge), (site.curtailed, 1.0), *stored],
        )
    if demand.vehicle.from_battery == "never" and batteries.size:
        fed: list[Term] = [
            (each.use, -np.asarray(each.kwh))
            for each in site.placed
            if each.storage is None or each.storage.from_batteries
        ]
        # While the vehicle charges, batteries give nothing: what an inverter gives that sees the
        # meter alone goes to the vehicle when the house takes less.
        gives = batteries[:, 1]
        slots = columns.choosable
        most = sum((_upper(builder, each[slots]) for each in gives), np.zeros(slots.size))
        builder.add_rows(
            np.full(slots.size, -np.inf),
            most,
            [*((each[slots], 1.0) for each in gives), *((each, most) for each in columns.on[:1])],
        )
        # This follows for whole choices but not for shares of them: what batteries give beyond the
        # house goes to the grid or into one another.
        slots = slots[site.net_kwh[slots] >= 0]
        takers: list[Term] = [
            *fed,
            *((each, -1.0) for each in (site.sold, site.curtailed, *batteries[:, 0])),
        ]
        terms = [
            (each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots])
            for each, factor in takers
        ]
        builder.add_rows(
            np.full(slots.size, -np.inf),
            site.net_kwh[slots],
            [*((each[slots], 1.0) for each in gives), *terms],
        )


def _leave_surplus(
    builder: ModelBuilder,
    site: SurroundingColumns,
    car: tuple[VehicleDemand, VehicleColumns],
    takers: list[Term],
) -> None:
    """While the vehicle charges, all that takes energy takes no more than the surplus: nothing is
    imported for it, and no battery serves it.

    What it has to charge comes from anything; a binary says that it charges more.
    """
    demand, columns = car
    surplus = np.maximum(-site.net_kwh, 0.0)
    least = demand.least_charge_kwh[columns.choosable]
    where = np.flatnonzero(
        (demand.slots_of("surplus_only")[columns.choosable] > 0)
        & (_upper(builder, columns.charge[columns.choosable]) > least + _NOTHING_KWH)
    )
    slots = columns.choosable[where]
    least = least[where]
    charges = columns.on[0][where]
    bound = np.flatnonzero(least > 0)
    if bound.size:
        more = builder.add_columns(bound.size, cost=0.0, upper=1.0, integer=True)
        charge = columns.charge[slots[bound]]
        builder.add_rows(
            np.full(bound.size, -np.inf),
            least[bound],
            [(charge, 1.0), (more, least[bound] - _upper(builder, charge))],
        )
        charges = charges.copy()
        charges[bound] = more
    terms = [
        (charge[slots], np.broadcast_to(factor, charge.shape)[slots]) for charge, factor in takers
    ]
    most = sum(
        (_upper(builder, charge) * np.maximum(factor, 0.0) for charge, factor in terms),
        np.zeros(slots.size),
    )
    room = np.maximum(most + _upper(builder, columns.charge[slots]) - surplus[slots], 0.0)
    builder.add_rows(
        np.full(slots.size, -np.inf),
        surplus[slots] + room,
        [(columns.charge[slots], 1.0), *terms, (charges, room)],
    )


def _upper(builder: ModelBuilder, columns: Indices) -> FloatArray:
    return np.concatenate(builder.upper)[columns]
