"""Scales, steps, legends and what stands beside them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.words import Language, Numbers
from luna.words.charts.axes import Axis, ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_line, find_runs, place_keys


@pytest.mark.parametrize(
    ("language", "words"), [("en", ["−0.5", "0", "0.5", "1"]), ("de", ["−0,5", "0", "0,5", "1"])]
)
def test_a_ruler_writes_numbers_as_its_reader_does(language: Language, words: list[str]) -> None:
    axis = fit_axis([-0.4, 0.9], (100.0, 0.0), step=0.5, least=(0.0, 0.5))
    ruler = draw_ruler(
        ChartFrame(100.0, 20.0, 0.0, 4), axis, Numbers(language, ZoneInfo("UTC"), "EUR")
    )
    assert [part.partition("<")[0] for part in ruler.split('text-anchor="end">')[1:]] == words


def test_the_least_range_is_always_shown_and_many_steps_become_fewer() -> None:
    # 0 to 70 in steps of 5 are 14; 20 is the first doubling of 5 of which six suffice: 80 / 20 = 4.
    assert fit_axis([], (0.0, 1.0), step=5, least=(0, 10)).marks == [0, 5, 10]
    assert fit_axis([3.0, np.nan, 70.0], (0.0, 1.0), step=5, least=(0, 10)).marks == [
        0,
        20,
        40,
        60,
        80,
    ]


def test_an_upright_axis_has_its_highest_value_on_top() -> None:
    axis = Axis.upright(10.0, 100.0, low=0, high=50, step=25)
    assert [axis.place(mark) for mark in axis.marks] == [110.0, 60.0, 10.0]
    assert (axis.top, axis.bottom, axis.height) == (10.0, 110.0, 100.0)


def test_the_least_step_that_reaches_is_chosen_and_else_the_last() -> None:
    assert [choose_step(most, (1.0, 5.0), 6) for most in (6.0, 6.1, 99.0)] == [1.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("zone", "step", "hours"),
    [
        ("Europe/Berlin", 60, ["06:00", "12:00", "18:00"]),
        ("Australia/Adelaide", 15, ["06:00", "12:00", "18:00"]),
        # Hours of UTC begin at half past the clock's.
        ("Australia/Adelaide", 60, ["06:30", "12:30", "18:30"]),
        ("Asia/Kolkata", 60, ["06:30", "12:30", "18:30"]),
    ],
)
def test_a_clock_axis_has_its_hours_in_zones_half_an_hour_off(
    zone: str, step: int, hours: list[str]
) -> None:
    begin = datetime(2026, 6, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    # From the full hour of UTC before the local midnight on.
    begin = begin.replace(minute=0)
    count = 25 * 60 // step
    axis = ClockAxis(
        ChartFrame(1000.0, 0.0, 0.0, count),
        lambda edge: begin + edge * timedelta(minutes=step),
        Numbers("en", ZoneInfo(zone), "EUR"),
        top=0.0,
        bottom=10.0,
        words_y=20.0,
    )
    drawn = [part.partition("<")[0].partition(">")[2] for part in axis.draw().split("<text")[1:]]
    assert [words for words in drawn if ":" in words] == hours


def test_a_legend_begins_a_row_where_one_is_full_and_never_leaves_one_empty() -> None:
    assert place_keys([50.0, 40.0, 200.0], 100.0, first_y=0.0, row=20.0, gap=10.0) == [
        (0.0, 0.0),
        (60.0, 0.0),
        (0.0, 20.0),
    ]


def test_runs_and_lines_end_where_nothing_is_known() -> None:
    assert find_runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    line = draw_line(
        ChartFrame(4.0, 0.0, 0.0, 4),
        Axis.upright(0.0, 1.0, low=0, high=1, step=1),
        np.array([0, 0, np.nan, 0]),
        "line",
    )
    assert 'd="M0.5 1L1.5 1M3.5 1h0"' in line
