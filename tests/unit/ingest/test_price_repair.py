"""Zero prices that stand for missing ones, and those that are prices."""

import numpy as np

from luna.energy.timeline import FloatArray
from services.ingest.price_repair import PriceRecord, repair_prices
from tests.support.suite.tables import each_row

NAN = np.nan


def record(
    paid: list[float], *, due: list[float] | None = None, market: list[float] | None = None
) -> PriceRecord:
    unknown = np.full(len(paid), NAN)
    return PriceRecord(
        np.array(paid),
        unknown if due is None else np.array(due),
        unknown if market is None else np.array(market),
    )


def repair(paid: list[float], **known: list[float]) -> FloatArray:
    return repair_prices(record(paid, **known)).price


def test_zeros_among_prices_take_the_price_before_and_at_the_beginning_the_one_behind() -> None:
    repaired = repair_prices(record([0.0, 0.2, 0.0, 0.0, 0.3, 0.0]))
    assert repaired.price.tolist() == [0.2, 0.2, 0.2, 0.2, 0.3, 0.3]
    assert repaired.backward.tolist() == [True, False, False, False, False, False]
    assert repaired.forward.tolist() == [False, False, True, True, False, True]


@each_row(
    "paid",
    [[0.0, 0.0, 0.0], [0.1, 0.2, 0.3], [NAN, NAN, NAN], [0.0, NAN, 0.0], [-0.1, 0.2, 0.3]],
    ids=["all zero", "no zero", "nothing known", "zeros and gaps", "negative"],
)
def test_a_day_without_both_kinds_stays_as_it_is(paid: list[float]) -> None:
    repaired = repair_prices(record(paid))
    np.testing.assert_array_equal(repaired.price, paid)
    assert repaired.slots == 0


def test_zeros_that_the_market_had_are_kept() -> None:
    np.testing.assert_array_equal(
        repair([0.2, 0.0, 0.0, 0.1], market=[0.2, 0.0, 0.15, 0.1]), [0.2, 0.0, 0.2, 0.1]
    )


def test_zeros_that_the_tariff_makes_of_the_market_are_kept() -> None:
    # A market at −0.13 and a markup of 0.13 come to nothing.
    np.testing.assert_array_equal(
        repair([0.2, 0.0], due=[0.2, 0.0], market=[0.07, -0.13]), [0.2, 0.0]
    )


def test_a_zero_while_the_market_was_below_zero_is_kept_and_so_are_negative_prices() -> None:
    np.testing.assert_array_equal(
        repair([0.1, 0.0, -0.05], market=[0.1, -0.02, -0.05]), [0.1, 0.0, -0.05]
    )


def test_a_zero_is_filled_from_a_negative_price_but_never_from_a_genuine_zero() -> None:
    np.testing.assert_array_equal(
        repair([-0.05, 0.0, 0.0], market=[-0.05, 0.0, 0.2]), [-0.05, 0.0, -0.05]
    )


def test_what_is_unknown_stays_unknown() -> None:
    np.testing.assert_array_equal(repair([NAN, 0.2, NAN, 0.0]), [NAN, 0.2, NAN, 0.2])


def test_a_cost_can_be_told_where_either_the_record_or_the_tariff_knows_a_price() -> None:
    assert record([NAN, 0.1, NAN], due=[0.2, NAN, NAN]).has_cost.tolist() == [True, True, False]
