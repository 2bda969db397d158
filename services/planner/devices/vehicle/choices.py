"""Add the choices of a vehicle to the mixed-integer model: ranges of power, runs and starts."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.devices.kind import EnergyWindow, RangedUse
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.linear.model import IMPLIED, Indices, ModelBuilder, Term
from services.planner.linear.ranges import RangeRules


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
        slots: these slots, and the most that each charges, kWh.

    Returns:
        A ladder of binaries per slot: whether it charges at all, then whether in the higher range.
    """
    choosable, most = slots
    low, high = range_bounds(demand, choosable, most)
    rungs = []
    for possible in low <= high + 1e-9:
        upper = possible.astype(float)
        rungs.append(builder.add_columns(choosable.size, cost=0.0, upper=upper, integer=True))
    on = tuple(rungs)
    nothing = np.zeros(choosable.size)
    unbound = np.full(choosable.size, np.inf)
    # rows charge[t] >= sum over the rungs of on[rung][t] * rise of the lowest charge
    builder.add_rows(nothing, unbound, [(charge, 1.0), *_ladder_terms(on, low)])
    # rows charge[t] <= sum over the rungs of on[rung][t] * rise of the highest charge
    builder.add_rows(-unbound, nothing, [(charge, 1.0), *_ladder_terms(on, high)])
    for rung, higher in pairwise(on):
        # rows higher[t] <= rung[t]
        builder.add_rows(-unbound, nothing, [(higher, 1.0), (rung, -1.0)])
    return on


def _ladder_terms(on: tuple[Indices, ...], bound: FloatArray) -> list[Term]:
    """Return minus the bound that a ladder of binaries stands for."""
    rises = np.diff(bound, axis=0, prepend=np.zeros((1, bound.shape[1])))
    return [(rung, -rise) for rung, rise in zip(on, rises, strict=True)]


def range_bounds(
    demand: VehicleDemand, choosable: IndexArray, most: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest charge of each range, kWh, both ``(ranges, slots)``."""
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
    """Price every start, and make every run last for the shortest run.

    A run ends sooner only where the vehicle may not charge any more.

    Source: Rajan and Takriti (2005): with starts as variables of their own, these rows describe the
    convex hull of runs.

    Returns:
        The starts within each range; empty where starts cost nothing and runs may be short.
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
    starts_by_range = []
    for place, rung in enumerate(on):
        # The vehicle charges within a range where its rung is on and the next one is off.
        within: list[Term] = [(rung, 1.0)]
        if place + 1 < len(on):
            within.append((on[place + 1], -1.0))
        starts = builder.add_columns(
            count, cost=vehicle.start_price, upper=1.0 - goes_on, integer=IMPLIED
        )
        # rows start[t] >= within[t] - within[t-1] - goes_on[t]
        rows = builder.add_rows(np.full(count, -np.inf), goes_on, [*within, (starts, -1.0)])
        for columns, sign in within:
            builder.add_entries(rows[later], columns[later - 1], -np.asarray(sign))
        if run > 1:
            slots = np.arange(count)
            first = np.maximum(slots - run + 1, np.searchsorted(block, block))
            # sum of starts[first ... slot] <= within[slot]
            rows = builder.add_windows(-np.inf, 0.0, starts, (first, slots + 1))
            for columns, sign in within:
                builder.add_entries(rows, columns, -np.asarray(sign))
        starts_by_range.append(starts)
    return tuple(starts_by_range)


def require_start(
    builder: ModelBuilder,
    demand: VehicleDemand,
    session: ChargingSession,
    *,
    starts: tuple[Indices, ...],
    slots: tuple[IndexArray, Indices],
) -> None:
    """Require a start in a session that needs energy, or the energy is missing.

    Whole starts imply this row, shares of starts do not: it tightens the relaxation.

    Args:
        builder: of the model.
        demand: whose vehicle charges.
        session: one of its sessions.
        starts: of the vehicle, in the slots in which it may charge.
        slots: these slots, and the column of the session's missing energy.
    """
    choosable, missing = slots
    inside = np.flatnonzero((choosable >= session.first) & (choosable < session.end))
    if not starts or not inside.size or session.arrival_kwh is None:
        return
    need = session.required_kwh - session.arrival_kwh
    if need <= 1e-3:
        return
    first = inside[0]
    may_be_running = _follows(choosable)[first] or _goes_on(demand, choosable)[first] > 0
    if not may_be_running:
        # sum of all starts + missing / need >= 1
        started: list[Term] = [(columns[inside], 1.0) for columns in starts]
        builder.add_sum(1.0, np.inf, [*started, (missing, 1.0 / need)])


def _follows(choosable: IndexArray) -> BoolArray:
    """Return the choosable slots whose slot before is choosable, too."""
    return np.append(np.zeros(1, dtype=bool), np.diff(choosable) == 1)[: choosable.size]


def _goes_on(demand: VehicleDemand, choosable: IndexArray) -> FloatArray:
    """Return 1 at the first slot if the vehicle is charging already, else 0."""
    return np.asarray((choosable == 0) * float(demand.charging))


def read_ranges(
    demand: VehicleDemand,
    binaries: tuple[Sequence[Indices], Sequence[Indices]],
    choosable: IndexArray,
    most: FloatArray,
) -> RangedUse | None:
    """Return the vehicle's ranges of power, None where none is chosen.

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
    sessions = tuple(
        EnergyWindow(
            session.first, session.end, session.arrival_kwh, session.required_kwh, session.most_kwh
        )
        for session in demand.sessions
    )
    return RangedUse(
        choosable,
        np.array(on),
        np.concatenate([*starts, on[0][:0]]),
        low,
        high,
        rules,
        sessions,
        vehicle.charge_efficiency,
    )
