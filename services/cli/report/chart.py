"""The plan chart as one inline SVG: price, power, battery charge and mode over one time axis."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from luna.timeline import FloatArray
from luna.wording import mode
from services.cli.report.messages import TEXTS
from services.cli.report.slot_text import GLYPHS, SlotWords
from services.cli.report.svg import LETTER, Axis, ChartFrame, ClockAxis, draw_ruler, fit_axis, join, number, path, polyline, rectangle, stairs, text
from services.cli.report.view import Band, ModeRun, PlanView

WIDE = {"width": 976.0, "left": 40.0, "right": 10.0, "price": 112.0, "power": 216.0, "soc": 104.0}
NARROW = {"width": 358.0, "left": 30.0, "right": 6.0, "price": 92.0, "power": 184.0, "soc": 92.0}
RIBBON = 25.0
HEADING = 32.0
# The pill with the chosen time stands above everything.
HEAD = 24.0
CHEAP_SHARE, DEAR_SHARE = 0.2, 0.16


@dataclass(frozen=True, slots=True)
class PlanLayout:
    """The chart's panels, from top to bottom."""

    frame: ChartFrame
    price: Axis
    power: Axis
    soc: Axis
    ribbon: Axis

    @property
    def height(self) -> float:
        """Height of the whole drawing, with the labels below."""
        return self.ribbon.bottom + 24


def draw_plan(view: PlanView, words: list[SlotWords], *, narrow: bool) -> Markup:
    """Return the chart. Each slot of the wide one carries its words as a title, so that it speaks without a script."""
    layout = layout_chart(view, NARROW if narrow else WIDE, narrow=narrow)
    parts = [
        _draw_grid(view, layout),
        _draw_prices(view, layout),
        _draw_power(view, layout),
        _draw_soc(view, layout),
        _draw_ribbon(view, layout),
        _draw_cursor(view, layout),
        _draw_titles(view, layout),
        _draw_targets(layout, [] if narrow else words),
    ]
    frame = layout.frame
    size = ("narrow" if narrow else "wide", number(frame.width), number(layout.height), f"{frame.left:g}", f"{frame.slot_width:.5f}", frame.count)
    opening = Markup('<svg class="plan {}" viewBox="0 0 {} {}" data-left="{}" data-slot="{}" data-count="{}" aria-hidden="true">').format(*size)
    return opening + join(parts) + Markup("</svg>")


def layout_chart(view: PlanView, sizes: dict[str, float], *, narrow: bool) -> PlanLayout:
    """Return the panels, their scales fitted to the plan."""
    flows, scale = view.flows, view.numbers.price_unit[0]
    prices = np.concatenate([view.buy_price, view.sell_price]) * scale
    up, down = flows.load + flows.charge + flows.export, flows.pv + flows.discharge + flows.import_ + flows.curtailed
    reach = float(max(up.max(), down.max(), *(band[1].max() for band in (flows.load_band, flows.pv_band) if band)))
    price = fit_axis(prices, HEAD + HEADING, sizes["price"], step=20 if scale == 100 else 1, least=(0, 40 if scale == 100 else 1))
    power = fit_axis([-reach, reach], price.bottom + HEADING, sizes["power"], step=2, least=(-2, 2))
    soc = Axis(power.bottom + HEADING, sizes["soc"], 0, 100, 50)
    ribbon = Axis((soc.bottom if view.soc.size else power.bottom) + 10, RIBBON, 0, 1, 1)
    return PlanLayout(ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.count, narrow), price, power, soc, ribbon)


def _draw_grid(view: PlanView, layout: PlanLayout) -> Markup:
    panels = [layout.price, layout.power, *([layout.soc] if view.soc.size else [])]
    lines = [draw_ruler(layout.frame, axis, absolute=axis is layout.power) for axis in panels]
    clock = ClockAxis(layout.frame, view.instant, view.numbers, layout.price.top, panels[-1].bottom, layout.ribbon.bottom + 17)
    return join([*lines, clock.draw()])


