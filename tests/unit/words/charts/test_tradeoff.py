"""The picture of a trade-off: every point in its reader's words and numbers."""

from typing import Any

import pytest

from luna.contracts.plan_questions import ParetoReply
from luna.words.charts.axes import span_axis
from luna.words.charts.tradeoff import draw_tradeoff
from tests.support.recordings.drawings import hold_drawing


def trade_off(costs: list[float], wears: list[float], knee: int | None = None) -> ParetoReply:
    weights = {"carbon_price_per_kg": 0, "self_sufficiency_price": 0, "wear_factor": 1}
    figures = {"carbon_g": None, "import_kwh": 1, "self_sufficiency": None, "weights": weights}
    points = [
        figures | {"cost": cost, "wear": wear} for cost, wear in zip(costs, wears, strict=True)
    ]
    about = {
        "site": "home",
        "currency": "EUR",
        "figures": ["cost", "wear"],
        "knee": knee,
        "complete": True,
    }
    return ParetoReply.model_validate(about | {"points": points})


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["home: low cost or little battery wear", "cost (EUR)", "−1.00", "0.25"]),
        ("de", ["home: niedrige Kosten oder", "Batterieverschleiß (EUR)", "−1,00", "0,25"]),
    ],
)
def test_the_picture_speaks_its_reader_s_language_with_units(
    language: Any, words: list[str]
) -> None:
    picture = draw_tradeoff(trade_off([-1.0, 0.0], [0.5, 0.0]), language=language)
    assert [word for word in words if word not in picture] == []


def test_the_picture_is_as_recorded() -> None:
    hold_drawing(
        "tradeoff",
        draw_tradeoff(
            trade_off([-1.37, -1.2, -0.4, 0.93], [0.5, 0.23, 0.11, 0.0], knee=1), language="de"
        ),
    )


def test_a_single_plan_has_one_mark_on_each_side_and_lies_in_the_middle() -> None:
    axis = span_axis([2.5], (0.0, 10.0), parts=4)
    assert axis.marks == [2.5]
    assert axis.place(2.5) == 5.0
