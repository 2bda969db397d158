"""Charts of estimates with intervals: the camera lab's controllers in rows on a common axis, and a
single estimate around zero.
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
# Corners of each controller's mark, so that not only colours distinguish them; ``custom`` is a
# circle, any other one a cross.
MARKS = {
    "naive_weak": [(-1.0, -0.85), (1.0, -0.85), (0.0, 1.0)],
    "naive_strong": [(-1.0, 0.85), (1.0, 0.85), (0.0, -1.0)],
    "rule": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "ensemble": [(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)],
    "oracle": [
        (
            (1.4, 0.6)[turn % 2] * math.sin(turn * math.pi / 5),
            (-1.4, -0.6)[turn % 2] * math.cos(turn * math.pi / 5),
        )
        for turn in range(10)
    ],
}
CROSS = [
    (x * side, y * side)
    for side in (1, -1)
    for x, y in ((-0.4, -1.0), (0.4, -1.0), (0.4, -0.4), (1.0, -0.4), (1.0, 0.4), (0.4, 0.4))
]


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
    return path(
        polyline(
            [
                (x + across * radius, y + down * radius)
                for across, down in MARKS.get(controller, CROSS)
            ]
        )
        + "Z",
        css,
    )


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
    return (
        Markup(
            '<svg class="chart estimates {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        ).format(*size)
        + body
        + Markup("</svg>")
    )


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
    values = [
        value for row in rows for value in (row.low, row.value, row.high) if value is not None
    ]
    sizes = sorted(abs(row.value) for row in rows if row.value)
    if around_zero and sizes and sizes[-1] > FAR * sizes[len(sizes) // 2]:
        reach = FAR / 2 * sizes[len(sizes) // 2]
        values = [value for value in values if abs(value) <= reach] or [reach]
    if around_zero or not values:
        values.append(0.0)
    spread = max(values) - min(values) or max(abs(values[0]), 1.0) / 10
    step = choose_step(spread, STEPS, 4)
    axis = fit_axis(values, ends, step=step, least=(min(values), max(min(values) + step, *values)))
    height = layout.row * len(rows)
    marks = [mark for mark in axis.marks if abs(mark) > 1e-12 or not around_zero]
    ruled = [rule((axis.place(mark), 0), (axis.place(mark), height), "grid") for mark in marks]
    zero = [rule((axis.place(0), 0), (axis.place(0), height), "origin")] if around_zero else []
    words = [
        text((axis.place(mark), height + 16), say_mark(mark), "tick", anchor="middle")
        for mark in axis.marks
    ]
    drawn = [_draw_row(row, place * layout.row, layout, axis) for place, row in enumerate(rows)]
    return join([*ruled, *zero, *words, *drawn]), height + FOOT


def _draw_row(row: EstimateRow, above: float, layout: _Layout, axis: Axis) -> Markup:
    name = text((0, above + layout.words_y), row.name, "name")
    figure = text((layout.width, above + layout.words_y), row.value_text, "figure", anchor="end")
    if row.value is None:
        return name + figure
    y = above + layout.bar_y
    if not axis.low - 1e-9 <= row.value <= axis.high + 1e-9:
        x, way = (axis.end, -1) if row.value > axis.high else (axis.start, 1)
        arrow = path(
            f"M{number(x)} {number(y)}L{number(x + way * 10)} {number(y - 6)}V{number(y + 6)}Z",
            "value",
        )
        return name + figure + colour(row.controller, arrow)
    low, high = (
        axis.place(min(max(row.value if end is None else end, axis.low), axis.high))
        for end in (row.low, row.high)
    )
    span = rectangle((low, y - BAR / 2, max(high - low, 1.0), BAR), "span", rx="4")
    return (
        name
        + figure
        + colour(row.controller, span + draw_mark(row.controller, (axis.place(row.value), y)))
    )


INTERVAL_WIDTH = 300.0
INTERVAL_TOP = 12.0
INTERVAL_HEIGHT = 44.0
INTERVAL_EDGE = 30.0
INTERVAL_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


def draw_interval(low: float, value: float, high: float, *, label: str, unit: str) -> Markup:
    """Draw a bar from ``low`` to ``high`` with a mark at ``value`` on an axis around zero with
    ticks in ``unit``.
    """
    reach = max(abs(low), abs(high), abs(value), INTERVAL_STEPS[0])
    step = next((each for each in INTERVAL_STEPS if each * 2 >= reach), INTERVAL_STEPS[-1])
    span = max(2 * step, reach)
    top = INTERVAL_TOP
    axis = Axis(INTERVAL_EDGE, INTERVAL_WIDTH - INTERVAL_EDGE, -span, span, step)
    ticks = [
        (axis.place(amount), amount)
        for amount in (-2 * step, -step, 0.0, step, 2 * step)
        if abs(amount) <= span
    ]
    ruled = [
        rule((x, top - 8), (x, top + BAR + 8), "interval-tick" if amount else "interval-zero")
        for x, amount in ticks
    ]
    said = [
        f"{'+' if amount > 0 else '−' if amount < 0 else ''}{abs(amount):g}{unit}"
        for _, amount in ticks
    ]
    words = [
        text((x, INTERVAL_HEIGHT - 4), amount, "tick", anchor="middle")
        for (x, _), amount in zip(ticks, said, strict=True)
    ]
    bar = rectangle(
        (axis.place(low), top, max(axis.place(high) - axis.place(low), 1.0), BAR),
        "interval-bar",
        rx="4",
    )
    mark = circle((axis.place(value), top + BAR / 2), 5.0, "interval-mark")
    opening = Markup(
        '<svg class="interval" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(number(INTERVAL_WIDTH), number(INTERVAL_HEIGHT), label)
    return opening + join([*ruled, bar, mark, *words]) + Markup("</svg>")
