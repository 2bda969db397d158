"""Full cycles a day: what a battery may discharge between two midnights, in the plan, as it is
followed and as it is lived.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.plan import Terminal
from luna.energy.timeline import SLOT, FloatArray, local_dates
from services.planner.milp.battery_constraints import missed_kwh
from services.planner.milp.solver import Solver
from services.planner.planner import decide, dp_is_exact, make_plan
from services.planner.problem.problem import ACTING, Following, Problem, StorageBounds
from tests.support.planning.problems import describe_site, draw_prices, make_problem, settle_cost
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

DAY = timedelta(days=1) // SLOT


def days_of(problem: Problem, flow: FloatArray) -> list[float]:
    """Return what flows in each local day, kWh."""
    dates = [
        day.toordinal()
        for day in local_dates(problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    ]
    return [float(flow[np.array(dates) == day].sum()) for day in sorted(set(dates))]


def two_peaks(cycles: float | None, **battery: Any) -> Problem:
    """Two days, each with two dear hours after two cheap ones: a battery without a limit makes four
    cycles.
    """
    price = np.tile(np.repeat([0.10, 0.50, 0.10, 0.40], DAY // 4), 2)
    load = np.where(price > 0.3, 0.5, 0.1)
    series = {
        "load_kwh": load,
        "pv_kwh": np.zeros(2 * DAY),
        "import_price": price,
        "export_price": np.zeros(2 * DAY),
    }
    site = describe_site({"max_cycles_per_day": cycles} | battery, timezone="UTC")
    return make_problem(
        site, series, soc=0.0, step=SLOT, terminal=Terminal(kind="value", value=0.0)
    )


def test_a_day_discharges_no_more_than_its_cycles_hold() -> None:
    free, bound = (decide(two_peaks(cycles), Solver()) for cycles in (None, 1.0))
    usable = bound.problem.site.batteries[0].usable_kwh
    assert all(given > 1.5 * usable for given in days_of(free.problem, free.flows.discharge_kwh[0]))
    assert days_of(bound.problem, bound.flows.discharge_kwh[0]) == pytest.approx([usable, usable])


def test_the_cycle_is_kept_for_the_dearest_hours() -> None:
    # One charge of 10 kWh gives 9.5 at the terminals: nine tenths of a cycle need no second one.
    plan = decide(two_peaks(0.9), Solver())
    given = plan.flows.discharge_kwh[0]
    price = plan.problem.outlook.import_price
    assert given[price < 0.5].sum() == pytest.approx(0.0, abs=1e-6)


def test_what_was_discharged_today_counts_and_tomorrow_begins_anew() -> None:
    problem = two_peaks(1.0)
    usable = problem.site.batteries[0].usable_kwh
    plan = decide(
        replace(problem, storage=StorageBounds(discharged_today_kwh=np.array([0.75 * usable]))),
        Solver(),
    )
    assert days_of(problem, plan.flows.discharge_kwh[0]) == pytest.approx([0.25 * usable, usable])


def test_a_limit_that_nothing_reaches_changes_nothing_and_costs_no_model() -> None:
    free, bound = (make_plan(two_peaks(cycles), Solver()) for cycles in (None, 4.0))
    assert dp_is_exact(bound.problem)
    assert bound.method == free.method == "value"
    assert np.array_equal(bound.flows.stored_kwh, free.flows.stored_kwh)


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(12)))
def test_it_costs_what_the_model_written_for_readers_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cycles = {"max_cycles_per_day": float(rng.choice([0.2, 0.5, 1.0]))}
    site = describe_site(cycles, *([cycles] if seed % 3 == 0 else []), import_limit_kw=12)
    bought, sold = draw_prices(rng, 30)
    series = {
        "load_kwh": rng.gamma(1.0, 0.8, 30),
        "pv_kwh": rng.uniform(0, 2, 30),
        "import_price": bought,
        "export_price": sold,
    }
    problem = make_problem(
        site, series, soc=rng.uniform(0, 1), terminal=Terminal(kind="value", value=0.1)
    )
    today = rng.uniform(0, 2, len(site.batteries))
    problem = replace(problem, storage=StorageBounds(discharged_today_kwh=today))

    plan = make_plan(problem, Solver())
    assert settle_cost(plan) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6, nan_ok=True
    )
    assert missed_kwh(problem, plan.flows) <= 1e-6


@each_row("seed", range(draws(20)))
def test_what_is_followed_keeps_it_too(seed: int) -> None:
    rng = np.random.default_rng(seed + 100)
    site = describe_site({"max_cycles_per_day": float(rng.choice([0.0, 0.2, 0.6]))})
    bought, sold = draw_prices(rng, 48)
    series = {
        "load_kwh": rng.gamma(1.0, 0.8, 48),
        "pv_kwh": rng.uniform(0, 2, 48),
        "import_price": bought,
        "export_price": sold,
    }
    plan = decide(
        replace(make_problem(site, series, soc=rng.uniform(0, 1)), following=Following(ACTING)),
        Solver(),
    )
    assert missed_kwh(plan.problem, plan.flows) <= 1e-6
