"""The price strip of the hours ahead: price per slot, spans that are fixed for devices, and a window that a script moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from markupsafe import Markup

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import trace_stairs
from luna.words.charts.svg import join, number, path, rectangle, text

WIDE = {"width": 976.0, "left": 34.0, "right": 8.0, "height": 90.0}
NARROW = {"width": 358.0, "left": 28.0, "right": 4.0, "height": 80.0}
TOP, ROW, BAR, FOOT = 24.0, 24.0, 18.0, 22.0
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class FixedSpan:
    """A fixed span: the slots ``[first, end)`` of the strip, and its label."""

    first: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class StripView:
    """The data of a strip: import price (currency per kWh) of each slot from ``start`` on, and the fixed spans."""

    start: datetime
    step: timedelta
    buy_price: FloatArray
    fixed: Sequence[FixedSpan]
    chosen: tuple[int, int] | None
    numbers: Numbers
    heading: str

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge."""
        return self.start + edge * self.step


def draw_strip(view: StripView, *, narrow: bool) -> Markup:
    """Draw the strip; attributes give a script the positions of slots, in units of the view box."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.buy_price.size, narrow)
    prices = view.buy_price * view.numbers.price_unit[0]
    step = choose_step(float(np.abs(prices).max()), STEPS, 4)
    axis = fit_axis(prices, (TOP + sizes["height"], TOP), step=step, least=(0.0, step))
    rows = _stack(view.fixed)
    bottom = axis.bottom + (ROW * (max(rows) + 1) + 6 if rows else 0)
    clock = ClockAxis(frame, view.instant, view.numbers, TOP, bottom, bottom + 17)
    line = path(trace_stairs(frame, axis, prices), "line price-line")
    bars = []
    for row, span in zip(rows, view.fixed, strict=True):
        top, x, width = axis.bottom + 6 + row * ROW, frame.x(span.first), max(frame.x(span.end) - frame.x(span.first), 2.0)
        # A label that would cross the right edge is aligned to it.
        at, anchor = (x + 5, "start") if x < frame.width * 0.7 else (frame.end - 2, "end")
        bars += [rectangle((x, top, width, BAR), "fixed", rx="3"), text((at, top + BAR - 5), span.words, "fixed-words", anchor=anchor)]
    first, end = view.chosen or (0, 0)
    chosen = rectangle((frame.x(first), axis.top, frame.x(end) - frame.x(first), bottom - axis.top), "chosen")
    parts = [text((0, 12), view.heading, "title"), clock.draw(), draw_ruler(frame, axis, view.numbers), line, *bars, chosen]
    size = ("narrow" if narrow else "wide", number(frame.width), number(bottom + FOOT))
    places = (view.start.isoformat(), f"{frame.left:g}", f"{frame.slot_width:.5f}")
    opening = Markup('<svg class="chart strip {}" viewBox="0 0 {} {}" data-start="{}" data-left="{}" data-slot="{}" aria-hidden="true">').format(*size, *places)
    return opening + join(parts) + Markup("</svg>")


def _stack(spans: Sequence[FixedSpan]) -> list[int]:
    """Return the row of each span: the first without an overlap."""
    ends: list[int] = []
    rows = []
    for span in spans:
        row = next((place for place, end in enumerate(ends) if end <= span.first), len(ends))
        ends[row : row + 1] = [span.end]
        rows.append(row)
    return rows
