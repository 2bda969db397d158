"""A whole answer near the relaxed one is allowed, and its gap is no better than it is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.cases import generate_full_cases
from bench.home_cases import generate_homes
from luna.contracts.plan import PlanRequest
from services.planner.linear.model import CHOSEN, LinearModel
from services.planner.milp.device_choices import list_choices
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.local_search import search_schedules
from services.planner.milp.mixtures import CoupledBlock, mix_schedules
from services.planner.milp.rounding import round_once, round_relaxation
from services.planner.milp.solver import Solution, Solver
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Deadline, SearchLimits
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

GAP = 0.003
DRAWN = generate_full_cases(np.random.default_rng(7))
CASES = DRAWN[:3]


def build(document: dict[str, Any]) -> Formulation:
    problem = build_problem(PlanRequest.model_validate(document))
    return formulate(problem, FlowDirections.of(problem))


def near(built: Formulation) -> Solution:
    found = round_relaxation(built.model, built.load_columns.blocks, search=SearchLimits(GAP))
    assert found is not None
    return found


@pytest.fixture(params=CASES, ids=lambda document: document["site"]["name"])
def built(request: pytest.FixtureRequest) -> Formulation:
    return build(request.param)


def test_what_is_near_is_whole_and_keeps_every_row(built: Formulation) -> None:
    model = built.model
    column = near(built).column
    choices = column[model.integer != 0]
    activity = model.activity(column)
    assert np.abs(choices - np.round(choices)).max() < 1e-6
    assert (model.row_lower - activity).max() < 1e-6
    assert (activity - model.row_upper).max() < 1e-6
    assert (model.lower - column).max() < 1e-6
    assert (column - model.upper).max() < 1e-6


def test_a_rounded_solution_is_the_cheapest_with_its_binaries(built: Formulation) -> None:
    solver = Solver()
    relaxed = solver.solve_relaxed(built.model)
    rounded = round_once(built, relaxed, solver)
    assert rounded is not None
    assert rounded.solution is not None
    binaries = np.flatnonzero(built.model.integer == CHOSEN)
    fixed = built.model.fixed(binaries, np.round(rounded.column[binaries])).relaxed()
    assert rounded.solution.objective == pytest.approx(Solver().solve(fixed).objective, abs=1e-6)


def test_nothing_is_rounded_after_the_deadline_and_a_schedule_comes_all_the_same() -> None:
    now_s = iter([0.0])
    document = next(iter(generate_homes("energy").values()))
    built = build(document)
    # The clock is read once before the deadline, by the relaxed model's solve.
    deadline = Deadline(1.0, now_s=lambda: next(now_s, 2.0))
    solver = Solver(deadline)
    relaxed = solver.solve_relaxed(built.model)
    rounded = round_once(built, relaxed, solver)
    assert rounded is None
    search = SearchLimits(GAP, deadline=deadline)
    found = search_schedules(
        built, list_choices(built), solver, search, relaxed=relaxed, rounded=rounded
    )
    assert found is not None
    assert (built.model.row_lower - built.model.activity(found.column)).max() < 1e-6
    assert (built.model.activity(found.column) - built.model.row_upper).max() < 1e-6


def test_its_gap_is_at_most_its_distance_from_the_relaxed_one(built: Formulation) -> None:
    found = near(built)
    bound = Solver().solve(built.model.relaxed()).objective
    assert found.gap <= (found.objective - bound) / found.objective + 1e-9
    assert not found.proven or found.gap <= GAP


def add_pump(document: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return a case with a second appliance that shares the surplus with the heater, for some hours
    of each day and some of each morning.
    """
    site = document["site"]
    (heater,) = document["site"]["loads"]
    pump = {
        "name": "pump",
        "power_kw": round(float(rng.uniform(0.5, 2.5)), 2),
        "energy_kwh_per_day": 3.0,
        "min_on_minutes": 45,
        "min_off_minutes": 30,
    }
    pump |= {"comfort": [{"from": "06:00", "to": "10:00", "energy_kwh": 0.7}], "start_price": 0.02}
    loads = [heater | {"price_limit": 0.2}, pump]
    state = document["state"] | {"loads": document["state"]["loads"] | {"pump": {"on_hours": 0.25}}}
    return document | {"site": site | {"loads": loads}, "state": state}


@each_row("seed", range(6 if LONG else 1))
def test_no_whole_answer_costs_less_than_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    built = build(add_pump(generate_full_cases(rng)[seed], rng))
    relaxed = Solver().solve(built.model.relaxed())
    near = round_relaxation(built.model, built.load_columns.blocks, search=SearchLimits())
    assert near is not None
    blocks = [CoupledBlock.of(built.model, block) for block in built.load_columns.blocks]
    bound = mix_schedules(built.model, blocks, relaxed, []).bound
    best = Solver().solve(built.model, mip_gap=1e-4, time_limit_s=60, start=near.column)
    assert relaxed.objective - 1e-9 <= bound <= best.objective + 1e-9
    assert near.objective * (1 - near.gap) <= best.objective + 1e-9
    assert near.gap <= GAP


def test_the_same_model_has_the_same_answer_each_time() -> None:
    assert (near(build(CASES[0])).column == near(build(CASES[0])).column).all()


def test_choices_that_cannot_be_made_are_no_answer() -> None:
    """Two of three may be on at a time, but every pair of them excludes itself: only halves are
    allowed.
    """
    ones = np.ones(3)
    pairs = np.array([0, 1, 1, 2, 0, 2, 0, 1, 2], dtype=np.int32)
    odd = LinearModel(
        cost=ones,
        lower=0 * ones,
        upper=ones,
        integer=np.ones(3, dtype=np.int32),
        row_lower=np.array([-np.inf, -np.inf, -np.inf, 1.5]),
        row_upper=np.array([1.0, 1.0, 1.0, np.inf]),
        starts=np.array([0, 2, 4, 6], dtype=np.int32),
        entry_row=np.array([0, 0, 1, 1, 2, 2, 3, 3, 3]),
        index=pairs,
        value=np.ones(9),
    )
    assert round_relaxation(odd, [], search=SearchLimits(GAP)) is None


def test_an_appliance_without_a_schedule_is_no_answer() -> None:
    """It must be on where it may not be."""
    built = build(CASES[0])
    (block,) = built.load_columns.blocks
    forced = replace(block.schedules, least=np.ones(block.on.size), most=np.zeros(block.on.size))
    assert (
        round_relaxation(built.model, [replace(block, schedules=forced)], search=SearchLimits(GAP))
        is None
    )
