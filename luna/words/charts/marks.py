"""Marks over a time axis: lines, bands, bars, shaded runs, headings, legends and tooltips."""

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from luna.words.charts.axes import Axis, ChartFrame
from luna.words.charts.svg import join, number, path, polyline, rectangle, text

# Least power that is drawn as a bar.
LEAST_KW = 0.01


def find_runs(marked: BoolArray) -> list[tuple[int, int]]:
    """Return the runs of consecutive marked slots as ``[first, end)``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def shade_runs(frame: ChartFrame, axis: Axis, runs: Iterable[tuple[int, int]], css: str) -> Markup:
    """Shade runs over the whole height of a panel."""
    shades = []
    for first, end in runs:
        left = frame.x(first)
        shades.append(rectangle((left, axis.top, frame.x(end) - left, axis.height), css))
    return join(shades)


def _trace_middles(
    frame: ChartFrame, axis: Axis, values: FloatArray, sign: int = 1
) -> list[tuple[float, float]]:
    """Return the points of values at the slots' middles."""
    slots = enumerate(values.tolist())
    return [(frame.x(slot + 0.5), axis.place(sign * value)) for slot, value in slots]


def draw_line(frame: ChartFrame, axis: Axis, values: FloatArray, css: str) -> Markup:
    """Return a line through the slots' middles, broken at NaN.

    A single slot between gaps becomes a dot.
    """
    points = _trace_middles(frame, axis, values)
    lines = ""
    for first, end in find_runs(~np.isnan(values)):
        lines += polyline(points[first:end])
        if end - first == 1:
            lines += "h0"
    return path(lines, css)


def draw_band(
    frame: ChartFrame, axis: Axis, edges: tuple[FloatArray, FloatArray], *, css: str, sign: int = 1
) -> Markup:
    """Return the area between two lines through the slots' middles."""
    low, high = edges
    there = _trace_middles(frame, axis, low, sign)
    back = _trace_middles(frame, axis, high, sign)[::-1]
    return path(polyline([*there, *back]) + "Z", css)


def trace_edges(frame: ChartFrame, axis: Axis, values: FloatArray) -> str:
    """Return path data of values at the slots' edges."""
    return polyline([(frame.x(edge), axis.place(value)) for edge, value in enumerate(values)])


def trace_stairs(frame: ChartFrame, axis: Axis, values: FloatArray, first: int = 0) -> str:
    """Return path data of a step line: each value over its slot."""
    points = []
    for slot, value in enumerate(values, start=first):
        y = axis.place(value)
        points += [(frame.x(slot), y), (frame.x(slot + 1), y)]
    return polyline(points)


def fill_below_zero(frame: ChartFrame, axis: Axis, values: FloatArray, css: str) -> Markup:
    """Return the area between zero and the negative parts of a step line."""
    if (values >= 0).all():
        return Markup("")
    stairs = trace_stairs(frame, axis, np.minimum(values, 0))
    return path(f"{stairs}V{number(axis.place(0))}H{number(frame.left)}Z", css)


def draw_bars(
    frame: ChartFrame, axis: Axis, base: FloatArray, values: FloatArray, *, css: str
) -> Markup:
    """Return bars from ``base`` to ``base`` + ``values`` as one path.

    Bars go up or down, aligned to the slots' edges.
    """
    width = number(frame.slot_width * (0.86 if frame.slot_width > 4 else 1))
    boxes = []
    for slot in np.flatnonzero(np.abs(values) > LEAST_KW).tolist():
        start = number(axis.place(base[slot]))
        end = number(axis.place(base[slot] + values[slot]))
        boxes.append(f"M{number(frame.x(slot))} {start}h{width}V{end}h-{width}Z")
    return path("".join(boxes), css)


def stack_bars(frame: ChartFrame, axis: Axis, series: Sequence[tuple[FloatArray, str]]) -> Markup:
    """Return each series' bars stacked on those before it, downwards if negative."""
    base = np.zeros(frame.count)
    parts = []
    for values, css in series:
        parts.append(draw_bars(frame, axis, base, values, css=css))
        base = base + values
    return join(parts)


def draw_heading(
    axis: Axis, title: str, note: str, keys: Sequence[tuple[str, str, str]] = ()
) -> Markup:
    """Return a panel's heading with legend.

    ``keys``: symbol, class and text. Symbols are letters, so that the line sets itself in any font.
    """
    heading = Markup('<tspan class="title">{}</tspan><tspan dx="7">{}</tspan>').format(title, note)
    entry = Markup('<tspan dx="12" class="{}">{}</tspan><tspan dx="4">{}</tspan>')
    signs = [entry.format(css, sign, words) for sign, css, words in keys]
    return Markup('<text x="0" y="{}" class="heading">{}</text>').format(
        number(axis.top - 11), join([heading, *signs])
    )


def place_keys(
    widths: Sequence[float], room: float, *, first_y: float, row: float, gap: float = 0.0
) -> list[tuple[float, float]]:
    """Return the positions of a legend's entries, row by row."""
    placed = []
    x = 0.0
    y = first_y
    for width in widths:
        if x and x + width > room:
            x = 0.0
            y = y + row
        placed.append((x, y))
        x += width + gap
    return placed


def draw_key(place: tuple[float, float], words: str, css: str, **attributes: str) -> Markup:
    """Return a legend's entry: a coloured square and its text."""
    x, y = place
    square = rectangle((x, y, 12, 12), css, **attributes)
    return square + text((x + 18, y + 11), words, "key")


def draw_targets(frame: ChartFrame, panels: Sequence[tuple[float, float, Sequence[str]]]) -> Markup:
    """Return invisible areas with each slot's text as a tooltip, which needs no script.

    ``panels``: top, height, and the text of every slot.
    """
    template = Markup('<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    width = f"{frame.slot_width:.2f}"
    drawn = []
    for top, height, texts in panels:
        for slot, words in enumerate(texts):
            x = number(frame.x(slot))
            drawn.append(template.format(x, number(top), width, number(height), words))
    return Markup('<g class="targets">') + join(drawn) + Markup("</g>")
