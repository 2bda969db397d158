"""Chart of the Pareto front between two aims: points joined in order, the knee ringed."""

import math
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from markupsafe import Markup

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
    """A Pareto front with its points in order, as ``luna.contracts.plan_questions.ParetoReply``."""

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
    first_aim, second_aim = tradeoff.figures
    first = [read_figure(point, first_aim) for point in tradeoff.points]
    second = [read_figure(point, second_aim) for point in tradeoff.points]
    x = span_axis(first, (LEFT, WIDTH - RIGHT), parts=STEPS)
    y = span_axis(second, (HEIGHT - BOTTOM, TOP), parts=STEPS)
    points = [(x.place(across), y.place(up)) for across, up in zip(first, second, strict=True)]
    words = read_texts("charts", language)
    title = words["tradeoff"].format(
        site=tradeoff.site, first=words[f"aim_{first_aim}"], second=words[f"aim_{second_aim}"]
    )
    name_across = words[f"axis_{first_aim}"].format(currency=tradeoff.currency)
    name_up = words[f"axis_{second_aim}"].format(currency=tradeoff.currency)
    parts = [
        text((LEFT, 30), title, "head"),
        *_draw_scales(x, y, numbers),
        text((LEFT, TOP - 12), name_up, "name"),
        text((WIDTH - RIGHT, HEIGHT - 12), name_across, "name", anchor="end"),
        path(polyline(points), "curve"),
        *(circle(point, 4, "point") for point in points),
    ]
    if tradeoff.knee is not None:
        parts.append(circle(points[tradeoff.knee], 9, "knee"))
    return draw_document(join(parts), (WIDTH, HEIGHT), style("tradeoff"), label=title, margin=0)


def _draw_scales(x: Axis, y: Axis, numbers: Numbers) -> list[Markup]:
    """Draw the grid lines, and above them the marks of both axes."""
    grid = []
    labels = []
    for mark in y.marks:
        height = y.place(mark)
        grid.append(rule((LEFT, height), (WIDTH - RIGHT, height), "grid"))
        place = (LEFT - 10, height + 4)
        labels.append(text(place, _say_mark(mark, y, numbers), "mark", anchor="end"))
    for mark in x.marks:
        place = (x.place(mark), HEIGHT - BOTTOM + 20)
        labels.append(text(place, _say_mark(mark, x, numbers), "mark", anchor="middle"))
    return [*grid, *labels]


def _say_mark(mark: float, axis: Axis, numbers: Numbers) -> str:
    """Return a mark with the decimals that distinguish it from its neighbours."""
    decimals = 2
    if axis.step > 0:
        decimals = max(0, 1 - math.floor(math.log10(axis.step)))
    return numbers.number(mark, decimals)
