"""Increases, means and shapes of readings by hand."""

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.readings import Runs, increase_per_bucket, mean_per_bucket, shape_of
from luna.energy.timeline import FloatArray, InstantArray
from tests.support.suite.tables import each_row

NOON = np.datetime64("2024-01-01T12:00", "us")


def at(*minutes: float) -> InstantArray:
    return NOON + (np.array(minutes) * 60e6).astype("timedelta64[us]")


def single(minutes: list[float], values: list[float]) -> Runs:
    """Readings of which no two lie in one bucket."""
    instants = at(*minutes)
    numbers = np.array(values)
    return Runs(instants, numbers, instants, numbers, np.zeros(numbers.size))


def test_a_counter_rises_evenly_between_two_readings() -> None:
    # 12 kWh in 60 minutes: 3 in each quarter-hour, whether anything was read in it or not.
    rise = increase_per_bucket(single([0, 60], [100.0, 112.0]), at(0, 15, 30, 45, 60))
    assert rise.values.tolist() == [3.0, 3.0, 3.0, 3.0]
    assert rise.known.tolist() == [1.0, 1.0, 1.0, 1.0]


def test_the_rise_within_a_bucket_belongs_to_it() -> None:
    # 12:05 → 12:10 inside the first bucket gained 5; from 12:10 to 12:20 another 4, half of it
    # before 12:15.
    runs = Runs(
        at(5, 20), np.array([10.0, 19.0]), at(10, 20), np.array([15.0, 19.0]), np.array([5.0, 0.0])
    )
    assert increase_per_bucket(runs, at(0, 15, 30)).values.tolist() == [7.0, 2.0]


def test_a_silent_sensor_has_no_mean_until_it_speaks_again() -> None:
    # 2 kW from 12:00, nothing known from 12:20, 4 kW from 12:45 on.
    mean = mean_per_bucket(single([0, 20, 45, 60], [2.0, np.nan, 4.0, 0.0]), at(0, 15, 30, 45, 60))
    np.testing.assert_array_equal(mean.values, [2.0, 2.0, np.nan, 4.0])
    np.testing.assert_allclose(mean.known, [1.0, 1 / 3, 0.0, 1.0])


def test_a_counter_that_fell_began_again_from_zero() -> None:
    # 100 → 103 is 3, 103 → 2 a reset that counted 2, 2 → 6 is 4.
    assert increase_per_bucket(
        single([0, 15, 30, 45], [100, 103, 2, 6]), at(0, 15, 30, 45)
    ).values.tolist() == [3.0, 2.0, 4.0]


def test_before_the_first_reading_and_after_the_last_nothing_is_known() -> None:
    rise = increase_per_bucket(single([20, 40], [0.0, 8.0]), at(0, 15, 30, 45, 60))
    # From 12:20 to 12:30 half of the rise, from 12:30 to 12:40 the other.
    np.testing.assert_array_equal(rise.values, [np.nan, 4.0, 4.0, np.nan])
    np.testing.assert_allclose(rise.known, [0, 10 / 15, 10 / 15, 0])


def test_a_value_holds_until_the_next_reading() -> None:
    # 12:00 → 12:10 at 3, until 12:30 at 6: (10 × 3 + 5 × 6) / 15 = 4, then 6.
    mean = mean_per_bucket(single([0, 10, 30], [3.0, 6.0, 0.0]), at(0, 15, 30))
    np.testing.assert_allclose(mean.values, [4.0, 6.0])


def test_a_mean_is_of_the_part_that_is_known() -> None:
    mean = mean_per_bucket(single([10, 40], [3.0, 9.0]), at(0, 15, 30, 45, 60))
    np.testing.assert_allclose(mean.values, [3.0, 3.0, 3.0, np.nan])
    np.testing.assert_allclose(mean.known, [5 / 15, 1, 10 / 15, 0])


@each_row("measure", [increase_per_bucket, mean_per_bucket])
@each_row("runs", [single([], []), single([20], [5.0])], ids=["no reading", "one reading"])
def test_without_two_readings_nothing_is_known(measure: type, runs: Runs) -> None:
    buckets = measure(runs, at(0, 15, 30))
    assert np.isnan(buckets.values).all()
    assert buckets.known.tolist() == [0.0, 0.0]


def test_no_more_readings_than_points_are_their_own_shape() -> None:
    assert shape_of(at(0, 1, 2), np.array([1.0, 5.0, 2.0]), 3).tolist() == [0, 1, 2]


def test_a_peak_outlives_the_thinning() -> None:
    values = np.zeros(1000)
    values[437] = 9.0
    assert 437 in shape_of(at(*range(1000)), values, 10)


@pytest.mark.parametrize("points", [2, 0, -1])
def test_a_shape_of_fewer_than_three_points_is_refused(points: int) -> None:
    with pytest.raises(InvalidInputError, match="points"):
        shape_of(at(0), np.ones(1), points)


def cosine() -> tuple[InstantArray, FloatArray]:
    steps = np.arange(10, 111)
    return np.datetime64("2020-01-01", "us") + steps.astype("timedelta64[D]"), 10 + 5 * np.cos(
        steps / 10
    )


# Source: the examples in timescaledb-toolkit's documentation of lttb, version 1.10.
@pytest.mark.parametrize(
    ("points", "days"),
    [
        (4, "01-11 02-01 03-03 04-20"),
        (8, "01-11 01-27 02-06 02-27 03-09 03-30 04-09 04-20"),
        (
            17,
            (
                "01-11 01-13 01-22 01-28 02-03 02-09 02-14 02-24 03-01 03-07 03-13 03-23 03-29 "
                "04-04 04-10 04-14 04-20"
            ),
        ),
    ],
)
def test_the_shape_is_the_one_that_the_toolkit_draws(points: int, days: str) -> None:
    instants, values = cosine()
    chosen = instants[shape_of(instants, values, points)]
    assert [str(instant)[5:10] for instant in chosen] == days.split()
