"""What the replay says: the table of policies, Luna against the inverter alone, and what forecast errors cost."""

from dataclasses import dataclass

from markupsafe import Markup

from luna.contracts import PolicyReply, ReplayReply
from luna.wording import Numbers, say_policy
from services.cli.report.messages import LOSSES, TEXTS
from services.cli.report.svg import Axis, fit_axis, join, number, path, rectangle, text

LUNA, INVERTER, IDLE, ORACLE = "mpc", "self_consumption", "idle", "oracle"
BAR_COLOURS = {"idle": "load", "self_consumption": "load", "rule": "load", "mpc": "planner", "mpc_perfect": "planner-light", "oracle": "fallback"}
LOSS_COLOURS = {"load_forecast": "load", "pv_forecast": "pv"}
POINTS = 100
# Less than half a cent apart is the same amount to a reader.
SAME_COST = 0.005


@dataclass(frozen=True, slots=True)
class Row:
    """A policy in the score table."""

    name: str
    best: bool
    colour: str
    bar: float
    score: str
    cost: str
    saved: str
    cycles: str


@dataclass(frozen=True, slots=True)
class LossStep:
    """One step of the losses, as shares of the possible: from ``before`` down to ``after``."""

    name: str
    colour: str
    before: float
    after: float


def tabulate_policies(replay: ReplayReply, numbers: Numbers) -> list[Row]:
    """Return the policies, the dearest first; Luna's row stands out."""
    idle = replay.policies[IDLE].cost if IDLE in replay.policies else None
    ordered = sorted(replay.policies.items(), key=lambda item: (item[0] == ORACLE, -item[1].cost))
    return [_row(name, policy, idle, numbers) for name, policy in ordered]


def _row(name: str, policy: PolicyReply, idle: float | None, numbers: Numbers) -> Row:
    return Row(
        name=say_policy(name, language=numbers.language),
        best=name == LUNA,
        colour=BAR_COLOURS.get(name, "load"),
        bar=min(max((policy.score or 0.0) * 100, 0.0), 100.0),
        score=numbers.share(policy.score, decimals=1),
        cost=numbers.money(policy.cost),
        saved=numbers.money(None if idle is None else idle - policy.cost),
        cycles=numbers.number(policy.cycles / len(policy.days), 2) if policy.days else numbers.number(None),
    )


def compare_with_inverter(replay: ReplayReply, numbers: Numbers) -> tuple[bool, str]:
    """Return whether Luna is never worse than plain self-consumption here, and the sentence that says so."""
    saved = replay.policies[INVERTER].cost - replay.policies[LUNA].cost
    key = "second_equal" if abs(saved) < SAME_COST else "second_better" if saved > 0 else "second_worse"
    return saved > -SAME_COST, TEXTS[numbers.language][key].format(amount=numbers.money(abs(saved)))


def trace_losses(replay: ReplayReply, numbers: Numbers) -> list[LossStep]:
    """Return the steps from perfect foresight down, as shares; a reply's losses are points of score, and one may lead up again."""
    language = numbers.language
    steps = [LossStep(say_policy(ORACLE, language=language), "", 1.0, 1.0)]
    for name, lost in replay.loss.items():
        before = steps[-1].after
        steps.append(LossStep(LOSSES[name][language] if name in LOSSES else name, LOSS_COLOURS.get(name, "planner"), before, before - lost / POINTS))
    return steps


BAR = 20.0


@dataclass(frozen=True, slots=True)
class LossLayout:
    """Sizes of the drawing; narrow ones carry the names above the bars instead of beside them."""

    width: float
    left: float
    right: float
    row: float
    bar_top: float


WIDE = LossLayout(976, 246, 64, 38, 9)
NARROW = LossLayout(358, 40, 58, 50, 24)


def draw_losses(steps: list[LossStep], numbers: Numbers, *, narrow: bool) -> Markup:
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


def _x(layout: LossLayout, axis: Axis, score: float) -> float:
    return layout.width - layout.right - axis.y(score * 100)


def _draw_mark(x: float, height: float, words: str) -> Markup:
    return path(f"M{number(x)} 0V{number(height)}", "grid") + text((x, height + 18), words, "tick", anchor="middle")


def _draw_step(step: LossStep, above: float, scale: tuple[LossLayout, Axis], numbers: Numbers) -> Markup:
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
