"""Charts of daily savings, of the decider of each slot, and bars in text; without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import mode

import numpy as np
from markupsafe import Markup

from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import find_runs
from luna.words.charts.svg import LETTER, join, number, rectangle, rule, text

WIDE = {"width": 620.0, "left": 34.0, "right": 4.0, "height": 190.0}
NARROW = {"width": 330.0, "left": 30.0, "right": 2.0, "height": 170.0}
TOP = 10.0
FOOT = 26.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0)
GAP = 0.16  # of a day, on either side of its bar
# Longest label of a day, letters.
DAY_LETTERS = 8


@dataclass(frozen=True, slots=True)
class SavedDay:
    """A day's savings and the possible ones.

    Both are None where the day does not count.

    ``title`` is the tooltip.
    """

    day: date
    saved: float | None
    possible: float | None
    title: str


@dataclass(frozen=True, slots=True)
class DecidedDay:
    """A row of the chart of deciders.

    ``edges`` are the instants of its slots' edges, one more than there are slots; a slot's decider
    is None where nobody decided.
    """

    name: str
    edges: Sequence[datetime]
    deciders: Sequence[str | None]
    label: str


def draw_saved_days(
    days: Sequence[SavedDay], numbers: Numbers, *, label: str, narrow: bool
) -> Markup:
    """Draw a bar per day with a mark at the savings of perfect foresight.

    A day that does not count is hatched.
    """
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], len(days), narrow)
    values: list[float] = []
    for day in days:
        values += [value for value in (day.saved, day.possible) if value is not None]
    step = choose_step(max((abs(value) for value in values), default=1.0), STEPS, 5)
    axis = fit_axis(values, (TOP + sizes["height"], TOP), step=step, least=(0.0, step))
    label_width = DAY_LETTERS * LETTER * 1.15
    every = next(days for days in (1, 2, 5, 10, 400) if days * frame.slot_width >= label_width)
    half = DAY_LETTERS * LETTER / 2
    names = []
    for place in range(0, len(days), every):
        # Noon keeps the date at any UTC offset of the zone.
        noon = datetime.combine(days[place].day, time(12), numbers.zone)
        x = min(max(frame.x(place + 0.5), half), frame.width - half)
        _, _, date_words = numbers.day(noon).partition(" ")
        names.append(text((x, axis.bottom + 18), date_words, "tick", anchor="middle"))
    parts = [
        draw_ruler(frame, axis, numbers),
        *(_draw_day(frame, axis, place, day) for place, day in enumerate(days)),
        *names,
    ]
    return _frame(("saved", narrow), (frame.width, axis.bottom + FOOT), label, join(parts))


def _draw_day(frame: ChartFrame, axis: Axis, place: int, day: SavedDay) -> Markup:
    x = frame.x(place + GAP)
    width = frame.slot_width * (1 - 2 * GAP)
    box = map(number, (frame.x(place), axis.top, frame.slot_width, axis.height))
    title = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" class="target"><title>{}</title></rect>'
    ).format(*box, day.title)
    if day.saved is None or day.possible is None:
        return rectangle((x, axis.top, width, axis.height), "left-out") + title
    low, high = sorted((axis.place(0.0), axis.place(day.saved)))
    bar = rectangle((x, low, width, max(high - low, 0.8)), "bar-planner solid", rx="1.5")
    y = axis.place(day.possible)
    left = frame.x(place + GAP / 2)
    right = frame.x(place + 1 - GAP / 2)
    return bar + rule((left, y), (right, y), "possible") + title


ROW = 26.0
BAR = 18.0
NAMES = 64.0
NARROW_NAMES = 52.0
HOURS = (6, 12, 18)


def draw_deciders(
    days: Sequence[DecidedDay], numbers: Numbers, *, label: str, narrow: bool
) -> Markup:
    """Draw a row per day, coloured by decider, with a notch every six local hours.

    All rows have one width. The clock below is that of most days; on a day with a change of clock
    among others the notches alone are right.
    """
    width = NARROW["width"] if narrow else WIDE["width"]
    left = NARROW_NAMES if narrow else NAMES
    rows = Markup("")
    for index, day in enumerate(days):
        frame = ChartFrame(width, left, 0.0, len(day.deciders), narrow)
        rows += _draw_row(day, index * ROW, frame, numbers)
    below = len(days) * ROW + 14
    length = mode(len(day.deciders) for day in days)
    usual_day = next(day for day in days if len(day.deciders) == length)
    clock = text((left, below), "00:00", "tick", anchor="start")
    for edge, hour in _find_notches(usual_day, numbers):
        x = left + (width - left) * edge / length
        clock += text((x, below), hour, "tick", anchor="middle")
    clock += text((width, below), "24:00", "tick", anchor="end")
    return _frame(("deciders", narrow), (width, below + 6), label, rows + clock)


def _draw_row(day: DecidedDay, top: float, frame: ChartFrame, numbers: Numbers) -> Markup:
    name = text((0, top + BAR / 2 + 4), day.name, "tick")
    track = rectangle((frame.left, top, frame.end - frame.left, BAR), "track", rx="4")
    areas = []
    for decider in sorted({decider for decider in day.deciders if decider is not None}):
        is_own = np.array([slot_decider == decider for slot_decider in day.deciders])
        for first, end in find_runs(is_own):
            left = frame.x(first)
            areas.append(rectangle((left, top, frame.x(end) - left, BAR), f"by-{decider}"))
    notches = [frame.x(edge) for edge, _ in _find_notches(day, numbers)]
    marks = [rule((x, top), (x, top + BAR), "notch") for x in notches]
    return Markup("<g><title>{}</title>{}</g>").format(
        day.label, join([name, track, *areas, *marks])
    )


def _find_notches(day: DecidedDay, numbers: Numbers) -> list[tuple[int, str]]:
    """Return a day's inner edges at every sixth local hour, each with the hour in words."""
    notches = []
    for edge, instant in enumerate(day.edges[:-1]):
        local = instant.astimezone(numbers.zone)
        if local.minute == 0 and local.hour in HOURS:
            notches.append((edge, numbers.clock(local)))
    return notches


