"""Chart of the Pareto front between two aims: a point per plan, joined in order, the knee
ringed.
"""

import math
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from luna.words import Language, Numbers
from luna.words.charts.axes import Axis, span_axis
from luna.words.charts.style import draw_document, style
from luna.words.charts.svg import circle, join, path, polyline, rule, text
from luna.words.phrases import read_texts

WIDTH = 720.0
HEIGHT = 460.0
LEFT = 92.0
RIGHT = 32.0
TOP = 64.0
BOTTOM = 58.0
STEPS = 4


class TradeOffPoint(Protocol):
    """A plan on the Pareto front, such as ``luna.contracts.plan_questions.ParetoPoint``."""

    @property
    def cost(self) -> float: ...
    @property
    def carbon_g(self) -> float | None: ...
    @property
    def import_kwh(self) -> float: ...
    @property
    def wear(self) -> float: ...


class TradeOff(Protocol):
    """The points of a Pareto front in order, such as
    ``luna.contracts.plan_questions.ParetoReply``.
    """

    @property
    def site(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def figures(self) -> tuple[str, str]: ...
    @property
    def points(self) -> Sequence[TradeOffPoint]: ...
    @property
    def knee(self) -> int | None: ...


def read_figure(point: TradeOffPoint, figure: str) -> float:
    """Return a point's figure for an aim; smaller is better."""
    fields: dict[str, float] = {
        "cost": point.cost,
        "carbon": point.carbon_g or 0.0,
        "self_sufficiency": point.import_kwh,
        "wear": point.wear,
    }
    return fields[figure]


def draw_tradeoff(tradeoff: TradeOff, *, language: Language = "en") -> str:
    """Draw the chart as an SVG document."""
    numbers = Numbers(language, ZoneInfo("UTC"), tradeoff.currency)
    first, second = (
        [read_figure(point, name) for point in tradeoff.points] for name in tradeoff.figures
    )
    x = span_axis(first, (LEFT, WIDTH - RIGHT), parts=STEPS)
    y = span_axis(second, (HEIGHT - BOTTOM, TOP), parts=STEPS)
    points = [(x.place(across), y.place(up)) for across, up in zip(first, second, strict=True)]
    words = read_texts("charts", language)
    aims = (words[f"aim_{name}"] for name in tradeoff.figures)
    title = words["tradeoff"].format_map(
        {"site": tradeoff.site} | dict(zip(("first", "second"), aims, strict=True))
    )
    name_across, name_up = (
        words[f"axis_{name}"].format(currency=tradeoff.currency) for name in tradeoff.figures
    )
    parts = [
        text((LEFT, 30), title, "head"),
        *(rule((LEFT, y.place(mark)), (WIDTH - RIGHT, y.place(mark)), "grid") for mark in y.marks),
        *(
            text((LEFT - 10, y.place(mark) + 4), _say_mark(mark, y, numbers), "mark", anchor="end")
            for mark in y.marks
        ),
        *(
            text(
                (x.place(mark), HEIGHT - BOTTOM + 20),
                _say_mark(mark, x, numbers),
                "mark",
                anchor="middle",
            )
            for mark in x.marks
        ),
        text((LEFT, TOP - 12), name_up, "name"),
        text((WIDTH - RIGHT, HEIGHT - 12), name_across, "name", anchor="end"),
        path(polyline(points), "curve"),
        *(circle(point, 4, "point") for point in points),
        *([] if tradeoff.knee is None else [circle(points[tradeoff.knee], 9, "knee")]),
    ]
    return draw_document(join(parts), (WIDTH, HEIGHT), style("tradeoff"), label=title, margin=0)


def _say_mark(mark: float, axis: Axis, numbers: Numbers) -> str:
    """Return a mark with the decimals that distinguish it from its neighbours."""
    return numbers.number(
        mark, max(0, 1 - math.floor(math.log10(axis.step))) if axis.step > 0 else 2
    )
