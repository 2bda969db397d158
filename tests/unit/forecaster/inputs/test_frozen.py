"""Standstills of a sensor: found, dropped, and never by looking ahead."""

import numpy as np

from services.forecaster.inputs.preparation import (
    LOAD_SLOTS,
    count_repeats,
    drop_frozen,
    mark_frozen_load,
    mark_frozen_pv,
)
from tests.support.forecasts.faulty_days import hold_load
from tests.support.household.measurements import day, measure_days

NAN = np.nan


def test_repeats_are_counted_up_to_each_slot_and_gaps_break_them() -> None:
    values = np.array([1.0, 1.0, 2.0, NAN, NAN, 2.0, 2.0, 2.0])
    assert count_repeats(values).tolist() == [1, 2, 1, 0, 0, 1, 2, 3]


def test_a_load_that_stood_still_is_unknown_from_the_sixth_hour_on() -> None:
    frozen = drop_frozen(hold_load(measure_days(10), day(8), day(9)))
    # 96 slots of standstill, of which the first 23 could be chance.
    assert np.isnan(frozen.load_kwh).sum() == 96 - (LOAD_SLOTS - 1)


def test_coarse_meters_that_repeat_a_value_for_an_hour_are_believed() -> None:
    coarse = np.repeat(np.random.default_rng(1).choice([0.0, 0.1, 0.2], 200), 4)
    assert not mark_frozen_load(coarse).any()


def test_a_load_that_never_moved_is_kept() -> None:
    steady = hold_load(measure_days(3), day(0), day(3))
    assert drop_frozen(steady).load_kwh.tolist() == steady.load_kwh.tolist()


def test_an_inverter_at_its_limit_and_the_night_are_no_standstill() -> None:
    bright = np.concatenate([np.zeros(40), np.full(20, 1.0), np.zeros(36)])
    assert not mark_frozen_pv(bright).any()
    stuck = np.where(bright > 0, 0.5, 0.0)
    assert mark_frozen_pv(np.concatenate([bright, stuck])).sum() == 20 - 11


def test_what_follows_a_slot_does_not_change_whether_it_is_dropped() -> None:
    whole = hold_load(measure_days(10), day(8), day(9))
    cut = 8 * 96 + 40
    assert (mark_frozen_load(whole.load_kwh)[:cut] == mark_frozen_load(whole.load_kwh[:cut])).all()
