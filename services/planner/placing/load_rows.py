"""Appliances that may wait, in the mixed-integer model: on at full power or off, enough energy when it is wanted, runs and rests as they may be."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.ahead import LOAD_SLACK, Ahead
from services.planner.placing.run_rows import RunRules, add_longest_rest, add_starts
from services.planner.placing.wishes import DayNeed, LoadWish


@dataclass(frozen=True, slots=True)
class LoadColumns:
    """Where an appliance stands in the model: whether it is on per slot, and whether it has been off for too long."""

    on: Indices
    too_long: Indices


def add_load(builder: ModelBuilder, wish: LoadWish, ahead: Ahead) -> LoadColumns:
    """Add an appliance."""
    load, rules, slot_kwh = wish.load, wish.rules(ahead.hours), wish.load.power_kw * ahead.hours
    carried = ~ahead.bound(load) | (ahead.surplus_kwh >= slot_kwh - 1e-9)
    least, most = rules.bounds(wish.allowed * carried)
    on = builder.add_columns(most.size, cost=(ahead.tie - (load.extra_value or 0.0)) * slot_kwh, lower=least, upper=most, integer=True)
    for need in wish.needs:
        _add_need(builder, need, (on, slot_kwh, most), rules=rules, price=LOAD_SLACK * ahead.dearest)
    if rules.shortest_run == rules.shortest_rest == 1 and not rules.longest_rest and not load.start_price:
        return LoadColumns(on, on[:0])
    start = add_starts(builder, on, rules, price=load.start_price)
    too_long = add_longest_rest(builder, (on, start), rules, price=LOAD_SLACK * ahead.dearest) if rules.longest_rest else on[:0]
    return LoadColumns(on, too_long)


def _add_need(builder: ModelBuilder, need: DayNeed, slots: tuple[Indices, FloatArray, FloatArray], *, rules: RunRules, price: float) -> None:
    """Want a need's energy, in whole slots where all are as long: then no relaxation gets by with a part of one."""
    within = slice(need.first, need.end)
    on, slot_kwh, may = slots[0][within], slots[1][within], slots[2][within]
    full = float(slot_kwh.max())
    share, wanted = slot_kwh / full, need.need_kwh / full
    # What its slots cannot carry is missing whatever is planned: a price on it would only hide what else a plan costs.
    wanted = min(float(np.ceil(wanted - 1e-9)) if share.min() == 1.0 else wanted, float(share @ may))
    most = np.ceil(wanted - 1e-9) + _beyond(need, rules) if need.most_kwh is None else max(need.most_kwh / full, wanted, rules.stays)
    if wanted > 0 or most < share.size:
        lacking = builder.add_columns(1, cost=price * full, upper=max(wanted, 0.0))
        builder.add_sum(wanted, most, [(on, share), (lacking, 1.0)])


def _beyond(need: DayNeed, rules: RunRules) -> float:
    """Return how many slots more than it needs it may be on: what heats must not become a way to burn energy that is paid for."""
    runs = (need.end - need.first) // (rules.longest_rest + 1) + 1 if rules.longest_rest else 1
    return float(max(runs * rules.shortest_run - 1, rules.stays))
