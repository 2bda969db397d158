"""Appliances that may wait, in the mixed-integer model: on at full power or off, enough energy a day, never off for too long, never on too briefly."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.placing.run_rows import RunRules, add_longest_rest, add_starts, read_rules
from services.planner.placing.wishes import DayNeed, LoadWish
from services.planner.solver import Indices, ModelBuilder

# What a kWh costs that an appliance does not get, as a multiple of the dearest price: dear enough that a slot more is cheaper than the last
# few watt-hours missing; a vehicle's are dearer.
LOAD_SLACK = 60.0
_DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class LoadColumns:
    """Where an appliance stands in the model: whether it is on per slot, and whether it has been off for too long."""

    on: Indices
    too_long: Indices


def add_load(builder: ModelBuilder, wish: LoadWish, hours: FloatArray, *, dearest: float, tie: FloatArray) -> LoadColumns:
    """Add an appliance; ``tie`` is a sliver per slot that makes the earlier of two equal slots the better one."""
    load, rules = wish.load, _rules(wish, hours)
    least, most = rules.bounds(np.ones(hours.size))
    on = builder.add_columns(hours.size, cost=tie, lower=least, upper=most, integer=True)
    for need in wish.needs:
        _add_need(builder, need, on, load.power_kw * hours, rules=rules, price=LOAD_SLACK * dearest)
    if rules.shortest_run == rules.shortest_rest == 1 and not rules.longest_rest:
        return LoadColumns(on, on[:0])
    start = add_starts(builder, on, rules)
    too_long = add_longest_rest(builder, (on, start), rules, price=LOAD_SLACK * dearest) if rules.longest_rest else on[:0]
    return LoadColumns(on, too_long)


def _rules(wish: LoadWish, hours: FloatArray) -> RunRules:
    load = wish.load
    gap = load.max_gap_hours if load.max_gap_hours < _DAY_HOURS and load.energy_kwh_per_day > 0 else np.inf
    return read_rules((load.min_on_minutes / 60, 0.0, gap), (0.0, wish.off_hours), hours)


def _add_need(builder: ModelBuilder, need: DayNeed, on: Indices, slot_kwh: FloatArray, *, rules: RunRules, price: float) -> None:
    """Want a need's energy, in whole slots where all are as long: then no relaxation gets by with a part of one."""
    within = slice(need.first, need.end)
    full = float(slot_kwh[within].max())
    share, slots = slot_kwh[within] / full, need.need_kwh / full
    wanted = float(np.ceil(slots - 1e-9)) if share.min() == 1.0 else slots
    lacking = builder.add_columns(1, cost=price * full, upper=max(wanted, 0.0))
    builder.add_sum(wanted, wanted + _beyond(need, rules), [(on[within], share), (lacking, 1.0)])


def _beyond(need: DayNeed, rules: RunRules) -> float:
    """Return how many slots more than it needs it may be on: what heats must not become a way to burn energy that is paid for."""
    runs = (need.end - need.first) // (rules.longest_rest + 1) + 1 if rules.longest_rest else 1
    return float(runs * rules.shortest_run - 1)
