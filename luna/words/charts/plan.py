"""The plan chart as one inline SVG: price, power, state of charge and mode."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from luna.words import Numbers, mode
from luna.words.charts.axes import (
    LEAST_PRICE_SPAN,
    Axis,
    ChartFrame,
    ClockAxis,
    draw_ruler,
    fit_axis,
    fit_prices,
)
from luna.words.charts.marks import (
    draw_band,
    draw_bars,
    draw_heading,
    draw_targets,
    fill_below_zero,
    find_runs,
    shade_runs,
    stack_bars,
    trace_edges,
    trace_stairs,
)
from luna.words.charts.svg import LETTER, join, number, path, rectangle, rule, text
from luna.words.phrases import read_texts

Band = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class ModeRun:
    """Consecutive slots of one mode: ``[first, end)``."""

    mode: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class RunFlows:
    """Mean power per slot in kW, each of shape ``(slots,)``, none negative.

    A band is None where the plan has none.

    ``pv`` is net of the ``curtailed`` power.
    """

    load: FloatArray
    charge: FloatArray
    export: FloatArray
    pv: FloatArray
    discharge: FloatArray
    import_: FloatArray
    curtailed: FloatArray
    load_band: Band | None
    pv_band: Band | None


@dataclass(frozen=True, slots=True)
class PlanView:
    """The data of a plan chart.

    ``soc`` and ``without_soc`` are at the slots' edges: one value more than there are slots.
    """

    start: datetime
    step: timedelta
    known: int
    buy_price: FloatArray
    sell_price: FloatArray
    flows: RunFlows
    soc: FloatArray
    reserve_soc: float
    without_soc: FloatArray | None
    runs: list[ModeRun]
    selected: int
    numbers: Numbers

    @property
    def count(self) -> int:
        """Number of slots."""
        return self.buy_price.size

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge, 0 to ``count``."""
        return self.start + edge * self.step


WIDE = {"width": 976.0, "left": 40.0, "right": 10.0, "price": 112.0, "power": 216.0, "soc": 104.0}
NARROW = {"width": 358.0, "left": 30.0, "right": 6.0, "price": 92.0, "power": 184.0, "soc": 92.0}
RIBBON = 25.0
HEADING = 32.0
# Height of the selected time's label above all panels.
HEAD = 24.0
CHEAP_SHARE = 0.2
DEAR_SHARE = 0.16
# A cheap or dear slot lies as far from its day's median: a share of the median, and a part of the
# way to the lowest or highest price.
CLEAR_SHARE = 0.1
CLEAR_PART = 1 / 3
# Prices that differ by less are the same.
LEAST_DIFFERENCE = 1e-6
LEAST_RUN = 2  # slots of a cheap or dear run
GLYPHS = {
    "self_consumption": "⌂",
    "save": "▲",
    "supply": "▼",
    "hold": "■",
    "charge": "+",
    "export": "↗",
}
# Fill patterns of predicted prices and curtailed PV; needed once in a page with plan charts.
_PATTERN = (
    '<pattern id="{0}" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path d="M0 0V6" class="{0}-line"/></pattern>\n'
)
HATCHES = Markup(
    '<svg width="0" height="0" aria-hidden="true" class="defs"><defs>\n{}</defs></svg>'
).format(
    # A constant of this module.
    join(Markup(_PATTERN).format(name) for name in ("hatch", "hatch-pv"))  # noqa: S704
)


