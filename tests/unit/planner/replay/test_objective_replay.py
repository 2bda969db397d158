"""The replayed planner follows the site's objective; carbon is heeded as it could be known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.physics.limits import SiteLimits
from luna.energy.simulator import Actuals, Trajectory, simulate
from luna.energy.site import Site, parse_site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.problem.knowledge import (
    CarbonVintages,
    ForecastArchive,
    SitePrices,
    carry_days,
)
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay.policies import ModelPredictive

HOUR = timedelta(hours=1)
START = datetime(2024, 2, 3, tzinfo=UTC)
AROUND = Timeline(START - timedelta(days=2), HOUR, 48 + 24 + 40)
DAY = Timeline(START, HOUR, 24)
BATTERY = {
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
}
BANDS = [
    {"from": "00:00", "to": "08:00", "price": 0.20},
    {"from": "16:00", "to": "24:00", "price": 0.30},
]
TARIFF = {
    "import": {"kind": "time_of_use", "default": 0.24, "bands": BANDS},
    "export": {"kind": "fixed", "price": 0.05},
}


def daily(night: float, noon: float, evening: float, days: int) -> FloatArray:
    return np.tile(np.repeat([night, noon, evening], 8), days)


def measured(values: FloatArray) -> CarbonVintages:
    """Measured from the begin of what is known on, each value known when its hour ended."""
    slots = np.arange(values.size)
    return CarbonVintages(
        AROUND,
        slots,
        (AROUND.starts[: values.size] + np.timedelta64(1, "h")).astype("datetime64[us]"),
        values,
    )


def live_a_day(carbon_price_per_kg: float, carbon: CarbonVintages | None) -> Trajectory:
    site: Site = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "batteries": [BATTERY],
            "tariff": TARIFF,
            "objective": {"carbon_price_per_kg": carbon_price_per_kg},
        }
    )
    series = Quantiles.exact(np.full(24 + 40, 0.5)), Quantiles.exact(np.zeros(24 + 40))
    forecast = Forecast(Timeline(START, HOUR, 24 + 40), START, "made_up", *series)
    prices = SitePrices(site, AROUND, {}, carbon)
    policy = ModelPredictive(SiteKnowledge(site, ForecastArchive([forecast]), prices), DAY, 1)
    return simulate(
        policy,
        Actuals(DAY, np.full(24, 0.5), np.zeros(24)),
        limits=SiteLimits.of(site),
        stored_kwh=np.zeros((1, 1)),
    )


def test_the_replayed_planner_charges_when_yesterdays_grid_was_clean() -> None:
    carbon = measured(daily(800.0, 100.0, 600.0, 2))
    cheap = live_a_day(0.0, carbon).flows.charge_kwh[0, 0]
    clean = live_a_day(0.2, carbon).flows.charge_kwh[0, 0]
    assert cheap[:8].sum() > 3.9
    assert clean[:8].sum() == pytest.approx(0.0, abs=1e-9)
    assert clean[8:16].sum() > 3.9


def test_without_any_carbon_known_cost_alone_decides() -> None:
    assert live_a_day(0.2, None).flows.charge_kwh[0, 0, :8].sum() > 3.9


def test_nothing_issued_later_is_known() -> None:
    book = measured(daily(800.0, 100.0, 600.0, 3))
    at_noon = book.ahead(START + 12 * HOUR, DAY)
    assert at_noon is not None
    assert at_noon.tolist() == daily(800.0, 100.0, 600.0, 1).tolist()
    changed = CarbonVintages(
        AROUND, book.slot, book.issued_at, np.where(np.arange(72) >= 60, 999.0, book.g_per_kwh)
    )
    later = changed.ahead(START + 12 * HOUR, DAY)
    assert later is not None
    assert later.tolist() == at_noon.tolist()


def test_before_anything_is_issued_nothing_is_known() -> None:
    assert measured(daily(800.0, 100.0, 600.0, 2)).ahead(AROUND.start, DAY) is None


def test_gaps_take_the_last_day_that_knows_the_hour_and_else_the_mean() -> None:
    series = np.append(np.where(np.arange(24) == 5, np.nan, np.arange(24.0)), np.full(24, np.nan))
    carried = carry_days(series, Timeline(START, HOUR, 48))
    assert carried[24:29].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert carried[29] == pytest.approx((276 - 5) / 23)
