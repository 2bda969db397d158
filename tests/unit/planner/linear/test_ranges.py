"""Ranges of power by slot: the cheapest choice, with what is needed, and small changes of one."""

from itertools import product

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from services.planner.linear.ranges import FORBIDDEN, RangeRules, Ranges, SessionLimits
from tests.support.suite.tables import each_row

SLOTS = 7


def keeps_runs(rules: RangeRules, ranges: Ranges) -> bool:
    """Return whether every run lasts its shortest time, or to the end of its session."""
    first = 0
    while first < ranges.size:
        end = first + 1
        while end < ranges.size and not rules.begins[end] and ranges[end] == ranges[first]:
            end += 1
        may_end = end == ranges.size or rules.begins[end] or (rules.goes_on and first == 0)
        if ranges[first] > 0 and end - first < rules.shortest_run and not may_end:
            return False
        first = end
    return True


def draw(seed: int) -> tuple[RangeRules, FloatArray]:
    rng = np.random.default_rng(seed)
    begins = rng.random(SLOTS) < 0.2
    begins[0] = True
    rules = RangeRules(begins, int(rng.integers(1, 4)), 0.3, goes_on=bool(rng.integers(2)))
    cost = np.vstack([np.zeros(SLOTS), rng.normal(0.0, 1.0, (2, SLOTS))])
    cost[2, rng.random(SLOTS) < 0.2] = FORBIDDEN
    return rules, cost


def list_choices(rules: RangeRules) -> list[Ranges]:
    choices = [np.array(each) for each in product(range(3), repeat=SLOTS)]
    return [choice for choice in choices if keeps_runs(rules, choice)]


@each_row("seed", range(12))
def test_no_choice_that_keeps_its_runs_is_cheaper(seed: int) -> None:
    rules, cost = draw(seed)
    found = rules.find(cost)
    assert keeps_runs(rules, found)
    cheapest = min(rules.price(cost, choice) for choice in list_choices(rules))
    assert rules.price(cost, found) == pytest.approx(cheapest)


@each_row("seed", range(12))
def test_a_change_adds_what_it_says_and_keeps_its_runs(seed: int) -> None:
    rules, cost = draw(seed)
    present = rules.find(np.random.default_rng(seed).normal(0.0, 1.0, cost.shape))
    present[cost[present, np.arange(SLOTS)] >= FORBIDDEN] = 0
    changes = list(rules.list_changes(cost, present))
    for added, changed in changes:
        before = rules.price(cost, present)
        after = rules.price(cost, changed)
        # A run that goes on has begun before, which changes of other slots do not see.
        slack = rules.start_price if rules.goes_on else 0.0
        assert abs(after - before - added) <= slack + 1e-9
        assert added < 0


def test_each_session_can_use_what_it_needs() -> None:
    begins = np.array([True, False, False, False, True, False, False])
    rules = RangeRules(begins, 1, 0.0, goes_on=False)
    price = np.array([0.3, 0.1, 0.2, 0.4, 0.3, 0.3, 0.3])
    high_kwh = np.array([1.0, 3.0])[:, None] * np.ones(SLOTS)
    cost = np.vstack([np.zeros(SLOTS), high_kwh * price])
    session = np.array([0, 0, 0, 0, 1, 1, 1])
    found = rules.find_with_energy(
        cost, high_kwh, (session, np.array([4.0, 0.0])), highest_price=1.0
    )
    # The two cheapest hours of the first session, nothing in the second.
    assert found[1] == 2
    assert found[2] > 0
    assert found[4:].max() == 0
    used = np.where(found > 0, high_kwh[np.maximum(found - 1, 0), np.arange(SLOTS)], 0.0)
    assert used[:4].sum() >= 4.0


@pytest.mark.parametrize(
    ("ranges", "allowed"),
    [
        # Arrives with 2 kWh, gains 0.5 to 1 kWh in each low slot, 1.5 to 2 kWh in each high one.
        ([1, 1, 0, 0], True),
        ([1, 0, 0, 0], False),
        ([2, 0, 0, 0], True),
        ([2, 2, 2, 0], False),
        # The second session goes on from the first: from at least 4 or 5 kWh to at most 6.
        ([2, 1, 0, 2], True),
        ([2, 2, 0, 2], False),
    ],
)
def test_a_choice_reaches_what_sessions_need_without_overfilling_them(
    ranges: list[int], allowed: bool
) -> None:
    limits = SessionLimits(
        session=np.array([0, 0, 0, 1]),
        low_kwh=np.repeat([[0.5], [1.5]], 4, axis=1),
        high_kwh=np.repeat([[1.0], [2.0]], 4, axis=1),
        arrival_kwh=np.array([2.0, np.nan]),
        required_kwh=np.array([4.0, 0.0]),
        most_kwh=np.array([5.0, 6.0]),
        efficiency=1.0,
    )
    assert limits.allows(np.array(ranges)) is allowed
