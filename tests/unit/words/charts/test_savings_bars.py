"""Bars of amounts of which some are less than nothing, and rows of days of which some have a change
of clock.
"""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from luna.energy.timeline import SLOT, local_days
from luna.words import Numbers
from luna.words.charts.savings import DecidedDay, draw_amount, draw_deciders, slot_edges


def spans(drawing: str) -> list[tuple[float, float]]:
    """Return where the rectangles of a drawing begin and how wide they are, per cent."""
    return [
        (float(x or 0), float(width))
        for x, width in re.findall(r'<rect x="([\d.]+)%"(?: y="0.5")? width="([\d.]+)%"', drawing)
    ]


def test_what_is_earned_reaches_left_of_zero_and_what_is_saved_is_outlined_beyond_it() -> None:
    # Of a room from -4 to 0: -4 fills it, -1 its last quarter; three quarters were saved beside -1.
    assert spans(draw_amount(-4, "bar", among=[-1, -4], beside=-1)) == [(0, 100), (0, 75)]
    assert spans(draw_amount(-1, "bar", among=[-1, -4], beside=-1)) == [(75, 25)]
    # Of a room from -1 to 3.
    assert spans(draw_amount(-1, "bar", among=[3, -1], beside=3)) == [(0, 25), (0, 100)]
    assert spans(draw_amount(3, "bar", among=[3, -1], beside=3)) == [(25, 75)]


def test_what_costs_more_than_what_it_stands_beside_saved_nothing() -> None:
    assert spans(draw_amount(3, "bar", among=[2, 3], beside=2)) == [(0, 100)]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(
    "dates",
    [
        pytest.param([date(2026, 3, 29)], id="23 h"),
        pytest.param([date(2026, 10, 25)], id="25 h"),
        pytest.param(
            [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)], id="one of 23 h among others"
        ),
    ],
)
def test_the_hours_below_a_row_are_where_its_clock_says_them(
    dates: list[date], narrow: bool
) -> None:
    numbers = Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")
    days = []
    for day in dates:
        slots = local_days(day, day, numbers.zone)
        days.append(
            DecidedDay(
                "", slot_edges(slots.start, slots.count, SLOT), ["planner"] * slots.count, ""
            )
        )
    drawing = draw_deciders(days, numbers, label="", narrow=narrow)
    notches = re.findall(r'd="M([\d.]+) [\d.]+V[\d.]+" class="notch"', drawing)
    hours = dict(re.findall(r'<text x="([\d.]+)"[^>]*>(\d\d:00)<', drawing))
    assert [hours[x] for x in notches[:3]] == ["06:00", "12:00", "18:00"]
