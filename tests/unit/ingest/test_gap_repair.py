"""Short gaps in energies that came as slots."""

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from services.ingest.repair import SlotSeries, fill_short_gaps
from tests.support.suite.tables import each_row

NAN = np.nan


def fill(kwh: list[float] | FloatArray) -> FloatArray:
    values = np.array(kwh, dtype=float)
    starts = (
        np.datetime64("2024-01-01T00:00") + np.arange(values.size) * np.timedelta64(15, "m")
    ).astype("datetime64[s]")
    return fill_short_gaps(SlotSeries("load_kwh", starts, values, 20.0))


def test_a_short_gap_holds_what_was_before_it() -> None:
    np.testing.assert_allclose(fill([0.2, 0.3, NAN, NAN, 0.1, 0.2]), [NAN, NAN, 0.3, 0.3, NAN, NAN])


@pytest.mark.parametrize(("slots", "filled"), [(7, 7), (8, 0)])
def test_two_hours_from_reading_to_reading_are_bridged_and_no_more(slots: int, filled: int) -> None:
    # Seven missing slots lie between two starts that are 8 × 15 minutes apart.
    assert np.isfinite(fill([0.2, 0.3, *[NAN] * slots, 0.3, 0.2])).sum() == filled


def test_gaps_at_either_end_stay_gaps() -> None:
    assert np.isnan(fill([NAN, 0.2, 0.3, 0.2, NAN])).all()


def test_a_single_missing_slot_is_filled() -> None:
    np.testing.assert_allclose(fill([0.2, NAN, 0.3]), [NAN, 0.2, NAN])


@each_row(
    "kwh",
    [[], [NAN, NAN], [0.2], [0.1, 0.2, 0.3]],
    ids=["no slots", "nothing known", "one slot", "no gap"],
)
def test_where_nothing_is_missing_or_known_nothing_is_filled(kwh: list[float]) -> None:
    assert not np.isfinite(fill(kwh)).any()


def test_filling_twice_fills_nothing_the_second_time() -> None:
    kwh = np.array([0.2, NAN, 0.3, *[NAN] * 9, 0.1, NAN, 0.4])
    once = np.where(np.isnan(kwh), fill(kwh), kwh)
    assert not np.isfinite(fill(once)).any()


def test_a_night_without_sun_is_bridged_with_zeros_when_it_is_short() -> None:
    np.testing.assert_allclose(fill([0.1, 0.0, NAN, NAN, 0.0, 0.1]), [NAN, NAN, 0.0, 0.0, NAN, NAN])


def test_a_long_silence_after_a_zero_is_no_rest() -> None:
    assert not np.isfinite(fill([0.1, 0.0, *[NAN] * 20, 0.0, 0.1])).any()


def test_a_load_that_stays_the_same_for_days_is_bridged_as_well() -> None:
    kwh = np.full(300, 0.2)
    kwh[150:154] = NAN
    assert np.isfinite(fill(kwh)).sum() == 4
