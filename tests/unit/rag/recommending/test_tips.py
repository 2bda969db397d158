"""Energy tips: what a site's own days show, what it would save, and nothing without the days to
show it.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.economics.charges import begin_charges
from luna.energy.economics.device_charges import NO_CHARGES, DeviceCharge, TariffCharges
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.rag.recommending.daily_series import (
    LEAST_DAYS,
    RecordedDays,
    cut_days,
    project_year,
)
from services.rag.recommending.tips import Tip, find_tips
from tests.support.suite.depth import draws

DAY = 96
HOUR = np.arange(DAY) / 4


def describe(**parts: Any) -> Site:
    return parse_site({"name": "home", "timezone": "UTC"} | parts)


def record(
    days: int,
    series: dict[str, FloatArray],
    *,
    import_price: FloatArray | float = 0.3,
    export_price: FloatArray | float = 0.08,
    charges: TariffCharges = NO_CHARGES,
) -> RecordedDays:
    """Return days in UTC that are all the same; what is not given is 0."""
    timeline = Timeline(datetime(2024, 3, 1, tzinfo=UTC), SLOT, days * DAY)
    names = ("load_kwh", "import_kwh", "export_kwh", "pv_kwh")
    whole = {
        name: np.tile(np.broadcast_to(series.get(name, np.zeros(DAY)), DAY), days)
        for name in {*names, *series}
    }
    prices = [
        np.tile(np.broadcast_to(np.asarray(price, dtype=float), DAY), days)
        for price in (import_price, export_price)
    ]
    return cut_days(timeline, ZoneInfo("UTC"), whole, (prices[0], prices[1]), charges=charges)


def find(code: str, site: Site, days: RecordedDays) -> list[Tip]:
    return [each for each in find_tips(site, days) if each.code == code]


def test_a_car_that_charges_in_dear_hours_is_told_to_wait() -> None:
    # 8 kWh from 18 to 20 h at 0.40; from 22 h a kWh costs 0.10, and at 1 kWh a slot there is room:
    # 8 · 0.30 a day.
    vehicle = np.where((HOUR >= 18) & (HOUR < 20), 1.0, 0.0)
    price = np.where(HOUR >= 22, 0.1, 0.4)
    days = record(
        60,
        {"load_kwh": np.full(DAY, 0.02), "vehicle_kwh": vehicle, "import_kwh": vehicle + 0.02},
        import_price=price,
    )
    (tip,) = find("shift_load", describe(), days)
    assert (tip.saving.value, tip.saving.low, tip.saving.high) == pytest.approx(
        (8 * 0.3 * 365.25,) * 3
    )
    assert tip.figures["energy_kwh"] == pytest.approx(8.0)


def test_what_waiting_saves_counts_allowances_and_the_car_s_own_price() -> None:
    # As above, but only 5 kWh from 22 h on cost 0.10, all others 0.30, and the car pays 5 ct less
    # from 18 to 20 h. 8 · 0.40 − 8 · 0.10; the house draws 0.16 kWh of the five.
    night = {"kind": "allowance", "name": "night", "from": "22:00", "to": "24:00"}
    night |= {"kwh_per_day": 5, "price": 0.1, "price_beyond": 0.3, "price_outside": 0.4}
    own = {"name": "car", "devices": "vehicles", "from": "18:00", "to": "20:00"}
    own |= {"price": -0.05, "price_outside": 0.0}
    site = describe(
        tariff={"import": {"kind": "components", "components": [night]}, "devices": [own]}
    )
    vehicle = np.where((HOUR >= 18) & (HOUR < 20), 1.0, 0.0)
    days = record(
        60,
        {"load_kwh": np.full(DAY, 0.02), "vehicle_kwh": vehicle, "import_kwh": vehicle + 0.02},
        import_price=np.where(HOUR >= 22, 0.1, 0.4),
        charges=TariffCharges(
            begin_charges(site.tariff.import_, [0.0]), [DeviceCharge(site.tariff.devices[0])]
        ),
    )
    (tip,) = find("shift_load", site, days)
    saved = 8 * 0.4 - 8 * 0.1 - 3.16 * 0.2 - 8 * 0.05
    assert tip.saving.value == pytest.approx(saved * 365.25)
    # 88 slots of 0.02 kWh at 0.40, 8 at 0.10, and the car's 8 kWh at 0.40 − 0.05.
    paid = 88 * 0.02 * 0.4 + 8 * 0.02 * 0.1 + 8 * 0.35
    assert tip.figures["bill"] == pytest.approx(paid * 365.25)


def test_what_the_sun_gave_is_not_shifted() -> None:
    vehicle = np.where((HOUR >= 12) & (HOUR < 14), 1.0, 0.0)
    days = record(
        60,
        {"load_kwh": np.full(DAY, 0.02), "vehicle_kwh": vehicle, "pv_kwh": vehicle},
        import_price=np.where(HOUR >= 18, 0.1, 0.4),
    )
    assert find("shift_load", describe(), days) == []


def test_what_runs_all_night_costs_its_share() -> None:
    # 0.1 kWh a slot are 400 W; 20 W of it, bought around the clock at 0.30: 0.02 · 24 · 365.25 ·
    # 0.30.
    days = record(60, {"load_kwh": np.full(DAY, 0.1), "import_kwh": np.full(DAY, 0.1)})
    (tip,) = find("standby", describe(), days)
    assert tip.saving.value == pytest.approx(0.02 * 24 * 365.25 * 0.3)
    assert tip.figures["standby_w"] == pytest.approx(400)


def test_feeding_in_at_negative_prices_costs_what_it_cost() -> None:
    # 2 kWh a day at −0.05.
    fed_in = np.where((HOUR >= 12) & (HOUR < 13), 0.5, 0.0)
    prices = np.where((HOUR >= 12) & (HOUR < 13), -0.05, 0.08)
    site = describe(pv=[{"name": "roof", "peak_kw": 5}])
    days = record(
        60,
        {
            "load_kwh": np.full(DAY, 0.02),
            "import_kwh": np.full(DAY, 0.02),
            "export_kwh": fed_in,
            "pv_kwh": fed_in,
        },
        export_price=prices,
    )
    (tip,) = find("negative_feed_in", site, days)
    assert tip.saving.value == pytest.approx(2 * 0.05 * 365.25)


def test_a_reserve_that_held_the_battery_back_has_its_price() -> None:
    # 10 kWh, reserve 40 %, 10 % usual: 3 kWh, of which 3 · 0.9 reach the house in place of 0.40;
    # filling them costs 3 / 0.9 at 0.10.
    battery = {
        "name": "battery",
        "capacity_kwh": 10,
        "min_soc": 0.4,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
    }
    site = describe(batteries=[battery | {"charge_efficiency": 0.9, "discharge_efficiency": 0.9}])
    evening = HOUR >= 18
    series = {
        "load_kwh": np.full(DAY, 0.2),
        "import_kwh": np.where(evening, 0.5, 0.01),
        "soc": np.where(evening, 0.4, 0.8),
    }
    days = record(60, series, import_price=np.where(HOUR < 6, 0.1, 0.4))
    (tip,) = find("battery_reserve", site, days)
    assert tip.saving.value == pytest.approx(365.25 * 3 * 0.9 * (0.4 - 0.1 / 0.81))


def test_washing_in_the_sun_saves_the_difference_to_the_evening() -> None:
    # 0.8 kWh a run: 0.30 in the evening, 0.08 of lost feed-in at noon; four runs a week.
    surplus = np.where((HOUR >= 11) & (HOUR < 15), 0.6, 0.0)
    days = record(
        60,
        {
            "load_kwh": np.full(DAY, 0.02),
            "import_kwh": np.where(HOUR >= 18, 0.2, 0.0),
            "export_kwh": surplus,
            "pv_kwh": surplus,
        },
    )
    (tip,) = find("wash_in_sun", describe(pv=[{"name": "roof", "peak_kw": 5}]), days)
    assert tip.saving.value == pytest.approx(0.8 * (0.3 - 0.08) * 4 / 7 * 365.25)


def test_fewer_than_four_weeks_claim_nothing() -> None:
    series = {"load_kwh": np.full(DAY, 0.1), "import_kwh": np.full(DAY, 0.1)}
    assert find_tips(describe(), record(LEAST_DAYS - 1, series)) == []
    assert find_tips(describe(), record(LEAST_DAYS, series)) != []


def test_days_with_holes_do_not_count() -> None:
    timeline = Timeline(datetime(2024, 3, 1, tzinfo=UTC), SLOT, 40 * DAY)
    load = np.full(timeline.count, 0.1)
    load[np.arange(13) * DAY + 7] = np.nan
    prices = np.full(timeline.count, 0.3)
    days = cut_days(
        timeline,
        ZoneInfo("UTC"),
        {"load_kwh": load, "import_kwh": load, "export_kwh": 0 * prices},
        (prices, prices),
    )
    assert days.count == 27
    assert find_tips(describe(), days) == []


def test_unknown_prices_claim_nothing() -> None:
    series = {"load_kwh": np.full(DAY, 0.1), "import_kwh": np.full(DAY, 0.1)}
    assert find_tips(describe(), record(60, series, import_price=np.nan)) == []


@settings(max_examples=draws(40))
@given(seed=st.integers(0, 100_000), days=st.integers(28, 80))
def test_no_saving_exceeds_what_is_paid_and_all_are_numbers(seed: int, days: int) -> None:
    rng = np.random.default_rng(seed)
    timeline = Timeline(datetime(2024, 3, 1, tzinfo=UTC), SLOT, days * DAY)
    names = (
        "load_kwh",
        "import_kwh",
        "export_kwh",
        "pv_kwh",
        "vehicle_kwh",
        "water_heater_kwh",
        "soc",
    )
    series = {
        name: np.where(
            rng.random(timeline.count) < rng.random(), rng.gamma(0.5, 1.0, timeline.count), 0.0
        )
        for name in names
    }
    series["soc"] = np.clip(series["soc"], 0.0, 1.0)
    series["vehicle_kwh"][rng.random(timeline.count) < 0.2] = np.nan
    prices = tuple(rng.normal(0.1, rng.uniform(0, 1), timeline.count) for _ in range(2))
    site = describe(
        pv=[{"name": "roof", "peak_kw": 5}],
        batteries=[
            {
                "name": "b",
                "capacity_kwh": 10,
                "min_soc": 0.5,
                "charge_limit_kw": 5,
                "discharge_limit_kw": 5,
            }
        ],
    )
    recorded = cut_days(timeline, ZoneInfo("Europe/Berlin"), series, (prices[0], prices[1]))
    bill = float(recorded.paid.mean()) * 365.25
    for each in find_tips(site, recorded):
        assert 0.0 < each.saving.low <= each.saving.value <= each.saving.high <= bill + 1e-9


def test_the_interval_of_a_year_holds_the_truth_as_often_as_it_says() -> None:
    # Days of mean 1 with standard deviation 0.5, 200 times: 95 % less five standard deviations of
    # √(0.95·0.05/200) = 0.015, and what 84 days lack.
    truth = 365.25
    inside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        figure = project_year(rng.normal(1.0, 0.5, 84), rng)
        inside += figure.low <= truth <= figure.high
    assert 0.85 < inside / 200 <= 1.0
