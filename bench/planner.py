"""A plan of 48 h × 15 min beside HiGHS alone on the same matrix, the full mixed-integer model, PuLP
with CBC, and EMHASS.

Run as ``python -m bench.planner``; figures of one run only compare with each other. All times are
of the processor.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.cases import SEED, Cases, generate_hard_cases, load_cases, revise_forecast
from bench.peers.planning import PeerPlans, run_emhass
from bench.timing import compare, describe, processor_s
from bench.timing import race as race_by
from luna.contracts.plan import PlanRequest
from luna.contracts.plan.columns import PlanColumns
from luna.energy.timeline import FloatArray
from luna.platform.queue.worker import keep_loaded
from services.planner.compiled import load_kernels
from services.planner.dp.plan import Plan, objective
from services.planner.linear.model import LinearModel
from services.planner.milp.directions import FlowDirections
from services.planner.milp.flow_solver import solve_full
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver
from services.planner.planner import decide, make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.reasons import explain
from services.planner.reply.reply import answer_columns, plan_columns, plan_request

ROUNDS = 9
FULL_ROUNDS = 25
SLOW_ROUNDS = 1
FULL_SLOW_ROUNDS = 3
EXACT = "highs_milp"
NOW = datetime(2024, 1, 1, tzinfo=UTC)
race = partial(race_by, clock_s=processor_s)


@dataclass(frozen=True, slots=True)
class Entry:
    """One case as the racers need it: the request, the same site with a new forecast, and what
    becomes of the request step by step.

    ``model`` is HiGHS's matrix without binaries.
    """

    request: PlanRequest
    revised: PlanRequest
    problem: Problem
    model: LinearModel
    followed: Plan
    answered: PlanColumns


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return milliseconds of whole plans, of what they stand on and of their peers, and by how much
    a plan is dearer than any peer's.
    """
    cases = load_cases()
    replans = [
        revise_forecast(document, np.random.default_rng(place))
        for place, document in enumerate(cases.documents)
    ]
    entries = [
        _enter(request, PlanRequest.model_validate(replan))
        for request, replan in zip(cases.requests, replans, strict=True)
    ]
    load_kernels()
    # A worker looks for cycles as seldom.
    keep_loaded()
    fast = race(_fast_works(), entries, rounds=FULL_ROUNDS if full else ROUNDS)
    rounds = FULL_SLOW_ROUNDS if full else SLOW_ROUNDS
    batch = race({"": plan_batch}, [cases.requests], rounds=ROUNDS)[""] / len(entries)
    slow, costs = _race_models(cases, entries, rounds=rounds)
    emhass = run_emhass(cases.documents, replans, rounds=rounds)
    ours = np.array([objective(make_plan(entry.problem, Solver())) for entry in entries])
    peers = _describe_peers(slow, emhass, fast=fast)
    if emhass:
        costs["emhass"] = emhass.cost
    missing = [name for name in ("pulp_cbc", "emhass") if name not in peers]
    return {
        "cases": cases.source,
        **_describe_plans(fast),
        "batch_p50_ms": float(np.median(batch)),
        "negative_prices": _describe_negative(fast["whole"][:, cases.negative], slow[EXACT]),
        "hard_prices": measure_hard(rounds=rounds),
        "peers": peers,
        "dearer_than": {
            name: float(np.nanmax(ours[: cost.size] - cost)) for name, cost in costs.items()
        }
        | _dearer_than_known(cases, ours),
        "missing": missing,
    }


def measure_hard(*, rounds: int) -> dict[str, Any]:
    """Return the same comparison where prices leave most to choose."""
    problems = [
        build_problem(request) for request in generate_hard_cases(np.random.default_rng(SEED))
    ]
    times = race(
        {
            "ours": lambda each: make_plan(each, Solver()),
            EXACT: lambda each: solve_full(each, Solver()),
        },
        problems,
        rounds=rounds,
    )
    dearer = max(
        objective(make_plan(each, Solver())) - solve_full(each, Solver()).objective
        for each in problems
    )
    return _describe_negative(times["ours"], times[EXACT]) | {"dearer_than_full_milp": dearer}


def plan_only(request: PlanRequest, solver: Solver) -> Plan:
    """Plan and explain without putting the answer into a reply's words and models."""
    plan = decide(build_problem(request), solver)
    explain(plan)
    return plan


def _enter(request: PlanRequest, revised: PlanRequest) -> Entry:
    problem = build_problem(request)
    model = formulate(
        problem, FlowDirections.free(len(problem.site.batteries), problem.outlook.timeline.count)
    ).model
    followed = decide(problem, Solver())
    return Entry(
        request,
        revised,
        problem,
        model,
        followed,
        answer_columns(followed, request=request, issued_at=NOW),
    )


