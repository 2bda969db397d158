"""Twenty generated cases whose optimum is known; they lie outside the repository."""

import json
import os
from pathlib import Path

import pytest

from luna.contracts.plan import PlanRequest
from tests.support.planning.requests import solve
from tests.support.suite.tables import each_row

FOLDER = Path(os.environ.get("LUNA_BENCH_DATA", ""), "cases")
there = pytest.mark.skipif(
    not (FOLDER / "optima.json").is_file(),
    reason="LUNA_BENCH_DATA names no folder with cases/optima.json",
)


@there
@each_row("number", range(20))
def test_case_comes_out_at_its_known_optimum(number: int) -> None:
    name = f"case_{number:02}"
    optimum = json.loads((FOLDER / "optima.json").read_text(encoding="utf-8"))["optimum_eur"][name]
    request = PlanRequest.model_validate_json((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    plan = solve(request)
    assert plan.costs.total.sum() == pytest.approx(optimum, abs=1e-4)
    assert plan.proven
