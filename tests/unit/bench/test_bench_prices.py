"""The bench of prices: what it compares, on one day of a made-up home."""

from datetime import date

import numpy as np
import pytest

from bench.prices import (
    YEAR,
    build_eight,
    draw_quarter_hours,
    find_grid_fee,
    measure_grid_fee,
    measure_hourly_billing,
)
from bench.scenes import Home
from luna.energy.economics.prices import publication_times
from luna.energy.timeline import Timeline, local_days
from services.ingest.demo_data.demo import HOUSEHOLDS, build_prices, build_site
from services.ingest.demo_data.series import HOURS, LOADS, PLANTS, SLOTS, ZONE, DemoSeries
from services.planner.problem.knowledge import PriceVintages

# A Thursday in winter.
DAY = date(YEAR, 1, 12)


@pytest.fixture(scope="module")
def home() -> Home:
    """A load and a price that rise and fall over the day, and no sun in winter."""
    hour = np.arange(HOURS.count) % 24
    price = 0.1 + 0.04 * np.sin(2 * np.pi * (hour - 12) / 24)
    profile_slots = local_days(date(2016, 1, 1), date(2016, 12, 31), ZONE)
    slot = np.arange(profile_slots.count)
    load = np.where(slot // 4 % 24 > 16, 2.0, 1.0)
    sun = np.where(slot > slot.size / 2, 1.0, 0.0)
    profiles = dict.fromkeys(LOADS, load) | dict.fromkeys(PLANTS, sun)
    series = DemoSeries(price, 0, profile_slots.starts, profiles)
    return Home(build_site(HOUSEHOLDS[0], series), build_prices(series))


def test_a_plan_that_knows_the_grid_fee_costs_less(home: Home) -> None:
    figures = measure_grid_fee(home, [(DAY, DAY)])
    assert figures["known"] < figures["blind"]
    assert figures["dearer_months"] == 0
    assert list(figures["months"]) == ["1"]


def test_a_plan_by_quarter_hours_promises_less_than_is_billed(home: Home) -> None:
    figures = measure_hourly_billing(home, [(DAY, DAY)])
    assert figures["promised"] < figures["blind"]
    assert figures["known"] < figures["blind"] < figures["without_battery"]


def test_drawn_quarter_hours_keep_the_mean_of_each_hour() -> None:
    hours = np.array([0.1, 0.3, 0.2])
    timeline = Timeline(SLOTS.start, SLOTS.step, 12)
    known_at = publication_times(timeline.starts, ZONE)
    hourly = PriceVintages(timeline, np.arange(12), known_at, np.repeat(hours, 4))
    drawn = draw_quarter_hours(hourly).price.reshape(3, 4)
    np.testing.assert_allclose(drawn.mean(axis=1), hours)
    # The first hour rises by 0.2 to the next one: by 0.05 each quarter-hour.
    np.testing.assert_allclose(drawn[0], [0.025, 0.075, 0.125, 0.175])


def test_fees_hold_in_the_year_of_the_demo() -> None:
    bill = build_eight()
    assert len(bill.components) == 8
    assert all(part.holds_on(DAY) for part in bill.components)
    assert {window.price for window in find_grid_fee().windows} == {1.13, 18.62}
