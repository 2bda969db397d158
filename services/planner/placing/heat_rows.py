"""Heat pumps in the mixed-integer model: linear in electricity, because the COP of a slot follows from the weather; comfort has its price."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.placing.ahead import Ahead
from services.planner.placing.heat_wish import HeatWish
from services.planner.placing.run_rows import RunRules, add_starts, read_rules
from services.planner.solver import Indices, ModelBuilder

# What it costs that a store is too cold or too warm by what a kWh of heat makes of it, per hour, as a multiple of the dearest price.
COMFORT_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class HeatColumns:
    """Where a heat pump stands in the model: columns of its use per slot, and the kWh of electricity that each stands for."""

    use: Indices
    kwh: FloatArray


def add_heat_pump(builder: ModelBuilder, wish: HeatWish, ahead: Ahead) -> HeatColumns:
    """Add a heat pump with its store: on or off, or between its powers, or anything from nothing to its power."""
    columns = _add_pump(builder, wish, ahead)
    _add_store(builder, wish, columns, ahead)
    return columns


def _add_pump(builder: ModelBuilder, wish: HeatWish, ahead: Ahead) -> HeatColumns:
    pump, most = wish.pump, wish.pump.power_kw * ahead.hours
    steady, rules = pump.min_power_kw == pump.power_kw, _rules(wish, ahead)
    if pump.min_power_kw == 0 and rules.shortest_run == rules.shortest_rest == 1 and not pump.start_price:
        return HeatColumns(builder.add_columns(most.size, cost=ahead.tie, upper=most), np.ones(most.size))
    lower, upper = rules.bounds(np.ones(most.size))
    on = builder.add_columns(most.size, cost=ahead.tie * most * steady, lower=lower, upper=upper, integer=True)
    if rules.shortest_run > 1 or rules.shortest_rest > 1 or pump.start_price:
        add_starts(builder, on, rules, price=pump.start_price)
    if steady:
        return HeatColumns(on, most)
    power = builder.add_columns(most.size, cost=ahead.tie, upper=most)
    builder.add_rows(np.full(most.size, -np.inf), np.zeros(most.size), [(power, 1.0), (on, -most)])
    if pump.min_power_kw > 0:
        builder.add_rows(np.zeros(most.size), np.full(most.size, np.inf), [(power, 1.0), (on, -pump.min_power_kw * ahead.hours)])
    return HeatColumns(power, np.ones(most.size))


def _rules(wish: HeatWish, ahead: Ahead) -> RunRules:
    pump, state = wish.pump, wish.state
    return read_rules((pump.min_on_minutes / 60, pump.min_off_minutes / 60, np.inf), (state.on_hours, state.off_hours), ahead.hours)


def _add_store(builder: ModelBuilder, wish: HeatWish, columns: HeatColumns, ahead: Ahead) -> None:
    """Add the store's temperature as what lies within what it can keep to, less what is too cold, plus what is too warm."""
    count, store, warming = ahead.hours.size, wish.pump.store, wish.warming
    worth = np.zeros(count)
    worth[-1] = -ahead.left_price * store.capacity_kwh_per_k / float(wish.cop.mean())
    inside = builder.add_columns(count, cost=worth, lower=wish.aim_c, upper=wish.most_c)
    slack = COMFORT_SLACK * ahead.dearest * store.capacity_kwh_per_k * ahead.hours
    cold, warm = (builder.add_columns(count, cost=slack, upper=np.inf) for _ in range(2))
    goes_on = -warming.keep[1:]
    drift = np.array(warming.drift_c)
    drift[0] += warming.keep[0] * wish.start_c
    builder.add_rows(
        drift,
        drift,
        [
            (inside, 1.0),
            (cold, -1.0),
            (warm, 1.0),
            (inside[:-1], goes_on),
            (cold[:-1], -goes_on),
            (warm[:-1], goes_on),
            (columns.use, -warming.per_kwh * wish.cop * columns.kwh),
        ],
    )
