"""Drift is seen where a household changes, and nowhere else."""

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from services.forecaster.retraining.renewal import (
    DECISION_INTERVAL,
    accumulate_errors,
    list_signs,
    measure_shift,
)
from tests.support.household.measurements import measure_days

DAY = 96
CHANGED = 200


def add_heat_pump(load_kwh: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the load with 2 kW for an hour, again and again, from day 200 on."""
    starts = CHANGED * DAY + np.cumsum(rng.integers(8, 20, 400))
    on = np.zeros(load_kwh.size, dtype=np.bool_)
    on[np.clip(starts[:, None] + np.arange(4), 0, load_kwh.size - 1)] = True
    return load_kwh + np.where(on, 0.5, 0.0)


def find_first(load_kwh: FloatArray, first: int, last: int) -> list[int]:
    return [day for day in range(first, last, 2) if list_signs(load_kwh[: day * DAY], {})]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_a_year_in_which_nothing_changes_gives_no_alarm(seed: int) -> None:
    assert find_first(measure_days(365, seed=seed).load_kwh, 98, 365) == []


def test_seasons_and_busy_weeks_are_no_change() -> None:
    rng = np.random.default_rng(1)
    days = np.arange(365)
    level = (1 + 0.4 * np.cos(2 * np.pi * days / 365)) * np.exp(0.2 * rng.standard_normal(365))
    assert find_first(measure_days(365).load_kwh * np.repeat(level, DAY), 98, 365) == []


def test_a_heat_pump_is_found_within_a_week() -> None:
    found = find_first(
        add_heat_pump(measure_days(230).load_kwh, np.random.default_rng(2)),
        CHANGED - 20,
        CHANGED + 14,
    )
    assert CHANGED < found[0] <= CHANGED + 7


def test_the_index_is_that_of_the_book() -> None:
    # A tenth in each bin before; after, twice as many in the first and none in the last but the
    # least share: 0.1 ln 2 + (0.001 - 0.1) ln 0.01.
    reference = np.arange(1000.0)
    recent = np.concatenate([np.arange(0.0, 100.0, 0.5), np.arange(100.0, 900.0)])
    assert measure_shift(reference, recent) == pytest.approx(
        0.1 * np.log(2) + 0.099 * np.log(100), rel=0.01
    )
    assert measure_shift(reference, reference) == 0


def test_errors_that_grow_and_stay_are_added_up_and_single_days_are_not() -> None:
    rng = np.random.default_rng(3)
    before = np.exp(0.2 * rng.standard_normal(60))
    usual = np.exp(0.2 * rng.standard_normal(14))
    one_bad_day = np.where(np.arange(14) == 5, 4 * usual, usual)
    assert accumulate_errors(before, usual) < DECISION_INTERVAL
    assert accumulate_errors(before, one_bad_day) < DECISION_INTERVAL
    assert accumulate_errors(before, 2.5 * usual) > DECISION_INTERVAL


def test_a_year_of_noise_in_the_errors_gives_no_alarm() -> None:
    errors = np.exp(0.3 * np.random.default_rng(4).standard_normal(365))
    assert [day for day in range(74, 365) if list_signs(np.array([]), {"pv": errors[:day]})] == []


def test_a_new_array_that_forecasts_do_not_follow_is_found() -> None:
    errors = np.exp(0.3 * np.random.default_rng(5).standard_normal(100))
    errors[90:] *= 3
    (sign,) = list_signs(np.array([]), {"pv": errors})
    assert sign.name == "pv_error"
    assert str(sign).startswith("pv_error ")


def test_where_too_little_is_known_nothing_is_said() -> None:
    assert list_signs(np.full(98 * DAY, np.nan), {"load": np.full(74, np.nan)}) == []
    assert list_signs(np.zeros(98 * DAY), {"load": np.zeros(74)}) == []
    assert list_signs(measure_days(20).load_kwh, {"load": np.ones(20)}) == []
