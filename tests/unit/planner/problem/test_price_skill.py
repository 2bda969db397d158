"""Which of a source's price forecasts and Luna's own prices were nearer to what was settled."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.planner.problem.price_skill import ComparedPrices, SourcePrices, compare_prices
from services.planner.problem.scenarios import OtherPrices, ScenarioSet, add_other_prices

NOW = datetime(2026, 6, 10, tzinfo=UTC)
DAYS = 6
AHEAD = Timeline(NOW - timedelta(days=DAYS), SLOT, (DAYS + 2) * 96)
PAST = DAYS * 96


def shape(level: float) -> FloatArray:
    """Return prices whose days alternate around a level by 0.04."""
    day = np.arange(AHEAD.count) // 96
    return np.where(day % 2 == 0, level - 0.02, level + 0.02)


def compare(
    error: float, *, typical: FloatArray | None = None, settled_days: int = DAYS
) -> ComparedPrices:
    """Return the comparison of forecasts that were off by an error, two days ahead."""
    settled = shape(0.30)
    slots = np.arange(AHEAD.count)
    issued = AHEAD.starts - np.timedelta64(2, "D")
    is_over = (slots < PAST) & (slots >= PAST - settled_days * 96)
    rows = sorted(
        [
            *zip(slots, issued, settled + error, strict=True),
            *zip(
                slots[is_over],
                AHEAD.starts[is_over] + np.timedelta64(SLOT),
                settled[is_over],
                strict=True,
            ),
        ]
    )
    slot, published_at, price = zip(*rows, strict=True)
    prices = SourcePrices(
        AHEAD, np.array(slot), np.array(published_at, "datetime64[us]"), np.array(price)
    )
    return compare_prices(prices, NOW, typical)


def test_forecasts_are_planned_with_so_far_ahead_as_they_were_nearer() -> None:
    # A day repeated is off by 0.04, the day before it by nothing: the price of 36 h ahead.
    compared = compare(0.01)
    assert compared.better is not None
    assert compared.better.begin == timedelta(hours=12)
    assert compared.better.source_error == pytest.approx(0.01)
    assert compared.better.own_error == pytest.approx(0.04)
    # 0.01² of 0.01² + 0.04² is a seventeenth.
    assert compared.better.own_probability == pytest.approx(1 / 17)
    assert compared.outdone is not None
    assert compared.outdone.begin == timedelta(hours=24)
    assert np.flatnonzero(compared.replaced).tolist() == list(range(PAST + 96, PAST + 192))


def test_forecasts_that_were_farther_off_are_not_planned_with() -> None:
    compared = compare(0.05)
    assert compared.better is None
    assert compared.outdone is not None
    assert compared.outdone.begin == timedelta(0)
    assert compared.replaced[PAST:].all()


def test_typical_prices_stand_for_luna_where_they_were_nearer_than_repeated_days() -> None:
    compared = compare(0.05, typical=np.full(AHEAD.count, 0.30))
    assert compared.outdone is not None
    assert (compared.outdone.own, compared.outdone.begin) == ("typical", timedelta(0))
    # Of alternating days the middle is off by 0.02.
    assert compared.outdone.own_error == pytest.approx(0.02)
    assert compared.own[PAST : PAST + 96] == pytest.approx(0.30)
    assert compared.is_typical[PAST : PAST + 96].all()


def test_one_settled_day_proves_nothing() -> None:
    compared = compare(0.01, settled_days=2)
    assert (compared.better, compared.outdone) == (None, None)
    assert not compared.replaced.any()


def test_other_prices_double_the_scenarios_and_keep_their_probabilities() -> None:
    scenarios = ScenarioSet(np.array([0.3, 0.3]), np.ones((2, 4)), np.zeros((2, 4)))
    other = OtherPrices(np.full(4, 0.1), np.zeros(4), 0.25)
    expected = (np.full(4, 0.5), np.zeros(4))
    doubled = add_other_prices(scenarios, expected, other)
    # Both at expected prices, both and the expected one at others; the rest stays expected.
    assert doubled.weight == pytest.approx([0.225, 0.225, 0.075, 0.075, 0.1])
    assert doubled.weight.sum() == pytest.approx(1 - 0.75 * 0.4)
    assert doubled.changes.import_price[:, 0].tolist() == [0, 0, 0.1, 0.1, 0.1]
    assert doubled.load_kwh[-1].tolist() == expected[0].tolist()
    alone = add_other_prices(None, expected, other)
    assert (alone.weight.tolist(), alone.changes.import_price[0, 0]) == ([0.25], 0.1)
