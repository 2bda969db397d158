"""Bar chart of the monthly savings of several variants over a house as it is.

Below the line they cost more.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from markupsafe import Markup

from luna.words import Language, Numbers
from luna.words.charts.axes import ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_key, place_keys
from luna.words.charts.style import SERIES, draw_document, style
from luna.words.charts.svg import join, number, rectangle, text
from luna.words.phrases import read_texts

WIDTH = 976.0
NARROW = 358.0
HEIGHT = 300.0
LEFT = 48.0
RIGHT = 8.0
# where the legend begins, and its rows
KEYS = 34.0
ROW = 22.0
LETTER = 7.0
KEY = 34.0
GAP = 0.15  # of a month, on either side of its bars
STEPS = (0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0, 500.0)


class MonthBill(Protocol):
    """The bill of a local month."""

    @property
    def month(self) -> str: ...
    @property
    def bill(self) -> float: ...


class VariantBills(Protocol):
    """A variant's bills by month, such as ``luna.contracts.variant.VariantReply``."""

    @property
    def name(self) -> str: ...
    @property
    def months(self) -> Sequence[MonthBill]: ...


class ComparedBills(Protocol):
    """Bills of a baseline and its variants, as ``luna.contracts.variant.WhatIfReply``."""

    @property
    def site(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def from_day(self) -> date | str: ...
    @property
    def to_day(self) -> date | str: ...
    @property
    def baseline(self) -> VariantBills: ...
    @property
    def variants(self) -> Sequence[VariantBills]: ...


def draw_bills(bills: ComparedBills, *, language: Language) -> str:
    """Draw the chart as an SVG document."""
    title = read_texts("charts", language)["bill"].format(
        currency=bills.currency, site=bills.site, first=bills.from_day, last=bills.to_day
    )
    body, height = _draw_body(bills, language, width=WIDTH, first_key=KEYS)
    return draw_document(
        text((0, 18), title, "title") + body, (WIDTH, height), style("bill"), label=title
    )


def draw_bill_chart(bills: ComparedBills, *, language: Language, narrow: bool) -> Markup:
    """Draw the chart for a page, which brings the style sheets."""
    title = read_texts("charts", language)["bill"].format(
        currency=bills.currency, site=bills.site, first=bills.from_day, last=bills.to_day
    )
    width = NARROW if narrow else WIDTH
    body, height = _draw_body(bills, language, width=width, first_key=4.0)
    size = ("narrow" if narrow else "wide", number(width), number(height + 6), title)
    return Markup(
        '<svg class="chart bills {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(*size, body)


def _draw_body(
    bills: ComparedBills, language: Language, *, width: float, first_key: float
) -> tuple[Markup, float]:
    """Return legend and bars, and their height."""
    months = bills.baseline.months
    names = [variant.name for variant in bills.variants]
    savings = [_save_by_month(bills.baseline, variant) for variant in bills.variants]
    frame = ChartFrame(width, LEFT, RIGHT, len(months))
    amounts: list[float] = []
    for saved in savings:
        amounts += saved
    key_widths = [KEY + LETTER * len(name) for name in names]
    places = place_keys(key_widths, width, first_y=first_key, row=ROW)
    top = places[-1][1] + ROW + 8
    step = choose_step(max((abs(bill) for bill in amounts), default=1.0), STEPS, 6)
    axis = fit_axis(amounts, (top + HEIGHT, top), step=step, least=(0.0, 1.0))
    bars = []
    bar_width = frame.slot_width * (1 - 2 * GAP) / len(savings)
    for index, saved in enumerate(savings):
        for slot, amount in enumerate(saved):
            low, high = sorted((axis.place(0.0), axis.place(amount)))
            x = frame.x(slot + GAP) + index * bar_width
            box = (x, low, max(bar_width - 1, 0.5), max(high - low, 0.5))
            bars.append(rectangle(box, "bar", fill=SERIES[index]))
    keys = []
    for index, (name, place) in enumerate(zip(names, places, strict=True)):
        keys.append(draw_key(place, name, "key", fill=SERIES[index]))
    labels_y = axis.bottom + 20
    labels = []
    for slot, month in enumerate(months):
        labels.append(text((frame.x(slot + 0.5), labels_y), month.month, "tick", anchor="middle"))
    ruler = draw_ruler(frame, axis, Numbers(language, ZoneInfo("UTC"), bills.currency))
    return join([*keys, ruler, *bars, *labels]), labels_y


def _save_by_month(baseline: VariantBills, variant: VariantBills) -> list[float]:
    """Return a variant's savings on the bill of each month."""
    pairs = zip(baseline.months, variant.months, strict=True)
    return [before.bill - after.bill for before, after in pairs]
