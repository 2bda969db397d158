from contextlib import suppress
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest

from luna.contracts.plan import Terminal
from services.planner.linear.model import LinearModel
from services.planner.milp.directions import find_complementarity_violations
from services.planner.milp.flow_solver import solve_flows, solve_full
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem
from tests.support.planning.problems import (
    describe_site,
    draw_problem,
    limit_time,
    make_problem,
    settle_cost,
)
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

PLAIN = {"load_kwh": 0.3, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.05}


# Longer ones need no more kinds of rows, and the independent solver takes seconds for some.
SLOTS = range(24, 49) if LONG else range(16, 25)


def draw(seed: int) -> Problem:
    """One or two batteries in turn, over horizons of several lengths."""
    slots = SLOTS[7 * seed % len(SLOTS)]
    return draw_problem(np.random.default_rng(seed), batteries=1 + seed % 2, slots=slots)


# The way to CBC from the next major version on needs another package
@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(48)))
def test_plan_costs_what_the_reference_model_costs(seed: int) -> None:
    problem = draw(seed)
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        solve_reference(problem), rel=1e-6, abs=1e-6, nan_ok=True
    )


@each_row("seed", range(1000, 1000 + draws(40)))
def test_binaries_only_where_needed_cost_what_binaries_everywhere_cost(seed: int) -> None:
    problem = draw(seed)
    assert solve_flows(problem, Solver()).objective == pytest.approx(
        solve_full(problem, Solver()).objective, rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("batteries", [1, 2])
def test_warm_answers_equal_cold_ones(batteries: int) -> None:
    solver = Solver()
    problems = [
        draw_problem(np.random.default_rng(seed), batteries=batteries, slots=36)
        for seed in range(draws(20))
    ]
    warm = [solve_flows(problem, solver).objective for problem in problems]
    cold = [solve_flows(problem, Solver()).objective for problem in problems]
    assert warm == pytest.approx(cold, rel=1e-7, abs=1e-7)


def test_batteries_that_may_not_sell_share_the_load_between_them() -> None:
    site = describe_site(
        {"discharge_to_grid": False}, {"discharge_to_grid": False}, curtailable=False
    )
    problem = make_problem(
        site,
        PLAIN | {"load_kwh": [0.5] * 8, "export_price": 0.5},
        terminal=Terminal(kind="value", value=0.0),
    )
    plan = make_plan(problem, Solver())
    assert plan.flows.export_kwh.max() == 0.0
    assert plan.flows.discharge_kwh.sum(axis=0) == pytest.approx([0.5] * 8)


def test_battery_that_may_only_store_sun_gets_it_beside_one_that_buys() -> None:
    # The first battery buys at 0.05 besides; the second, held first, takes the 0.5 kWh of surplus.
    site = describe_site({"charge_limit_kw": 4}, {"charge_from_grid": False, "charge_limit_kw": 2})
    series = {"load_kwh": 0.0, "pv_kwh": [0.5] * 4, "import_price": 0.05, "export_price": 0.0}
    plan = make_plan(
        make_problem(site, series, terminal=Terminal(kind="value", value=0.3)), Solver()
    )
    assert plan.flows.charge_kwh == pytest.approx(np.array([[1.0] * 4, [0.5] * 4]))
    assert plan.flows.import_kwh == pytest.approx([1.0] * 4)


def test_load_beyond_the_connection_comes_from_the_battery_that_wears_less() -> None:
    site = describe_site({"wear_price": 0.1}, {"wear_price": 0.0}, import_limit_kw=1)
    plan = make_plan(
        make_problem(
            site, PLAIN | {"load_kwh": [0.5] * 4}, terminal=Terminal(kind="value", value=0.5)
        ),
        Solver(),
    )
    assert plan.flows.discharge_kwh == pytest.approx(np.array([[0.0] * 4, [0.25] * 4]))


class Timed(Solver):
    """A solver that remembers how long its searches were allowed to take."""

    searches: ClassVar[list[float]] = []

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        if model.integer.any():
            self.searches.append(options["time_limit_s"])
        return super().solve(model, **options)


@pytest.mark.parametrize(("seed", "batteries"), [(828, 1), (825, 2)])
def test_time_limit_holds_for_all_rounds_together(seed: int, batteries: int) -> None:
    # A day at prices that tempt: round after round finds new slots to ask for binaries.
    problem = draw_problem(np.random.default_rng(seed), batteries=batteries, slots=96)
    Timed.searches.clear()
    with suppress(SolverError):
        solve_flows(limit_time(problem, 0.5), Timed())
    assert Timed.searches
    # Where the machine is busy, what is left reaches its least and stays there.
    assert all(later <= earlier < 0.5 for earlier, later in pairwise([0.499999, *Timed.searches]))


class OutOfTime(Solver):
    """A solver whose searches find nothing in time."""

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        if model.integer.any():
            raise SolverError("no solution: Time limit reached")
        return super().solve(model, **options)


@pytest.mark.parametrize("seed", range(draws(30)))
def test_a_search_that_finds_nothing_in_time_leaves_a_plan_with_a_proven_gap(seed: int) -> None:
    problem = draw_problem(np.random.default_rng(seed + 400), batteries=2, slots=24)
    best = solve_flows(problem, Solver())
    found = solve_flows(problem, OutOfTime())
    assert not find_complementarity_violations(problem, found).any()
    assert best.objective <= found.objective + 1e-6
    assert found.objective - best.objective <= found.gap * abs(found.objective) + 1e-6
