"""Slack columns that make contradicting limits and reserves feasible at a penalty.

The most expensive limits are broken last.
"""

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.problem.problem import Problem

# Penalties per kWh, in multiples of the highest price: above any trade, small enough for the
# solver's tolerances. The terminal rule gives way before the connection's limits, and the
# batteries' own limits, which physics keeps, come last.
HORIZON_SLACK = 100.0
GRID_SLACK = 1_000.0
SOC_SLACK = 5_000.0
# Steps of the penalty on an excess's power, and the last step's multiple of the first.
EXCESS_STEPS = 8
STEEPEST_EXCESS = 3.0


def dearest_price(problem: Problem) -> float:
    """Return the largest magnitude of import and export price, which penalties are multiples of."""
    return max(
        float(np.abs(problem.outlook.import_price).max()),
        float(np.abs(problem.outlook.export_price).max()),
        0.1,
    )


def excess_kwh(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return the energy beyond the connection's limits, import and export.

    It is that of load, forced device use and PV; curtailable PV never exceeds them.
    """
    hours = problem.outlook.timeline.hours
    runs_on = sum((demand.forced_kwh(hours) for demand in problem.demands), np.zeros(hours.size))
    net = problem.outlook.load_kwh + runs_on - problem.ac_pv_kwh
    export_kwh = np.maximum(-net - problem.export_limit_kwh, 0.0) * (not problem.site.curtailable)
    return np.maximum(net - problem.import_limit_kwh, 0.0), export_kwh


def add_grid_slack(builder: ModelBuilder, problem: Problem) -> list[tuple[Indices, float]]:
    """Let load and PV alone exceed the connection's limits, at a penalty.

    It rises with the excess's power and its maximum, so that batteries spread their energy over
    all slots of excess. On an island they serve the first ones for as long as they can.
    """
    outlook = problem.outlook
    manual = problem.manual
    sides = zip(
        excess_kwh(problem), (outlook.import_price, -outlook.export_price), (1.0, -1.0), strict=True
    )
    shut = (None, None) if manual is None else (manual.no_import, manual.no_export)
    slack = []
    for (energy, price, sign), island in zip(sides, shut, strict=True):
        columns = builder.add_columns(energy.size, cost=price, upper=energy)
        alone = energy > 0 if island is None else (energy > 0) & ~island
        _price_excess(builder, columns, problem, energy, level=alone)
        slack.append((columns, sign))
    return slack


def _price_excess(
    builder: ModelBuilder,
    columns: Indices,
    problem: Problem,
    energy_kwh: FloatArray,
    *,
    level: BoolArray,
) -> None:
    """Add the penalty on an excess.

    It goes by steps of power and by its maximum in ``level`` slots, elsewhere it is higher for
    earlier slots.
    """
    slots = np.flatnonzero(level)
    hours = problem.outlook.timeline.hours
    price = GRID_SLACK * dearest_price(problem)
    sooner = np.flatnonzero((energy_kwh > 0) & ~level)
    if sooner.size:
        ordered = builder.add_columns(
            sooner.size, cost=price * np.linspace(2.0, 1.0, energy_kwh.size)[sooner], upper=np.inf
        )
        # excess[t] <= ordered[t]
        builder.add_rows(
            np.full(sooner.size, -np.inf),
            np.zeros(sooner.size),
            [(columns[sooner], 1.0), (ordered, -1.0)],
            name="excess in order",
        )
    if not slots.size:
        return
    step_kw = float((energy_kwh[slots] / hours[slots]).max()) / EXCESS_STEPS
    step_kwh = step_kw * hours[slots]
    steps = [
        builder.add_columns(slots.size, cost=price * rise, upper=step_kwh)
        for rise in np.linspace(1.0, STEEPEST_EXCESS, EXCESS_STEPS)
    ]
    worst = builder.add_columns(1, cost=price, upper=np.inf)
    nothing = np.zeros(slots.size)
    unbound = np.full(slots.size, -np.inf)
    # excess[t] <= sum of steps[t]
    builder.add_rows(
        unbound,
        nothing,
        [(columns[slots], 1.0), *((step, -1.0) for step in steps)],
        name="steps of excess",
    )
    # excess[t] / hours[t] <= worst
    builder.add_rows(
        unbound,
        nothing,
        [(columns[slots], 1.0 / hours[slots]), (np.repeat(worst, slots.size), -1.0)],
        name="worst excess",
    )


def add_soc_slack(builder: ModelBuilder, problem: Problem, columns: Indices, *, index: int) -> None:
    """Let a battery miss the terminal bounds, and be outside its limits, at a penalty."""
    battery = problem.site.batteries[index]
    terminal = problem.terminal
    stored = columns[2]
    min_kwh = battery.min_soc * battery.capacity_kwh
    max_kwh = battery.max_soc * battery.capacity_kwh
    end_min_kwh = terminal.least_kwh[index]
    end_max_kwh = terminal.most_kwh[index]
    bounds = (
        ("limits", stored, min_kwh, max_kwh, SOC_SLACK),
        ("end", stored[-1:], end_min_kwh, end_max_kwh, HORIZON_SLACK),
    )
    for name, energy, least, most, slack in bounds:
        price = slack * dearest_price(problem)
        missing = builder.add_columns(energy.size, cost=price, upper=battery.capacity_kwh)
        surplus = builder.add_columns(energy.size, cost=price, upper=battery.capacity_kwh)
        # stored[t] + missing[t] >= least
        builder.add_rows(
            np.full(energy.size, least),
            np.full(energy.size, np.inf),
            [(energy, 1.0), (missing, 1.0)],
            name=f"{battery.name}: {name}, least",
        )
        # stored[t] - surplus[t] <= most
        builder.add_rows(
            np.full(energy.size, -np.inf),
            np.full(energy.size, most),
            [(energy, 1.0), (surplus, -1.0)],
            name=f"{battery.name}: {name}, most",
        )


# Penalty per kWh missing from a reserve at the end of a slot, in multiples of the highest price:
# ranks above demands, below the owner's blocks.
RESERVE_SLACK = 200.0


def add_reserves(builder: ModelBuilder, problem: Problem, batteries: Indices) -> None:
    """Add the rows of the reserves."""
    if problem.storage.reserve_kwh is None:
        return
    for battery, (_, _, stored), reserve_kwh in zip(
        problem.site.batteries, batteries, problem.storage.reserve_kwh, strict=True
    ):
        where = np.flatnonzero(reserve_kwh > 0)
        missing = builder.add_columns(
            where.size, cost=RESERVE_SLACK * dearest_price(problem), upper=reserve_kwh[where]
        )
        if where.size:
            # stored[t] + missing[t] >= reserve[t]
            builder.add_rows(
                reserve_kwh[where],
                np.full(where.size, np.inf),
                [(stored[where], 1.0), (missing, 1.0)],
                name=f"{battery.name}: reserve",
            )


def price_missing(problem: Problem, stored_kwh: FloatArray) -> float:
    """Return the model's penalty on missing reserves."""
    if problem.storage.reserve_kwh is None:
        return 0.0
    missing_kwh = np.maximum(problem.storage.reserve_kwh - stored_kwh, 0.0)
    return RESERVE_SLACK * dearest_price(problem) * float(missing_kwh.sum())
