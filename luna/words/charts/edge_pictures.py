"""Stand-alone charts of the camera lab, one column wide.

They show misses, locations by season, days, and misses against dirty energy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
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
        label = text((sum(ends) / 2, self.height + LINE - 4), words, "tick", anchor="middle")
        return LabChart(self.body + label, self.height + LINE)


@dataclass(frozen=True, slots=True)
class LabPicture:
    """A chart with file name, title, caption, and a note on stand-in data."""

    name: str
    title: str
    caption: str
    stand_in: str
    chart: LabChart

    def _draw(self) -> tuple[Markup, float]:
        below = [(line, "tick") for line in wrap(self.caption, LETTERS)]
        below += [(line, "stand-in") for line in wrap(self.stand_in, BOLD_LETTERS)]
        top = HEAD + self.chart.height + FOOT
        lines = []
        for place, (line, css) in enumerate(below):
            lines.append(text((0, top + LINE * place), line, css))
        moved = Markup('<g transform="translate(0 {})">{}</g>').format(
            number(HEAD), self.chart.body
        )
        title = text((0, 16), self.title, "picture-title")
        height = top + LINE * (len(lines) - 1) + 4
        return join([title, moved, *lines]), height

    def embed(self) -> Markup:
        """Return the SVG for a page with the style sheets ``palette``, ``marks`` and ``edge``."""
        body, height = self._draw()
        size = (number(WIDTH), number(height), self.title, self.caption)
        opening = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}: {}">').format(*size)
        return opening + body + Markup("</svg>")

    def write_svg(self) -> str:
        """Return a stand-alone SVG document."""
        body, height = self._draw()
        label = f"{self.title}: {self.caption}"
        return draw_document(body, (WIDTH, height), style("edge"), label=label)


@dataclass(frozen=True, slots=True)
class MissRow:
    """The small and large misses of a controller, per cent of its tasks."""

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
    """Draw a bar per controller, with its large misses as stripes at the end."""
    most = max(row.small + row.large for row in rows) or 1.0
    step = choose_step(most, STEPS, 5)
    axis = fit_axis([most], (NAMES, WIDTH - FIGURES), step=step, least=(0.0, 0.0))
    height = ROW * len(rows)
    grid = []
    labels = []
    for mark in axis.marks:
        x = axis.place(mark)
        grid.append(rule((x, 0), (x, height), "grid"))
        labels.append(text((x, height + LINE), f"{mark:g}", "tick", anchor="middle"))
    bars = [_draw_miss(row, ROW * place, axis) for place, row in enumerate(rows)]
    return LabChart(join([*grid, *labels, *bars]), height + FOOT)


def _draw_miss(row: MissRow, above: float, axis: Axis) -> Markup:
    top = above + (ROW - BAR) / 2
    names_y = above + ROW / 2 + 5
    start = axis.place(0.0)
    middle = axis.place(row.small)
    end = axis.place(row.small + row.large)
    stripes = ""
    for x in np.arange(middle + STRIPE / 2, end, STRIPE).tolist():
        stripes += f"M{number(x)} {number(top)}V{number(top + BAR)}"
    bars = Markup("")
    if row.small:
        bars += rectangle((start, top, middle - start, BAR), "part")
    if row.large:
        bars += rectangle((middle, top, max(end - middle, 1.0), BAR), "whole")
    name = text((0, names_y), row.name, "name")
    value = text((WIDTH, names_y), row.value_text, "figure", anchor="end")
    return name + value + colour(row.controller, bars) + path(stripes, "stripe")


def draw_places(
    panels: Mapping[str, Mapping[str, Sequence[Point]]],
    seasons: Sequence[str],
    controllers: Mapping[str, str],
    numbers: Numbers,
) -> LabChart:
    """Draw a panel per location with each controller's share by season, on one scale.

    Two panels stand in a row.

    Args:
        panels: location → controller → points of season index and share in per cent.
        seasons: names of the seasons.
        controllers: controller → name.
        numbers: format of the scale.
    """
    keys = _draw_keys(controllers)
    columns = min(2, len(panels))
    width = (WIDTH - GAP * (columns - 1)) / columns
    values: list[float] = []
    for series in panels.values():
        values += _list_values(series)
    parts = [keys.body]
    top = keys.height
    for place, (title, series) in enumerate(panels.items()):
        top = keys.height + (place // columns) * (TITLE + PANEL + FOOT) + TITLE
        axis = _fit_shares(values, top, PANEL)
        frame = ChartFrame(width, LEFT, 0.0, len(seasons))
        words = []
        for slot, season in enumerate(seasons):
            label_place = (frame.x(slot + 0.5), top + PANEL + LINE)
            words.append(text(label_place, season, "tick", anchor="middle"))
        drawn = []
        for name, points in series.items():
            middle = 0.5 + _aside(controllers, name)
            places = [(frame.x(season + middle), axis.place(share)) for season, share in points]
            drawn.append(_draw_points(name, places))
        heading = text((0, top - 12), title, "panel")
        body = join([heading, draw_ruler(frame, axis, numbers), *words, *drawn])
        left = number((place % columns) * (width + GAP))
        parts.append(Markup('<g transform="translate({} 0)">{}</g>').format(left, body))
    return LabChart(join(parts), top + PANEL + FOOT)


def _aside(controllers: Mapping[str, str], name: str) -> float:
    """Return the offset of a controller's marks, in slots, so that none hides another."""
    place = list(controllers).index(name)
    middle = (len(controllers) - 1) / 2
    return (place - middle) * ASIDE


