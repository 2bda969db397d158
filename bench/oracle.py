"""A year with hindsight, exact: 365 daily problems and one over the whole year, one core.

Run as ``python -m bench.oracle``. The demo's home under its own tariff, and under spot prices both
ways; each day starts half full and ends under the replay's terminal rule.
"""

import json
import time
from datetime import date, timedelta
from typing import Any

import numpy as np

from bench.scenes import Home, build_scene, load_home
from luna.energy.outlook import Outlook
from services.planner.compiled import load_kernels
from services.planner.dp.plan import Plan, objective
from services.planner.dp.segments import SlotCourse, slot_segments
from services.planner.milp.directions import FlowDirections
from services.planner.milp.flow_solver import solve_full
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem, SearchLimits, TerminalRule
from services.planner.replay import Rules

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2023, 12, 31)
YEAR_LIMIT_S = 120.0
# Days on which the whole mixed-integer model is solved too: those with most slots that are not
# convex.
CHECKED = 5
FULL_CHECKED = 40


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return seconds for the days and for the year, how many slots were not convex, and by how much
    any checked day was dearer than exact.
    """
    load_kernels()
    home = load_home()
    checked = FULL_CHECKED if full else CHECKED
    tariffs = {tariff: measure_tariff(home, tariff, checked=checked) for tariff in ("A", "D")}
    return tariffs["A"] | {"spot_both_ways": tariffs["D"]}


def measure_tariff(home: Home, tariff: str, *, checked: int) -> dict[str, Any]:
    """Return the figures under one tariff."""
    dates = [FIRST_DAY + timedelta(days=day) for day in range((LAST_DAY - FIRST_DAY).days + 1)]
    problems = [pose_days(home, day, day, tariff=tariff) for day in dates]
    not_convex = np.array([count_not_convex(problem) for problem in problems])
    plans, seconds = plan_all(problems)
    floor = time_relaxations(problems)
    hardest = np.argsort(-not_convex, kind="stable")[:checked]
    (year,), year_seconds = plan_all([pose_days(home, FIRST_DAY, LAST_DAY, tariff=tariff)])
    return {
        "days": len(problems),
        "days_s": seconds,
        "floor_s": floor,
        "ratio_to_floor": seconds / floor,
        "p50_ms": 1e3 * seconds / len(problems),
        "not_convex_slots": int(not_convex.sum()),
        "not_convex_days": int((not_convex > 0).sum()),
        "proven": all(plan.proven for plan in plans),
        "checked_days": len(hardest),
        "dearer_than_full_milp": max(
            objective(plans[day]) - solve_full(problems[day], Solver()).objective for day in hardest
        ),
        "year_s": year_seconds,
        "year_proven": year.proven,
        "year_gap": year.gap,
    }


def pose_days(home: Home, first: date, last: date, *, tariff: str) -> Problem:
    """Return the problem of local days with everything known, under the replay's own rules."""
    scene = build_scene(home, first, last, tariff=tariff)
    rules = Rules.of(scene)
    actuals = scene.actuals
    outlook = Outlook(
        scene.timeline, actuals.load_kwh, actuals.pv_kwh, rules.import_price, rules.export_price
    )
    batteries = rules.limits.batteries
    terminal = TerminalRule(
        batteries.min_kwh[:, 0], batteries.max_kwh[:, 0], np.array([rules.terminal_value])
    )
    return Problem(
        scene.site,
        outlook,
        rules.initial_kwh[:, 0],
        terminal,
        rules.limits,
        SearchLimits(time_limit_s=YEAR_LIMIT_S),
    )


def count_not_convex(problem: Problem) -> int:
    """Return how many slots need their way chosen."""
    ahead = problem.outlook
    scenario = SlotCourse(
        ahead.load_kwh, ahead.pv_kwh, ahead.import_price, ahead.export_price, ahead.timeline.hours
    )
    segments = slot_segments(problem.site, scenario)
    return int((~segments.convex).sum())


def plan_all(problems: list[Problem]) -> tuple[list[Plan], float]:
    """Return plans and the seconds they took together, from problem to checked plan."""
    solver = Solver()
    begun = time.perf_counter()
    plans = [make_plan(problem, solver) for problem in problems]
    return plans, time.perf_counter() - begun


def time_relaxations(problems: list[Problem]) -> float:
    """Return the seconds HiGHS takes for the days' linear models alone, kept between days: too
    cheap where slots are not convex.
    """
    models = [
        formulate(problem, FlowDirections.free(1, problem.outlook.timeline.count)).model
        for problem in problems
    ]
    solver = Solver()
    begun = time.perf_counter()
    for model in models:
        solver.solve(model)
    return time.perf_counter() - begun


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