def draw_plan(view: PlanView, titles: Sequence[str], *, narrow: bool) -> Markup:
    """Draw the chart.

    Each slot of the wide one has a tooltip, which needs no script.
    """
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.count, narrow)
    flows = view.flows
    scale = view.numbers.price_unit[0]
    prices = np.concatenate([view.buy_price, view.sell_price]) * scale
    up = flows.load + flows.charge + flows.export
    down = flows.pv + flows.discharge + flows.import_ + flows.curtailed
    highest = [up.max(), down.max()]
    if flows.load_band:
        highest.append(flows.load_band[1].max())
    if flows.pv_band:
        highest.append(flows.pv_band[1].max())
    reach = float(max(highest))
    top = HEAD + HEADING
    price = fit_prices(prices, (top + sizes["price"], top), least_span=LEAST_PRICE_SPAN * scale)
    top = price.bottom + HEADING
    power = fit_axis([-reach, reach], (top + sizes["power"], top), step=2, least=(-2, 2))
    soc = Axis.upright(power.bottom + HEADING, sizes["soc"], low=0, high=100, step=50)
    panels = [price, power, *([soc] if view.soc.size else [])]
    ribbon = Axis.upright(panels[-1].bottom + 10, RIBBON, low=0, high=1, step=1)
    # The selected run and slot, over all panels with their headings.
    top = price.top - HEADING
    run = next(run for run in view.runs if run.first <= view.selected < run.end)
    left = frame.x(run.first)
    width = frame.x(run.end) - left
    cursor = frame.x(view.selected + 0.5)
    clock = ClockAxis(
        frame, view.instant, view.numbers, price.top, panels[-1].bottom, ribbon.bottom + 17
    )
    parts = [
        *(draw_ruler(frame, axis, view.numbers, absolute=axis is power) for axis in panels),
        clock.draw(),
        _draw_prices(view, frame, price),
        _draw_power(view, frame, power),
        _draw_soc(view, frame, soc) if view.soc.size else Markup(""),
        *(_draw_run(view, frame, ribbon, run) for run in view.runs),
        rectangle((left, top, width, ribbon.bottom - top), "chosen-run"),
        rule((cursor, top), (cursor, ribbon.bottom), "cursor"),
        _draw_headings(view, panels, narrow=narrow),
        draw_targets(frame, [(HEAD, ribbon.bottom - HEAD, [] if narrow else titles)]),
    ]
    size = (
        "narrow" if narrow else "wide",
        number(frame.width),
        number(ribbon.bottom + 24),
        f"{frame.left:g}",
        f"{frame.slot_width:.5f}",
        frame.count,
    )
    opening = Markup(
        '<svg class="plan {}" viewBox="0 0 {} {}" data-left="{}" data-slot="{}" '
        'data-count="{}" aria-hidden="true">'
    ).format(*size)
    return opening + join(parts) + Markup("</svg>")


def _draw_prices(view: PlanView, frame: ChartFrame, axis: Axis) -> Markup:
    scale = view.numbers.price_unit[0]
    buy = view.buy_price * scale
    sell = view.sell_price * scale
    prices = buy[: view.known]
    starts = [view.instant(slot).astimezone(view.numbers.zone) for slot in range(prices.size)]
    days = np.array([start.toordinal() for start in starts])
    is_cheap, is_dear = mark_prices(prices, days)
    # Predicted prices get a label where there is room.
    left = frame.x(view.known)
    words = read_texts("plan_chart", view.numbers.language)["predicted"]
    predicted_runs = [(view.known, view.count)] if view.known < view.count else []
    predicted = shade_runs(frame, axis, predicted_runs, "predicted")
    if frame.end - left > len(words) * LETTER:
        predicted += text(((left + frame.end) / 2, axis.top + 13), words, "note", anchor="middle")
    predicted_line = trace_stairs(frame, axis, buy[view.known :], view.known)
    return join(
        [
            shade_runs(frame, axis, _find_long_runs(is_cheap), "cheap"),
            shade_runs(frame, axis, _find_long_runs(is_dear), "dear"),
            predicted,
            fill_below_zero(frame, axis, buy, "fill-price"),
            fill_below_zero(frame, axis, sell, "fill-sell"),
            path(trace_stairs(frame, axis, sell), "line sell-line"),
            path(trace_stairs(frame, axis, prices), "line price-line"),
            path(predicted_line, "line price-line dashed"),
        ]
    )


def _find_long_runs(marked: BoolArray) -> list[tuple[int, int]]:
    return [(first, end) for first, end in find_runs(marked) if end - first >= LEAST_RUN]


def mark_prices(prices: FloatArray, days: NDArray[np.int_]) -> tuple[BoolArray, BoolArray]:
    """Return marks of the slots that are cheap, and dear, within their day.

    Args:
        prices: per slot.
        days: the local day of each slot.
    """
    cheap = np.zeros(prices.size, dtype=np.bool_)
    dear = np.zeros(prices.size, dtype=np.bool_)
    for day in np.unique(days):
        own = days == day
        values = prices[own]
        median = float(np.median(values))
        clear = CLEAR_SHARE * abs(median)
        low = float(values.min())
        high = float(values.max())
        clearly_low = median - max(clear, CLEAR_PART * (median - low), LEAST_DIFFERENCE)
        clearly_high = median + max(clear, CLEAR_PART * (high - median), LEAST_DIFFERENCE)
        cheap[own] = values <= min(_rank(values, CHEAP_SHARE), clearly_low)
        dear[own] = values >= max(_rank(values, 1 - DEAR_SHARE), clearly_high)
    return cheap, dear


