"""Add the columns and rows of vehicles to the mixed-integer model.

They are those of charging sessions, minimums, and the energy missing at departure.
"""

from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import PIN_SLACK, LoadPricing, RangedUse
from services.planner.devices.vehicle.choices import (
    add_choice,
    add_runs,
    read_ranges,
    require_start,
)
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.linear.model import Indices, ModelBuilder, Term

# Price of a kWh missing of a minimum, as a multiple of the dearest price: below that of a departure
# target, equal to that of a load.
MINIMUM_SLACK = 60.0
# Price of a kWh that a vehicle is short of full because its least power would overfill it, as a
# multiple of the dearest price: more than any kWh is worth.
SHORT_SLACK = 2.0
# Price of a kWh missing at a departure, as a multiple of the dearest price: dearer than any trade,
# cheaper than the connection's limits.
DEPARTURE_SLACK = 80.0
_SAME_KWH = 1e-9
# Cost per kWh and slot of waiting: of equal slots the earliest is taken, and the same ones each
# time. Over two days less than 1e-5 in all.
_TIE = 1e-8


@dataclass(frozen=True, slots=True)
class VehicleColumns:
    """A vehicle's columns in the model.

    Args:
        charge: energy charged per slot, ``(slots,)``.
        give: energy given per slot, ``(slots,)``; empty where it never may give.
        choosable: the slots in which it may charge.
        on: binaries per choosable slot: whether it charges, then whether in its higher range; empty
            where it charges with any power and no rule depends on whether it does.
        missing: the energy that each stay lacks at its end.
        ranged: its ranges of power.
    """

    charge: Indices
    give: Indices
    choosable: IndexArray
    on: tuple[Indices, ...]
    missing: Indices
    ranged: RangedUse | None


def add_vehicle(builder: ModelBuilder, demand: VehicleDemand, ahead: LoadPricing) -> VehicleColumns:
    """Add a vehicle with its stays."""
    most = _most_charge_kwh(demand, ahead)
    waiting_cost = _TIE * np.arange(most.size, dtype=np.float64)
    charge = builder.add_columns(most.size, cost=waiting_cost, upper=most)
    choosable = np.flatnonzero(most > 0)
    on: tuple[Indices, ...] = ()
    starts: tuple[Indices, ...] = ()
    if _needs_binaries(demand):
        on = add_choice(builder, demand, charge[choosable], (choosable, most[choosable]))
        starts = add_runs(builder, demand, on, choosable)
    give = _add_giving(builder, demand, ahead, on=on, choosable=choosable)
    missing = []
    nothing = charge[:0]
    stored = nothing
    for stay in demand.stays:
        before = stored if stay.arrival_kwh is None else nothing
        if stay.gives or find_bound(demand, stay).size:
            stay_stored = _add_slots(builder, (demand, stay), charge, give, before=before)
        else:
            stay_stored = _add_stay(builder, (demand, stay), charge, before=before)
        add_minimum(
            builder,
            (demand, stay),
            (charge, most),
            stored=(before, stay_stored),
            dearest=ahead.dearest,
        )
        stored = stay_stored[-1:]
        efficiency = demand.vehicle.charge_efficiency
        stay_missing = _add_target(builder, stay, stored, ahead, efficiency=efficiency)
        require_start(builder, demand, stay, starts=starts, slots=(choosable, stay_missing))
        missing.append(stay_missing)
    return VehicleColumns(
        charge,
        give,
        choosable,
        on,
        np.concatenate([*missing, nothing]),
        read_ranges(demand, (on, starts), choosable, most),
    )


def _needs_binaries(demand: VehicleDemand) -> bool:
    """Return whether any rule depends on whether the vehicle charges at all."""
    vehicle = demand.vehicle
    has_least_power = vehicle.power_ranges[0][0] > 0 or len(vehicle.power_ranges) > 1
    has_runs = vehicle.start_price > 0 or vehicle.min_run_minutes > 0
    if has_least_power or has_runs or vehicle.from_battery == "never":
        return True
    return any(stay.gives or stay.surplus_only for stay in demand.stays)


