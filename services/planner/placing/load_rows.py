"""Appliances that may wait, in the mixed-integer model: on at full power or off, enough energy a day, never off for too long, never on too briefly."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.placing.wishes import DayNeed, LoadWish
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
    load = wish.load
    on = builder.add_columns(hours.size, cost=tie, upper=1.0, integer=True)
    missing = [_add_need(builder, need, on, load.power_kw * hours, price=LOAD_SLACK * dearest) for need in wish.needs]
    run, rests = _slots(load.min_on_minutes / 60, hours), load.max_gap_hours < 24 and load.energy_kwh_per_day > 0
    starts = _add_starts(builder, on, run=run) if run > 1 or rests else on[:0]
    too_long = _add_gaps(builder, wish, (on, starts), hours, price=LOAD_SLACK * dearest) if rests else on[:0]
    return LoadColumns(on, np.concatenate(missing), too_long)


def _slots(length_hours: float, hours: FloatArray) -> int:
    return max(int(np.ceil(length_hours / float(hours.max()) - 1e-9)), 1)


def _add_need(builder: ModelBuilder, need: DayNeed, on: Indices, slot_kwh: FloatArray, *, price: float) -> Indices:
    """Want a day's energy, up to the slot that fills it: what heats must not become a way to burn energy that is paid for."""
    day, energy = on[need.first : need.end], slot_kwh[need.first : need.end]
    lacking = builder.add_columns(1, cost=price, upper=max(need.need_kwh, 0.0))
    if need.need_kwh <= 0 or np.ptp(energy) > 0:
        builder.add_sum(need.need_kwh, need.need_kwh + float(energy.max()), [(day, energy), (lacking, 1.0)])
        return lacking
    # Whole slots: what is left of the last one is no saving, and the linear model must not see one.
    wanted = np.ceil(need.need_kwh / energy[0] - 1e-9)
    builder.add_sum(wanted, np.floor(need.need_kwh / energy[0] + 1e-9) + 1, [(day, 1.0), (lacking, wanted / need.need_kwh)])
    return lacking


def _add_starts(builder: ModelBuilder, on: Indices, *, run: int) -> Indices:
    """Add whether it is switched on in each slot but the first; once on it stays on for ``run`` slots, what is on at first has been for long enough.

    Source: Rajan and Takriti (2005), minimum up times by sums of starts: with them the linear model rarely splits a run.
    """
    count = on.size - 1
    starts = builder.add_columns(count, cost=0.0, upper=1.0)
    nothing = np.full(count, -np.inf)
    builder.add_rows(nothing, np.zeros(count), [(on[1:], 1.0), (on[:-1], -1.0), (starts, -1.0)])
    ends = np.arange(1, count + 1)
    rows = builder.add_windows(-np.inf, 0.0, starts, (np.maximum(ends - run, 0), ends))
    builder.add_entries(rows, on[1:], -1.0)
    return starts


def _add_gaps(builder: ModelBuilder, wish: LoadWish, columns: tuple[Indices, Indices], hours: FloatArray, *, price: float) -> Indices:
    """Within any stretch as long as the longest gap it is on at first or started; each miss has its price.

    Counting starts instead of slots says that a stretch takes a whole run, not two halves of one.
    """
    (on, starts), count = columns, columns[0].size
    gap = _slots(wish.load.max_gap_hours, hours)
    first = max(gap - round(wish.off_hours / float(hours.max())), 1)
    ends = np.unique([end for end in (first, *range(gap + 1, count + 1)) if end <= count])
    begins = np.where(ends == first, 0, np.maximum(ends - gap - 1, 0))
    too_long = builder.add_columns(ends.size, cost=price, upper=1.0)
    rows = builder.add_windows(1.0, np.inf, starts, (begins, ends - 1))
    builder.add_entries(rows, on[begins], 1.0)
    builder.add_entries(rows, too_long, 1.0)
    return too_long
