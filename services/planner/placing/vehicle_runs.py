"""Whether and with which power a vehicle charges, in the mixed-integer model: each range of powers is a device that starts and goes on.

A vehicle that switches between one phase and three has two ranges with a gap between them; changing from one to the other is a start.
"""

import numpy as np

from luna.timeline import FloatArray, IndexArray
from services.planner.placing.vehicle_wish import VehicleWish
from services.planner.solver import Indices, ModelBuilder


def add_choice(builder: ModelBuilder, wish: VehicleWish, charge: Indices, slots: tuple[IndexArray, FloatArray]) -> tuple[Indices, ...]:
    """Let the vehicle charge within one of its ranges or not at all; return a binary per range and slot.

    Args:
        charge: the columns of the slots in which it may charge.
        slots: these slots, and what each charges at most, kWh.
    """
    (choosable, most), ranges = slots, wish.vehicle.power_ranges
    hours, count = wish.plugged_hours[choosable], choosable.size
    bounds = [(least * hours, np.minimum(power * hours, most)) for least, power in ranges]
    on = tuple(builder.add_columns(count, cost=0.0, upper=(low <= high + 1e-9).astype(float), integer=True) for low, high in bounds)
    nothing, unbound = np.zeros(count), np.full(count, np.inf)
    builder.add_rows(nothing, unbound, [(charge, 1.0), *((each, -low) for each, (low, _) in zip(on, bounds, strict=True))])
    builder.add_rows(-unbound, nothing, [(charge, 1.0), *((each, -high) for each, (_, high) in zip(on, bounds, strict=True))])
    if len(on) > 1:
        builder.add_rows(-unbound, np.ones(count), [(each, 1.0) for each in on])
    return on


def add_runs(builder: ModelBuilder, wish: VehicleWish, on: tuple[Indices, ...], choosable: IndexArray) -> None:
    """Price every start, and let what has started go on for its shortest run; only the end of a stay cuts a run short.

    Source: Rajan and Takriti (2005): with starts as variables of their own, these rows describe the convex hull of runs.
    """
    vehicle, count = wish.vehicle, choosable.size
    run = int(np.ceil(vehicle.min_run_minutes / 60 / float(wish.plugged_hours.max(initial=1e-9)) - 1e-9))
    if count == 0 or (run < 2 and vehicle.start_price == 0):
        return
    follows = np.append(False, np.diff(choosable) == 1)
    goes_on = choosable == 0 if wish.charging else np.zeros(count, dtype=bool)
    block = np.cumsum(~follows)
    for each in on:
        starts = builder.add_columns(count, cost=vehicle.start_price, upper=1.0 - goes_on)
        rows = builder.add_rows(np.full(count, -np.inf), goes_on.astype(float), [(each, 1.0), (starts, -1.0)])
        builder.add_entries(rows[follows], each[np.flatnonzero(follows) - 1], -1.0)
        for slot in range(count) if run > 1 else ():
            first = max(slot - run + 1, int(np.searchsorted(block, block[slot])))
            builder.add_sum(-np.inf, 0.0, [(starts[first : slot + 1], 1.0), (each[slot : slot + 1], -1.0)])
