"""Bars of an account's parts: as long as their energies, hatched where nothing is known, absent
where nothing has begun.
"""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from luna.energy.account_period import PeriodUnit
from luna.words import Language, Numbers
from luna.words.account import say_period
from luna.words.charts.energy import PeriodCost, StackedBar, draw_costs, draw_energy
from tests.support.words.wording import plain

NUMBERS = Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")


def list_boxes(drawing: str, css: str) -> list[tuple[float, float]]:
    """Return top and height of each box of a class."""
    found = re.findall(
        rf'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)" class="{css}"', drawing
    )
    return [(float(top), float(height)) for top, height in found]


@pytest.mark.parametrize("narrow", [False, True])
def test_both_sides_of_a_balanced_part_are_equally_long(narrow: bool) -> None:
    bar = StackedBar(
        "1",
        [("flow-load", 3.0), ("flow-vehicle", 5.0)],
        [("flow-pv", 2.0), ("flow-import", 6.0)],
        "a day <of> ours",
    )
    drawing = draw_energy([bar], NUMBERS, label="Energy by day", narrow=narrow)
    ((load_top, load), (car_top, car)) = (
        list_boxes(drawing, f"flow-{name}")[0] for name in ("load", "vehicle")
    )
    ((sun_top, sun), (grid_top, grid)) = (
        list_boxes(drawing, f"flow-{name}")[0] for name in ("pv", "import")
    )
    assert load + car == pytest.approx(sun + grid, abs=0.3)
    assert car / load == pytest.approx(5 / 3, abs=0.05)
    # One on the other, away from the line.
    assert car_top + car == pytest.approx(load_top, abs=0.2)
    assert load_top + load == pytest.approx(sun_top, abs=0.2)
    assert sun_top + sun == pytest.approx(grid_top, abs=0.2)
    assert "<title>a day &lt;of&gt; ours</title>" in drawing


def test_what_is_not_known_is_hatched_and_what_has_not_begun_is_not_drawn() -> None:
    bars = [
        StackedBar("1", [("flow-load", 0.0)], [], "nothing used"),
        StackedBar("2", [], [], "nothing recorded"),
        StackedBar("3", [], [], None),
    ]
    drawing = draw_energy(bars, NUMBERS, label="", narrow=False)
    assert (drawing.count("left-out"), drawing.count("<title>")) == (1, 2)
    costs = draw_costs(
        [
            PeriodCost("1", 0.0, "free"),
            PeriodCost("2", None, "unknown"),
            PeriodCost("3", None, None),
        ],
        NUMBERS,
        label="",
        narrow=False,
    )
    assert (costs.count("left-out"), costs.count("<title>")) == (1, 2)


def test_earnings_hang_below_the_line() -> None:
    drawing = draw_costs(
        [PeriodCost("1", 2.0, "paid"), PeriodCost("2", -1.0, "earned")],
        NUMBERS,
        label="",
        narrow=False,
    )
    paid_top, paid = list_boxes(drawing, "paid")[0]
    earned_top, earned = list_boxes(drawing, "earned")[0]
    assert paid_top + paid == pytest.approx(earned_top, abs=0.2)
    assert paid == pytest.approx(2 * earned, abs=0.3)


@pytest.mark.parametrize(
    ("unit", "first", "last", "language", "name"),
    [
        ("day", date(2026, 5, 21), date(2026, 5, 21), "en", "Thu 21 May 2026"),
        ("week", date(2026, 12, 28), date(2027, 1, 3), "de", "Mo., 28. Dez. – So., 3. Jan. 2027"),
        ("month", date(2026, 11, 1), date(2026, 11, 30), "nl", "nov 2026"),
        ("year", date(2026, 1, 1), date(2026, 12, 31), "en", "2026"),
    ],
)
def test_a_period_has_a_name(
    unit: PeriodUnit, first: date, last: date, language: Language, name: str
) -> None:
    assert (
        plain(say_period(unit, first, last, Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")))
        == name
    )
