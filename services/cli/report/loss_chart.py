"""What forecast errors cost, as steps down from perfect foresight."""

from dataclasses import dataclass

from markupsafe import Markup

from luna.wording import Numbers
from services.cli.report.frame import Axis, fit_axis, join, number, path, rectangle, text
from services.cli.report.scores import Step
from services.cli.report.texts import TEXTS

BAR = 20.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes of the drawing; narrow ones carry the names above the bars instead of beside them."""

    width: float
    left: float
    right: float
    row: float
    bar_top: float


WIDE = Layout(976, 246, 64, 38, 9)
NARROW = Layout(358, 40, 58, 50, 24)


def draw_losses(steps: list[Step], numbers: Numbers, *, narrow: bool) -> Markup:
    """Return the steps as a chart, perfect foresight first."""
    layout = NARROW if narrow else WIDE
    plot = layout.width - layout.left - layout.right
    # The scale lies flat: an axis counts downwards from its high end, here from the right.
    axis = fit_axis([value * 100 for step in steps for value in (step.before, step.after)], 0, plot, step=2, least=(96, 100))
    height = layout.row * len(steps)
    marks = join(_draw_mark(_x(layout, axis, mark / 100), height, numbers.share(mark / 100)) for mark in axis.marks)
    rows = join(_draw_step(step, index * layout.row, (layout, axis), numbers) for index, step in enumerate(steps))
    size = ("narrow" if narrow else "wide", number(layout.width), number(height + 24), TEXTS[numbers.language]["loss_label"])
    return Markup('<svg class="losses {}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(*size) + marks + rows + Markup("</svg>")


def _x(layout: Layout, axis: Axis, score: float) -> float:
    return layout.width - layout.right - axis.y(score * 100)


def _draw_mark(x: float, height: float, words: str) -> Markup:
    return path(f"M{number(x)} 0V{number(height)}", "grid") + text((x, height + 18), words, "tick", anchor="middle")


def _draw_step(step: Step, above: float, scale: tuple[Layout, Axis], numbers: Numbers) -> Markup:
    layout, axis = scale
    top = above + layout.bar_top
    middle = top + BAR / 2 + 4
    name_y = middle if layout.bar_top < BAR else top - 8
    name = text((0, name_y), step.name, "title")
    score = text((layout.width, middle), numbers.share(step.after, decimals=1), "note", anchor="end")
    low, high = sorted((_x(layout, axis, step.before), _x(layout, axis, step.after)))
    if not step.colour:
        return name + Markup('<circle cx="{}" cy="{}" r="5" class="dot"/>').format(number(high), number(top + BAR / 2)) + score
    bar = rectangle((low, top, max(high - low, 1), BAR), f"bar-{step.colour} solid", rx="2")
    lost = text((low - 8, middle), numbers.number((step.after - step.before) * 100, 1, signed=True), "title", anchor="end")
    start = _x(layout, axis, step.before)
    return name + bar + path(f"M{number(start)} {number(top - layout.row + BAR)}V{number(top + BAR)}", "zero") + lost + score
