"""Where things lie in a chart: one time axis over panels with their own scales, and the few SVG elements used."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from luna.timeline import FloatArray
from luna.wording import Numbers


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """The horizontal side: a drawing ``width`` wide whose plot holds ``count`` slots of equal width."""

    width: float
    left: float
    right: float
    count: int
    narrow: bool

    @property
    def end(self) -> float:
        """The plot's right edge."""
        return self.width - self.right

    @property
    def slot_width(self) -> float:
        """Width of one slot."""
        return (self.end - self.left) / self.count

    def x(self, edge: float) -> float:
        """Return the place of a slot's edge."""
        return self.left + edge * self.slot_width


@dataclass(frozen=True, slots=True)
class Axis:
    """The vertical side of a panel: ``low`` to ``high`` in whole steps over ``height``, beginning at ``top``."""

    top: float
    height: float
    low: float
    high: float
    step: float

    @property
    def bottom(self) -> float:
        """The panel's lower edge."""
        return self.top + self.height

    @property
    def marks(self) -> list[float]:
        """The values that carry a label."""
        return [self.low + index * self.step for index in range(round((self.high - self.low) / self.step) + 1)]

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return self.top + (self.high - value) / (self.high - self.low) * self.height


def fit_axis(values: Iterable[float], top: float, height: float, *, step: float, least: tuple[float, float]) -> Axis:
    """Return an axis in whole steps that holds ``least`` and all values."""
    seen = [value for value in values if math.isfinite(value)]
    low = math.floor(min(*seen, least[0]) / step + 1e-9) * step if seen else least[0]
    high = math.ceil(max(*seen, least[1]) / step - 1e-9) * step if seen else least[1]
    low, high = (min(low, least[0]), max(high, least[1]))
    # Many steps make a ruler nobody reads: widen them.
    while (high - low) / step > 6:
        step *= 2
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return Axis(top, height, low, high, step)


def number(value: float) -> str:
    """Return a coordinate, short."""
    return f"{value:.1f}".removesuffix(".0")


def rectangle(box: tuple[float, float, float, float], css: str, **attributes: str) -> Markup:
    """Return a rectangle; ``box`` is x, y, width, height."""
    sides = (number(side) for side in box)
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"{}/>').format(*sides, css, _attributes(attributes))


def path(points: str, css: str, **attributes: str) -> Markup:
    """Return a path."""
    return Markup('<path d="{}" class="{}"{}/>').format(points, css, _attributes(attributes))


def text(place: tuple[float, float], words: str, css: str, *, anchor: str = "start") -> Markup:
    """Return a line of text at x, y."""
    return Markup('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>').format(number(place[0]), number(place[1]), css, anchor, words)


def join(parts: Iterable[Markup]) -> Markup:
    """Return the parts one after another."""
    return Markup("").join(parts)


def polyline(points: Sequence[tuple[float, float]]) -> str:
    """Return path data through the points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) if points else ""


def stairs(frame: ChartFrame, axis: Axis, values: FloatArray, first: int = 0) -> str:
    """Return path data of values that hold over their slots."""
    points = [(frame.x(first + index + side), axis.y(value)) for index, value in enumerate(values) for side in (0, 1)]
    return polyline(points)


def draw_ruler(frame: ChartFrame, axis: Axis, *, absolute: bool = False) -> Markup:
    """Return a panel's horizontal lines with their values; ``absolute``: without signs."""
    marks = [(mark, "zero" if mark == 0 else "grid") for mark in axis.marks]
    lines = join(path(f"M{number(frame.left)} {number(axis.y(mark))}H{number(frame.end)}", css) for mark, css in marks)
    labels = join(text((frame.left - 6, axis.y(mark) + 4), _tick(abs(mark) if absolute else mark), "tick", anchor="end") for mark, _ in marks)
    return lines + labels


def _tick(mark: float) -> str:
    return f"{mark:g}".replace("-", "−")


def _attributes(attributes: dict[str, str]) -> Markup:
    return join(Markup(' {}="{}"').format(name.replace("_", "-"), escape(value)) for name, value in attributes.items())


# Mean width of a letter in 11 px.
LETTER = 6.7


@dataclass(frozen=True, slots=True)
class ClockAxis:
    """Where hours are drawn: lines from ``top`` to ``bottom``, words at ``words_y``; ``instant`` tells the instant of a slot's edge."""

    frame: ChartFrame
    instant: Callable[[int], datetime]
    numbers: Numbers
    top: float
    bottom: float
    words_y: float

    def draw(self) -> Markup:
        """Return the lines and their words; every twelfth hour on a narrow chart, else every sixth."""
        return join(self._draw_hour(edge) for edge in self.full_hours(12 if self.frame.narrow else 6))

    def full_hours(self, every: int) -> list[int]:
        """Return the edges at which the site's clock shows a full hour divisible by ``every``: right on days of 92 and 100 slots."""
        shown = [self.instant(edge).astimezone(self.numbers.zone) for edge in range(self.frame.count + 1)]
        return [edge for edge, local in enumerate(shown) if local.minute == 0 and local.hour % every == 0]

    def _draw_hour(self, edge: int) -> Markup:
        x, instant = self.frame.x(edge), self.instant(edge)
        midnight = instant.astimezone(self.numbers.zone).hour == 0
        line = path(f"M{number(x)} {number(self.top)}V{number(self.bottom)}", "grid")
        words = self.numbers.day(instant) if midnight else self.numbers.clock(instant)
        half = len(words) * LETTER / 2
        if x - half < 0 or x + half > self.frame.width:
            return line
        return line + text((x, self.words_y), words, "day" if midnight else "tick", anchor="middle")
