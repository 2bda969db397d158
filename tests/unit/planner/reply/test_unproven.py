"""What a plan leaves out: that it cannot be had, or that time was up before that was known."""

from dataclasses import replace

import pytest

from luna.contracts.plan import PlanRequest
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.reply.reply import answer
from tests.support.planning.problems import START
from tests.support.planning.requests import charging_session, make_request, value_rest
from tests.support.suite.tables import each_row


@pytest.fixture(scope="module")
def request_() -> PlanRequest:
    """A car that comes for one of twelve hours, and cannot be full by then.

    A boiler is part of the forecast.
    """
    cars = {"car": {"soc": 0.2, "sessions": [charging_session(2, 3, target_soc=0.9)]}}
    site = {"grid": {"import_limit_kw": 17}, "vehicles": [{"name": "car", "capacity_kwh": 40}]}
    request = make_request(
        site, {"import_price": [0.3] * 12}, state={"vehicles": cars}, options=value_rest(0.1)
    )
    assert request.outlook is not None
    return request.model_copy(
        update={"outlook": request.outlook.model_copy(update={"load_includes": ["boiler"]})}
    )


@each_row(
    ("gap", "proven", "unproven"),
    [
        (0.0, True, False),
        # Of a plan that weighs 400 with what it misses, a hundredth is not what the car lacks:
        # there is no other way.
        (0.01, False, False),
        (0.9, False, True),
        # Nothing is proven.
        (None, False, True),
    ],
)
def test_what_is_left_out_as_time_was_up_is_told_apart_from_what_cannot_be_had(
    request_: PlanRequest, *, gap: float | None, proven: bool, unproven: bool
) -> None:
    made = make_plan(build_problem(request_), Solver())
    assert made.load_schedule is not None
    ended = replace(
        made,
        gap=gap,
        proven=proven,
        load_schedule=replace(made.load_schedule, gap=gap, proven=proven),
    )
    reply = answer(ended, request=request_, issued_at=START)
    assert reply.status == "compromised"
    assert {each.code: each.unproven for each in reply.compromises} == {"vehicle": unproven}
