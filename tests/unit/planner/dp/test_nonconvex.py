"""Slots whose cost is not convex: the exact programme over pieces with jumps, beside the
mixed-integer model.
"""

from dataclasses import replace

import numpy as np
import pytest

from services.planner.dp.nonconvex import choose_directions
from services.planner.dp.plan import objective
from services.planner.dp.planner import terminal_segments
from services.planner.dp.segments import problem_segments
from services.planner.milp.directions import find_single_directions
from services.planner.milp.planner import plan_by_model
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem, SearchLimits
from tests.support.planning.problems import describe_site, make_problem
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

# Buying and selling prices beside the market's: selling pays more, buying is paid, prices have
# nothing to do with each other, an ordinary markup.
TARIFFS = ("exports earn more", "markup", "anything", "high markup")


def draw(seed: int, *, slots: int = 32, **battery: float | bool) -> Problem:
    """Return a day of prices around zero."""
    rng = np.random.default_rng(seed)
    site = describe_site(
        dict(battery), import_limit_kw=rng.uniform(5, 12), export_limit_kw=rng.uniform(2, 9)
    )
    spot = np.repeat(rng.normal(0.0, 0.12, slots // 4), 4)
    free = np.repeat(rng.normal(0.02, 0.1, slots // 4), 4)
    buy, sell = {
        "exports earn more": (spot, spot + 0.03),
        "markup": (spot + 0.02, spot),
        "anything": (spot, free),
        "high markup": (spot + 0.1, spot),
    }[TARIFFS[seed % 4]]
    sun = np.maximum(np.sin(np.linspace(-1, 4, slots)), 0.0) * rng.uniform(0, 2)
    series = {
        "load_kwh": rng.gamma(1.0, 0.3, slots),
        "pv_kwh": sun,
        "import_price": buy,
        "export_price": sell,
    }
    return replace(make_problem(site, series, soc=rng.uniform(0, 1)), search=SearchLimits())


@each_row("seed", range(draws(24)))
def test_ways_are_those_of_the_mixed_integer_model(seed: int) -> None:
    problem = draw(seed)
    plan = make_plan(problem, Solver())
    assert (plan.gap, plan.proven, plan.disagreements) == (0.0, True, ())
    assert objective(plan) == pytest.approx(
        objective(plan_by_model(problem, Solver())), rel=1e-6, abs=1e-6
    )


@each_row("seed", range(draws(12)))
def test_a_least_power_is_charged_with_or_nothing_as_an_independent_model_has_it(seed: int) -> None:
    problem = draw(seed + 100, slots=24, min_charge_kw=1.0)
    plan = make_plan(problem, Solver())
    assert plan.disagreements == ()
    assert objective(plan) == pytest.approx(solve_reference(problem), rel=1e-6, abs=1e-6)
    charge_kw = plan.flows.charge_kwh[0] / problem.outlook.timeline.hours
    assert charge_kw[charge_kw > 1e-6].min(initial=1.0) >= 1.0 - 1e-6


def test_ways_of_a_least_power_are_found_without_a_search() -> None:
    single = find_single_directions(draw(100, slots=24, min_charge_kw=1.0))
    assert single is not None
    assert single.objective == pytest.approx(
        solve_reference(draw(100, slots=24, min_charge_kw=1.0)), rel=1e-6, abs=1e-6
    )


def test_a_tiny_battery_and_three_weeks_are_no_larger_a_search() -> None:
    # Pieces of all functions: some per slot, not more with every slot. One try has room enough.
    problem = draw(4, slots=2016, capacity_kwh=0.1)
    free = problem_segments(problem)
    assert not free.convex.all()
    assert choose_directions(problem, free, terminal_segments(problem), doublings=1) is not None


def test_what_finds_no_room_has_no_ways() -> None:
    problem = draw(4)
    free = problem_segments(problem)
    terminal = terminal_segments(problem)
    assert choose_directions(problem, free, terminal, doublings=0) is None


def test_surplus_that_has_to_be_stored_leaves_the_ways_to_the_model() -> None:
    # It may neither be fed in nor held back, and selling would pay more than buying costs.
    site = describe_site({}, curtailable=False, export_limit_kw=0.0)
    spot = np.repeat([0.1, -0.1, 0.2, 0.05], 4)
    prices = {"import_price": spot, "export_price": spot + 0.03}
    problem = make_problem(site, {"load_kwh": 0.2, "pv_kwh": 0.3} | prices, soc=0.3)
    free = problem_segments(problem)
    assert not free.convex.all()
    assert choose_directions(problem, free, terminal_segments(problem)) is None
    assert make_plan(problem, Solver()).method == "model"
