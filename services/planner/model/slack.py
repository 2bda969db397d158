"""What a plan does when limits contradict each other: it breaks them at a price, the dearest last."""

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.posing.problem import Problem

# What breaking a limit costs per kWh, as multiples of the dearest price: dearer than any trade, small enough for the solver's tolerances.
# Rather than the connection's limits the wish for the horizon is given up, and what physics cannot do (draining a reserve) comes last.
HORIZON_SLACK, GRID_SLACK, SOC_SLACK = 100.0, 1_000.0, 5_000.0
# What was pinned and is missing: an owner's block goes before every wish, and after every limit.
PIN_SLACK = 300.0


def dearest_price(problem: Problem) -> float:
    """Return the largest price, in or out, that slack is priced by."""
    return max(float(np.abs(problem.outlook.import_price).max()), float(np.abs(problem.outlook.export_price).max()), 0.1)


def excess_kwh(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return what load, what runs on, and PV exceed the connection's limits by, in and out; PV that may be held back exceeds nothing."""
    net = problem.outlook.load_kwh + problem.wishes.forced_kwh(problem.outlook.timeline.hours) - problem.ac_pv_kwh
    export_kwh = np.maximum(-net - problem.export_limit_kwh, 0.0) * (not problem.site.curtailable)
    return np.maximum(net - problem.import_limit_kwh, 0.0), export_kwh


def add_grid_slack(builder: ModelBuilder, problem: Problem) -> list[tuple[Indices, float]]:
    """Let load and PV, and nothing else, exceed the connection's limits at a price."""
    (import_kwh, export_kwh), outlook = excess_kwh(problem), problem.outlook
    # The sooner the dearer: a battery helps as soon as it can, as it will when it meets the limit.
    penalty = GRID_SLACK * dearest_price(problem) * np.linspace(2.0, 1.0, import_kwh.size)
    imported = builder.add_columns(import_kwh.size, cost=outlook.import_price + penalty, upper=import_kwh)
    exported = builder.add_columns(import_kwh.size, cost=penalty - outlook.export_price, upper=export_kwh)
    return [(imported, 1.0), (exported, -1.0)]


def add_soc_slack(builder: ModelBuilder, problem: Problem, columns: Indices, *, index: int) -> None:
    """Let a battery miss what is wanted at the horizon, and begin outside its limits, at a price."""
    battery, terminal, stored, dearest = problem.site.batteries[index], problem.terminal, columns[2], dearest_price(problem)
    wanted = (
        (stored, battery.min_soc * battery.capacity_kwh, battery.max_soc * battery.capacity_kwh, SOC_SLACK),
        (stored[-1:], terminal.least_kwh[index], terminal.most_kwh[index], HORIZON_SLACK),
    )
    for energy, least, most, slack in wanted:
        missing = builder.add_columns(energy.size, cost=slack * dearest, upper=battery.capacity_kwh)
        surplus = builder.add_columns(energy.size, cost=slack * dearest, upper=battery.capacity_kwh)
        builder.add_rows(np.full(energy.size, least), np.full(energy.size, np.inf), [(energy, 1.0), (missing, 1.0)])
        builder.add_rows(np.full(energy.size, -np.inf), np.full(energy.size, most), [(energy, 1.0), (surplus, -1.0)])
