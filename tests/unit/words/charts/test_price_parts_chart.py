"""The parts of a price: stacked from zero to both sides, hatched where one is not known."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.price_parts import PartsView, draw_parts

START = datetime(2026, 11, 3, tzinfo=UTC)
NUMBERS = Numbers("en", ZoneInfo("UTC"), "EUR")


def draw(prices: FloatArray, *, narrow: bool = False) -> str:
    def instant(hour: int) -> datetime:
        return START + hour * timedelta(hours=1)

    titles = ["a <price>"] * prices.shape[1]
    return draw_parts(PartsView(prices, instant, titles, NUMBERS, "Parts"), narrow=narrow)


def list_bars(drawing: str, part: int) -> list[tuple[float, float]]:
    """Return where each bar of a part begins and ends, those above the line first."""
    data = "".join(re.findall(rf'<path d="([^"]+)" class="part-{part}"', drawing))
    found = re.findall(r"M[\d.]+ ([\d.]+)h[\d.]+V([\d.]+)h", data)
    return [(float(start), float(end)) for start, end in found]


@pytest.mark.parametrize("narrow", [False, True])
def test_parts_lie_on_each_other_and_those_below_zero_hang_under_the_line(narrow: bool) -> None:
    drawing = draw(np.array([[0.1, 0.1], [0.2, -0.05], [-0.02, 0.3]]), narrow=narrow)
    (zero, first_top), _ = list_bars(drawing, 0)
    above, below = list_bars(drawing, 1)
    # y grows downwards; the second part lies on the first, and hangs in the second hour.
    assert above[0] == first_top
    assert first_top - above[1] == pytest.approx(2 * (zero - first_top), abs=0.2)
    assert below[0] == zero
    assert below[1] > zero
    third_above, third_below = list_bars(drawing, 2)
    assert third_above[0] == first_top
    assert third_below[0] == zero


def test_an_hour_with_an_unknown_part_is_hatched_and_has_no_bar() -> None:
    drawing = draw(np.array([[0.1, np.nan, 0.1], [0.2, 0.2, 0.2]]))
    assert drawing.count("left-out") == 1
    assert len(list_bars(drawing, 0)) == 2
    assert len(list_bars(drawing, 1)) == 2
    # The price's line is broken there.
    assert drawing.count("total-line") == 2
    assert "<title>a &lt;price&gt;</title>" in drawing
