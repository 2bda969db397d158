"""Charts in the assistant's answers: the series of a tool's result, a panel per unit, by instant or by label."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from markupsafe import Markup

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_key, draw_line, find_runs, place_keys, trace_stairs
from luna.words.charts.svg import LETTER, join, number, path, rectangle, rule, text

WIDE = {"width": 960.0, "left": 48.0, "right": 8.0, "height": 150.0}
NARROW = {"width": 358.0, "left": 40.0, "right": 4.0, "height": 120.0}
HEAD, ROW, KEY, FOOT, GAP = 20.0, 20.0, 30.0, 24.0, 0.12
BETWEEN = 16.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
# Candidate distances of labels under the plot, hours; the first one that leaves room is used.
HOURS = (1, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1344, 2688, 5376)
# Number of colours in the style sheet; further series repeat them.
COLOURS = 5
_UNITS: dict[str, str] = {"kwh": "kWh", "kw": "kW", "soc": "%", "share": "%", "g_per_kwh": "g/kWh", "hours": "h", "celsius": "°C"}


class DrawnSeries(Protocol):
    """A line or row of bars, such as ``luna.contracts.site_tools.ChartSeries``."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def values(self) -> Sequence[float | None]: ...


class DrawnChart(Protocol):
    """The data of a chart, such as ``luna.contracts.site_tools.Chart``."""

    @property
    def title(self) -> str: ...
    @property
    def starts(self) -> Sequence[str]: ...
    @property
    def by(self) -> str: ...
    @property
    def series(self) -> Sequence[DrawnSeries]: ...


def draw_answer_chart(chart: DrawnChart, numbers: Numbers, *, narrow: bool) -> Markup:
    """Draw the chart for a page, which brings the style sheets; unknown values are gaps."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], max(len(chart.starts), 1), narrow)
    body, y = Markup(""), 0.0
    panels: dict[str, list[tuple[int, DrawnSeries]]] = {}
    for index, series in enumerate(chart.series):
        panels.setdefault(series.unit, []).append((index, series))
    for numbered in panels.values():
        drawn, y = _draw_panel(numbered, (frame, sizes["height"]), numbers, y)
        body += drawn
    y = max(y - BETWEEN, 0.0) + 4
    words, bottom = _draw_words(chart, frame, numbers, y), y + FOOT
    size = ("narrow" if narrow else "wide", number(frame.width), number(bottom), chart.title)
    return Markup('<svg class="chart answer-chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(*size, body + words)


def say_value(value: float | None, unit: str, numbers: Numbers) -> str:
    """Return a value as the chart's table shows it."""
    if value is None:
        return numbers.number(None)
    forms: dict[str, Callable[[float], str]] = {"price": numbers.price_per_kwh, "cost": numbers.money, "soc": numbers.share, "share": numbers.share}
    if unit in forms:
        return forms[unit](value)
    return f"{numbers.number(value, 0 if unit == 'count' else 1)}\u00a0{_UNITS.get(unit, '')}".rstrip("\u00a0")


def say_start(start: str, chart: DrawnChart, numbers: Numbers) -> str:
    """Return the day and time, or the label, of a value."""
    if chart.by == "label":
        return start
    instant = datetime.fromisoformat(start)
    return f"{numbers.day(instant)}, {numbers.clock(instant)}"


