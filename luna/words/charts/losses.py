"""Waterfall chart of a score's losses by cause, from perfect foresight down."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from luna.words import Numbers
from luna.words.charts.axes import Axis, fit_axis
from luna.words.charts.svg import circle, number, rectangle, rule, text

BAR = 20.0


@dataclass(frozen=True, slots=True)
class LossStep:
    """One loss, from the share ``before`` of the possible savings down to ``after``."""

    name: str
    colour: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class LossLayout:
    """Sizes of the drawing.

    The narrow one has names above the bars, the wide one beside them.
    """

    width: float
    left: float
    right: float
    row: float
    bar_top: float


WIDE = LossLayout(976, 246, 64, 38, 9)
NARROW = LossLayout(358, 40, 58, 50, 24)


def draw_losses(steps: Sequence[LossStep], numbers: Numbers, *, label: str, narrow: bool) -> Markup:
    """Draw the steps, the first as a dot; ``label`` is for screen readers."""
    layout = NARROW if narrow else WIDE
    ends = (layout.left, layout.width - layout.right)
    percents: list[float] = []
    for step in steps:
        percents += [step.before * 100, step.after * 100]
    axis = fit_axis(percents, ends, step=2, least=(96, 100))
    height = layout.row * len(steps)
    marks = Markup("")
    for mark in axis.marks:
        x = axis.place(mark)
        share = numbers.share(mark / 100)
        marks += rule((x, 0), (x, height), "grid")
        marks += text((x, height + 18), share, "tick", anchor="middle")
    rows = Markup("")
    for index, step in enumerate(steps):
        rows += _draw_step(step, index * layout.row, (layout, axis), numbers)
    size = ("narrow" if narrow else "wide", number(layout.width), number(height + 24), label)
    opening = Markup(
        '<svg class="losses {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(*size)
    return opening + marks + rows + Markup("</svg>")


def _draw_step(
    step: LossStep, above: float, scale: tuple[LossLayout, Axis], numbers: Numbers
) -> Markup:
    layout, axis = scale
    top = above + layout.bar_top
    middle = top + BAR / 2 + 4
    name_y = middle if layout.bar_top < BAR else top - 8
    name = text((0, name_y), step.name, "title")
    score = text(
        (layout.width, middle), numbers.share(step.after, decimals=1), "note", anchor="end"
    )
    low, high = sorted((axis.place(step.before * 100), axis.place(step.after * 100)))
    if not step.colour:
        return name + circle((high, top + BAR / 2), 5, "dot") + score
    bar = rectangle((low, top, max(high - low, 1), BAR), f"bar-{step.colour} solid", rx="2")
    points = numbers.number((step.after - step.before) * 100, 1, signed=True)
    lost = text((low - 8, middle), points, "title", anchor="end")
    start = axis.place(step.before * 100)
    link = rule((start, top - layout.row + BAR), (start, top + BAR), "zero")
    return name + bar + link + lost + score
