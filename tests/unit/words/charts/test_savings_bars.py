"""Bars of amounts of which some are less than nothing."""

import re

from luna.words.charts.savings import draw_amount


def spans(drawing: str) -> list[tuple[float, float]]:
    """Return where the rectangles of a drawing begin and how wide they are, per cent."""
    return [(float(x or 0), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)%"(?: y="0.5")? width="([\d.]+)%"', drawing)]


def test_what_is_earned_reaches_left_of_zero_and_what_is_saved_is_outlined_beyond_it() -> None:
    # Of a room from -4 to 0: -4 fills it, -1 its last quarter; three quarters were saved beside -1.
    assert spans(draw_amount(-4, "bar", among=[-1, -4], beside=-1)) == [(0, 100), (0, 75)]
    assert spans(draw_amount(-1, "bar", among=[-1, -4], beside=-1)) == [(75, 25)]
    # Of a room from -1 to 3.
    assert spans(draw_amount(-1, "bar", among=[3, -1], beside=3)) == [(0, 25), (0, 100)]
    assert spans(draw_amount(3, "bar", among=[3, -1], beside=3)) == [(25, 75)]


def test_what_costs_more_than_what_it_stands_beside_saved_nothing() -> None:
    assert spans(draw_amount(3, "bar", among=[2, 3], beside=2)) == [(0, 100)]
