"""How sure a sum of days is."""

import numpy as np
import pytest

from luna.bootstrap import bound_sum, worst_week


def test_days_that_never_differ_leave_no_doubt() -> None:
    assert bound_sum(np.full(30, 0.5), rng=np.random.default_rng(1)) == pytest.approx((15.0, 15.0))


def test_the_interval_holds_the_sum_and_narrows_where_days_go_their_own_way() -> None:
    weeks = np.repeat(np.random.default_rng(2).normal(1.0, 1.0, 20), 7)
    mixed = np.random.default_rng(3).permutation(weeks)
    (low, high), (near, far) = (bound_sum(daily, rng=np.random.default_rng(4)) for daily in (weeks, mixed))
    assert low < weeks.sum() < high
    assert high - low > 1.5 * (far - near)


def test_the_worst_week_may_begin_on_any_day() -> None:
    daily = np.zeros(21)
    daily[[3, 8]] = -1.0  # six days between them: one week holds both
    assert worst_week(daily) == pytest.approx(-2.0)
    assert worst_week(np.array([1.0, -3.0])) == pytest.approx(-2.0)
