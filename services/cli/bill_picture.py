"""What-if bills by month as one picture: a bar for each variant beside the baseline's, an SVG that stands by itself."""

from markupsafe import Markup

from luna.contracts.what_if import VariantReply, WhatIfReply
from luna.wording import Language
from services.cli.report.frame import Axis, Frame, draw_ruler, fit_axis, join, number, rectangle, text

WIDTH, HEIGHT, MARGIN = 976.0, 300.0, 24.0
KEYS, ROW = 34.0, 22.0  # where the legend begins, and its rows
GAP = 0.15  # of a month, on either side of its bars
LETTER, KEY = 7.0, 34.0
# Told apart without colour vision. Source: Okabe and Ito (2008).
COLOURS = ("#5f6b7a", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
TITLES: dict[Language, str] = {
    "en": "Bill by month in {currency}: {site}, {first} to {last}",
    "de": "Rechnung je Monat in {currency}: {site}, {first} bis {last}",
}
STYLE = Markup(
    "<style>text{font:12px system-ui,sans-serif;fill:#26303b}.title{font-size:16px;font-weight:600}"
    ".grid{stroke:#d9dee5}.zero{stroke:#26303b}.tick{fill:#5f6b7a}</style>"
)


def draw_bills(reply: WhatIfReply, *, language: Language) -> str:
    """Return the picture as an SVG document."""
    shown = [reply.baseline, *reply.variants]
    frame = Frame(WIDTH, 48.0, 8.0, len(reply.baseline.months), narrow=False)
    bills = [month.bill for variant in shown for month in variant.months]
    keys, top = _draw_keys(shown)
    axis = fit_axis(bills, top, HEIGHT, step=_step(bills), least=(0.0, 1.0))
    title = TITLES[language].format(currency=reply.currency, site=reply.site, first=reply.from_day, last=reply.to_day)
    parts = [
        text((0, 18), title, "title"),
        keys,
        draw_ruler(frame, axis),
        *(_draw_bars(variant, place, len(shown), (frame, axis)) for place, variant in enumerate(shown)),
    ]
    months = [text((frame.x(slot + 0.5), axis.bottom + 20), month.month, "tick", anchor="middle") for slot, month in enumerate(reply.baseline.months)]
    size = (number(WIDTH + 2 * MARGIN), number(axis.bottom + 20 + 2 * MARGIN), title)
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">').format(*size)
    inside = Markup('<rect width="100%" height="100%" fill="#fff"/><g transform="translate({0} {0})">{1}</g>').format(number(MARGIN), join([*parts, *months]))
    return str(opening + STYLE + inside + Markup("</svg>\n"))


def _step(bills: list[float]) -> float:
    most = max((abs(bill) for bill in bills), default=1.0)
    return next((step for step in (0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0) if most / step <= 6), 500.0)


def _draw_keys(shown: list[VariantReply]) -> tuple[Markup, float]:
    """Return the legend, in as many rows as it takes, and where the chart begins below it."""
    x, y, parts = 0.0, KEYS, []
    for place, variant in enumerate(shown):
        wide = KEY + LETTER * len(variant.name)
        if x and x + wide > WIDTH:
            x, y = 0.0, y + ROW
        parts += [rectangle((x, y, 12, 12), "key", fill=COLOURS[place]), text((x + 18, y + 11), variant.name, "key")]
        x += wide
    return join(parts), y + ROW + 8


def _draw_bars(variant: VariantReply, place: int, count: int, scale: tuple[Frame, Axis]) -> Markup:
    frame, axis = scale
    width = frame.slot_width * (1 - 2 * GAP) / count
    bars = []
    for slot, month in enumerate(variant.months):
        low, high = sorted((axis.y(0.0), axis.y(month.bill)))
        x = frame.x(slot + GAP) + place * width
        bars.append(rectangle((x, low, max(width - 1, 0.5), max(high - low, 0.5)), "bar", fill=COLOURS[place]))
    return join(bars)
