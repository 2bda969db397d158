"""The cheapest schedule that dynamic programming finds costs what the best of the model written for
solvers costs, and keeps its rows.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.devices.appliance import DeferrableLoad, LoadState
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.appliance.load import read_load
from services.planner.devices.kind import LoadPricing
from services.planner.linear.model import InfeasibleError, LinearModel, ModelBuilder
from services.planner.linear.schedules import Schedules
from services.planner.milp.solver import Solver
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

CASES = 60


def draw_load(rng: np.random.Generator) -> tuple[DeferrableLoad, LoadState]:
    """Return an appliance of any kind, off or on for some time, with some of today's energy."""
    pick = rng.choice
    power = float(pick([0.8, 2.0, 3.0]))
    daily = float(pick([0.0, rng.uniform(0.5, 3.0) * power, rng.uniform(0.5, 8.0) * power]))
    document = {
        "name": "appliance",
        "power_kw": power,
        "energy_kwh_per_day": daily,
        "max_gap_hours": float(pick([24.0, rng.uniform(2, 9)])),
        "min_on_minutes": int(pick([0, 30, 45, 100])),
        "min_off_minutes": int(pick([0, 20, 60, 150])),
        "start_price": float(pick([0.0, 0.03])),
        "forbidden": [{"from": "17:00", "to": "19:30"}] if rng.random() < 0.3 else [],
        "comfort": [{"from": "05:00", "to": "09:00", "energy_kwh": round(0.5 * power, 3)}]
        if rng.random() < 0.4
        else [],
        "extra_value": 0.1 if rng.random() < 0.3 else None,
    }
    document["most_kwh_per_day"] = (
        daily + power if document["extra_value"] and rng.random() < 0.5 else None
    )
    on = float(pick([0.0, 0.0, 0.3]))
    off = 0.0 if on else float(pick([0.0, 0.4, rng.uniform(0, 12)]))
    return DeferrableLoad.model_validate(document), LoadState(
        on_hours=on, off_hours=off, energy_today_kwh=None if rng.random() < 0.5 else 0.5 * daily
    )


def draw_block(rng: np.random.Generator) -> tuple[LinearModel, Schedules, FloatArray]:
    """Return an appliance's model, what it may follow, and a random price of being on that is in
    the model's first columns.
    """
    start = datetime(2026, 3, 27, int(rng.integers(24)), int(rng.choice([0, 15, 45])), tzinfo=UTC)
    step = timedelta(minutes=int(rng.choice([15, 30])))
    timeline = Timeline(
        start,
        step,
        int(rng.integers(60, 110)),
        step - timedelta(minutes=6) if rng.random() < 0.4 else None,
    )
    load, state = draw_load(rng)
    demand = read_load(load, state, timeline, zone=ZoneInfo("Europe/Berlin"))
    nothing = np.zeros(timeline.count)
    ahead = LoadPricing(timeline.hours, nothing, nothing, nothing, nothing, 0.5, 0.3, 0.1)
    builder = ModelBuilder()
    block = demand.add(builder, ahead).block
    assert block is not None
    schedules = block.schedules
    price = rng.normal(0.1, 0.2, timeline.count).cumsum() * 0.1 + rng.normal(
        0.1, 0.1, timeline.count
    )
    if not builder.entries:
        builder.add_sum(-np.inf, np.inf, [(np.arange(timeline.count, dtype=np.int32), 1.0)])
    model = builder.build()
    return (
        replace(
            model, cost=model.cost + np.concatenate([price, np.zeros(model.cost.size - price.size)])
        ),
        schedules,
        price,
    )


@each_row("seed", range(draws(CASES)))
def test_it_costs_what_the_best_of_the_model_costs(seed: int) -> None:
    model, schedules, price = draw_block(np.random.default_rng(seed))
    try:
        best = Solver().solve(model).objective
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            schedules.find(price)
        return
    schedule = schedules.find(price)
    assert schedule.cost + price @ schedule.on == pytest.approx(best, abs=1e-6)
    kept = Solver().solve(model.fixed(np.arange(price.size), schedule.on).relaxed())
    assert kept.objective == pytest.approx(best, abs=1e-6)