def plan_batch(requests: Sequence[PlanRequest]) -> list[PlanColumns]:
    """Plan and answer many sites one after the other, as the planner does for stored ones."""
    return [plan_columns(request, now=NOW, solver=Solver()) for request in requests]


def _fast_works() -> dict[str, Callable[[Entry], Any]]:
    solver = Solver()
    kept = Solver()
    return {
        "whole": lambda entry: plan_request(entry.request, now=NOW, solver=solver),
        "plan": lambda entry: plan_only(entry.request, solver),
        "replan": lambda entry: plan_only(entry.revised, solver),
        "highs_cold": lambda entry: Solver().solve(entry.model),
        # Case after case has the same matrix: only costs and bounds change.
        "highs_kept": lambda entry: kept.solve(entry.model),
        **{f"{PART}{name}": work for name, work in _PARTS.items()},
    }


# What a whole plan consists of, each from what the one before it made.
PART = "part_"
_PARTS: dict[str, Callable[[Entry], Any]] = {
    "build": lambda entry: build_problem(entry.request),
    "solve": lambda entry: make_plan(entry.problem, Solver()),
    "solve_and_follow": lambda entry: decide(entry.problem, Solver()),
    "explain": lambda entry: explain(entry.followed),
    "explain_and_write": lambda entry: answer_columns(
        entry.followed, request=entry.request, issued_at=NOW
    ),
    "words": lambda entry: entry.answered.read(),
}


def _race_models(
    cases: Cases, entries: list[Entry], *, rounds: int
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return times and costs of the models that take tens of milliseconds: the full one on the
    negative cases, PuLP's on all where it is there.
    """
    costs: dict[str, FloatArray] = {
        EXACT: np.array([solve_full(entry.problem, Solver()).objective for entry in entries])
    }
    times = race(
        {EXACT: lambda entry: solve_full(entry.problem, Solver())},
        [entries[place] for place in cases.negative],
        rounds=rounds,
    )
    if find_spec("pulp"):
        solve_reference = import_module("tests.support.reference_model.model").solve_reference
        found: list[float] = []
        times |= race(
            {"pulp_cbc": lambda entry: found.append(solve_reference(entry.problem))},
            entries,
            rounds=rounds,
        )
        costs["pulp_cbc"] = np.array(found[-len(entries) :])
    return times, costs


def _describe_plans(fast: dict[str, FloatArray]) -> dict[str, Any]:
    floor = fast["highs_cold"]
    return {
        **describe(fast["whole"]),
        **describe(fast["plan"], prefix="without_reply_"),
        "floor_ms": float(np.median(floor)),
        "floor_kept_ms": float(np.median(fast["highs_kept"])),
        "ratio_to_floor": compare(fast["whole"], floor),
        "without_reply_ratio_to_floor": compare(fast["plan"], floor),
        **describe(fast["replan"], prefix="replan_"),
        "parts_p50_ms": {name: float(np.median(fast[f"{PART}{name}"])) for name in _PARTS},
    }


def _describe_negative(whole: FloatArray, full: FloatArray) -> dict[str, float]:
    ours = describe(whole)
    milp = float(np.median(full))
    return {
        "cases": whole.shape[1],
        **ours,
        "full_milp_p50_ms": milp,
        "p95_ratio_to_full_milp": ours["p95_ms"] / milp,
    }


def _describe_peers(
    slow: dict[str, FloatArray], emhass: PeerPlans | None, *, fast: dict[str, FloatArray]
) -> dict[str, dict[str, Any]]:
    whole = float(np.median(fast["whole"]))
    replan = float(np.median(fast["replan"]))
    peers: dict[str, dict[str, Any]] = {}
    if "pulp_cbc" in slow:
        peers["pulp_cbc"] = describe(slow["pulp_cbc"]) | {
            "ratio": float(np.median(slow["pulp_cbc"])) / whole
        }
    if emhass:
        new = float(np.median(emhass.new_ms))
        kept = float(np.median(emhass.kept_ms))
        peers["emhass"] = {
            "version": emhass.version,
            **describe(emhass.new_ms),
            "ratio": new / whole,
            "kept_p50_ms": kept,
            "kept_ratio": kept / replan,
            "default_gap_p50_ms": float(np.median(emhass.default_gap_ms)),
        }
    return peers


def _dearer_than_known(cases: Cases, ours: FloatArray) -> dict[str, float]:
    if not cases.optimum:
        return {}
    known = np.array([cases.optimum[str(document["site"]["name"])] for document in cases.documents])
    return {"known_optimum": float((ours - known).max())}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
