"""The simulated home's seconds: appliances and clouds within the recorded quarter-hours."""

import numpy as np
import pytest

from luna.drivers.simulated_battery import BatteryCharge
from luna.simulated_home.house import HomeState, advance
from luna.simulated_home.seconds import (
    QUARTER_SECONDS,
    load_between,
    pv_between,
    refine_load,
    refine_pv,
)
from luna.simulated_home.site import ROOF_PEAK_KW

QUARTERS = range(1_800_000_000 // QUARTER_SECONDS, 1_800_000_000 // QUARTER_SECONDS + 96)
SEED = 3


@pytest.mark.parametrize("mean_kw", [0.0, 0.2, 0.7, 1.6, 4.0, 5.9])
def test_a_quarter_hours_energy_stays_what_it_was(mean_kw: float) -> None:
    for quarter in QUARTERS:
        for power_kw in (refine_load(quarter, mean_kw, SEED), refine_pv(quarter, mean_kw, SEED)):
            assert power_kw.mean() == pytest.approx(mean_kw)
            assert power_kw.min() >= 0.0
        assert refine_pv(quarter, mean_kw, SEED).max() <= ROOF_PEAK_KW + 1e-9


@pytest.mark.parametrize("seconds", [1.0, 5.0, 7.0, 60.0, 900.0])
def test_steps_of_any_length_add_up_to_the_quarter_hour(seconds: float) -> None:
    quarter = QUARTERS[40]
    for mean_between, mean_kw in ((load_between, 0.8), (pv_between, 3.0)):
        begin = float(quarter * QUARTER_SECONDS)
        passed = 0.0
        energy_kws = 0.0
        while passed < QUARTER_SECONDS:
            step = min(seconds, QUARTER_SECONDS - passed)
            energy_kws += step * mean_between(begin + passed, step, mean_kw, seed=SEED)
            passed += step
        assert energy_kws == pytest.approx(mean_kw * QUARTER_SECONDS)


def test_some_quarter_hours_have_a_kettle_some_an_oven_and_small_ones_neither() -> None:
    kettles = 0
    for quarter in QUARTERS:
        assert np.ptp(refine_load(quarter, 0.2, SEED)) < 0.3
        kettles += int(np.ptp(refine_load(quarter, 0.7, SEED)) > 1.5)
        oven = refine_load(quarter, 2.0, SEED)
        assert np.ptp(oven) > 1.5
    assert 20 < kettles < 80


def test_clouds_pass_within_seconds_in_about_every_second_hour() -> None:
    cloudy = []
    for quarter in QUARTERS:
        power_kw = refine_pv(quarter, 3.0, SEED)
        cloudy.append(np.ptp(power_kw) > 0.5)
        assert np.abs(power_kw[15:] - power_kw[:-15]).max() > 0.5 or not cloudy[-1]
    assert 24 <= sum(cloudy) <= 72


def test_a_home_lived_by_the_second_and_one_by_the_minute_use_the_same() -> None:
    begin = float(QUARTERS[40] * QUARTER_SECONDS)
    lived = []
    for seconds in (1.0, 60.0):
        state = HomeState(begin, BatteryCharge(5.0))
        while state.at < begin + QUARTER_SECONDS:
            state = advance(state, load_kw=1.5, pv_kw=2.5, seconds=seconds, seed=SEED)
        lived.append((state.load_kwh, state.pv_kwh))
    assert lived[0] == pytest.approx((0.375, 0.625))
    assert lived[1] == pytest.approx(lived[0])