def _draw_prices(view: PlanView, layout: PlanLayout) -> Markup:
    frame, axis, scale = layout.frame, layout.price, view.numbers.price_unit[0]
    buy, sell = view.buy_price * scale, view.sell_price * scale
    return join(
        [
            _shade(layout, _runs_where(buy[: view.known] <= _rank(buy[: view.known], CHEAP_SHARE)), "cheap"),
            _shade(layout, _runs_where(buy[: view.known] >= _rank(buy[: view.known], 1 - DEAR_SHARE)), "dear"),
            _draw_predicted(view, layout),
            _below_zero(frame, axis, buy, "fill-price"),
            _below_zero(frame, axis, sell, "fill-grid"),
            path(stairs(frame, axis, sell), "line grid-line"),
            path(stairs(frame, axis, buy[: view.known]), "line price-line"),
            path(stairs(frame, axis, buy[view.known :], view.known), "line price-line dashed"),
        ]
    )


def _rank(values: FloatArray, share: float) -> float:
    return float(np.sort(values)[int(share * (values.size - 1))]) if values.size else 0.0


def _runs_where(marked: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return the runs of at least two marked slots as ``[first, end)``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2) if end - first >= 2]


def _shade(layout: PlanLayout, runs: list[tuple[int, int]], css: str) -> Markup:
    frame, axis = layout.frame, layout.price
    return join(rectangle((frame.x(first), axis.top, frame.x(end) - frame.x(first), axis.height), css) for first, end in runs)


def _draw_predicted(view: PlanView, layout: PlanLayout) -> Markup:
    frame, axis = layout.frame, layout.price
    if view.known >= view.count:
        return Markup("")
    left, width = frame.x(view.known), frame.end - frame.x(view.known)
    area = rectangle((left, axis.top, width, axis.height), "predicted")
    words = TEXTS[view.numbers.language]["predicted"]
    return area + text((left + width / 2, axis.top + 13), words, "note", anchor="middle") if width > len(words) * LETTER else area


def _below_zero(frame: ChartFrame, axis: Axis, values: FloatArray, css: str) -> Markup:
    if (values >= 0).all():
        return Markup("")
    zero = number(axis.y(0))
    return path(f"{stairs(frame, axis, np.minimum(values, 0))}V{zero}H{number(frame.left)}Z", css)


def _draw_power(view: PlanView, layout: PlanLayout) -> Markup:
    flows = view.flows
    uses = [(flows.load, "bar-load"), (flows.charge, "bar-battery"), (flows.export, "bar-grid")]
    sources = [(flows.pv, "bar-pv"), (flows.discharge, "bar-battery"), (flows.import_, "bar-grid")]
    held = _bars(layout, flows.pv, flows.curtailed, "held", sign=-1)
    bands = [_draw_band(layout, band, css, sign) for band, css, sign in ((flows.pv_band, "band-pv", -1), (flows.load_band, "band-load", 1)) if band]
    zero = number(layout.power.y(0))
    line = path(f"M{number(layout.frame.left)} {zero}H{number(layout.frame.end)}", "zero")
    return _stack(layout, uses, 1) + _stack(layout, sources, -1) + held + join(bands) + line


def _stack(layout: PlanLayout, series: list[tuple[FloatArray, str]], sign: int) -> Markup:
    base = np.zeros(layout.frame.count)
    parts = []
    for values, css in series:
        parts.append(_bars(layout, base, values, css, sign=sign))
        base = base + values
    return join(parts)


def _bars(layout: PlanLayout, base: FloatArray, values: FloatArray, css: str, *, sign: int) -> Markup:
    """Return all bars of one device as one path, exact to the slots' edges."""
    frame, axis = layout.frame, layout.power
    width = number(frame.slot_width * (0.86 if frame.slot_width > 4 else 1))
    boxes = [
        f"M{number(frame.x(slot))} {number(axis.y(sign * base[slot]))}h{width}V{number(axis.y(sign * (base[slot] + values[slot])))}h-{width}Z"
        for slot in np.flatnonzero(values > 0.01).tolist()
    ]
    return path("".join(boxes), css) if boxes else Markup("")


def _draw_band(layout: PlanLayout, band: Band, css: str, sign: int) -> Markup:
    def edge(values: FloatArray) -> list[tuple[float, float]]:
        return [(layout.frame.x(slot + 0.5), layout.power.y(sign * value)) for slot, value in enumerate(values)]

    return path(polyline([*edge(band[0]), *reversed(edge(band[1]))]) + "Z", css)


