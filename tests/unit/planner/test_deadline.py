"""One deadline for all that a request has planned: no solve begins after it, none may go on beyond
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pytest

from bench.hard_weeks import draw_week
from bench.home_cases import generate_homes
from luna.contracts.plan import PlanRequest
from services.planner.linear.model import LinearModel
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.planner import decide, make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Deadline
from services.planner.reply.reply import plan_request
from tests.support.planning.problems import PATIENCE_S
from tests.support.suite.depth import LONG

NOW = datetime(2024, 5, 5, tzinfo=UTC)
LIMIT_S = 2.0
# A week, or a day of it: who may begin a solve, and for how long, is the same.
SLOTS = 672 if LONG else 96


@dataclass
class Clock:
    """A clock that only solves move on.

    ``solves`` are the instants at which they began, and how long they were allowed to take.
    """

    now_s: float = 100.0
    solves: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s


class Busy(Solver):
    """A solver on a busy machine: a linear model takes it a while, and its searches find nothing in
    all the time they are allowed.
    """

    def __init__(self, clock: Clock, takes_s: float, deadline: Deadline | None = None) -> None:
        super().__init__(deadline)
        self.clock = clock
        self.takes_s = takes_s

    def renew(self, deadline: Deadline | None = None) -> Solver:
        return Busy(self.clock, self.takes_s, deadline or self.deadline)

    def allow(self, time_limit_s: float) -> float:
        allowed = super().allow(time_limit_s)
        self.clock.solves.append((self.clock.now_s, allowed))
        self.clock.now_s += min(self.takes_s, allowed)
        return PATIENCE_S

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        if model.integer.any():
            self.takes_s, usual_s = np.inf, self.takes_s
            self.allow(options["time_limit_s"])
            self.takes_s = usual_s
            raise SolverError("no solution: Time limit reached")
        return super().solve(model, **options)


def draw_request(batteries: int, *parts: str, options: dict[str, Any] | None = None) -> PlanRequest:
    document = draw_week(
        np.random.default_rng(7), name="week", batteries=batteries, parts=frozenset(parts)
    )
    outlook = {name: values[:SLOTS] for name, values in document["outlook"].items()}
    options = document["options"] | {"time_limit_s": LIMIT_S} | (options or {})
    return PlanRequest.model_validate(document | {"outlook": outlook, "options": options})


def late(solves: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [
        (begun, allowed)
        for begun, allowed in solves
        if begun >= 100.0 + LIMIT_S or begun + allowed > 100.0 + LIMIT_S + 1e-9
    ]


REQUESTS = {
    "two batteries and pins": draw_request(2, "pins"),
    "appliances and peaks besides": draw_request(2, "pins", "appliances", "peaks"),
    "beside the cheapest": draw_request(2, options={"objective": {"self_sufficiency_price": 0.05}}),
}
SOLVE_SECONDS = {"a busy machine": 0.05, "a very busy one": 0.7, "one that does not answer": 5.0}
# Each kind of machine but one that is only busier; all of them together in a long run.
SHORT = [
    ("two batteries and pins", "one that does not answer"),
    ("appliances and peaks besides", "a very busy one"),
]


@pytest.mark.parametrize(
    ("name", "machine"), list(product(REQUESTS, SOLVE_SECONDS)) if LONG else SHORT
)
def test_no_solve_begins_or_goes_on_after_the_deadline(name: str, machine: str) -> None:
    clock = Clock()
    reply = plan_request(
        REQUESTS[name], now=NOW, solver=Busy(clock, SOLVE_SECONDS[machine]), clock_s=clock
    )
    assert clock.solves
    assert late(clock.solves) == []
    assert len(reply.slots) == SLOTS


def test_a_plan_that_nothing_was_found_for_in_time_proves_nothing() -> None:
    clock = Clock()
    reply = plan_request(
        draw_request(2, "pins", "appliances"), now=NOW, solver=Busy(clock, 0.7), clock_s=clock
    )
    assert reply.followed is not None
    assert reply.followed.method == "self_consumption"
    assert (reply.gap, reply.status) == (None, "compromised")
    assert reply.manual is not None
    assert reply.manual.cost is None


def test_a_schedule_that_branch_and_bound_does_not_improve_in_time_stays_with_its_gap() -> None:
    document = next(iter(generate_homes("energy").values()))
    first = make_plan(build_problem(PlanRequest.model_validate(document)), Solver())
    document["options"]["prove"] = True
    problem = build_problem(PlanRequest.model_validate(document))
    clock = Clock()
    deadline = Deadline.within(LIMIT_S, now_s=clock)
    searched = make_plan(problem, Busy(clock, 0.001), deadline=deadline)
    assert first.load_schedule is not None
    assert searched.load_schedule is not None
    assert searched.load_schedule.objective == first.load_schedule.objective
    assert searched.gap == first.gap


def test_a_plan_that_is_planned_again_has_its_time_again() -> None:
    clock = Clock()
    problem = build_problem(draw_request(2))
    plan = decide(problem, Busy(clock, 5.0), deadline=Deadline.within(LIMIT_S, now_s=clock))
    assert (plan.problem.search.deadline, plan.problem.search.time_limit_s) == (None, LIMIT_S)


def test_a_share_of_the_time_left_ends_before_the_deadline() -> None:
    clock = Clock()
    deadline = Deadline.within(8.0, now_s=clock)
    clock.now_s += 4.0
    # Four seconds are left: a quarter of them ends one second from now.
    assert (deadline.left_s, deadline.share(0.25).left_s) == (4.0, 1.0)
    clock.now_s += 5.0
    assert deadline.left_s == deadline.share(0.25).left_s == 0.0
