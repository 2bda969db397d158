"""Charges below a battery's least power, rounded without any search: what plans come to then."""

from datetime import timedelta
from typing import Any

import numpy as np

from bench.hard_weeks import START, draw_week
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import SLOTS_PER_DAY, FloatArray
from services.planner.dp.plan import Plan
from services.planner.planner import make_plan, plan_alone
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from tests.support.planning.problems import PATIENCE_S, limit_time
from tests.support.planning.solvers import Searchless
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row


def block(device: str, action: str, *, day: int, hour: int, hours: int) -> dict[str, Any]:
    begin = START + timedelta(days=day, hours=hour)
    end = begin + timedelta(hours=hours)
    return {"device": device, "action": action, "from": begin.isoformat(), "to": end.isoformat()}


def pose(
    seed: int,
    days: int,
    *parts: str,
    batteries: int = 3,
    blocks: list[dict[str, Any]] | None = None,
) -> Problem:
    rng = np.random.default_rng(seed)
    document = draw_week(rng, name="week", batteries=batteries, parts=frozenset(parts))
    outlook = document["outlook"]
    document["outlook"] = {name: row[: days * SLOTS_PER_DAY] for name, row in outlook.items()}
    document["manual"] = blocks or []
    return limit_time(build_problem(PlanRequest.model_validate(document)), PATIENCE_S)


def least_kwh(plan: Plan) -> FloatArray:
    return np.array([[battery.min_charge_kw / 4] for battery in plan.problem.site.batteries])


@each_row("seed", (1, 3, 5, 6) if LONG else (1, 5))
def test_rounded_charges_keep_all_limits_near_the_relaxed_optimum(seed: int) -> None:
    # The flows of the relaxed model exceed the export limit in up to nine slots.
    plan = make_plan(pose(seed, 4), Searchless())
    charge = plan.flows.charge_kwh
    assert plan.method == "model"
    assert plan.flows.excess_kwh.max() == 0.0
    assert plan.gap is not None
    assert plan.gap < 0.03
    assert np.all((charge < 1e-6) | (charge > least_kwh(plan) - 1e-6))


def test_manual_blocks_with_an_appliance_do_not_leave_the_inverter_alone() -> None:
    blocks = [
        block("battery_0", "charge", day=0, hour=10, hours=3),
        block("battery_1", "hold", day=0, hour=10, hours=3),
        block("grid", "no_import", day=0, hour=18, hours=4),
        block("battery_2", "discharge", day=1, hour=17, hours=3),
        block("grid", "no_import", day=1, hour=18, hours=4),
    ]
    problem = pose(3, 3, "appliances", blocks=blocks)
    plan = make_plan(problem, Searchless())
    assert plan.method == "model"
    assert plan.load_schedule is not None
    assert (plan_alone(problem).flows.excess_kwh > 0).sum() > 30
    assert plan.flows.excess_kwh.max() == 0.0
