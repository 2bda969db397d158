"""What a plan does when limits contradict each other or a reserve is missed: it breaks them at a price, the dearest last."""

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.problem.problem import Problem

# What breaking a limit costs per kWh, as multiples of the dearest price: dearer than any trade, small enough for the solver's tolerances.
# Rather than the connection's limits the wish for the horizon is given up, and what physics cannot do (draining a reserve) comes last.
HORIZON_SLACK, GRID_SLACK, SOC_SLACK = 100.0, 1_000.0, 5_000.0
# The power of an excess is priced in so many steps, up to so many times the price of the first.
EXCESS_STEPS, STEEPEST_EXCESS = 8, 3.0


def dearest_price(problem: Problem) -> float:
    """Return the largest price, in or out, that slack is priced by."""
    return max(float(np.abs(problem.outlook.import_price).max()), float(np.abs(problem.outlook.export_price).max()), 0.1)


def excess_kwh(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return what load, what runs on, and PV exceed the connection's limits by, in and out; PV that may be held back exceeds nothing."""
    hours = problem.outlook.timeline.hours
    runs_on = sum((demand.forced_kwh(hours) for demand in problem.demands), np.zeros(hours.size))
    net = problem.outlook.load_kwh + runs_on - problem.ac_pv_kwh
    export_kwh = np.maximum(-net - problem.export_limit_kwh, 0.0) * (not problem.site.curtailable)
    return np.maximum(net - problem.import_limit_kwh, 0.0), export_kwh


def add_grid_slack(builder: ModelBuilder, problem: Problem) -> list[tuple[Indices, float]]:
    """Let load and PV, and nothing else, exceed the connection's limits at a price that rises with the power of the excess, and with the worst of it.

    Batteries then share what they have over all slots. On an island that is of no use: they serve as long as they can.
    """
    outlook, manual = problem.outlook, problem.manual
    sides = zip(excess_kwh(problem), (outlook.import_price, -outlook.export_price), (1.0, -1.0), strict=True)
    shut = (None, None) if manual is None else (manual.no_import, manual.no_export)
    slack = []
    for (energy, price, sign), island in zip(sides, shut, strict=True):
        columns = builder.add_columns(energy.size, cost=price, upper=energy)
        alone = energy > 0 if island is None else (energy > 0) & ~island
        _price_excess(builder, columns, problem, energy, level=alone)
        slack.append((columns, sign))
    return slack


def _price_excess(builder: ModelBuilder, columns: Indices, problem: Problem, energy_kwh: FloatArray, *, level: BoolArray) -> None:
    """Price what exceeds a limit: levelled by steps of power and by the worst kilowatt where requested, elsewhere the sooner the dearer."""
    slots, hours, price = np.flatnonzero(level), problem.outlook.timeline.hours, GRID_SLACK * dearest_price(problem)
    sooner = np.flatnonzero((energy_kwh > 0) & ~level)
    if sooner.size:
        ordered = builder.add_columns(sooner.size, cost=price * np.linspace(2.0, 1.0, energy_kwh.size)[sooner], upper=np.inf)
        builder.add_rows(np.full(sooner.size, -np.inf), np.zeros(sooner.size), [(columns[sooner], 1.0), (ordered, -1.0)])
    if not slots.size:
        return
    step_kw = float((energy_kwh[slots] / hours[slots]).max()) / EXCESS_STEPS
    steps = [builder.add_columns(slots.size, cost=price * rise, upper=step_kw * hours[slots]) for rise in np.linspace(1.0, STEEPEST_EXCESS, EXCESS_STEPS)]
    worst = builder.add_columns(1, cost=price, upper=np.inf)
    nothing, unbound = np.zeros(slots.size), np.full(slots.size, -np.inf)
    builder.add_rows(unbound, nothing, [(columns[slots], 1.0), *((step, -1.0) for step in steps)])
    builder.add_rows(unbound, nothing, [(columns[slots], 1.0 / hours[slots]), (np.repeat(worst, slots.size), -1.0)])


def add_soc_slack(builder: ModelBuilder, problem: Problem, columns: Indices, *, index: int) -> None:
    """Let a battery miss the terminal bounds, and begin outside its limits, at a price."""
    battery, terminal, stored, dearest = problem.site.batteries[index], problem.terminal, columns[2], dearest_price(problem)
    bounds = (
        (stored, battery.min_soc * battery.capacity_kwh, battery.max_soc * battery.capacity_kwh, SOC_SLACK),
        (stored[-1:], terminal.least_kwh[index], terminal.most_kwh[index], HORIZON_SLACK),
    )
    for energy, least, most, slack in bounds:
        missing = builder.add_columns(energy.size, cost=slack * dearest, upper=battery.capacity_kwh)
        surplus = builder.add_columns(energy.size, cost=slack * dearest, upper=battery.capacity_kwh)
        builder.add_rows(np.full(energy.size, least), np.full(energy.size, np.inf), [(energy, 1.0), (missing, 1.0)])
        builder.add_rows(np.full(energy.size, -np.inf), np.full(energy.size, most), [(energy, 1.0), (surplus, -1.0)])


# What a kWh costs that a reserve lacks at the end of a slot, as a multiple of the dearest price: before every wish, after the owner's own blocks.
RESERVE_SLACK = 200.0


def add_reserves(builder: ModelBuilder, problem: Problem, batteries: Indices) -> None:
    """Add the rows of the reserves."""
    if problem.storage.reserve_kwh is None:
        return
    for (_, _, stored), reserve_kwh in zip(batteries, problem.storage.reserve_kwh, strict=True):
        where = np.flatnonzero(reserve_kwh > 0)
        missing = builder.add_columns(where.size, cost=RESERVE_SLACK * dearest_price(problem), upper=reserve_kwh[where])
        if where.size:
            builder.add_rows(reserve_kwh[where], np.full(where.size, np.inf), [(stored[where], 1.0), (missing, 1.0)])


def price_missing(problem: Problem, stored_kwh: FloatArray) -> float:
    """Return what the model counts for what reserves lack."""
    if problem.storage.reserve_kwh is None:
        return 0.0
    return RESERVE_SLACK * dearest_price(problem) * float(np.maximum(problem.storage.reserve_kwh - stored_kwh, 0.0).sum())
