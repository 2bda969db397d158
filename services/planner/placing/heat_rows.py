"""Heat pumps in the mixed-integer model: linear in electricity, because the COP of a slot follows from the weather; comfort has its price."""

from dataclasses import dataclass

import numpy as np

from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.ahead import Ahead
from services.planner.placing.heat_wish import HeatWish

# What it costs that a store is too cold or too warm by what a kWh of heat makes of it, per hour, as a multiple of the dearest price.
COMFORT_SLACK = 60.0


@dataclass(frozen=True, slots=True)
class HeatColumns:
    """Where a heat pump stands in the model: the electricity it uses per slot."""

    use: Indices


def add_heat_pump(builder: ModelBuilder, wish: HeatWish, ahead: Ahead) -> HeatColumns:
    """Add a heat pump with its store: between its powers where it is known to be on, anything up to its power where that is open."""
    most = wish.rules(ahead.hours).bounds(np.ones(ahead.hours.size))[1] if wish.on is None else wish.on
    upper = most * wish.pump.power_kw * ahead.hours
    columns = HeatColumns(builder.add_columns(upper.size, cost=ahead.tie, lower=wish.forced_kwh(ahead.hours), upper=upper))
    _add_store(builder, wish, columns, ahead)
    return columns


def _add_store(builder: ModelBuilder, wish: HeatWish, columns: HeatColumns, ahead: Ahead) -> None:
    """Add the store's temperature as what lies within what it can keep to, less what is too cold, plus what is too warm."""
    count, store, warming = ahead.hours.size, wish.pump.store, wish.warming
    worth = np.zeros(count)
    worth[-1] = -ahead.left_price * store.capacity_kwh_per_k / float(wish.cop.mean())
    inside = builder.add_columns(count, cost=worth, lower=wish.aim_c, upper=wish.most_c)
    slack = COMFORT_SLACK * ahead.dearest * store.capacity_kwh_per_k * ahead.hours
    cold, warm = (builder.add_columns(count, cost=slack, upper=np.inf) for _ in range(2))
    drift = np.array(warming.drift_c)
    drift[0] += warming.keep[0] * wish.start_c
    keep = warming.keep[1:]
    before = [(inside[:-1], -keep), (cold[:-1], keep), (warm[:-1], -keep)]
    heat = (columns.use, -warming.per_kwh * wish.cop)
    builder.add_rows(drift, drift, [(inside, 1.0), (cold, -1.0), (warm, 1.0), *before, heat])
