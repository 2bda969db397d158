"""A model without a solution says which rows contradict each other."""

from dataclasses import replace

import numpy as np
import pytest

from bench.home_cases import generate_homes
from luna.contracts.plan import PlanRequest
from services.planner.linear.model import InfeasibleError, LinearModel, ModelBuilder, RowBlock
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.infeasibility import find_failing_rows, naming_failing_rows
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem


def build_contradiction() -> LinearModel:
    """Return a model of four hours in which a tank has to end with more than its inflow allows."""
    builder = ModelBuilder()
    inflow = builder.add_columns(4, cost=1.0, upper=2.0)
    level = builder.add_columns(4, cost=0.0, upper=100.0)
    nothing = np.zeros(4)
    with builder.section("tank"):
        # level[t] - level[t-1] - inflow[t] = 0
        builder.add_rows(
            nothing, nothing, [(level, 1.0), (level[:-1], -1.0), (inflow, -1.0)], name="storage"
        )
        builder.add_sum(9.0, np.inf, [(level[-1:], 1.0)], name="target")
    builder.add_rows(np.full(4, -np.inf), np.full(4, 50.0), [(level, 1.0)], name="overflow")
    return builder.build()


def test_rows_that_contradict_each_other_have_their_names() -> None:
    # 4 hours of 2 kWh give 8 of the 9 that the target asks for; the tank does not overflow.
    assert find_failing_rows(build_contradiction()) == (
        RowBlock("tank: storage", 0, 4),
        RowBlock("tank: target", 4, 1),
    )


def test_the_error_carries_the_rows() -> None:
    model = build_contradiction()
    with pytest.raises(InfeasibleError) as raised, naming_failing_rows():
        Solver().solve(model)
    assert [block.name for block in raised.value.failing_rows] == ["tank: storage", "tank: target"]
    assert "tank: target" in "".join(raised.value.__notes__)


def test_every_row_of_a_home_has_a_name() -> None:
    document = generate_homes("heat_pump")["home_00"]
    problem = build_problem(PlanRequest.model_validate(document))
    model = formulate(problem, FlowDirections.of(problem)).model
    assert sum(block.count for block in model.row_blocks) == model.row_lower.size
    assert all(block.name for block in model.row_blocks)


def test_a_load_beyond_the_connection_fails_in_the_balance() -> None:
    document = generate_homes("energy")["home_00"]
    problem = build_problem(PlanRequest.model_validate(document))
    load_kwh = problem.outlook.load_kwh * 50
    beyond = replace(problem, outlook=replace(problem.outlook, load_kwh=load_kwh))
    model = formulate(beyond, FlowDirections.of(beyond)).model
    assert "balance" in {block.name for block in find_failing_rows(model)}
