"""Charts of estimates with intervals.

They show the camera lab's controllers in rows on a common axis, or one estimate around zero.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from luna.words.charts.axes import Axis, choose_step, fit_axis
from luna.words.charts.svg import circle, join, number, path, polyline, rectangle, rule, text

BAR = 8.0
MARK = 5.5
FOOT = 24.0
STEPS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    1000.0,
    5000.0,
)
# Values so many times beyond the median would leave no room for the others: an arrow replaces them.
FAR = 8.0


def _list_star_corners() -> list[tuple[float, float]]:
    corners = []
    for turn in range(10):
        angle = turn * math.pi / 5
        across, down = (0.6, -0.6) if turn % 2 else (1.4, -1.4)
        corners.append((across * math.sin(angle), down * math.cos(angle)))
    return corners


# Corners of each controller's mark, so that not only colours distinguish them; ``custom`` is a
# circle, any other one a cross.
MARKS = {
    "naive_weak": [(-1.0, -0.85), (1.0, -0.85), (0.0, 1.0)],
    "naive_strong": [(-1.0, 0.85), (1.0, 0.85), (0.0, -1.0)],
    "rule": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "ensemble": [(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)],
    "oracle": _list_star_corners(),
}
_HALF_CROSS = ((-0.4, -1.0), (0.4, -1.0), (0.4, -0.4), (1.0, -0.4), (1.0, 0.4), (0.4, 0.4))
CROSS = [*_HALF_CROSS, *((-x, -y) for x, y in _HALF_CROSS)]


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """A row: name, controller, value with interval (None: there is none), and their text."""

    name: str
    controller: str
    value: float | None
    low: float | None
    high: float | None
    value_text: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Sizes of the drawing.

    Narrow ones have names and texts above the bars instead of beside them.
    """

    width: float
    left: float
    right: float
    row: float
    bar_y: float
    words_y: float


_WIDE = _Layout(620, 150, 176, 34, 17, 21)
_NARROW = _Layout(340, 12, 12, 48, 29, 15)


def draw_mark(
    controller: str, place: tuple[float, float], css: str = "value", *, radius: float = MARK
) -> Markup:
    """Draw a controller's mark around x, y."""
    if controller == "custom":
        return circle(place, radius, css)
    x, y = place
    shape = MARKS.get(controller, CROSS)
    corners = [(x + across * radius, y + down * radius) for across, down in shape]
    return path(polyline(corners) + "Z", css)


def colour(controller: str, body: Markup) -> Markup:
    """Give a drawing the colour of a controller."""
    return Markup('<g class="of of-{}">{}</g>').format(controller, body)