def _fit_shares(values: Sequence[float], top: float, height: float) -> Axis:
    """Return a vertical axis over the range of the values."""
    low = min(values, default=0.0)
    high = max(values, default=1.0)
    step = choose_step(high - low or 1.0, STEPS, 5)
    return fit_axis(values, (top + height, top), step=step, least=(low, high))


def _list_values(series: Mapping[str, Sequence[Point]]) -> list[float]:
    values: list[float] = []
    for points in series.values():
        values += [value for _, value in points]
    return values


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
    all_days: set[int] = set()
    for points in series.values():
        all_days.update(int(day) for day, _ in points)
    days = sorted(all_days)
    first = days[0]
    keys = _draw_keys(controllers)
    top = keys.height + TITLE
    axis = _fit_shares(_list_values(series), top, DAYS)
    frame = ChartFrame(WIDTH, LEFT, 0.0, days[-1] - first + 1)
    every = math.ceil(len(days) / MOST_DAYS)
    words = []
    for day in days[::every]:
        place = (frame.x(day - first + 0.5), top + DAYS + LINE)
        words.append(text(place, str(day), "tick", anchor="middle"))
    parts = [
        keys.body,
        text((0, top - 12), axes[1], "tick"),
        draw_ruler(frame, axis, numbers),
        *words,
    ]
    for name, points in series.items():
        places = [(frame.x(day - first + 0.5), axis.place(share)) for day, share in points]
        line = colour(name, path(polyline(places), "series"))
        parts.append(line + _draw_points(name, places))
    return LabChart(join(parts), top + DAYS + FOOT).name_axis(axes[0], (LEFT, WIDTH))


def _list_root_marks() -> list[float]:
    """Return the values that a square-root scale may label, the largest first."""
    marks = []
    for power in range(3, -4, -1):
        for digit in (5, 2, 1):
            size = digit * 10.0**power
            marks += [size, -size]
    return marks


_ROOT_MARKS = _list_root_marks()


@dataclass(frozen=True, slots=True)
class _RootScale:
    """A signed square-root scale.

    It separates small values and, unlike a logarithmic one, has a zero.
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
        """Return the labelled values: zero, then from the ends inwards where there is room.

        Neighbours are at least ``APART`` from each other.
        """
        marks = [0.0]
        for candidate in _ROOT_MARKS:
            if not self.low <= candidate <= self.high:
                continue
            place = self.place(candidate)
            if all(abs(place - self.place(mark)) >= APART for mark in marks):
                marks.append(candidate)
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
    across = [float(miss.point[0]) for miss in points]
    up = [float(miss.point[1]) for miss in points]
    x = _RootScale(LEFT, WIDTH - LARGE, 0.0, max(*across, 1e-3))
    y = _RootScale(top + PARETO, top, min(0.0, *up), max(*up, 1e-3))
    parts = [keys.body, text((0, top - 12), axes[1], "tick")]
    for mark in y.marks():
        height = y.place(mark)
        parts.append(rule((LEFT, height), (WIDTH, height), "grid"))
        parts.append(text((LEFT - 6, height + 4), f"{mark:g}", "tick", anchor="end"))
    for mark in x.marks():
        left = x.place(mark)
        parts.append(rule((left, top), (left, top + PARETO), "grid"))
        label_place = (left, top + PARETO + LINE)
        parts.append(text(label_place, f"{mark:g}", "tick", anchor="middle"))
    # The large marks last, above the others.
    for miss in sorted(points, key=attrgetter("whole")):
        place = (x.place(miss.point[0]), y.place(miss.point[1]))
        if miss.whole:
            drawn = draw_mark(miss.controller, place, "value", radius=LARGE)
        else:
            drawn = draw_mark(miss.controller, place, "faint", radius=FAINT)
        parts.append(colour(miss.controller, drawn))
    return LabChart(join(parts), top + PARETO + FOOT).name_axis(axes[0], (LEFT, WIDTH))


def _draw_points(controller: str, places: Sequence[Point]) -> Markup:
    marks = [draw_mark(controller, place, radius=SMALL) for place in places]
    return colour(controller, join(marks))


def _draw_keys(controllers: Mapping[str, str]) -> LabChart:
    """Draw the legend: mark and name of each controller."""
    widths = [20 + len(words) * LETTER for words in controllers.values()]
    places = place_keys(widths, WIDTH, first_y=10, row=KEY_ROW, gap=KEY_GAP)
    drawn = []
    for (name, words), (x, y) in zip(controllers.items(), places, strict=True):
        mark = _draw_points(name, [(x + 6, y - 4)])
        drawn.append(mark + text((x + 18, y), words, "tick"))
    return LabChart(join(drawn), places[-1][1] + KEY_END)
