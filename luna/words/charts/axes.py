"""Axes of charts: a time axis shared by panels, a scale per panel, grid lines and labels."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from luna.words import Numbers
from luna.words.charts.svg import LETTER, join, rule, text

# Most steps of a readable scale.
MOST_STEPS = 6
# Steps of an axis of prices, about.
PRICE_STEPS = 5
# Least span of a price axis, currency/kWh.
LEAST_PRICE_SPAN = 0.04


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """The horizontal layout of a drawing of ``width`` px.

    Its plot holds ``count`` slots of equal width between the margins ``left`` and ``right``.
    """

    width: float
    left: float
    right: float
    count: int
    narrow: bool = False

    @property
    def end(self) -> float:
        """The plot's right edge."""
        return self.width - self.right

    @property
    def slot_width(self) -> float:
        """Width of one slot."""
        return (self.end - self.left) / self.count

    def x(self, edge: float) -> float:
        """Return the x of a slot's edge."""
        return self.left + edge * self.slot_width


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale with a mark at every ``step``.

    ``low`` lies at ``start`` and ``high`` at ``end``, in pixels. ``start`` of a vertical axis is
    its lower edge, where y is larger.
    """

    start: float
    end: float
    low: float
    high: float
    step: float

    @classmethod
    def upright(cls, top: float, height: float, *, low: float, high: float, step: float) -> "Axis":
        """Return the vertical axis of a panel that begins at ``top``."""
        return cls(top + height, top, low, high, step)

    @property
    def top(self) -> float:
        """The upper edge of a vertical axis."""
        return self.end

    @property
    def bottom(self) -> float:
        """The lower edge of a vertical axis."""
        return self.start

    @property
    def height(self) -> float:
        """The length of a vertical axis."""
        return self.start - self.end

    @property
    def marks(self) -> list[float]:
        """The labelled values; one where ``low`` and ``high`` are equal."""
        if self.high == self.low:
            return [self.low]
        steps = round((self.high - self.low) / self.step)
        return [self.low + index * self.step for index in range(steps + 1)]

    def place(self, value: float) -> float:
        """Return the pixel of a value; the middle where ``low`` and ``high`` are equal."""
        from_end = 0.5
        if self.high > self.low:
            from_end = (self.high - value) / (self.high - self.low)
        return self.end + from_end * (self.start - self.end)


def fit_axis(
    values: Iterable[float], ends: tuple[float, float], *, step: float, least: tuple[float, float]
) -> Axis:
    """Return an axis in whole steps that covers the range ``least`` and all finite values.

    ``ends``: the pixels of its ends.
    """
    low, high = least
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        low = min(math.floor(min(*finite, low) / step + 1e-9) * step, low)
        high = max(math.ceil(max(*finite, high) / step - 1e-9) * step, high)
    while (high - low) / step > MOST_STEPS:
        step *= 2
        low = math.floor(low / step) * step
        high = math.ceil(high / step) * step
    return Axis(*ends, low, high, step)


def fit_prices(values: Iterable[float], ends: tuple[float, float], *, least_span: float) -> Axis:
    """Return an axis over the prices, from zero where that does not squeeze them.

    Args:
        values: prices; those that are not finite are left out.
        ends: the pixels of the lower and the upper edge.
        least_span: what the axis spans at least, so that small differences look small.
    """
    finite = [value for value in values if math.isfinite(value)]
    low = min(finite, default=0.0)
    high = max(finite, default=0.0)
    short = max(least_span - (high - low), 0.0) / 2
    if low < 0 or low > least_span:
        low -= short
    high += short
    # Half of the height is left to the prices where it begins at zero.
    if 0 < low < high - low:
        low = 0.0
    step = _round_step((high - low) / PRICE_STEPS)
    first_mark = math.floor(low / step + 1e-9) * step
    last_mark = math.ceil(high / step - 1e-9) * step
    return Axis(*ends, first_mark, last_mark, step)


def _round_step(least: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten, no less than ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def span_axis(values: Sequence[float], ends: tuple[float, float], *, parts: int) -> Axis:
    """Return an axis from the lowest to the highest value in ``parts`` equal steps.

    ``ends``: the pixels of its ends.
    """
    low = min(values)
    high = max(values)
    return Axis(*ends, low, high, (high - low) / parts)


def choose_step(most: float, steps: Sequence[float], count: int) -> float:
    """Return the smallest of ``steps`` that reaches ``most`` within ``count`` steps.

    Without one it is the last; ``steps`` ascend.
    """
    return next((step for step in steps if most / step <= count), steps[-1])


def draw_ruler(
    frame: ChartFrame, axis: Axis, numbers: Numbers, *, absolute: bool = False
) -> Markup:
    """Return a panel's horizontal grid lines with labels; ``absolute``: without signs."""
    lines = []
    labels = []
    for mark in axis.marks:
        y = axis.place(mark)
        lines.append(rule((frame.left, y), (frame.end, y), "zero" if mark == 0 else "grid"))
        is_whole = round(mark, 6) == round(mark)
        words = numbers.number(abs(mark) if absolute else mark, 0 if is_whole else 1)
        labels.append(text((frame.left - 6, y + 4), words, "tick", anchor="end"))
    return join([*lines, *labels])


def minute_of_hours(edges: Sequence[datetime]) -> int:
    """Return the minute of the edges that stand for hours, in local time.

    It is that of hourly slots, which begin at half past where the zone is half an hour off.
    """
    if len(edges) > 1 and edges[-1] - edges[-2] == timedelta(hours=1):
        return edges[-1].minute
    return 0


@dataclass(frozen=True, slots=True)
class ClockAxis:
    """The time axis: hour lines from ``top`` to ``bottom``, labels at ``words_y``.

    ``instant`` returns the instant of a slot's edge.

    ``every``: hours between lines; None: what fits a chart of two days.
    """

    frame: ChartFrame
    instant: Callable[[int], datetime]
    numbers: Numbers
    top: float
    bottom: float
    words_y: float
    every: int | None = None

    def draw(self) -> Markup:
        """Return lines and labels every sixth hour, on a narrow chart every twelfth."""
        every = self.every or (12 if self.frame.narrow else 6)
        drawn = []
        # Local time, so that days with a daylight-saving change are right as well.
        zone = self.numbers.zone
        edges = [self.instant(edge).astimezone(zone) for edge in range(self.frame.count + 1)]
        minute = minute_of_hours(edges)
        for edge, local in enumerate(edges):
            x = self.frame.x(edge)
            if local.minute != minute or local.hour % every != 0:
                continue
            words = self.numbers.clock(local) if local.hour else self.numbers.day(local)
            css = "tick" if local.hour else "day"
            half = len(words) * LETTER / 2
            drawn.append(rule((x, self.top), (x, self.bottom), "grid"))
            if x - half >= 0 and x + half <= self.frame.width:
                drawn.append(text((x, self.words_y), words, css, anchor="middle"))
        return join(drawn)
