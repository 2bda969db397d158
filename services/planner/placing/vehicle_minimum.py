"""What a vehicle has to charge until it is full, in the mixed-integer model: at least a minimum, or what its owner pins, without a pause.

Full it is at the end of a slot, or at its start so far that its least power would overfill it: a binary each, where both may come to be. Neither
keeping the vehicle empty nor filling it before saves or costs anything beside the energy.
"""

import numpy as np

from luna.timeline import FloatArray, IndexArray
from services.planner.model.slack import PIN_SLACK
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.vehicle_wish import Stay, VehicleWish

# What a kWh costs that a minimum lacks, as a multiple of the dearest price: after what is wanted at departure, as dear as what an appliance lacks.
MINIMUM_SLACK = 60.0
# What a kWh costs that a vehicle is short of full because its least power would overfill it: more than any kWh is worth.
SHORT_SLACK = 2.0
_SAME_KWH = 1e-9


def add_minimum(
    builder: ModelBuilder, wanted: tuple[VehicleWish, Stay], charge: tuple[Indices, FloatArray], *, stored: tuple[Indices, Indices], dearest: float
) -> None:
    """Add what a stay has to charge.

    Args:
        builder: of the model.
        wanted: the vehicle and one of its stays.
        charge: the vehicle's columns, and what each charges at most, ``(slots,)``.
        stored: what the stay before left, empty where the vehicle came with something else, and what is stored at the end of each of the stay's slots.
        dearest: the dearest price.
    """
    wish, stay = wanted
    slots = find_bound(wish, stay)
    if not slots.size:
        return
    least, inside = wish.least_charge_kwh[slots], slots - stay.first
    missing = builder.add_columns(slots.size, cost=dearest * np.where(wish.pinned[slots], PIN_SLACK, MINIMUM_SLACK), upper=least)
    rows = builder.add_rows(least, np.full(slots.size, np.inf), [(charge[0][slots], 1.0), (missing, 1.0)])
    begin = stay.most_kwh if stay.arrival_kwh is None else stay.arrival_kwh
    reach = begin + np.concatenate([[0.0], np.cumsum(charge[1][stay.first : stay.end])]) * wish.vehicle.charge_efficiency
    ended = _add_ends(builder, stored[1][inside], stay, full_kwh=stay.full_kwh - wish.gap_kwh[slots], reach_kwh=reach[inside + 1])
    builder.add_entries(rows, ended, least)
    before = np.concatenate([stored[0], stored[1]])[inside + stored[0].size - 1]
    later = np.flatnonzero((inside + stored[0].size > 0) & (wish.step_kwh[slots] > 0))
    step = wish.step_kwh[slots[later]]
    overfull = _add_ends(builder, before[later], stay, full_kwh=stay.full_kwh - step, reach_kwh=reach[inside[later]])
    builder.add_entries(rows[later], overfull, least[later])
    # Nobody stops just short of full for the sake of the price.
    short = builder.add_columns(1, cost=SHORT_SLACK * dearest, upper=float(step.max(initial=0.0)))
    lowest = np.full(later.size, stay.left_least_kwh)
    builder.add_rows(lowest, np.full(later.size, np.inf), [(before[later], 1.0), (overfull, lowest - stay.full_kwh), (np.repeat(short, later.size), 1.0)])


def find_bound(wish: VehicleWish, stay: Stay) -> IndexArray:
    """Return the slots of a stay in which the vehicle has to charge, unless it is full by then."""
    slots = np.arange(stay.first, stay.end)
    comes_full = slots == stay.first if stay.arrival_kwh is not None and stay.end > stay.first else np.zeros(slots.size, dtype=bool)
    comes_full = comes_full & ((stay.arrival_kwh or 0.0) > stay.full_kwh - wish.step_kwh[slots])
    return slots[(wish.least_charge_kwh[slots] > 0) & (stay.left_least_kwh < stay.full_kwh) & ~comes_full]


def _add_ends(builder: ModelBuilder, stored: Indices, stay: Stay, *, full_kwh: FloatArray, reach_kwh: FloatArray) -> Indices:
    """Add a binary per column of what is stored that says that the vehicle is full; none where it cannot be yet."""
    lowest = stay.left_least_kwh
    full = builder.add_columns(stored.size, cost=0.0, upper=(reach_kwh >= full_kwh - _SAME_KWH).astype(float), integer=True)
    builder.add_rows(np.full(stored.size, lowest), np.full(stored.size, np.inf), [(stored, 1.0), (full, np.minimum(lowest - full_kwh, 0.0))])
    return full
