"""Bar chart of a day's price per hour, stacked by the parts of the price."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, choose_step, draw_ruler, fit_axis
from luna.words.charts.style import SERIES
from luna.words.charts.svg import join, number, rectangle, text

WIDTH = 336.0
HEIGHT = 176.0
LEFT = 34.0
RIGHT = 4.0
TOP = 26.0
BOTTOM = 22.0
HOURS = 24
STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
# Without the last, which a dark page does not show.
COLOURS = SERIES[1:-1]
_GAP = 0.12  # of an hour, on either side of its bar


class PriceDay(NamedTuple):
    """The prices of a day by hour, currency/kWh: those of each part, shape ``(24,)``."""

    title: str
    parts: Sequence[FloatArray]


def draw_price_day(
    prices: PriceDay, numbers: Numbers, *, label: str, span: tuple[float, float]
) -> Markup:
    """Draw the chart for a page, which brings the style sheets.

    Args:
        prices: of the day.
        numbers: the reader's.
        label: the chart in words.
        span: what the axis covers at least, currency/kWh, so that days can be compared.
    """
    frame = ChartFrame(WIDTH, LEFT, RIGHT, HOURS)
    axis = _fit_axis(span, numbers)
    marks = [draw_ruler(frame, axis, numbers)]
    marks += _draw_bars(prices.parts, frame, axis, numbers)
    for hour in range(0, HOURS + 1, 6):
        x = frame.x(hour)
        anchor = "end" if hour == HOURS else "middle"
        marks.append(text((x, HEIGHT - 4), f"{hour:02}", "tick", anchor=anchor))
    marks.append(text((0, 12), f"{prices.title}, {numbers.price_unit[1]}/kWh", "day"))
    size = (number(WIDTH), number(HEIGHT))
    return Markup(
        '<svg class="chart price-day" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(*size, label, join(marks))


def _fit_axis(span: tuple[float, float], numbers: Numbers) -> Axis:
    scale = numbers.price_unit[0]
    low, high = (edge * scale for edge in span)
    step = choose_step(high - min(low, 0.0), STEPS, 4)
    ends = (HEIGHT - BOTTOM, TOP)
    return fit_axis((low, high), ends, step=step, least=(0.0, step))


def _draw_bars(
    parts: Sequence[FloatArray], frame: ChartFrame, axis: Axis, numbers: Numbers
) -> list[Markup]:
    """Return the bars: what costs stands on the line, what is paid back hangs below it."""
    scale = numbers.price_unit[0]
    bars = []
    for hour in range(HOURS):
        above = 0.0
        below = 0.0
        for index, part in enumerate(parts):
            price = float(part[hour]) * scale
            begin = above if price > 0 else below
            end = begin + price
            if price > 0:
                above = end
            else:
                below = end
            high, low = sorted((axis.place(begin), axis.place(end)))
            box = (frame.x(hour + _GAP), high, frame.slot_width * (1 - 2 * _GAP), low - high)
            if low > high:
                bars.append(rectangle(box, "bar", fill=COLOURS[index % len(COLOURS)]))
    return bars
