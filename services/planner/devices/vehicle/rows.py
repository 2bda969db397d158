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
        missing: the energy that each session lacks at its end.
        ranged: its ranges of power.
    """

    charge: Indices
    give: Indices
    choosable: IndexArray
    on: tuple[Indices, ...]
    missing: Indices
    ranged: RangedUse | None


def add_vehicle(builder: ModelBuilder, demand: VehicleDemand, ahead: LoadPricing) -> VehicleColumns:
    """Add a vehicle with its sessions."""
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
    for session in demand.sessions:
        before = stored if session.arrival_kwh is None else nothing
        if session.gives or find_bound(demand, session).size:
            session_stored = _add_slots(builder, (demand, session), charge, give, before=before)
        else:
            session_stored = _plan_departure(builder, (demand, session), charge, before=before)
        add_minimum(
            builder,
            (demand, session),
            (charge, most),
            stored=(before, session_stored),
            dearest=ahead.dearest,
        )
        stored = session_stored[-1:]
        efficiency = demand.vehicle.charge_efficiency
        session_missing = _add_target(builder, session, stored, ahead, efficiency=efficiency)
        require_start(builder, demand, session, starts=starts, slots=(choosable, session_missing))
        missing.append(session_missing)
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
    return any(session.gives or session.surplus_only for session in demand.sessions)


def _most_charge_kwh(demand: VehicleDemand, ahead: LoadPricing) -> FloatArray:
    """Return each slot's largest charge; 0 where that is less than the least power gives."""
    vehicle = demand.vehicle
    hours = demand.plugged_hours
    most = np.zeros(hours.size)
    for session in demand.sessions:
        slots = slice(session.first, session.end)
        lowest = session.left_least_kwh if session.gives else session.least_kwh
        room_kwh = (session.most_kwh - lowest) / vehicle.charge_efficiency
        most[slots] = np.minimum(vehicle.most_charge_kw * hours[slots], room_kwh)
        if session.surplus_only:
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


# --- sessions: stored energy, targets and minimums


