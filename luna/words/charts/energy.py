"""Bar charts of an account's parts: stacked energy above and below a line, and costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.svg import LETTER, join, number, rectangle, text

WIDE = {"width": 620.0, "left": 40.0, "right": 4.0, "height": 220.0}
NARROW = {"width": 330.0, "left": 36.0, "right": 2.0, "height": 200.0}
TOP = 10.0
FOOT = 26.0
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)
# Steps of the scale in the direction that reaches further.
MOST_STEPS = 4
GAP = 0.14  # of a part, on either side of its bar
# How many parts go by from one label to the next.
LABEL_DISTANCES = (1, 2, 3, 5, 6, 12, 24)


@dataclass(frozen=True, slots=True)
class StackedBar:
    """A part's energy by class of colour, kWh.

    ``title`` is the tooltip, None: the part has not begun.

    A part without energies is one of which nothing is recorded.
    """

    label: str
    above: Sequence[tuple[str, float]]
    below: Sequence[tuple[str, float]]
    title: str | None


@dataclass(frozen=True, slots=True)
class PeriodCost:
    """The cost of a part; None is unknown.

    ``title`` is the tooltip, None: the part has not begun.
    """

    label: str
    cost: float | None
    title: str | None


def draw_energy(
    bars: Sequence[StackedBar], numbers: Numbers, *, label: str, narrow: bool
) -> Markup:
    """Draw what was used above the line and what supplied it below."""
    frame = _frame(len(bars), narrow=narrow)
    highest = [sum(energy for _, energy in bar.above) for bar in bars]
    lowest = [-sum(energy for _, energy in bar.below) for bar in bars]
    axis = _fit([*highest, *lowest], narrow=narrow)
    columns = []
    for place, bar in enumerate(bars):
        if bar.title is None:
            continue
        drawn = [
            *_stack(frame, axis, place, bar.above, sign=1),
            *_stack(frame, axis, place, bar.below, sign=-1),
        ]
        recorded = bool(bar.above or bar.below)
        columns.append(
            _column(frame, axis, place, title=bar.title, drawn=drawn if recorded else None)
        )
    labels = _draw_labels(frame, axis, [bar.label for bar in bars])
    ruler = draw_ruler(frame, axis, numbers, absolute=True)
    return _wrap(frame, axis, join([ruler, *columns, labels]), name="energy", label=label)


def draw_costs(bars: Sequence[PeriodCost], numbers: Numbers, *, label: str, narrow: bool) -> Markup:
    """Draw the cost of each part; earnings hang below the line."""
    frame = _frame(len(bars), narrow=narrow)
    axis = _fit([bar.cost for bar in bars if bar.cost is not None], narrow=narrow)
    columns = []
    for place, bar in enumerate(bars):
        if bar.title is None:
            continue
        drawn = None
        if bar.cost is not None:
            css = "earned" if bar.cost < 0 else "paid"
            drawn = [_box(frame, axis, place, (0.0, bar.cost), css=css)]
        columns.append(_column(frame, axis, place, title=bar.title, drawn=drawn))
    labels = _draw_labels(frame, axis, [bar.label for bar in bars])
    return _wrap(
        frame,
        axis,
        join([draw_ruler(frame, axis, numbers), *columns, labels]),
        name="costs",
        label=label,
    )


def _frame(count: int, *, narrow: bool) -> ChartFrame:
    sizes = NARROW if narrow else WIDE
    return ChartFrame(sizes["width"], sizes["left"], sizes["right"], count, narrow)


def _fit(values: Sequence[float], *, narrow: bool) -> Axis:
    height = (NARROW if narrow else WIDE)["height"]
    furthest = max((abs(value) for value in values), default=0.0)
    step = choose_step(furthest or 1.0, STEPS, MOST_STEPS)
    return fit_axis(values, (TOP + height, TOP), step=step, least=(0.0, step))


def _stack(
    frame: ChartFrame, axis: Axis, place: int, energies: Iterable[tuple[str, float]], *, sign: int
) -> list[Markup]:
    """Return a bar's pieces, one on the other away from the line."""
    boxes = []
    base = 0.0
    for css, energy in energies:
        if energy > 0:
            boxes.append(_box(frame, axis, place, (sign * base, sign * (base + energy)), css=css))
            base += energy
    return boxes


def _box(
    frame: ChartFrame, axis: Axis, place: int, ends: tuple[float, float], *, css: str
) -> Markup:
    top, bottom = sorted(axis.place(value) for value in ends)
    width = frame.slot_width * (1 - 2 * GAP)
    return rectangle((frame.x(place + GAP), top, width, max(bottom - top, 0.4)), css)


def _column(
    frame: ChartFrame, axis: Axis, place: int, *, title: str, drawn: Sequence[Markup] | None
) -> Markup:
    """Return a part's bar under an area with its tooltip; None is hatched."""
    if drawn is None:
        width = frame.slot_width * (1 - 2 * GAP)
        box = (frame.x(place + GAP), axis.top, width, axis.height)
        drawn = [rectangle(box, "left-out")]
    sides = map(number, (frame.x(place), axis.top, frame.slot_width, axis.height))
    target = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" class="target"><title>{}</title></rect>'
    )
    return join(drawn) + target.format(*sides, title)


def _draw_labels(frame: ChartFrame, axis: Axis, labels: Sequence[str]) -> Markup:
    longest = max(len(label) for label in labels) * LETTER
    every = LABEL_DISTANCES[-1]
    for distance in LABEL_DISTANCES:
        if distance * frame.slot_width >= longest * 1.15:
            every = distance
            break
    drawn = []
    for place in range(0, len(labels), every):
        half = len(labels[place]) * LETTER / 2
        x = min(max(frame.x(place + 0.5), half), frame.width - half)
        drawn.append(text((x, axis.bottom + 18), labels[place], "tick", anchor="middle"))
    return join(drawn)


def _wrap(frame: ChartFrame, axis: Axis, body: Markup, *, name: str, label: str) -> Markup:
    size = (
        name,
        "narrow" if frame.narrow else "wide",
        number(frame.width),
        number(axis.bottom + FOOT),
        label,
    )
    return Markup(
        '<svg class="chart {} {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(*size, body)