def _rank(values: FloatArray, share: float) -> float:
    return float(np.sort(values)[int(share * (values.size - 1))])


def _draw_power(view: PlanView, frame: ChartFrame, axis: Axis) -> Markup:
    flows = view.flows
    uses = [(flows.load, "bar-load"), (flows.charge, "bar-battery"), (flows.export, "bar-export")]
    sources = [
        (-flows.pv, "bar-pv"),
        (-flows.discharge, "bar-battery"),
        (-flows.import_, "bar-grid"),
    ]
    curtailed = draw_bars(frame, axis, -flows.pv, -flows.curtailed, css="held")
    bands = []
    if flows.pv_band:
        bands.append(draw_band(frame, axis, flows.pv_band, css="band-pv", sign=-1))
    if flows.load_band:
        bands.append(draw_band(frame, axis, flows.load_band, css="band-load", sign=1))
    zero = rule((frame.left, axis.place(0)), (frame.end, axis.place(0)), "zero")
    return (
        stack_bars(frame, axis, uses)
        + stack_bars(frame, axis, sources)
        + curtailed
        + join(bands)
        + zero
    )


def _draw_soc(view: PlanView, frame: ChartFrame, axis: Axis) -> Markup:
    line = trace_edges(frame, axis, view.soc * 100)
    reserve = axis.place(view.reserve_soc * 100)
    reserve_area = Markup("")
    if view.reserve_soc > 0:
        box = (frame.left, reserve, frame.end - frame.left, axis.bottom - reserve)
        reserve_area = rectangle(box, "reserve")
    without = Markup("")
    if view.without_soc is not None:
        without = path(trace_edges(frame, axis, view.without_soc * 100), "line without")
    area = path(f"{line}V{number(axis.bottom)}H{number(frame.left)}Z", "soc-area")
    return area + reserve_area + without + path(line, "line soc-line")


def _draw_run(view: PlanView, frame: ChartFrame, axis: Axis, run: ModeRun) -> Markup:
    """Return a run of one mode in the ribbon, labelled if there is room."""
    left = frame.x(run.first)
    gap = 1 if frame.slot_width > 3 else 0.5
    width = frame.x(run.end) - left - gap
    short = mode(run.mode, language=view.numbers.language).short
    box = rectangle((left, axis.top, width, axis.height), f"run mode-{run.mode}", rx="3")
    foot = rectangle((left, axis.bottom - 3, width, 3), f"foot mode-{run.mode}", rx="1")
    if width > len(short) * LETTER + 8:
        label = short
    elif width > 11:
        label = GLYPHS[run.mode]
    else:
        return box + foot
    middle = left + width / 2
    return box + foot + text((middle, axis.top + 15), label, "ribbon", anchor="middle")


def _draw_headings(view: PlanView, axes: Sequence[Axis], *, narrow: bool) -> Markup:
    words = read_texts("plan_chart", view.numbers.language)
    price_keys = [("■", "key-cheap", words["cheap"]), ("■", "key-dear", words["dear"])]
    power_keys = []
    has_bands = view.flows.pv_band is not None or view.flows.load_band is not None
    if has_bands and not narrow:
        power_keys.append(("■", "key-band", words["band"]))
    if view.flows.curtailed.any():
        power_keys.append(("▨", "key-held", words["held"]))
    soc_keys = []
    if view.reserve_soc > 0:
        soc_keys.append(("■", "key-reserve", words["reserve"]))
    if view.without_soc is not None:
        soc_keys.append(("┈", "key-without", words["without"]))
    power_note = f"kW\u2002↑ {words['up']}\u2002↓ {words['down']}"
    headings = [
        (words["price"], f"{view.numbers.price_unit[1]}/kWh", price_keys),
        (words["power"], power_note, power_keys),
        (words["soc"], "%", soc_keys),
    ]
    # A site without a battery has no third panel.
    pairs = zip(axes, headings, strict=False)
    return join(draw_heading(axis, *heading) for axis, heading in pairs)
