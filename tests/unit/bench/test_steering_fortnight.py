"""Days of both homes under the planner: forecasts, the car's days, and what is counted."""

import numpy as np
import pytest

from bench.steering.forecasts import DayAheadForecast, count_days, join_days, mean_of_quarters
from bench.steering.fortnight import draw_planned
from bench.steering.home import LivedHome, live_day
from bench.steering.planned_home import (
    CAR_KWH,
    START,
    TARGET_SOC,
    CarDays,
    LoopControl,
    PlanControl,
    PlannedControl,
)
from bench.steering.profiles import QUARTERS, draw_days

PEAK_KW = 10.0
NOON = 12 * 4


def draw_forecast(seed: int) -> tuple[DayAheadForecast, np.ndarray]:
    days = draw_days(seed, 2, peak_kw=PEAK_KW)
    forecast = DayAheadForecast.draw(days, seed, peak_kw=PEAK_KW)
    return forecast, mean_of_quarters(join_days(days).pv_kw)


def test_a_forecast_knows_the_kind_of_day_and_no_cloud() -> None:
    forecast, measured_kw = draw_forecast(7)
    assert forecast.pv_kw.size == 2 * QUARTERS
    # The same order of energy, and yet another quarter-hour by quarter-hour.
    assert forecast.pv_kw.sum() == pytest.approx(measured_kw.sum(), rel=0.6)
    assert np.abs(forecast.pv_kw - measured_kw).max() > 0.5


def test_what_was_measured_last_fades_from_a_forecast() -> None:
    forecast, _ = draw_forecast(7)
    usual_kwh, usual_pv_kwh = forecast.look_ahead(
        NOON, QUARTERS, measured_house_kw=np.nan, measured_pv_kw=np.nan
    )
    house_kwh, pv_kwh = forecast.look_ahead(
        NOON,
        QUARTERS,
        measured_house_kw=float(forecast.house_kw[NOON - 1]) + 2.0,
        measured_pv_kw=0.0,
    )
    # The next quarter-hour is as the last one, 2 kW above the forecast; a day later it is as usual.
    assert house_kwh[0] - usual_kwh[0] == pytest.approx(0.5)
    assert house_kwh[-1] == pytest.approx(usual_kwh[-1])
    assert pv_kwh[0] == pytest.approx(0.0)
    assert pv_kwh[12] > 0.9 * usual_pv_kwh[12]


def test_a_forecast_goes_on_with_its_last_day() -> None:
    forecast, _ = draw_forecast(7)
    _, pv_kwh = forecast.look_ahead(
        NOON, 3 * QUARTERS, measured_house_kw=np.nan, measured_pv_kw=np.nan
    )
    last_day_kwh = forecast.pv_kw[QUARTERS:] / 4
    assert pv_kwh[2 * QUARTERS : 2 * QUARTERS + NOON] == pytest.approx(last_day_kwh[NOON:])


def test_a_car_drives_in_the_morning_and_counts_what_it_lacked() -> None:
    car = CarDays(np.array([12.0]), soc=TARGET_SOC - 0.1)
    car.live(6.99 * 3600, 0.0)
    assert not car.away
    car.live(7.0 * 3600, 0.0)
    assert car.away
    assert car.missed_kwh == [pytest.approx(0.1 * CAR_KWH)]
    assert car.soc == pytest.approx(TARGET_SOC - 0.1 - 12.0 / CAR_KWH)
    sessions = car.list_sessions(START.replace(hour=8))
    assert sessions[0]["from"] == START.replace(hour=10).isoformat()
    assert sessions[0]["arrival_soc"] == pytest.approx(car.soc, abs=1e-4)


def test_days_are_joined_second_by_second() -> None:
    days = draw_days(7, 2, peak_kw=PEAK_KW)
    joined = join_days(days)
    assert count_days(joined) == 2
    assert joined.pv_kw[joined.pv_kw.size // 2] == days[1].pv_kw[0]


@pytest.mark.parametrize("make", [LoopControl, PlanControl])
def test_a_home_is_planned_anew_each_quarter_hour(make: type[PlannedControl]) -> None:
    planned, profile = draw_planned("battery", days=1, seed=7)
    control = make(planned)
    begin = 11 * 3600
    home = LivedHome(control.devices, date=START.date())
    lived = live_day(home, profile, control, begin=begin, end=begin + 2700)
    assert control.plans == 3
    # Under a clear sky the plan charges the car, in the first minute already.
    assert lived.car_kw[60:].min() > 0.0
    used_kw = profile.house_kw[begin : begin + 2700] + lived.car_kw + lived.battery_kw
    assert lived.net_kw == pytest.approx(used_kw - lived.pv_kw)
