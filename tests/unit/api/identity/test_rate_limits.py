"""Budgets, counted in one process by a clock of the test's."""

import asyncio
import math
from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.errors import TooManyRequestsError
from services.api.identity.rate_limits import MOST_COUNTERS, Budget, Limiter
from tests.support.suite.depth import draws


@dataclass
class Minute:
    """Somebody who asks one limiter at instants of their own."""

    budget: Budget
    at: float = 0.0
    limiter: Limiter = field(init=False)

    def __post_init__(self) -> None:
        # Redis stays away, so every count is this process's own.
        self.limiter = Limiter(redis.Redis(port=9), now=lambda: self.at, _redis_away_until=math.inf)

    def asks(self, at: float) -> int | None:
        """Return None where it is let in at an instant, else after how many seconds to come
        again.
        """
        self.at = at
        try:
            asyncio.run(self.limiter.spend(self.budget, "somebody"))
        except TooManyRequestsError as error:
            return error.retry_after_seconds
        return None


def test_a_budget_is_spent_within_a_minute_and_comes_back() -> None:
    somebody = Minute(Budget("test", 5))
    assert [somebody.asks(600.0) for _ in range(5)] == [None] * 5
    # All five count until the next window, and then by the share that is left: four of five at 12 s
    # into it.
    assert somebody.asks(600.0) == 72
    assert [somebody.asks(672.0), somebody.asks(672.0)] == [None, 12]


def test_others_are_not_concerned() -> None:
    somebody = Minute(Budget("test", 1))
    assert [somebody.asks(0.0), somebody.asks(0.0) is not None] == [None, True]
    asyncio.run(somebody.limiter.spend(somebody.budget, "somebody else"))
    asyncio.run(somebody.limiter.spend(Budget("another", 1), "somebody"))


def test_who_asks_every_minute_is_counted_on_where_many_came_once() -> None:
    somebody = Minute(Budget("test", 5))
    assert somebody.asks(600.0) is None

    async def pass_by(count: int) -> None:
        for number in range(count):
            await somebody.limiter.spend(somebody.budget, f"passer-by {number}")

    asyncio.run(pass_by(MOST_COUNTERS - 1))
    assert [somebody.asks(1200.0) for _ in range(5)] == [None] * 5
    # No entry is free for one more.
    asyncio.run(somebody.limiter.spend(somebody.budget, "one more"))
    assert somebody.asks(1200.0) is not None


@pytest.mark.parametrize("most", [1, 2, 5, 60])
@settings(max_examples=draws(100))
@given(steps=st.lists(st.floats(0, 90), min_size=1, max_size=12), repeats=st.integers(1, 12))
def test_whoever_waits_as_told_is_let_in_and_nobody_gets_more_than_twice_the_budget_in_a_minute(
    most: int, steps: list[float], repeats: int
) -> None:
    somebody = Minute(Budget("test", most))
    at = 0.0
    let_in = []
    for step in steps:
        at += step
        answers = [somebody.asks(at) for _ in range(repeats)]
        let_in += [at] * answers.count(None)
        waits = [wait for wait in answers[-1:] if wait is not None]
        for wait in waits:
            at += wait
            assert somebody.asks(at) is None
            let_in.append(at)
    busiest = max(
        (sum(1 for other in let_in if first <= other < first + 60) for first in set(let_in)),
        default=0,
    )
    assert busiest <= 2 * most
