"""Every sentence of a plan that follows what was learned is true, however far that is from what the planner would do."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

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
from tests.support.planning.placed_judge import count_reasons
from tests.support.planning.random_requests import START, draw_request
from tests.support.planning.reason_judge import judge
from tests.support.suite.depth import draws

KINDS = ("plain", "special", "reserve", "weighed", "inverters", "batteries")
Pair = tuple[dict[str, Any], dict[str, Any]]


def bend(policy: PlanPolicy, rng: np.random.Generator) -> PlanPolicy:
    """Move every threshold of every slot by up to a third of the capacity."""

    def move(level: SocThresholds) -> SocThresholds:
        return SocThresholds(*(getattr(level, name) + rng.uniform(-0.33, 0.33, level.buy.size) for name in SocThresholds.__slots__))

    return replace(policy, batteries=[replace(each, keep=move(each.keep), begin=move(each.begin)) for each in policy.batteries])


def draw_replies(kind: str) -> Iterator[Pair]:
    for seed in range(draws(24)):
        document = draw_request(np.random.default_rng(seed), kind)
        document["options"]["language"] = ("en", "de")[seed % 2]
        with contextlib.suppress(LunaError):
            request = PlanRequest.model_validate(document)
            plan = decide(build_problem(request), Solver())
            learned = None if plan.policy is None else follow_instead(plan, bend(plan.policy, np.random.default_rng(seed)))
            if learned is not None:
                yield document, answer(learned, request=request, issued_at=START).model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_about_what_was_learned_is_true(kind: str) -> None:
    replies = list(draw_replies(kind))
    assert [(kind, place, *each) for place, pair in enumerate(replies) for each in judge(*pair)] == []
    assert sum(count_reasons(reply) for _, reply in replies) > 50 * draws(24) // 24


def test_a_plan_that_was_learned_says_where_the_planner_would_do_otherwise() -> None:
    codes = [slot["reason"]["code"] for _, reply in draw_replies("plain") for slot in reply["slots"]]
    assert codes.count("learned") > 50 * draws(24) // 24
