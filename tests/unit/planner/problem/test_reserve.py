import numpy as np
import pytest

from luna.contracts.plan import Terminal
from services.planner.dp.plan import Plan
from services.planner.milp.planner import plan_by_model
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import hold_reserve
from services.planner.problem.problem import Problem
from tests.support.planning.problems import describe_site, draw_problem, make_problem, settle_cost
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

SLOTS = 36
DRAWN = 16
EVENING = {
    "load_kwh": 0.5,
    "pv_kwh": 0.0,
    "import_price": [0.1] * 12 + [0.4] * 24,
    "export_price": 0.0,
}


def draw_reserved(seed: int) -> Problem:
    """A problem whose batteries are to hold a share of their capacity for a while."""
    rng = np.random.default_rng(seed)
    problem = draw_problem(rng, batteries=1 + seed % 2, slots=DRAWN)
    first, end = sorted(rng.choice(DRAWN + 1, 2, replace=False).tolist())
    reserve = np.zeros((len(problem.site.batteries), DRAWN))
    reserve[:, first:end] = [
        [battery.capacity_kwh * rng.uniform(0.3, 0.9)] for battery in problem.site.batteries
    ]
    return hold_reserve(problem, reserve)


def lacking_kwh(plan: Plan) -> float:
    wanted = plan.problem.storage.reserve_kwh
    assert wanted is not None
    return float(np.maximum(wanted - plan.flows.stored_kwh, 0.0).sum())


@each_row("seed", range(draws(16)))
def test_value_of_energy_and_model_hold_the_same_reserve_at_the_same_cost(seed: int) -> None:
    plans = [make_plan(draw_reserved(seed), Solver()), plan_by_model(draw_reserved(seed), Solver())]
    assert lacking_kwh(plans[0]) == pytest.approx(lacking_kwh(plans[1]), abs=1e-4)
    assert settle_cost(plans[0]) == pytest.approx(
        settle_cost(plans[1]), rel=1e-5, abs=1e-5, nan_ok=True
    )


def test_reserve_is_there_when_its_time_comes_and_is_used_after_it() -> None:
    problem = make_problem(
        describe_site({"min_soc": 0.1}),
        EVENING,
        soc=0.2,
        terminal=Terminal(kind="value", value=0.0),
    )
    reserve = np.zeros((1, SLOTS))
    reserve[0, 11:24] = 8.0
    stored = make_plan(hold_reserve(problem, reserve), Solver()).flows.stored_kwh[0]
    assert stored[11:24].min() >= 8.0 - 1e-6
    # From then on twelve slots of 0.5 kWh are served, 0.5 / 0.95 out of the battery each.
    assert stored[-1] == pytest.approx(8.0 - 12 * 0.5 / 0.95, abs=1e-6)


def test_reserve_out_of_reach_is_approached_as_fast_as_can_be() -> None:
    # 5 kW for a quarter of an hour bring 1.25 × 0.95 kWh.
    problem = make_problem(
        describe_site({}), EVENING, soc=0.1, terminal=Terminal(kind="value", value=0.0)
    )
    reserve = np.full((1, SLOTS), 9.0)
    stored = make_plan(hold_reserve(problem, reserve), Solver()).flows.stored_kwh[0]
    assert stored[:4] == pytest.approx(1.0 + 1.1875 * np.arange(1, 5))
    assert stored[8:].min() >= 9.0 - 1e-6
