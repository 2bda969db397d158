"""Stand-alone charts of the camera lab, one column wide: misses, locations by season, days, and
misses against dirty energy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from markupsafe import Markup

from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.edge import STEPS, colour, draw_mark
from luna.words.charts.marks import place_keys
from luna.words.charts.style import draw_document, style
from luna.words.charts.svg import LETTER, join, number, path, polyline, rectangle, rule, text

WIDTH = 620.0
HEAD = 40.0
LINE = 16.0
FOOT = 24.0
# Letters per line of a caption, in the widest of the usual fonts.
LETTERS = 96
BOLD_LETTERS = 86
NAMES = 150.0
FIGURES = 176.0
ROW = 34.0
BAR = 18.0
STRIPE = 4.0
LEFT = 34.0
GAP = 24.0
TITLE = 28.0
PANEL = 130.0
KEY_ROW = 20.0
KEY_GAP = 14.0
KEY_END = 14.0
ASIDE = 0.13
DAYS = 200.0
PARETO = 300.0
MOST_DAYS = 14
FAINT = 2.8
SMALL = 4.2
LARGE = 6.5
# Least distance between marks of an axis, px.
APART = 26.0
# Value on the horizontal axis, and on the vertical one.
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class LabChart:
    """A drawing and its height, px."""

    body: Markup
    height: float

    def name_axis(
        self, words: str, ends: tuple[float, float] = (NAMES, WIDTH - FIGURES)
    ) -> "LabChart":
        """Return the drawing with a label below its horizontal axis."""
        return LabChart(
            self.body
            + text((sum(ends) / 2, self.height + LINE - 4), words, "tick", anchor="middle"),
            self.height + LINE,
        )


@dataclass(frozen=True, slots=True)
class LabPicture:
    """A chart with file name, title, caption, and a note where it uses stand-in data."""

    name: str
    title: str
    caption: str
    stand_in: str
    chart: LabChart

    def _draw(self) -> tuple[Markup, float]:
        below = [
            *((line, "tick") for line in wrap(self.caption, LETTERS)),
            *((line, "stand-in") for line in wrap(self.stand_in, BOLD_LETTERS)),
        ]
        top = HEAD + self.chart.height + FOOT
        lines = [
            text((0, top + LINE * place), line, css) for place, (line, css) in enumerate(below)
        ]
        moved = Markup('<g transform="translate(0 {})">{}</g>').format(
            number(HEAD), self.chart.body
        )
        return join([text((0, 16), self.title, "picture-title"), moved, *lines]), top + LINE * (
            len(lines) - 1
        ) + 4

    def embed(self) -> Markup:
        """Return the SVG for a page with the style sheets ``palette``, ``marks`` and ``edge``."""
        body, height = self._draw()
        size = (number(WIDTH), number(height), self.title, self.caption)
        return (
            Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}: {}">').format(*size)
            + body
            + Markup("</svg>")
        )

    def write_svg(self) -> str:
        """Return a stand-alone SVG document."""
        body, height = self._draw()
        return draw_document(
            body, (WIDTH, height), style("edge"), label=f"{self.title}: {self.caption}"
        )


@dataclass(frozen=True, slots=True)
class MissRow:
    """The small and large misses of a controller, per cent of its tasks, with their text."""

    name: str
    controller: str
    small: float
    large: float
    value_text: str


@dataclass(frozen=True, slots=True)
class MissPoint:
    """Dirty energy and misses of a controller.

    ``whole``: over all locations and seasons, not in one.
    """

    controller: str
    point: Point
    whole: bool


def draw_misses(rows: Sequence[MissRow]) -> LabChart:
    """Draw a bar per controller: small misses plain, large ones as stripes at the end."""
    most = max(row.small + row.large for row in rows) or 1.0
    axis = fit_axis(
        [most], (NAMES, WIDTH - FIGURES), step=choose_step(most, STEPS, 5), least=(0.0, 0.0)
    )
    height = ROW * len(rows)
    ruled = [rule((axis.place(mark), 0), (axis.place(mark), height), "grid") for mark in axis.marks]
    words = [
        text((axis.place(mark), height + LINE), f"{mark:g}", "tick", anchor="middle")
        for mark in axis.marks
    ]
    return LabChart(
        join(
            [
                *ruled,
                *words,
                *(_draw_miss(row, ROW * place, axis) for place, row in enumerate(rows)),
            ]
        ),
        height + FOOT,
    )


def _draw_miss(row: MissRow, above: float, axis: Axis) -> Markup:
    top = above + (ROW - BAR) / 2
    names_y = above + ROW / 2 + 5
    start, middle, end = (axis.place(value) for value in (0.0, row.small, row.small + row.large))
    stripes = "".join(
        f"M{number(x)} {number(top)}V{number(top + BAR)}"
        for x in np.arange(middle + STRIPE / 2, end, STRIPE).tolist()
    )
    small = rectangle((start, top, middle - start, BAR), "part") if row.small else Markup("")
    large = (
        rectangle((middle, top, max(end - middle, 1.0), BAR), "whole") if row.large else Markup("")
    )
    words = text((0, names_y), row.name, "name") + text(
        (WIDTH, names_y), row.value_text, "figure", anchor="end"
    )
    return words + colour(row.controller, small + large) + path(stripes, "stripe")


def draw_places(
    panels: Mapping[str, Mapping[str, Sequence[Point]]],
    seasons: Sequence[str],
    controllers: Mapping[str, str],
    numbers: Numbers,
) -> LabChart:
    """Draw a panel per location, two in a row: each controller's share by season, on one scale.

    Args:
        panels: location → controller → points of season index and share in per cent.
        seasons: names of the seasons.
        controllers: controller → name.
        numbers: format of the scale.
    """
    keys = _draw_keys(controllers)
    columns = min(2, len(panels))
    width = (WIDTH - GAP * (columns - 1)) / columns
    values = [y for series in panels.values() for points in series.values() for _, y in points]
    parts = [keys.body]
    top = keys.height
    for place, (title, series) in enumerate(panels.items()):
        top = keys.height + (place // columns) * (TITLE + PANEL + FOOT) + TITLE
        axis = _fit_shares(values, top, PANEL)
        frame = ChartFrame(width, LEFT, 0.0, len(seasons))
        words = [
            text((frame.x(slot + 0.5), top + PANEL + LINE), season, "tick", anchor="middle")
            for slot, season in enumerate(seasons)
        ]
        drawn = [
            _draw_points(
                name,
                [(frame.x(x + 0.5 + _aside(controllers, name)), axis.place(y)) for x, y in points],
            )
            for name, points in series.items()
        ]
        body = join(
            [text((0, top - 12), title, "panel"), draw_ruler(frame, axis, numbers), *words, *drawn]
        )
        parts.append(
            Markup('<g transform="translate({} 0)">{}</g>').format(
                number((place % columns) * (width + GAP)), body
            )
        )
    return LabChart(join(parts), top + PANEL + FOOT)


def _aside(controllers: Mapping[str, str], name: str) -> float:
    """Return the horizontal offset of a controller's marks, in slots, so that equal values do not
    hide each other.
    """
    return (list(controllers).index(name) - (len(controllers) - 1) / 2) * ASIDE


def _fit_shares(values: Sequence[float], top: float, height: float) -> Axis:
    """Return a vertical axis over the range of the values."""
    low = min(values, default=0.0)
    high = max(values, default=1.0)
    return fit_axis(
        values,
        (top + height, top),
        step=choose_step(high - low or 1.0, STEPS, 5),
        least=(low, high),
    )


def draw_days(
    series: Mapping[str, Sequence[Point]],
    controllers: Mapping[str, str],
    axes: tuple[str, str],
    numbers: Numbers,
) -> LabChart:
    """Draw a line per controller.

    ``series``: points of day and share in per cent; ``axes``: labels of the horizontal and the
    vertical one.
    """
    days = sorted({int(day) for points in series.values() for day, _ in points})
    keys = _draw_keys(controllers)
    top = keys.height + TITLE
    axis = _fit_shares([y for points in series.values() for _, y in points], top, DAYS)
    frame = ChartFrame(WIDTH, LEFT, 0.0, max(days) - min(days) + 1)
    every = math.ceil(len(days) / MOST_DAYS)
    words = [
        text((frame.x(day - min(days) + 0.5), top + DAYS + LINE), str(day), "tick", anchor="middle")
        for day in days[::every]
    ]
    parts = [
        keys.body,
        text((0, top - 12), axes[1], "tick"),
        draw_ruler(frame, axis, numbers),
        *words,
    ]
    for name, points in series.items():
        places = [(frame.x(day - min(days) + 0.5), axis.place(y)) for day, y in points]
        parts.append(colour(name, path(polyline(places), "series")) + _draw_points(name, places))
    return LabChart(join(parts), top + DAYS + FOOT).name_axis(axes[0], (LEFT, WIDTH))


@dataclass(frozen=True, slots=True)
class _RootScale:
    """A signed square-root scale: it separates small values and, unlike a logarithmic one, has a
    zero.
    """

    start: float
    end: float
    low: float
    high: float

    def place(self, value: float) -> float:
        low = _root(self.low)
        high = _root(self.high)
        return self.start + (_root(value) - low) / (high - low) * (self.end - self.start)

    def marks(self) -> list[float]:
        """Return the labelled values: zero, then from the ends inwards those at least ``APART``
        from the others.
        """
        sizes = [digit * 10.0**power for power in range(3, -4, -1) for digit in (5, 2, 1)]
        marks = [0.0]
        for mark in (sign * size for size in sizes for sign in (1, -1)):
            if self.low <= mark <= self.high and all(
                abs(self.place(mark) - self.place(other)) >= APART for other in marks
            ):
                marks.append(mark)
        return marks


def _root(value: float) -> float:
    return math.copysign(math.sqrt(abs(value)), value)


def draw_miss_points(
    points: Sequence[MissPoint], controllers: Mapping[str, str], axes: tuple[str, str]
) -> LabChart:
    """Draw a mark per point, large for ``whole`` ones.

    ``axes``: labels of the horizontal and the vertical one.
    """
    keys = _draw_keys(controllers)
    top = keys.height + TITLE
    across, up = (np.array([each.point[side] for each in points]) for side in (0, 1))
    x = _RootScale(LEFT, WIDTH - LARGE, 0.0, max(float(across.max()), 1e-3))
    y = _RootScale(top + PARETO, top, min(0.0, float(up.min())), max(float(up.max()), 1e-3))
    parts = [keys.body, text((0, top - 12), axes[1], "tick")]
    for mark in y.marks():
        parts += [
            rule((LEFT, y.place(mark)), (WIDTH, y.place(mark)), "grid"),
            text((LEFT - 6, y.place(mark) + 4), f"{mark:g}", "tick", anchor="end"),
        ]
    for mark in x.marks():
        parts += [
            rule((x.place(mark), top), (x.place(mark), top + PARETO), "grid"),
            text((x.place(mark), top + PARETO + LINE), f"{mark:g}", "tick", anchor="middle"),
        ]
    for each in sorted(points, key=lambda each: each.whole):
        look = ("value", LARGE) if each.whole else ("faint", FAINT)
        parts.append(
            colour(
                each.controller,
                draw_mark(
                    each.controller,
                    (x.place(each.point[0]), y.place(each.point[1])),
                    look[0],
                    radius=look[1],
                ),
            )
        )
    return LabChart(join(parts), top + PARETO + FOOT).name_axis(axes[0], (LEFT, WIDTH))


def _draw_points(controller: str, places: Sequence[Point]) -> Markup:
    return colour(controller, join(draw_mark(controller, place, radius=SMALL) for place in places))


def _draw_keys(controllers: Mapping[str, str]) -> LabChart:
    """Draw the legend: mark and name of each controller."""
    places = place_keys(
        [20 + len(words) * LETTER for words in controllers.values()],
        WIDTH,
        first_y=10,
        row=KEY_ROW,
        gap=KEY_GAP,
    )
    drawn = [
        _draw_points(name, [(x + 6, y - 4)]) + text((x + 18, y), words, "tick")
        for (name, words), (x, y) in zip(controllers.items(), places, strict=True)
    ]
    return LabChart(join(drawn), places[-1][1] + KEY_END)