def draw_estimates(
    rows: Sequence[EstimateRow],
    say_mark: Callable[[float], str],
    *,
    label: str,
    narrow: bool,
    around_zero: bool = False,
) -> Markup:
    """Draw the rows as a chart of a page.

    Args:
        rows: from top to bottom.
        say_mark: format of the axis' labels.
        label: for screen readers.
        narrow: for phones.
        around_zero: the axis includes zero, with a line.
    """
    layout = _NARROW if narrow else _WIDE
    body, height = draw_estimate_rows(rows, say_mark, narrow=narrow, around_zero=around_zero)
    size = ("narrow" if narrow else "wide", number(layout.width), number(height), label)
    opening = Markup(
        '<svg class="chart estimates {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(*size)
    return opening + body + Markup("</svg>")


def draw_estimate_rows(
    rows: Sequence[EstimateRow],
    say_mark: Callable[[float], str],
    *,
    narrow: bool = False,
    around_zero: bool = False,
) -> tuple[Markup, float]:
    """Return the rows on their axis, and the height; arguments of ``draw_estimates``."""
    layout = _NARROW if narrow else _WIDE
    ends = (layout.left, layout.width - layout.right)
    values: list[float] = []
    for row in rows:
        estimate = (row.low, row.value, row.high)
        values += [value for value in estimate if value is not None]
    sizes = sorted(abs(row.value) for row in rows if row.value)
    median = sizes[len(sizes) // 2] if sizes else 0.0
    if around_zero and sizes and sizes[-1] > FAR * median:
        reach = FAR / 2 * median
        values = [value for value in values if abs(value) <= reach] or [reach]
    if around_zero or not values:
        values.append(0.0)
    spread = max(values) - min(values) or max(abs(values[0]), 1.0) / 10
    step = choose_step(spread, STEPS, 4)
    least = (min(values), max(min(values) + step, *values))
    axis = fit_axis(values, ends, step=step, least=least)
    height = layout.row * len(rows)
    marks = [mark for mark in axis.marks if abs(mark) > 1e-12 or not around_zero]
    ruled = [rule((axis.place(mark), 0), (axis.place(mark), height), "grid") for mark in marks]
    if around_zero:
        ruled.append(rule((axis.place(0), 0), (axis.place(0), height), "origin"))
    words = [
        text((axis.place(mark), height + 16), say_mark(mark), "tick", anchor="middle")
        for mark in axis.marks
    ]
    drawn = [_draw_row(row, place * layout.row, layout, axis) for place, row in enumerate(rows)]
    return join([*ruled, *words, *drawn]), height + FOOT


def _draw_row(row: EstimateRow, above: float, layout: _Layout, axis: Axis) -> Markup:
    name = text((0, above + layout.words_y), row.name, "name")
    figure = text((layout.width, above + layout.words_y), row.value_text, "figure", anchor="end")
    if row.value is None:
        return name + figure
    y = above + layout.bar_y
    if not axis.low - 1e-9 <= row.value <= axis.high + 1e-9:
        # An arrow at the end of the axis, which points outwards.
        if row.value > axis.high:
            tip = axis.end
            base = tip - 10
        else:
            tip = axis.start
            base = tip + 10
        arrow = f"M{number(tip)} {number(y)}L{number(base)} {number(y - 6)}V{number(y + 6)}Z"
        return name + figure + colour(row.controller, path(arrow, "value"))
    low = _place_within(axis, row.value if row.low is None else row.low)
    high = _place_within(axis, row.value if row.high is None else row.high)
    span = rectangle((low, y - BAR / 2, max(high - low, 1.0), BAR), "span", rx="4")
    mark = draw_mark(row.controller, (axis.place(row.value), y))
    return name + figure + colour(row.controller, span + mark)


def _place_within(axis: Axis, value: float) -> float:
    return axis.place(min(max(value, axis.low), axis.high))


INTERVAL_WIDTH = 300.0
INTERVAL_TOP = 12.0
INTERVAL_HEIGHT = 44.0
INTERVAL_EDGE = 30.0
INTERVAL_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


def draw_interval(low: float, value: float, high: float, *, label: str, unit: str) -> Markup:
    """Draw a bar from ``low`` to ``high`` with a mark at ``value``.

    The axis is around zero, with ticks in ``unit``.
    """
    reach = max(abs(low), abs(high), abs(value), INTERVAL_STEPS[0])
    step = next((size for size in INTERVAL_STEPS if size * 2 >= reach), INTERVAL_STEPS[-1])
    span = max(2 * step, reach)
    top = INTERVAL_TOP
    axis = Axis(INTERVAL_EDGE, INTERVAL_WIDTH - INTERVAL_EDGE, -span, span, step)
    ruled = []
    words = []
    for amount in (-2 * step, -step, 0.0, step, 2 * step):
        if abs(amount) > span:
            continue
        x = axis.place(amount)
        css = "interval-tick" if amount else "interval-zero"
        ruled.append(rule((x, top - 8), (x, top + BAR + 8), css))
        sign = ""
        if amount != 0:
            sign = "+" if amount > 0 else "−"
        tick = f"{sign}{abs(amount):g}{unit}"
        words.append(text((x, INTERVAL_HEIGHT - 4), tick, "tick", anchor="middle"))
    left = axis.place(low)
    width = max(axis.place(high) - left, 1.0)
    bar = rectangle((left, top, width, BAR), "interval-bar", rx="4")
    mark = circle((axis.place(value), top + BAR / 2), 5.0, "interval-mark")
    opening = Markup(
        '<svg class="interval" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(number(INTERVAL_WIDTH), number(INTERVAL_HEIGHT), label)
    return opening + join([*ruled, bar, mark, *words]) + Markup("</svg>")
