"""Plans of 48 h × 15 min with battery, car, water heater and a price on the month's peak, beside
HiGHS alone, PuLP with CBC, and EMHASS; and those of the homes of ``bench.homes``.

All are asked for the same proven gap. Run as ``python -m bench.devices``; figures of one run only
compare with each other.
"""

import json
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench import homes
from bench.cases import (
    FULL_GAP,
    SEED,
    add_courses,
    generate_full_cases,
    revise_forecast,
    start_later,
)
from bench.peers.planning import time_emhass
from bench.timing import describe, race
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import FloatArray
from services.planner.compiled import load_kernels
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.reply import plan_request

ROUNDS = 3
FULL_ROUNDS = 9
# What takes seconds a case runs on these alone.
SLOW_CASES = 2
FULL_SLOW_CASES = 20
COURSES = 5
# From midnight in Berlin, where the cases lie, on.
HOURS_OF_DAY = (0, 4, 8, 12, 16, 20, 22)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return milliseconds of whole plans with devices, of those that begin later in the day or
    weigh five scenarios, and of what else can plan them; and the homes' figures.
    """
    documents = generate_full_cases(np.random.default_rng(SEED))
    load_kernels()
    fast = _race_whole(documents, rounds=FULL_ROUNDS if full else ROUNDS)
    slow = documents[: FULL_SLOW_CASES if full else SLOW_CASES]
    begun = {
        hour: [
            PlanRequest.model_validate(start_later(document, hours=hour)) for document in documents
        ]
        for hour in HOURS_OF_DAY
    }
    hours = _race_hours(begun, rounds=FULL_ROUNDS if full else 1)
    plans = (
        make_plan(build_problem(request), Solver())
        for requests in begun.values()
        for request in requests
    )
    gaps = [np.inf if plan.gap is None else plan.gap for plan in plans]
    peers = _race_peers(slow, whole=fast["whole"][:, : len(slow)])
    return {
        **describe(fast["whole"]),
        "largest_gap": max(gaps),
        "hours": hours,
        "replan": describe(fast["replan"]),
        "scenarios": describe(fast["scenarios"])
        | {"ratio": float(np.median(fast["scenarios"] / fast["whole"]))},
        "homes": homes.measure(full=full),
        "peers": peers,
        "missing": [name for name in ("pulp_cbc", "emhass") if name not in peers],
    }


def _race_whole(documents: list[dict[str, Any]], *, rounds: int) -> dict[str, FloatArray]:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    solver = Solver()
    variants = [
        {
            "whole": PlanRequest.model_validate(document),
            "replan": PlanRequest.model_validate(
                revise_forecast(document, np.random.default_rng(place))
            ),
            "scenarios": PlanRequest.model_validate(
                add_courses(document, np.random.default_rng(place), count=COURSES)
            ),
        }
        for place, document in enumerate(documents)
    ]
    works = {
        name: lambda each, name=name: plan_request(each[name], now=now, solver=solver)
        for name in variants[0]
    }
    return race(works, variants, rounds=rounds)


def _race_hours(begun: dict[int, list[PlanRequest]], *, rounds: int) -> dict[str, dict[str, float]]:
    """Return what planning takes by the hour of the day at which requests begin."""
    now = datetime(2024, 1, 1, tzinfo=UTC)
    solver = Solver()
    works = {
        str(hour): lambda each, hour=hour: plan_request(each[hour], now=now, solver=solver)
        for hour in begun
    }
    variants = [dict(zip(begun, each, strict=True)) for each in zip(*begun.values(), strict=True)]
    return {hour: describe(taken) for hour, taken in race(works, variants, rounds=rounds).items()}


def _race_peers(documents: list[dict[str, Any]], *, whole: FloatArray) -> dict[str, dict[str, Any]]:
    """Return what others take for the same: HiGHS the same matrix, PuLP with CBC the same model,
    EMHASS what of it it can express.
    """
    problems = [build_problem(PlanRequest.model_validate(document)) for document in documents]
    works = {"highs": _solve_alone}
    if find_spec("pulp"):
        solve_reference = import_module("tests.support.reference_model.model").solve_reference
        works["pulp_cbc"] = lambda problem: solve_reference(problem, gap=FULL_GAP)
    times = race(works, problems, rounds=1)
    times |= (
        {"emhass": taken} if (taken := time_emhass(documents, gap=FULL_GAP)) is not None else {}
    )
    ours = float(np.median(whole))
    return {
        name: describe(taken) | {"ratio": float(np.median(taken)) / ours}
        for name, taken in times.items()
    }


def _solve_alone(problem: Problem) -> None:
    model = formulate(problem, FlowDirections.of(problem)).model
    Solver().solve(model, mip_gap=FULL_GAP, time_limit_s=30.0)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
