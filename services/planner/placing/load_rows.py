"""Appliances that may wait, in the mixed-integer model: on at full power or off, enough energy a day, never off for too long, never on too briefly."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.placing.wishes import LoadWish
from services.planner.solver import Indices, ModelBuilder

# What a kWh costs that an appliance does not get, as a multiple of the dearest price: dear enough that a slot more is cheaper than the last
# few watt-hours missing; a vehicle's are dearer.
LOAD_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class LoadColumns:
    """Where an appliance stands in the model: whether it is on per slot, energy missing per day, and how often it is off for too long."""

    on: Indices
    missing: Indices
    too_long: Indices


def add_load(builder: ModelBuilder, wish: LoadWish, hours: FloatArray, *, dearest: float, tie: FloatArray) -> LoadColumns:
    """Add an appliance; ``tie`` is a sliver per slot that makes the earlier of two equal slots the better one."""
    load, slot_kwh = wish.load, wish.load.power_kw * hours
    on = builder.add_columns(hours.size, cost=tie, upper=1.0, integer=True)
    missing = []
    for need in wish.needs:
        lacking = builder.add_columns(1, cost=LOAD_SLACK * dearest, upper=max(need.need_kwh, 0.0))
        day = slice(need.first, need.end)
        # Up to the slot that fills the need: what heats must not become a way to burn energy that is paid for.
        builder.add_sum(need.need_kwh, need.need_kwh + float(slot_kwh[day].max()), [(on[day], slot_kwh[day]), (lacking, 1.0)])
        missing.append(lacking)
    if load.min_on_minutes > 0:
        _add_least_runs(builder, on, slots=_slots(load.min_on_minutes / 60, hours))
    too_long = _add_gaps(builder, wish, on, hours, dearest=dearest) if load.max_gap_hours < 24 and load.energy_kwh_per_day > 0 else missing[0][:0]
    return LoadColumns(on, np.concatenate(missing), too_long)


def _slots(length_hours: float, hours: FloatArray) -> int:
    return max(int(np.ceil(length_hours / float(hours.max()) - 1e-9)), 1)


def _add_least_runs(builder: ModelBuilder, on: Indices, *, slots: int) -> None:
    """Once on, an appliance stays on for so many slots; what is on at the start has been on for long enough."""
    if slots < 2:
        return
    count = on.size
    starts = builder.add_columns(count - 1, cost=0.0, upper=1.0)
    builder.add_rows(np.full(count - 1, -np.inf), np.zeros(count - 1), [(on[1:], 1.0), (on[:-1], -1.0), (starts, -1.0)])
    for slot in range(1, count):
        builder.add_sum(-np.inf, 0.0, [(starts[max(slot - slots, 0) : slot], 1.0), (on[slot : slot + 1], -1.0)])


def _add_gaps(builder: ModelBuilder, wish: LoadWish, on: Indices, hours: FloatArray, *, dearest: float) -> Indices:
    """Within any stretch as long as the longest gap it is on once, counted from when it was on last; each miss has its price."""
    gap = _slots(wish.load.max_gap_hours, hours)
    first = max(gap - round(wish.off_hours / float(hours.max())), 1)
    ends = np.array(sorted({first, *range(gap + 1, on.size + 1)} & set(range(1, on.size + 1))), dtype=np.int64)
    too_long = builder.add_columns(ends.size, cost=LOAD_SLACK * dearest, upper=1.0)
    for place, end in enumerate(ends.tolist()):
        begin = 0 if end == first else end - gap - 1
        builder.add_sum(1.0, np.inf, [(on[max(begin, 0) : end], 1.0), (too_long[place : place + 1], 1.0)])
    return too_long