def _draw_panel(numbered: Sequence[tuple[int, DrawnSeries]], scale: tuple[ChartFrame, float], numbers: Numbers, top: float) -> tuple[Markup, float]:
    """Return the panel of one unit's series (``numbered`` by index in the chart) with legend, and the y of the next panel."""
    frame, height = scale
    unit = numbered[0][1].unit
    if unit == "price":
        factor, name = float(numbers.price_unit[0]), f"{numbers.price_unit[1]}/kWh"
    else:
        factor, name = (100.0, "%") if unit in {"soc", "share"} else (1.0, numbers.currency_sign if unit == "cost" else _UNITS.get(unit, ""))
    labels = [f"{series.name}, {name}" if name else series.name for _, series in numbered]
    places = place_keys([KEY + LETTER * len(label) for label in labels], frame.width, first_y=top + 2, row=ROW)
    keys = join(draw_key(place, label, f"fill-{index % COLOURS}") for (index, _), label, place in zip(numbered, labels, places, strict=True))
    begins = places[-1][1] + HEAD + 8
    # A series shorter than the chart is unknown at its end.
    drawable = [(index, series.kind, np.full(frame.count, math.nan)) for index, series in numbered]
    for (_, _, drawn_values), (_, series) in zip(drawable, numbered, strict=True):
        known = [math.nan if value is None else value * factor for value in series.values[: frame.count]]
        drawn_values[: len(known)] = known
    values = np.concatenate([each for *_, each in drawable])
    most = float(np.nanmax(np.abs(values), initial=0.0, where=np.isfinite(values))) or 1.0
    step = choose_step(most, STEPS, 4)
    axis = fit_axis(values, (begins + height, begins), step=step, least=(0.0, step))
    bars = [index for index, kind, _ in drawable if kind == "bar"]
    drawn = join(_draw_series(kind, (frame, axis), each, (index, bars)) for index, kind, each in drawable)
    return keys + draw_ruler(frame, axis, numbers) + drawn, axis.bottom + BETWEEN


def _draw_series(kind: str, scale: tuple[ChartFrame, Axis], values: FloatArray, place: tuple[int, Sequence[int]]) -> Markup:
    (frame, axis), (index, bars) = scale, place
    if kind == "bar":
        width = frame.slot_width * (1 - 2 * GAP) / len(bars)
        drawn = []
        for slot in np.flatnonzero(~np.isnan(values)).tolist():
            low, high = sorted((axis.place(0.0), axis.place(float(values[slot]))))
            x = frame.x(slot + GAP) + bars.index(index) * width
            drawn.append(rectangle((x, low, max(width - 1, 0.5), max(high - low, 0.5)), f"fill-{index % COLOURS}"))
        return join(drawn)
    css = f"line line-{index % COLOURS}"
    if kind == "line" and frame.count > 1:
        return draw_line(frame, axis, values, css)
    return path("".join(trace_stairs(frame, axis, values[first:end], first) for first, end in find_runs(~np.isnan(values))), css)


def _draw_words(chart: DrawnChart, frame: ChartFrame, numbers: Numbers, y: float) -> Markup:
    """Return the labels under the plot: those that fit, or hours and days in local time."""
    if chart.by == "label":
        longest = max((len(label) for label in chart.starts), default=1) * LETTER + 8
        every = max(math.ceil(longest / frame.slot_width), 1)
        most = max(int(frame.slot_width * every / LETTER), 6)
        labels = [label if len(label) <= most else f"{label[: most - 1]}…" for label in chart.starts]
        return join(text((frame.x(slot + 0.5), y + 14), labels[slot], "tick", anchor="middle") for slot in range(0, len(labels), every))
    shown = [datetime.fromisoformat(start).astimezone(numbers.zone) for start in chart.starts]
    room = 4 if frame.narrow else 8
    full = [(slot, local) for slot, local in enumerate(shown) if local.minute == 0]
    chosen: list[tuple[int, datetime]] = []
    for every in HOURS:
        days = max(every // 24, 1)
        chosen = [(slot, local) for slot, local in full if local.hour % min(every, 24) == 0 and (local.date() - shown[0].date()).days % days == 0]
        if len(chosen) <= room:
            break
    drawn = []
    for slot, local in chosen:
        words = numbers.day(local) if local.hour == 0 else numbers.clock(local)
        half, x = len(words) * LETTER / 2, frame.x(slot)
        drawn.append(rule((x, y - 4), (x, y), "zero"))
        if x - half >= 0 and x + half <= frame.width:
            drawn.append(text((x, y + 14), words, "day" if local.hour == 0 else "tick", anchor="middle"))
    return join(drawn)
