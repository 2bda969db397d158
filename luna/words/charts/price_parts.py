"""Chart of what a kWh is made of: the parts of its price hour by hour, stacked from zero."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from markupsafe import Markup

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_bars, draw_targets, find_runs, shade_runs, trace_stairs
from luna.words.charts.svg import join, number, path

WIDE = {"width": 976.0, "left": 34.0, "right": 8.0, "height": 150.0}
NARROW = {"width": 358.0, "left": 28.0, "right": 4.0, "height": 130.0}
TOP = 10.0
FOOT = 22.0
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
# Steps of the scale in the direction that reaches further.
MOST_STEPS = 4
# Colours of the style sheet; a tariff of more parts begins anew.
COLOURS = 8


@dataclass(frozen=True, slots=True)
class PartsView:
    """The data of the chart: prices per kWh of each part by hour, NaN where unknown.

    Attributes:
        prices: of each part, shape ``(parts, hours)``, currency/kWh.
        instant: returns the instant of an hour's edge.
        titles: the tooltip of each hour.
        label: the chart's name for a screen reader.
    """

    prices: FloatArray
    instant: Callable[[int], datetime]
    titles: Sequence[str]
    numbers: Numbers
    label: str


def colour_class(part: int) -> str:
    """Return the class of a part's colour."""
    return f"part-{part % COLOURS}"


def draw_parts(view: PartsView, *, narrow: bool) -> Markup:
    """Draw the parts; those that lower the price hang below zero, unknown hours are hatched."""
    sizes = NARROW if narrow else WIDE
    hours = view.prices.shape[1]
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], hours, narrow)
    scaled = view.prices * view.numbers.price_unit[0]
    unknown = np.asarray(np.isnan(scaled).any(axis=0))
    shown = np.where(unknown, 0.0, scaled)
    above = np.maximum(shown, 0.0)
    below = np.minimum(shown, 0.0)
    highest = float(above.sum(axis=0).max())
    lowest = float(below.sum(axis=0).min())
    step = choose_step(max(highest, -lowest) or 1.0, STEPS, MOST_STEPS)
    ends = (TOP + sizes["height"], TOP)
    axis = fit_axis([highest, lowest], ends, step=step, least=(0.0, step))
    clock = ClockAxis(
        frame, view.instant, view.numbers, axis.top, axis.bottom, axis.bottom + FOOT - 5
    )
    stacked = []
    for side in (above, below):
        base = np.zeros(hours)
        for part, values in enumerate(side):
            stacked.append(draw_bars(frame, axis, base, values, css=colour_class(part)))
            base = base + values
    # Where parts lower the price, it is not the height of the bar.
    total = shown.sum(axis=0)
    lines = [
        path(trace_stairs(frame, axis, total[first:end], first), "line total-line")
        for first, end in find_runs(~unknown)
    ]
    body = [
        clock.draw(),
        draw_ruler(frame, axis, view.numbers),
        shade_runs(frame, axis, find_runs(unknown), "left-out"),
        *stacked,
        *lines,
        draw_targets(frame, [(axis.top, axis.height, view.titles)]),
    ]
    size = ("narrow" if narrow else "wide", number(frame.width), number(axis.bottom + FOOT))
    opening = Markup(
        '<svg class="chart parts {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(*size, view.label)
    return opening + join(body) + Markup("</svg>")
