"""Made-up planning problems: every kind of price, limit and battery that a site may have, the same
for the same seed.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luna.contracts.plan import Terminal
from luna.energy.outlook import Outlook
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.simulation import Flows
from luna.energy.schedule import Committed
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.planner.dp.plan import Plan, objective
from services.planner.problem.build import terminal_rule
from services.planner.problem.problem import Problem
from services.planner.reply.notes import find_compromises

START = datetime(2024, 2, 1, tzinfo=UTC)
BATTERY: dict[str, Any] = {
    "capacity_kwh": 10,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "wear_price": 0.01,
}
# For a machine that is busy with much else: a search that its clock ends early proves nothing.
PATIENCE_S = 600.0
TERMINALS = ("minimum_soc", "equal_soc", "value", "automatic")


def describe_site(
    *batteries: dict[str, Any],
    curtailable: bool = True,
    timezone: str = "Europe/Berlin",
    **grid: float,
) -> Site:
    """Return a site with a roof; each battery is ``BATTERY`` with its own changes."""
    named = [
        {"name": f"battery {index}"} | BATTERY | changes for index, changes in enumerate(batteries)
    ]
    return parse_site(
        {
            "name": "home",
            "timezone": timezone,
            "grid": grid,
            "pv": [{"peak_kw": 8, "curtailable": curtailable}],
            "batteries": named,
        }
    )


def make_problem(
    site: Site,
    series: dict[str, Any],
    *,
    soc: float = 0.5,
    terminal: Terminal | None = None,
    step: timedelta = SLOT,
    first_step: timedelta | None = None,
) -> Problem:
    """Return a problem on ``site``.

    ``series`` holds load_kwh, pv_kwh, import_price and export_price, numbers where they never
    change.
    """
    count = max(np.size(values) for values in series.values())
    ahead = {
        name: np.broadcast_to(np.asarray(values, dtype=float), (count,)).copy()
        for name, values in series.items()
    }
    stored = soc * np.array([battery.capacity_kwh for battery in site.batteries])
    rule = terminal_rule(
        terminal or Terminal(), site, stored_kwh=stored, import_price=ahead["import_price"]
    )
    problem = Problem(
        site,
        Outlook(Timeline(START, step, count, first_step), **ahead),
        stored,
        rule,
        SiteLimits.of(site),
    )
    return limit_time(problem, PATIENCE_S)


def limit_time(problem: Problem, time_limit_s: float) -> Problem:
    """Return the problem with so much time for it, from whenever it is begun."""
    return replace(
        problem, search=replace(problem.search, time_limit_s=time_limit_s, deadline=None)
    )


def draw_problem(rng: np.random.Generator, *, batteries: int, slots: int) -> Problem:
    """Return any problem: prices of any sign and relation, limits that bind, batteries that may not
    use the grid, a first slot that has begun.
    """
    parts = [_draw_battery(rng) for _ in range(batteries)]
    site = describe_site(
        *parts,
        curtailable=bool(rng.random() < 0.7),
        import_limit_kw=rng.uniform(6, 14),
        export_limit_kw=rng.uniform(2, 9),
    )
    load = rng.gamma(1.0, 0.3, slots)
    pv = np.maximum(np.sin(np.linspace(-1, 4, slots)), 0.0) * rng.uniform(0, 2)
    bought, sold = draw_prices(rng, slots)
    terminal = Terminal(kind=rng.choice(TERMINALS), value=round(rng.uniform(0, 0.3), 3))
    begun = timedelta(minutes=int(rng.integers(1, 15))) if rng.random() < 0.3 else None
    load[0], pv[0] = (energy * ((begun or SLOT) / SLOT) for energy in (load[0], pv[0]))
    lowest, highest = (max(b["min_soc"] for b in parts), 1.0) if parts else (0.0, 1.0)
    series = {"load_kwh": load, "pv_kwh": pv, "import_price": bought, "export_price": sold}
    return make_problem(
        site, series, soc=rng.uniform(lowest, highest), terminal=terminal, first_step=begun
    )


def draw_contradiction(rng: np.random.Generator, *, batteries: int, slots: int) -> Problem:
    """Return a problem whose limits often contradict each other: connections too narrow, states and
    wishes out of reach.
    """
    parts = [_draw_battery(rng) | {"max_soc": rng.choice([1.0, 0.9])} for _ in range(batteries)]
    site = describe_site(
        *parts,
        curtailable=bool(rng.random() < 0.5),
        import_limit_kw=rng.uniform(0.5, 4),
        export_limit_kw=rng.uniform(0, 2),
    )
    bought, sold = draw_prices(rng, slots)
    series = {
        "load_kwh": rng.gamma(1.0, 0.4, slots),
        "pv_kwh": np.maximum(np.sin(np.linspace(-1, 4, slots)), 0.0) * rng.uniform(0, 2),
        "import_price": bought,
        "export_price": sold,
    }
    terminal = Terminal(kind=rng.choice(TERMINALS), value=0.1, soc=rng.choice([None, 0.05, 0.95]))
    return make_problem(site, series, soc=rng.uniform(0, 1), terminal=terminal)


def draw_prices(rng: np.random.Generator, slots: int) -> tuple[FloatArray, FloatArray]:
    """Return import and export prices of one kind of tariff, hourly."""
    hourly = -(-slots // 4)
    spot = np.repeat(rng.normal(0.08, 0.12, hourly), 4)[:slots]
    kinds = {
        "spot both ways": (spot, spot),
        "markup": (spot + 0.13, spot),
        "flat feed-in": (spot + 0.1, np.full(slots, 0.07)),
        "exports earn more": (spot, spot + 0.03),
        "anything": (spot, np.repeat(rng.normal(0.05, 0.1, hourly), 4)[:slots]),
    }
    return kinds[rng.choice(list(kinds))]


def _draw_battery(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "capacity_kwh": rng.uniform(2, 12),
        "min_soc": rng.choice([0.0, 0.1, 0.2]),
        "charge_limit_kw": rng.uniform(1, 6),
        "discharge_limit_kw": rng.uniform(1, 6),
        "charge_efficiency": rng.choice([0.9, 0.95, 1.0]),
        "discharge_efficiency": rng.choice([0.9, 0.95, 1.0]),
        "wear_price": rng.choice([0.0, 0.01, 0.03]),
        "charge_from_grid": bool(rng.random() < 0.75),
        "discharge_to_grid": bool(rng.random() < 0.75),
        "min_charge_kw": rng.choice([0.0, 0.0, 0.0, 1.0]),
        "taper_from_soc": rng.choice([1.0, 1.0, 0.8]),
        "taper_to_share": 0.3,
    }


def settle_cost(plan: Plan) -> float:
    """Return a plan's cost less the terminal value of what is left.

    NaN where it is a compromise, as for a model without solution.
    """
    return float("nan") if find_compromises(plan) else objective(plan)


def simulate_plan(plan: Plan) -> Flows:
    """Return what the plan's set-points make of its own outlook, slot after slot, without the
    plan's own bookkeeping.
    """
    ahead = plan.problem.outlook
    actuals = Actuals(ahead.timeline, ahead.load_kwh, ahead.pv_kwh)
    flows = simulate(
        Committed(plan.setpoints),
        actuals,
        limits=plan.limits.by_slot(),
        stored_kwh=plan.problem.stored_kwh[:, None],
    ).flows
    return Flows(**{name: getattr(flows, name)[..., 0, :] for name in Flows.__slots__})