def slot_edges(start: datetime, count: int, step: timedelta) -> list[datetime]:
    """Return the instants of the edges of ``count`` slots."""
    return [start + place * step for place in range(count + 1)]


def bar_in_text(share: float, css: str, *, rest: bool) -> Markup:
    """Draw a bar of a share of the available width; ``rest``: outline the remainder."""
    reach = min(max(share, 0.0), 1.0) * 100
    outline = Markup("")
    if rest:
        outline = Markup('<rect x="{0}%" y="0.5" width="{1}%" height="15" class="rest"/>').format(
            f"{reach:.2f}", f"{100 - reach:.2f}"
        )
    bar = Markup('<rect width="{}%" height="16" rx="3" class="{}"/>').format(
        f"{max(reach, 0.6):.2f}", css
    )
    return Markup(
        '<svg class="track" width="100%" height="16" aria-hidden="true">{}{}</svg>'
    ).format(outline, bar)


def draw_amount(amount: float, css: str, *, among: Sequence[float], beside: float | None) -> Markup:
    """Draw the bar of an amount from zero; negative ones to the left.

    Args:
        amount: length of the bar.
        css: class of its colour.
        among: every amount of the group; the scale covers all of them and zero.
        beside: a larger amount, up to which the difference is outlined; None: no outline.
    """
    low = min(0.0, *among)
    high = max(0.0, *among)
    width = max(high - low, 1e-9)
    zero = (0.0 - low) / width * 100
    end = (amount - low) / width * 100
    saved = Markup("")
    if beside is not None and beside > amount:
        saved = Markup('<rect x="{}%" y="0.5" width="{}%" height="15" class="rest"/>').format(
            f"{end:.2f}", f"{(beside - amount) / width * 100:.2f}"
        )
    reach = max(abs(end - zero), 0.6)
    first = min(zero, end, 100 - reach)
    bar = Markup('<rect x="{}%" width="{}%" height="16" rx="3" class="{}"/>').format(
        f"{first:.2f}", f"{reach:.2f}", css
    )
    return Markup(
        '<svg class="track" width="100%" height="16" aria-hidden="true">{}{}</svg>'
    ).format(bar, saved)


def _frame(kind: tuple[str, bool], size: tuple[float, float], label: str, body: Markup) -> Markup:
    name, narrow = kind
    css = f"chart {name} {'narrow' if narrow else 'wide'}"
    width, height = size
    opening = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        css, number(width), number(height), label
    )
    return opening + body + Markup("</svg>")