def _draw_soc(view: PlanView, layout: PlanLayout) -> Markup:
    if not view.soc.size:
        return Markup("")
    frame, axis = layout.frame, layout.soc

    def line(values: FloatArray) -> str:
        return polyline([(frame.x(edge), axis.y(value * 100)) for edge, value in enumerate(values)])

    reserve = axis.y(view.reserve_soc * 100)
    kept = rectangle((frame.left, reserve, frame.end - frame.left, axis.bottom - reserve), "reserve") if view.reserve_soc > 0 else Markup("")
    without = Markup("") if view.without_soc is None else path(line(view.without_soc), "line without")
    area = path(f"{line(view.soc)}V{number(axis.bottom)}H{number(frame.left)}Z", "soc-area")
    return area + kept + without + path(line(view.soc), "line soc-line")


def _draw_ribbon(view: PlanView, layout: PlanLayout) -> Markup:
    return join(_draw_run(view, layout, run) for run in view.runs)


def _draw_run(view: PlanView, layout: PlanLayout, run: ModeRun) -> Markup:
    frame, axis = layout.frame, layout.ribbon
    x, width = frame.x(run.first), frame.x(run.end) - frame.x(run.first) - (1 if frame.slot_width > 3 else 0.5)
    short = mode(run.mode, language=view.numbers.language).short
    word = short if width > len(short) * LETTER + 8 else GLYPHS[run.mode] if width > 11 else ""
    box = rectangle((x, axis.top, width, axis.height), f"run mode-{run.mode}", rx="3")
    foot = rectangle((x, axis.bottom - 3, width, 3), f"foot mode-{run.mode}", rx="1")
    return box + foot + (text((x + width / 2, axis.top + 15), word, "ribbon", anchor="middle") if word else Markup(""))


def _draw_titles(view: PlanView, layout: PlanLayout) -> Markup:
    words, narrow = TEXTS[view.numbers.language], layout.frame.narrow
    price = [("■", "key-cheap", words["cheap"]), ("■", "key-dear", words["dear"])]
    bands = [("■", "key-band", words["band"])] if view.flows.pv_band or view.flows.load_band else []
    held = [("▨", "key-held", words["held"])] if view.flows.curtailed.any() else []
    soc = [("■", "key-reserve", words["reserve"])] if view.reserve_soc > 0 else []
    soc += [("┈", "key-without", words["without"])] if view.without_soc is not None else []
    power_note = f"kW\u2002↑ {words['up']}\u2002↓ {words['down']}"
    return join(
        [
            _title(layout.price, words["price"], f"{view.numbers.price_unit[1]}/kWh", price),
            _title(layout.power, words["power"], power_note, held if narrow else bands + held),
            _title(layout.soc, words["soc"], "%", soc) if view.soc.size else Markup(""),
        ]
    )


def _title(axis: Axis, title: str, note: str, keys: list[tuple[str, str, str]]) -> Markup:
    """Return a panel's heading. The keys are letters, so that the line sets itself in any font."""
    heading = Markup('<tspan class="title">{}</tspan><tspan dx="7">{}</tspan>').format(title, note)
    signs = [Markup('<tspan dx="12" class="{}">{}</tspan><tspan dx="4">{}</tspan>').format(css, sign, words) for sign, css, words in keys]
    return Markup('<text x="0" y="{}" class="heading">{}</text>').format(number(axis.top - 11), join([heading, *signs]))


def _draw_cursor(view: PlanView, layout: PlanLayout) -> Markup:
    frame, top = layout.frame, layout.price.top - HEADING
    run = next(run for run in view.runs if run.first <= view.selected < run.end)
    area = rectangle((frame.x(run.first), top, frame.x(run.end) - frame.x(run.first), layout.ribbon.bottom - top), "chosen-run")
    x = number(frame.x(view.selected + 0.5))
    return area + path(f"M{x} {number(top)}V{number(layout.ribbon.bottom)}", "cursor")


def _draw_targets(layout: PlanLayout, words: list[SlotWords]) -> Markup:
    """Return the invisible areas that are pointed at; with a title each, where there are words."""
    frame, top = layout.frame, HEAD
    height = number(layout.ribbon.bottom - top)
    template = Markup('<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    titled = [
        template.format(number(frame.x(slot)), number(top), f"{frame.slot_width:.2f}", height, f"{word.time} · {word.mode}: {word.short}")
        for slot, word in enumerate(words)
    ]
    return Markup('<g class="targets">') + join(titled) + Markup("</g>")
