"""Months, savings, intervals and paybacks."""

from datetime import date, timedelta

import numpy as np
import pytest

from luna.contracts.variant import Estimate, Variant
from services.planner.variants.cash_flow import (
    DayFlow,
    PeriodFlows,
    compare,
    describe,
    estimate_year,
    pay_back,
)

FIRST = date(2024, 1, 30)


def days(*bills: float, peaks: dict[str, float] | None = None, gain: float = 0.0) -> PeriodFlows:
    """Days with these import costs.

    Each earns 0.5, wears 0.25 and gains ``gain`` in the battery.
    """
    rest = {
        "export_cost": -0.5,
        "wear": 0.25,
        "stored_gain": gain,
        "import_kwh": 4.0,
        "export_kwh": 5.0,
    }
    flows = [
        DayFlow(day=FIRST + timedelta(days=place), import_cost=bill, **rest)
        for place, bill in enumerate(bills)
    ]
    return PeriodFlows(days=flows, peaks=peaks or {}, cycles=3.0, outlook="usual")


def test_months_add_up_and_wear_is_no_payment() -> None:
    told = describe("baseline", days(1.0, 2.0, 3.0, peaks={"2024-02": 7.0}))
    assert [(month.month, month.bill, month.peak, month.wear) for month in told.months] == [
        ("2024-01", 2.0, 0.0, 0.5),
        ("2024-02", 9.5, 7.0, 0.25),
    ]
    assert (told.bill, told.wear, told.cost) == (11.5, 0.75, 12.25)


def test_what_is_left_in_the_battery_counts_as_saved() -> None:
    reply = compare(Variant(name="other"), days(1.0, 2.0, gain=0.5), days(1.5, 2.0))
    # Half a euro less is paid, and twice half a euro is left in the battery.
    assert reply.savings == pytest.approx(1.5)
    assert reply.payback_years is None


def test_the_total_is_the_bill_less_the_charge_left_and_savings_compare_totals() -> None:
    # The bill is worse by half a euro, and two days leave half a euro each in the battery.
    baseline = days(1.0, 2.0)
    other = days(1.5, 2.0, gain=0.5)
    told = describe("baseline", baseline)
    reply = compare(Variant(name="other"), other, baseline)
    assert (told.total, reply.bill - told.bill, reply.total) == (2.0, 0.5, 1.5)
    assert reply.savings == pytest.approx(told.total - reply.total)


@pytest.mark.parametrize(("count", "told"), [(14, False), (27, False), (28, True)])
def test_fewer_than_four_weeks_tell_of_no_payback(count: int, told: bool) -> None:
    reply = compare(
        Variant(name="other", investment=2500), days(*[1.0] * count), days(*[1.1] * count)
    )
    assert (reply.payback_years is not None) is told


def test_a_peak_counts_once_a_month() -> None:
    reply = compare(
        Variant(name="other"),
        days(1.0, 1.0, 1.0),
        days(1.0, 1.0, 1.0, peaks={"2024-01": 4.0, "2024-02": 3.0}),
    )
    assert reply.savings == pytest.approx(7.0)


def test_a_year_of_equal_days_is_certain() -> None:
    estimate = estimate_year(np.full(28, 0.2))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((73.05, 73.05, 73.05))


def test_less_than_two_weeks_have_no_interval() -> None:
    estimate = estimate_year(np.full(7, 0.2))
    assert estimate.value == pytest.approx(73.05)
    assert (estimate.low, estimate.high) == (None, None)


def test_the_interval_holds_the_value_and_is_the_same_each_time() -> None:
    daily = np.random.default_rng(1).normal(0.3, 0.4, 60)
    estimate = estimate_year(daily)
    low, value, high = (each or 0.0 for each in (estimate.low, estimate.value, estimate.high))
    assert low < value < high
    assert estimate_year(daily) == estimate


@pytest.mark.parametrize(
    ("yearly", "years"),
    [
        pytest.param((100.0, 80.0, 125.0), (10.0, 8.0, 12.5), id="saves"),
        pytest.param((100.0, -5.0, 200.0), (10.0, 5.0, None), id="may cost"),
        pytest.param((-10.0, -30.0, 5.0), (None, 200.0, None), id="costs"),
    ],
)
def test_an_investment_comes_back_after_its_price_over_the_savings(
    yearly: tuple[float, ...], years: tuple[float | None, ...]
) -> None:
    value, low, high = yearly
    assert (
        tuple(pay_back(1000.0, Estimate(value=value, low=low, high=high)).model_dump().values())
        == years
    )