def _most_charge_kwh(demand: VehicleDemand, ahead: LoadPricing) -> FloatArray:
    """Return each slot's largest charge; 0 where that is less than the least power gives."""
    vehicle = demand.vehicle
    hours = demand.plugged_hours
    most = np.zeros(hours.size)
    for stay in demand.stays:
        slots = slice(stay.first, stay.end)
        lowest = stay.left_least_kwh if stay.gives else stay.least_kwh
        room_kwh = (stay.most_kwh - lowest) / vehicle.charge_efficiency
        most[slots] = np.minimum(vehicle.most_charge_kw * hours[slots], room_kwh)
        if stay.surplus_only:
            allowed = np.maximum(ahead.surplus_kwh, demand.least_charge_kwh)
            most[slots] = np.minimum(most[slots], allowed[slots])
    most = np.where(demand.pinned, np.minimum(most, demand.least_charge_kwh), most)
    return np.where(most >= vehicle.power_ranges[0][0] * hours - 1e-9, most, 0.0)


def _add_giving(
    builder: ModelBuilder,
    demand: VehicleDemand,
    ahead: LoadPricing,
    *,
    on: tuple[Indices, ...],
    choosable: IndexArray,
) -> Indices:
    """Let the vehicle supply a lack of energy in slots without charging."""
    gives = demand.slots_of("gives")
    if not gives.any():
        return np.zeros(0, dtype=np.int32)
    vehicle = demand.vehicle
    most_given = vehicle.discharge_limit_kw * demand.plugged_hours * gives * (ahead.deficit_kwh > 0)
    give = builder.add_columns(most_given.size, cost=vehicle.wear_price, upper=most_given)
    given = most_given[choosable]
    # rows give[t] <= most_given[t] * (1 - on[t])
    terms: list[Term] = [(give[choosable], 1.0)]
    if on:
        terms.append((on[0], given))
    builder.add_rows(np.full(given.size, -np.inf), given, terms)
    return give


# --- stays: stored energy, targets and minimums


def _add_stay(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: Indices,
    *,
    before: Indices,
) -> Indices:
    """Add the energy stored at the end of a stay that only charges.

    ``before`` is the energy left by the stay before, empty where that does not count.
    """
    demand, stay = session
    stored = builder.add_columns(1, cost=0.0, upper=stay.most_kwh)
    arrives = stay.arrival_kwh or 0.0
    # rows stored == arrives + before + efficiency * sum(charge)
    terms: list[Term] = [
        (stored, 1.0),
        (before, -1.0),
        (charge[stay.first : stay.end], -demand.vehicle.charge_efficiency),
    ]
    builder.add_sum(arrives, arrives, terms)
    return stored


def _add_slots(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: Indices,
    give: Indices,
    *,
    before: Indices,
) -> Indices:
    """Add the stored energy of every slot of a stay, above the reserve where it may give."""
    demand, stay = session
    if stay.first == stay.end:
        return _add_stay(builder, session, charge, before=before)
    slots = slice(stay.first, stay.end)
    stored = builder.add_columns(
        stay.end - stay.first,
        cost=0.0,
        lower=stay.reserve_kwh if stay.gives else 0.0,
        upper=stay.most_kwh,
    )
    begin = np.zeros(stored.size)
    begin[0] = stay.arrival_kwh or 0.0
    # rows stored[t] == begin[t] + stored[t-1] + efficiency * charge[t] - give[t] / efficiency
    terms: list[Term] = [
        (stored, 1.0),
        (stored[:-1], -1.0),
        (charge[slots], -demand.vehicle.charge_efficiency),
    ]
    if stay.gives:
        terms.append((give[slots], 1.0 / demand.vehicle.discharge_efficiency))
    rows = builder.add_rows(begin, begin, terms)
    builder.add_entries(rows[: before.size], before, -1.0)
    return stored


