"""The axis of prices, and which slots are shaded as cheap and dear."""

import numpy as np
import pytest

from luna.words.charts.axes import fit_prices
from luna.words.charts.plan import mark_prices
from tests.support.suite.tables import each_row

ENDS = (100.0, 0.0)
# Prices of a day in cents: a night at 22, a day at 30, an evening of three hours at 42.
NORMAL = [22.0] * 28 + [30.0] * 40 + [42.0] * 12 + [30.0] * 16


@each_row(
    ("prices", "low", "high"),
    [
        # From 22 to 42: from zero they would have half of the height.
        ([22.0, 42.0], 20, 45),
        ([8.0, 42.0], 0, 50),
        ([-12.0, 30.0], -20, 30),
        ([-12.0, -5.0], -12, -4),
        # Equal prices stand in the middle of four cents.
        ([30.0, 30.0], 28, 32),
    ],
)
def test_an_axis_reaches_over_the_prices(prices: list[float], low: float, high: float) -> None:
    axis = fit_prices(prices, ENDS, least_span=4.0)
    assert (axis.low, axis.high) == pytest.approx((low, high))


@each_row(
    ("prices", "cheap", "dear"),
    [
        (NORMAL, 28, 12),
        ([30.0] * 96, 0, 0),
        # A day tariff of sixteen hours is the normal price; its night is cheap.
        ([25.0] * 19 + [32.0] * 77, 19, 0),
        # A day dearer than the one before it is dear only in its evening.
        ([10.0] * 96 + NORMAL, 28, 12),
        ([-5.0] * 12 + [0.0] * 72 + [5.0] * 12, 12, 12),
    ],
)
def test_a_slot_is_dear_beside_the_others_of_its_day(
    prices: list[float], cheap: int, dear: int
) -> None:
    days = np.arange(len(prices)) // 96
    marked = mark_prices(np.array(prices), days)
    assert tuple(int(each.sum()) for each in marked) == (cheap, dear)
