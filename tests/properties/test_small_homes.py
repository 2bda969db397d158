"""Plans of battery, car and water heater are feasible, as near the optimum as they state, and never
claim a bound above it.

The optimum is that of the complete model written for readers.
"""

from collections.abc import Iterator

import pytest

from luna.contracts.plan import PlanRequest
from services.planner.dp.plan import Plan, objective
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.reply.notes import find_gap_cost
from tests.support.planning.small_homes import draw_small_home, find_broken_limits
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

# Homes of a short run: about 0.2 s of CPU each, most of it the complete model's.
HOMES = 100 if LONG else 4
# Waiting has a price in the plan and none in the model written for readers.
TIES = 5e-4


@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(3, 3 + HOMES))
def test_a_plan_is_feasible_and_as_near_the_optimum_as_it_states(seed: int) -> None:
    request = draw_small_home(seed)
    problem = build_problem(request)
    plan = make_plan(problem, Solver())
    assert plan.load_schedule is not None
    assert list(find_broken_limits(plan, request)) == []
    cost = plan.load_schedule.objective
    optimum = solve_reference(problem)
    gap_cost = find_gap_cost(plan)
    assert gap_cost is not None
    assert cost - gap_cost <= optimum + TIES
    assert cost - optimum <= problem.search.allow(cost) + TIES
    # Around the scheduled loads the batteries are planned to the optimum: that costs no more.
    spent = sum(_list_costs(plan, request))
    assert optimum - TIES <= spent <= cost + 5e-5


def _list_costs(plan: Plan, request: PlanRequest) -> Iterator[float]:
    """Yield what the flows cost, what devices cost beside energy, and the peak."""
    assert plan.load_schedule is not None
    yield objective(plan)
    yield plan.load_schedule.beside_cost
    for peak in plan.problem.site.tariff.peaks:
        # Slots are hours, so kWh are kW.
        highest_kw = max(float(plan.flows.import_kwh.max()), *request.state.month_peaks_kw)
        yield peak.price_per_kw_month * highest_kw