def _add_target(
    builder: ModelBuilder,
    stay: ChargingSession,
    stored: Indices,
    ahead: LoadPricing,
    *,
    efficiency: float,
) -> Indices:
    """Require the energy at the stay's end, and return the column of its missing part.

    The missing part has a price, energy beyond the target a value.
    """
    missing = builder.add_columns(1, cost=DEPARTURE_SLACK * ahead.dearest, upper=stay.target_kwh)
    worth = ahead.left_price if stay.extra_value is None else stay.extra_value
    later_price = max(ahead.mean_price, 0.0) / efficiency
    if stay.open:
        worth = min(worth, later_price)
    # Energy beyond the target counts without a bound where its value is negative.
    most_beyond = stay.worth_to_kwh - stay.worth_from_kwh if worth >= 0 else np.inf
    beyond = builder.add_columns(1, cost=-worth, upper=most_beyond)
    if worth < 0:
        # rows stored - beyond <= worth_from
        builder.add_sum(-np.inf, stay.worth_from_kwh, [(stored, 1.0), (beyond, -1.0)])
    # rows stored + missing >= required
    builder.add_sum(stay.required_kwh, np.inf, [(stored, 1.0), (missing, 1.0)])
    # Energy left for after the horizon will be bought at the mean price.
    later = builder.add_columns(1, cost=later_price, upper=stay.target_kwh if stay.open else 0.0)
    # rows stored + missing + later - beyond >= worth_from
    builder.add_sum(
        stay.worth_from_kwh, np.inf, [(stored, 1.0), (missing, 1.0), (later, 1.0), (beyond, -1.0)]
    )
    return missing


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
        charge: the vehicle's columns, and the most that each charges, ``(slots,)``.
        stored: the column of the energy left by the stay before, empty where the vehicle came with
            another charge, and those of the energy stored at the end of each of the stay's slots.
        dearest: the dearest price.
    """
    demand, stay = session
    slots = find_bound(demand, stay)
    if not slots.size:
        return
    charge_columns, most = charge
    before_stay, stored_in_stay = stored
    least = demand.least_charge_kwh[slots]
    inside = slots - stay.first
    unbound = np.full(slots.size, np.inf)
    slack = np.where(demand.pinned[slots], PIN_SLACK, MINIMUM_SLACK)
    missing = builder.add_columns(slots.size, cost=dearest * slack, upper=least)
    # rows charge[t] + missing[t] + least[t] * full_at_end[t] + least[t] * overfull[t] >= least[t]
    rows = builder.add_rows(least, unbound, [(charge_columns[slots], 1.0), (missing, 1.0)])
    begin = stay.most_kwh if stay.arrival_kwh is None else stay.arrival_kwh
    most_charged = np.concatenate([[0.0], np.cumsum(most[stay.first : stay.end])])
    reach = begin + most_charged * demand.vehicle.charge_efficiency
    full_at_end = _add_full(
        builder,
        stored_in_stay[inside],
        stay,
        full_kwh=stay.full_kwh - demand.gap_kwh[slots],
        reach_kwh=reach[inside + 1],
    )
    builder.add_entries(rows, full_at_end, least)
    before = np.concatenate([before_stay, stored_in_stay])[inside + before_stay.size - 1]
    has_before = inside + before_stay.size > 0
    later = np.flatnonzero(has_before & (demand.step_kwh[slots] > 0))
    step = demand.step_kwh[slots[later]]
    overfull = _add_full(
        builder, before[later], stay, full_kwh=stay.full_kwh - step, reach_kwh=reach[inside[later]]
    )
    builder.add_entries(rows[later], overfull, least[later])
    # A price on stopping just short of full, so that it is not done to save money.
    short = builder.add_columns(1, cost=SHORT_SLACK * dearest, upper=float(step.max(initial=0.0)))
    lowest = np.full(later.size, stay.left_least_kwh)
    # rows before[t] + short >= lowest + (full - lowest) * overfull[t]
    terms: list[Term] = [
        (before[later], 1.0),
        (overfull, lowest - stay.full_kwh),
        (np.repeat(short, later.size), 1.0),
    ]
    builder.add_rows(lowest, unbound[later], terms)


def find_bound(demand: VehicleDemand, stay: ChargingSession) -> IndexArray:
    """Return a stay's slots with a least charge, unless the vehicle arrives full."""
    slots = np.arange(stay.first, stay.end)
    comes_full = np.zeros(slots.size, dtype=bool)
    if stay.arrival_kwh is not None:
        overfilled = stay.arrival_kwh > stay.full_kwh - demand.step_kwh[slots]
        comes_full = (slots == stay.first) & overfilled
    has_room = stay.left_least_kwh < stay.full_kwh
    return slots[(demand.least_charge_kwh[slots] > 0) & has_room & ~comes_full]


def _add_full(
    builder: ModelBuilder,
    stored: Indices,
    stay: ChargingSession,
    *,
    full_kwh: FloatArray,
    reach_kwh: FloatArray,
) -> Indices:
    """Add a binary per column of stored energy: 0 where the vehicle cannot be full."""
    lowest = stay.left_least_kwh
    can_be_full = (reach_kwh >= full_kwh - _SAME_KWH).astype(float)
    full = builder.add_columns(stored.size, cost=0.0, upper=can_be_full, integer=True)
    # rows stored[t] >= lowest + (full_kwh[t] - lowest) * full[t]
    builder.add_rows(
        np.full(stored.size, lowest),
        np.full(stored.size, np.inf),
        [(stored, 1.0), (full, np.minimum(lowest - full_kwh, 0.0))],
    )
    return full
