"""Preview chart of a series of an import file: its last days as they would be stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from markupsafe import Markup

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_heading, find_runs, trace_stairs
from luna.words.charts.svg import join, number, path

WIDE = {"width": 976.0, "left": 40.0, "right": 8.0, "height": 96.0}
NARROW = {"width": 358.0, "left": 36.0, "right": 4.0, "height": 84.0}
TOP, FOOT = 28.0, 22.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
# With more days there is room for labels only at midnights.
MOST_DAYS_WITH_HOURS = 2
HOURS_APART = 24


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A series from ``start`` on, NaN where unknown, with its name and unit."""

    values: FloatArray
    start: datetime
    step: timedelta
    heading: tuple[str, str]
    numbers: Numbers


def draw_preview(view: PreviewView, *, narrow: bool) -> Markup:
    """Draw a series as a step line, broken at NaN."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.values.size, narrow)
    finite = view.values[np.isfinite(view.values)]
    mark = choose_step(float(np.abs(finite).max()) if finite.size else 1.0, STEPS, 4)
    axis = fit_axis(view.values.tolist(), (TOP + sizes["height"], TOP), step=mark, least=(0.0, mark))
    long = view.values.size * view.step > timedelta(days=MOST_DAYS_WITH_HOURS)
    clock = ClockAxis(frame, lambda edge: view.start + edge * view.step, view.numbers, TOP, axis.bottom, axis.bottom + 17, HOURS_APART if long else None)
    line = path("".join(trace_stairs(frame, axis, view.values[first:end], first) for first, end in find_runs(np.isfinite(view.values))), "line preview-line")
    parts = [clock.draw(), draw_ruler(frame, axis, view.numbers), line, draw_heading(axis, *view.heading)]
    size = ("narrow" if narrow else "wide", number(frame.width), number(axis.bottom + FOOT), ", ".join(view.heading))
    return Markup('<svg class="chart file-preview {}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(*size) + join(parts) + Markup("</svg>")
