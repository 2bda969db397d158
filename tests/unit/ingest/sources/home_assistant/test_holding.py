import numpy as np

from luna.energy.timeline import FloatArray, InstantArray
from services.ingest.sources.home_assistant.entity_states import (
    LONGEST_RISE,
    STEP,
    hold_values,
    longest_rise,
)

MINUTE = np.timedelta64(1, "m")
START = np.datetime64("2024-01-01T00:00", "us")


def at(*minutes: int) -> InstantArray:
    return START + np.array(minutes) * MINUTE


def minutes_of(instants: InstantArray) -> list[int]:
    return [int(since / MINUTE) for since in instants - START]


def held(
    minutes: list[int], values: list[float], end: int, longest: np.timedelta64 = LONGEST_RISE
) -> tuple[list[int], FloatArray]:
    instants, again = hold_values(
        at(*minutes), np.array(values, dtype=np.float64), START + end * MINUTE, longest=longest
    )
    return minutes_of(instants), again


def test_a_value_that_holds_for_long_is_said_again_at_each_quarter_hour_before_the_next() -> None:
    minutes, values = held([5, 80], [1.0, 2.0], end=90)
    assert minutes == [5, 15, 30, 45, 60, 75, 80]
    np.testing.assert_array_equal(values, [1, 1, 1, 1, 1, 1, 2])


def test_close_values_stand_as_they_are() -> None:
    assert held([0, 60, 100], [1.0, 2.0, 3.0], end=110)[0] == [0, 60, 100]


def test_nothing_holds_after_unknown() -> None:
    minutes, values = held([0, 10, 200], [1.0, np.nan, 2.0], end=205)
    assert minutes == [0, 10, 200]
    np.testing.assert_array_equal(values, [1, np.nan, 2])


def test_the_last_value_holds_until_the_end() -> None:
    assert held([0], [7.0], end=75)[0] == [0, 15, 30, 45, 60]


def test_cutting_the_time_in_two_says_the_same() -> None:
    whole = held([5, 200], [1.0, 2.0], end=230)[0]
    # What held when the second part began is told at its beginning.
    first = held([5], [1.0], end=120)[0]
    second = held([120, 200], [1.0, 2.0], end=230)[0]
    assert sorted(first + second) == whole


def test_powers_are_said_again_sooner_than_counters() -> None:
    assert (longest_rise("kWh"), longest_rise("Wh"), longest_rise("W"), longest_rise(None)) == (
        LONGEST_RISE,
        LONGEST_RISE,
        STEP,
        STEP,
    )
