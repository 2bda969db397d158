"""A plan depends on its request alone: not on what was planned before it in the same process."""

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, PlanRequest
from luna.platform.clock import SystemClock
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from tests.support.planning.random_requests import KIND_OF, draw_request
from tests.support.suite.depth import LONG

NOW = SystemClock().now()
REQUESTS = [
    PlanRequest.model_validate(draw_request(np.random.default_rng(place), kind))
    for place, kind in enumerate(KIND_OF)
]


def plan_in_order(order: list[int]) -> dict[int, PlanReply]:
    return {
        place: plan_request(REQUESTS[place], now=NOW, solver=Solver()).model_copy(
            update={"timing_ms": {}}
        )
        for place in order
    }


@pytest.mark.parametrize("seed", range(2 if LONG else 1))
def test_any_order_of_requests_gives_the_same_plans(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(REQUESTS)).tolist()
    assert plan_in_order(order) == plan_in_order(order[::-1])
