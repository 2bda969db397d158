"""Every reason of a plan that follows the agent is true, far as it is from the planner's."""

import contextlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.errors import LunaError
from luna.energy.policy import PlanPolicy, SocThresholds
from services.planner.following import follow_instead
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.reply.reply import answer
from tests.support.planning.given_reason import Document
from tests.support.planning.random_requests import START, draw_request
from tests.support.planning.reason_check import list_faults
from tests.support.suite.depth import LONG

KINDS = ("plain", "special", "reserve", "weighed", "inverters", "batteries")
# How many requests of a kind are drawn.
DRAWN = 24 if LONG else 3
Pair = tuple[Document, Document]


def bend(policy: PlanPolicy, rng: np.random.Generator) -> PlanPolicy:
    """Move every threshold of every slot by up to a third of the capacity."""

    def move(level: SocThresholds) -> SocThresholds:
        return SocThresholds(
            *(
                getattr(level, name) + rng.uniform(-0.33, 0.33, level.buy.size)
                for name in SocThresholds.__slots__
            )
        )

    return replace(
        policy,
        batteries=[
            replace(each, keep=move(each.keep), begin=move(each.begin)) for each in policy.batteries
        ],
    )


@cache
def draw_replies(kind: str) -> list[Pair]:
    """Return random requests of a kind with their replies as documents."""
    replies = []
    for seed in range(DRAWN):
        document = draw_request(np.random.default_rng(seed), kind)
        with contextlib.suppress(LunaError):
            request = PlanRequest.model_validate(document)
            plan = decide(build_problem(request), Solver())
            by_agent = (
                None
                if plan.policy is None
                else follow_instead(plan, bend(plan.policy, np.random.default_rng(seed)))
            )
            if by_agent is not None:
                reply = answer(by_agent, request=request, issued_at=START)
                whole = request.model_dump(mode="json", by_alias=True, exclude_none=True)
                replies.append((whole, reply.model_dump(mode="json", by_alias=True)))
    return replies


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_about_the_agent_is_true(kind: str) -> None:
    replies = draw_replies(kind)
    assert [fault for pair in replies for fault in list_faults(*pair)] == []
    assert sum(len(reply["slots"]) for _, reply in replies) > 2 * DRAWN


def test_a_plan_of_the_agent_says_where_the_planner_would_do_otherwise() -> None:
    codes = [
        slot["reason"]["code"] for _, reply in draw_replies("plain") for slot in reply["slots"]
    ]
    assert codes.count("learned") > 2 * DRAWN
