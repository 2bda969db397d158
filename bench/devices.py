"""Time plans of 48 h × 15 min with battery, car, water heater and a price on the month's peak.

HiGHS alone, PuLP with CBC, and EMHASS are timed beside them, and the homes of ``bench.homes``.
Those homes and hard weeks (``bench.hard_weeks``) are planned with one core busy, too.
All are asked for the same proven gap. Run as ``python -m bench.devices``; figures of one run only
compare with each other.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench import hard_weeks, homes
from bench.cases import (
    FULL_GAP,
    SEED,
    add_scenarios,
    generate_full_cases,
    revise_forecast,
    start_later,
)
from bench.peers.planning import time_emhass
from bench.timing import busy_core, describe, race
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
SCENARIOS = 5
# Two seconds each, on an idle machine and on a busy one.
WEEKS = 2
FULL_WEEKS = 6
# From midnight in Berlin, where the cases lie, on.
HOURS_OF_DAY = (0, 4, 8, 12, 16, 20, 22)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return milliseconds of whole plans with devices and of other planners.

    Plans that begin later in the day or weigh five scenarios, and the homes, are among them.
    """
    documents = generate_full_cases(np.random.default_rng(SEED))
    load_kernels()
    fast = _race_whole(documents, rounds=FULL_ROUNDS if full else ROUNDS)
    slow = documents[: FULL_SLOW_CASES if full else SLOW_CASES]
    begun: dict[int, list[PlanRequest]] = {}
    for hour in HOURS_OF_DAY:
        later = [start_later(document, hours=hour) for document in documents]
        begun[hour] = [PlanRequest.model_validate(document) for document in later]
    hours = _race_hours(begun, rounds=FULL_ROUNDS if full else 1)
    peers = _race_peers(slow, whole=fast["whole"][:, : len(slow)])
    scenarios = describe(fast["scenarios"])
    scenarios["ratio"] = float(np.median(fast["scenarios"] / fast["whole"]))
    weeks = FULL_WEEKS if full else WEEKS
    quiet_weeks = hard_weeks.measure(weeks=weeks)
    with busy_core():
        count = homes.FULL_HOMES if full else homes.HOMES
        busy_homes = homes.measure_variant("energy", count, with_plain=False)
        busy_weeks = hard_weeks.measure(weeks=weeks)
    return {
        **describe(fast["whole"]),
        "largest_gap": _find_largest_gap(begun),
        "hours": hours,
        "replan": describe(fast["replan"]),
        "scenarios": scenarios,
        "homes": homes.measure(full=full),
        "hard_weeks": quiet_weeks,
        "one_core_busy": {"homes": busy_homes, "hard_weeks": busy_weeks},
        "peers": peers,
        "missing": [name for name in ("pulp_cbc", "emhass") if name not in peers],
    }


def _find_largest_gap(begun: dict[int, list[PlanRequest]]) -> float:
    largest = -np.inf
    for requests in begun.values():
        for request in requests:
            gap = make_plan(build_problem(request), Solver()).gap
            largest = max(largest, np.inf if gap is None else gap)
    return largest


def _race_whole(documents: list[dict[str, Any]], *, rounds: int) -> dict[str, FloatArray]:
    variants = []
    for place, document in enumerate(documents):
        revised = revise_forecast(document, np.random.default_rng(place))
        uncertain = add_scenarios(document, np.random.default_rng(place), count=SCENARIOS)
        variants.append(
            {
                "whole": PlanRequest.model_validate(document),
                "replan": PlanRequest.model_validate(revised),
                "scenarios": PlanRequest.model_validate(uncertain),
            }
        )
    return _race_variants(variants, rounds=rounds)


def _race_variants(variants: list[dict[str, PlanRequest]], *, rounds: int) -> dict[str, FloatArray]:
    """Return the times of each variant of a request, one solver for all."""
    now = datetime(2024, 1, 1, tzinfo=UTC)
    solver = Solver()

    def plan_variant(requests: dict[str, PlanRequest], *, name: str) -> None:
        plan_request(requests[name], now=now, solver=solver)

    works = {name: partial(plan_variant, name=name) for name in variants[0]}
    return race(works, variants, rounds=rounds)


def _race_hours(begun: dict[int, list[PlanRequest]], *, rounds: int) -> dict[str, dict[str, float]]:
    """Return the planning time by the hour of the day at which requests begin."""
    hours = [str(hour) for hour in begun]
    variants = [
        dict(zip(hours, requests, strict=True)) for requests in zip(*begun.values(), strict=True)
    ]
    times = _race_variants(variants, rounds=rounds)
    return {hour: describe(taken) for hour, taken in times.items()}


def _race_peers(documents: list[dict[str, Any]], *, whole: FloatArray) -> dict[str, dict[str, Any]]:
    """Return the times of other planners, and their ratio to the planner's.

    HiGHS solves the same matrix, PuLP with CBC the same model, EMHASS the part of it that it can
    express.
    """
    problems = [build_problem(PlanRequest.model_validate(document)) for document in documents]
    works: dict[str, Callable[[Problem], Any]] = {"highs": _solve_alone}
    if find_spec("pulp"):
        solve_reference = import_module("tests.support.reference_model.model").solve_reference
        works["pulp_cbc"] = partial(solve_reference, gap=FULL_GAP)
    times = race(works, problems, rounds=1)
    emhass = time_emhass(documents, gap=FULL_GAP)
    if emhass is not None:
        times["emhass"] = emhass
    ours = float(np.median(whole))
    figures = {}
    for name, taken in times.items():
        figures[name] = describe(taken) | {"ratio": float(np.median(taken)) / ours}
    return figures


def _solve_alone(problem: Problem) -> None:
    model = formulate(problem, FlowDirections.of(problem)).model
    Solver().solve(model, mip_gap=FULL_GAP, time_limit_s=30.0)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
