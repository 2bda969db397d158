"""A long horizon in pieces: what it comes to beside the optimum, and that it is no worse when time
is short.
"""

from typing import Any

import numpy as np
import pytest

from bench.hard_weeks import draw_week
from luna.contracts.plan import PlanRequest
from services.planner.dp.plan import objective
from services.planner.linear.model import LinearModel
from services.planner.milp.owner_rows import full_kwh
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.planner import make_plan, plan_alone
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from tests.support.planning.problems import PATIENCE_S, limit_time
from tests.support.planning.solvers import Searchless

MOST_BINARIES = 1000


class Hurried(Solver):
    """A solver whose searches over the whole horizon find nothing in time, while those over pieces
    have all they need.
    """

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        if model.integer.sum() > MOST_BINARIES:
            raise SolverError("no solution: Time limit reached")
        return super().solve(model, **options)


def pose(seed: int, batteries: int, *parts: str) -> Problem:
    document = draw_week(
        np.random.default_rng(seed), name="week", batteries=batteries, parts=frozenset(parts)
    )
    return limit_time(build_problem(PlanRequest.model_validate(document)), PATIENCE_S)


@pytest.mark.parametrize(
    ("seed", "parts"),
    [
        pytest.param(1, (), id="spot prices", marks=pytest.mark.long),
        pytest.param(5, (), id="another week", marks=pytest.mark.long),
        pytest.param(7, ("negative_prices",), id="negative prices"),
    ],
)
def test_a_hard_week_without_a_search_keeps_all_limits_near_the_optimum(
    seed: int, parts: tuple[str, ...]
) -> None:
    # The relaxed model alone, rounded, exceeds the connection's limit in every one of them.
    plan = make_plan(pose(seed, 3, *parts), Hurried())
    assert plan.method == "model"
    assert plan.gap is not None
    assert plan.gap < 0.06
    assert plan.flows.excess_kwh.max() == 0.0
    least = np.array([[battery.min_charge_kw] for battery in plan.problem.site.batteries]) / 4
    charge = plan.flows.charge_kwh
    assert np.all((charge < 1e-6) | (charge > least - 1e-6))


def test_appliances_of_a_hard_week_are_scheduled_whatever_batteries_come_to() -> None:
    plan = make_plan(pose(8, 2, "appliances"), Hurried())
    assert plan.load_schedule is not None
    # Six kilowatt-hours on each of seven days.
    assert plan.load_schedule.scheduled_kwh.sum() == pytest.approx(42.0, abs=0.8)
    assert (plan.method, plan.gap, plan.proven) == ("model", None, False)
    assert plan.flows.excess_kwh.max() == 0.0
    assert objective(plan) < -9.0


def test_pins_of_a_hard_week_are_had_until_their_battery_is_full_or_empty() -> None:
    plan = make_plan(pose(4, 2, "pins"), Hurried())
    manual = plan.problem.manual
    assert plan.method == "model"
    assert manual is not None
    assert plan.flows.excess_kwh.max() == 0.0
    missed = [
        np.nan_to_num(wanted - had)
        for wanted, had in (
            (manual.charge_kwh, plan.flows.charge_kwh),
            (manual.discharge_kwh, plan.flows.discharge_kwh),
        )
    ]
    full = np.array([full_kwh(battery) for battery in plan.problem.site.batteries])
    empty = plan.problem.limits.batteries.min_kwh[:, 0]
    bounds = zip(
        missed,
        (
            plan.flows.stored_kwh >= full[:, None] - 1e-3,
            plan.flows.stored_kwh <= empty[:, None] + 1e-3,
        ),
        strict=True,
    )
    assert all(np.all((missing < 1e-3) | ended) for missing, ended in bounds)
    # Binaries for every end come to -9.467 in a hundred seconds.
    assert objective(plan) < -9.35


@pytest.mark.long
def test_without_time_for_a_search_physics_makes_the_best_of_what_is_near_a_plan() -> None:
    problem = pose(4, 2, "pins", "appliances")
    plan = make_plan(problem, Searchless())
    alone = plan_alone(problem)
    assert (plan.method, plan.gap, plan.proven, plan.disagreements) == ("model", None, False, ())
    assert (plan.flows.excess_kwh > 0).sum() < (alone.flows.excess_kwh > 0).sum() / 4
    charge = plan.flows.charge_kwh
    least = np.array([[battery.min_charge_kw] for battery in problem.site.batteries]) / 4
    assert np.all((charge < 1e-6) | (charge > least - 1e-6))