def _plan_departure(
    builder: ModelBuilder,
    session: tuple[VehicleDemand, ChargingSession],
    charge: Indices,
    *,
    before: Indices,
) -> Indices:
    """Add the energy stored at the end of a session that only charges.

    ``before`` is the energy left by the session before, empty where that does not count.
    """
    demand, charging_session = session
    stored = builder.add_columns(1, cost=0.0, upper=charging_session.most_kwh)
    arrives = charging_session.arrival_kwh or 0.0
    # rows stored == arrives + before + efficiency * sum(charge)
    terms: list[Term] = [
        (stored, 1.0),
        (before, -1.0),
        (charge[charging_session.first : charging_session.end], -demand.vehicle.charge_efficiency),
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
    """Add the stored energy of every slot of a session, above the reserve where it may give."""
    demand, charging_session = session
    if charging_session.first == charging_session.end:
        return _plan_departure(builder, session, charge, before=before)
    slots = slice(charging_session.first, charging_session.end)
    stored = builder.add_columns(
        charging_session.end - charging_session.first,
        cost=0.0,
        lower=charging_session.reserve_kwh if charging_session.gives else 0.0,
        upper=charging_session.most_kwh,
    )
    begin = np.zeros(stored.size)
    begin[0] = charging_session.arrival_kwh or 0.0
    # rows stored[t] == begin[t] + stored[t-1] + efficiency * charge[t] - give[t] / efficiency
    terms: list[Term] = [
        (stored, 1.0),
        (stored[:-1], -1.0),
        (charge[slots], -demand.vehicle.charge_efficiency),
    ]
    if charging_session.gives:
        terms.append((give[slots], 1.0 / demand.vehicle.discharge_efficiency))
    rows = builder.add_rows(begin, begin, terms)
    builder.add_entries(rows[: before.size], before, -1.0)
    return stored


def _add_target(
    builder: ModelBuilder,
    session: ChargingSession,
    stored: Indices,
    ahead: LoadPricing,
    *,
    efficiency: float,
) -> Indices:
    """Require the energy at the session's end, and return the column of its missing part.

    The missing part has a price, energy beyond the target a value.
    """
    missing = builder.add_columns(1, cost=DEPARTURE_SLACK * ahead.dearest, upper=session.target_kwh)
    worth = ahead.left_price if session.extra_value is None else session.extra_value
    later_price = max(ahead.mean_price, 0.0) / efficiency
    if session.open:
        worth = min(worth, later_price)
    # Energy beyond the target counts without a bound where its value is negative.
    most_beyond = session.worth_to_kwh - session.worth_from_kwh if worth >= 0 else np.inf
    beyond = builder.add_columns(1, cost=-worth, upper=most_beyond)
    if worth < 0:
        # rows stored - beyond <= worth_from
        builder.add_sum(-np.inf, session.worth_from_kwh, [(stored, 1.0), (beyond, -1.0)])
    # rows stored + missing >= required
    builder.add_sum(session.required_kwh, np.inf, [(stored, 1.0), (missing, 1.0)])
    # Energy left for after the horizon will be bought at the mean price.
    later = builder.add_columns(
        1, cost=later_price, upper=session.target_kwh if session.open else 0.0
    )
    # rows stored + missing + later - beyond >= worth_from
    builder.add_sum(
        session.worth_from_kwh,
        np.inf,
        [(stored, 1.0), (missing, 1.0), (later, 1.0), (beyond, -1.0)],
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
    """Add the minimum that a session has to charge.

    Args:
        builder: of the model.
        session: the vehicle and one of its sessions.
        charge: the vehicle's columns, and the most that each charges, ``(slots,)``.
        stored: the column of the energy left by the session before, empty where the vehicle came
        with
            another charge, and those of the energy stored at the end of each of the session's
            slots.
        dearest: the dearest price.
    """
    demand, charging_session = session
    slots = find_bound(demand, charging_session)
    if not slots.size:
        return
    charge_columns, most = charge
    before_session, stored_in_session = stored
    least = demand.least_charge_kwh[slots]
    inside = slots - charging_session.first
    unbound = np.full(slots.size, np.inf)
    slack = np.where(demand.pinned[slots], PIN_SLACK, MINIMUM_SLACK)
    missing = builder.add_columns(slots.size, cost=dearest * slack, upper=least)
    # rows charge[t] + missing[t] + least[t] * full_at_end[t] + least[t] * overfull[t] >= least[t]
    rows = builder.add_rows(least, unbound, [(charge_columns[slots], 1.0), (missing, 1.0)])
    begin = (
        charging_session.most_kwh
        if charging_session.arrival_kwh is None
        else charging_session.arrival_kwh
    )
    most_charged = np.concatenate(
        [[0.0], np.cumsum(most[charging_session.first : charging_session.end])]
    )
    reach = begin + most_charged * demand.vehicle.charge_efficiency
    full_at_end = _add_full(
        builder,
        stored_in_session[inside],
        charging_session,
        full_kwh=charging_session.full_kwh - demand.gap_kwh[slots],
        reach_kwh=reach[inside + 1],
    )
    builder.add_entries(rows, full_at_end, least)
    before = np.concatenate([before_session, stored_in_session])[inside + before_session.size - 1]
    has_before = inside + before_session.size > 0
    later = np.flatnonzero(has_before & (demand.step_kwh[slots] > 0))
    step = demand.step_kwh[slots[later]]
    overfull = _add_full(
        builder,
        before[later],
        charging_session,
        full_kwh=charging_session.full_kwh - step,
        reach_kwh=reach[inside[later]],
    )
    builder.add_entries(rows[later], overfull, least[later])
    # A price on stopping just short of full, so that it is not done to save money.
    short = builder.add_columns(1, cost=SHORT_SLACK * dearest, upper=float(step.max(initial=0.0)))
    lowest = np.full(later.size, charging_session.left_least_kwh)
    # rows before[t] + short >= lowest + (full - lowest) * overfull[t]
    terms: list[Term] = [
        (before[later], 1.0),
        (overfull, lowest - charging_session.full_kwh),
        (np.repeat(short, later.size), 1.0),
    ]
    builder.add_rows(lowest, unbound[later], terms)


def find_bound(demand: VehicleDemand, session: ChargingSession) -> IndexArray:
    """Return a session's slots with a least charge, unless the vehicle arrives full."""
    slots = np.arange(session.first, session.end)
    comes_full = np.zeros(slots.size, dtype=bool)
    if session.arrival_kwh is not None:
        overfilled = session.arrival_kwh > session.full_kwh - demand.step_kwh[slots]
        comes_full = (slots == session.first) & overfilled
    has_room = session.left_least_kwh < session.full_kwh
    return slots[(demand.least_charge_kwh[slots] > 0) & has_room & ~comes_full]


def _add_full(
    builder: ModelBuilder,
    stored: Indices,
    session: ChargingSession,
    *,
    full_kwh: FloatArray,
    reach_kwh: FloatArray,
) -> Indices:
    """Add a binary per column of stored energy: 0 where the vehicle cannot be full."""
    lowest = session.left_least_kwh
    can_be_full = (reach_kwh >= full_kwh - _SAME_KWH).astype(float)
    full = builder.add_columns(stored.size, cost=0.0, upper=can_be_full, integer=True)
    # rows stored[t] >= lowest + (full_kwh[t] - lowest) * full[t]
    least = np.full(stored.size, lowest)
    unbound = np.full(stored.size, np.inf)
    rise = np.minimum(lowest - full_kwh, 0.0)
    builder.add_rows(least, unbound, [(stored, 1.0), (full, rise)])
    return full
