"""Whether and with which power a vehicle charges, in the mixed-integer model: each range of powers is a device that starts and goes on.

A vehicle that switches between one phase and three has two ranges with a gap between them; changing from one to the other is a start.
"""

from itertools import pairwise

import numpy as np

from luna.physics import BoolArray
from luna.timeline import FloatArray, IndexArray
from services.planner.model.solver import Indices, ModelBuilder, Term
from services.planner.placing.vehicle_wish import Stay, VehicleWish


def add_choice(builder: ModelBuilder, wish: VehicleWish, charge: Indices, slots: tuple[IndexArray, FloatArray]) -> tuple[Indices, ...]:
    """Let the vehicle charge within one of its ranges or not at all.

    Args:
        builder: of the model.
        wish: whose vehicle charges.
        charge: the columns of the slots in which it may charge.
        slots: these slots, and what each charges at most, kWh.

    Returns:
        A ladder of binaries per slot: whether it charges at all, then whether in the higher range.
    """
    (choosable, most), ranges = slots, wish.vehicle.power_ranges
    hours, count = wish.plugged_hours[choosable], choosable.size
    low, high = (np.array([each[end] for each in ranges])[:, None] * hours for end in (0, 1))
    high = np.minimum(high, most)
    on = tuple(builder.add_columns(count, cost=0.0, upper=possible.astype(float), integer=True) for possible in low <= high + 1e-9)
    steps = [np.diff(bound, axis=0, prepend=np.zeros((1, count))) for bound in (low, high)]
    nothing, unbound = np.zeros(count), np.full(count, np.inf)
    builder.add_rows(nothing, unbound, [(charge, 1.0), *((each, -step) for each, step in zip(on, steps[0], strict=True))])
    builder.add_rows(-unbound, nothing, [(charge, 1.0), *((each, -step) for each, step in zip(on, steps[1], strict=True))])
    for rung, higher in pairwise(on):
        builder.add_rows(-unbound, nothing, [(higher, 1.0), (rung, -1.0)])
    return on


def add_runs(builder: ModelBuilder, wish: VehicleWish, on: tuple[Indices, ...], choosable: IndexArray) -> tuple[Indices, ...]:
    """Price every start, and let what has started go on for its shortest run; only where it may not charge any more a run ends sooner.

    Source: Rajan and Takriti (2005): with starts as variables of their own, these rows describe the convex hull of runs.

    Returns:
        The starts within each range; none where nothing asks for them.
    """
    vehicle, count = wish.vehicle, choosable.size
    run = int(np.ceil(vehicle.min_run_minutes / 60 / float(wish.plugged_hours.max(initial=1e-9)) - 1e-9))
    if count == 0 or (run < 2 and vehicle.start_price == 0):
        return ()
    follows, goes_on = _follows(choosable), _goes_on(wish, choosable)
    block, later = np.cumsum(~follows), np.flatnonzero(follows)
    found = []
    for place in range(len(on)):
        # Within a range it is where the ladder ends on its rung.
        within: list[Term] = [(each, sign) for each, sign in zip(on[place : place + 2], (1.0, -1.0), strict=False)]
        starts = builder.add_columns(count, cost=vehicle.start_price, upper=1.0 - goes_on)
        rows = builder.add_rows(np.full(count, -np.inf), goes_on, [*within, (starts, -1.0)])
        for each, sign in within:
            builder.add_entries(rows[later], each[later - 1], -np.asarray(sign))
        for slot in range(count) if run > 1 else ():
            first = max(slot - run + 1, int(np.searchsorted(block, block[slot])))
            builder.add_sum(-np.inf, 0.0, [(starts[first : slot + 1], 1.0), *((each[slot : slot + 1], -np.asarray(sign)) for each, sign in within)])
        found.append(starts)
    return tuple(found)


def require_start(builder: ModelBuilder, wish: VehicleWish, stay: Stay, *, starts: tuple[Indices, ...], slots: tuple[IndexArray, Indices]) -> None:
    """Say what follows for whole starts but not for shares of them: a stay that needs energy starts once, or lacks it.

    Args:
        builder: of the model.
        wish: whose vehicle charges.
        stay: within it.
        starts: of the vehicle, in the slots in which it may charge.
        slots: these slots, and the column of what the stay lacks.
    """
    choosable, missing = slots
    inside = np.flatnonzero((choosable >= stay.first) & (choosable < stay.end))
    need = stay.wanted_kwh - (stay.wanted_kwh if stay.arrival_kwh is None else stay.arrival_kwh)
    if not starts or not inside.size or need <= 1e-3:
        return
    if not (_follows(choosable) | (_goes_on(wish, choosable) > 0))[inside[0]]:
        builder.add_sum(1.0, np.inf, [*((each[inside], 1.0) for each in starts), (missing, 1.0 / need)])


def _follows(choosable: IndexArray) -> BoolArray:
    return np.append(np.zeros(1, dtype=bool), np.diff(choosable) == 1)[: choosable.size]


def _goes_on(wish: VehicleWish, choosable: IndexArray) -> FloatArray:
    return np.asarray((choosable == 0) * float(wish.charging))
