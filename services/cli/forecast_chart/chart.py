"""The chart of a forecast as inline SVG: for load and PV the fan of its quantiles, what is usual and what happened, over one time axis."""

import textwrap
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from luna.timeline import FloatArray
from services.cli.forecast_chart.view import STAGES, TEXTS, ForecastView, SeriesView
from services.cli.report.svg import Axis, ChartFrame, ClockAxis, draw_ruler, fit_axis, join, number, path, polyline, rectangle, text

WIDE = {"width": 976.0, "left": 34.0, "right": 10.0, "load": 220.0, "pv": 170.0}
NARROW = {"width": 358.0, "left": 28.0, "right": 6.0, "load": 170.0, "pv": 130.0}
LETTER = 6.3  # mean width of a letter in the legend's 11 px
ROW = 20.0
HEADING = 34.0
FOOT = 24.0
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # kW between two lines
FANS = (("p05", "p95"), ("p10", "p90"), ("p25", "p75"))
KEYS = ("expected", "happened", "usual_key", "median", "half", "most", "nearly", "night")


@dataclass(frozen=True, slots=True)
class ForecastLayout:
    """Where everything lies: the panels' axes by name, the legend's places, the height of the whole."""

    frame: ChartFrame
    axes: dict[str, Axis]
    keys: list[tuple[str, float, float]]
    height: float

    @property
    def top(self) -> float:
        """The upper edge of the first panel."""
        return next(iter(self.axes.values())).top

    @property
    def bottom(self) -> float:
        """The lower edge of the last panel."""
        return [*self.axes.values()][-1].bottom


def draw_forecast(view: ForecastView, *, narrow: bool) -> tuple[Markup, float]:
    """Return the elements of the chart and its height; its width is 976, or 358 where it is narrow."""
    layout = layout_chart(view, narrow=narrow)
    panels = [_draw_panel(layout, name, series, view) for name, series in view.panels.items()]
    clock = ClockAxis(layout.frame, view.instant, view.numbers, layout.top, layout.bottom, layout.bottom + 17)
    parts = [_draw_nights(view, layout), clock.draw(), *panels, _draw_legend(view, layout), Markup("") if narrow else _draw_targets(view, layout)]
    return join(parts), layout.height


def layout_chart(view: ForecastView, *, narrow: bool) -> ForecastLayout:
    """Return the places, the scales fitted to what is drawn."""
    sizes = NARROW if narrow else WIDE
    keys = _place_keys(view, sizes["width"])
    bottom, axes = keys[-1][2], {}
    for name, series in view.panels.items():
        step = next((step for step in STEPS if series.highest / step <= 5), STEPS[-1])
        axes[name] = fit_axis([series.highest], bottom + HEADING, sizes[name], step=step, least=(0, step))
        bottom = axes[name].bottom
    return ForecastLayout(ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.count, narrow), axes, keys, bottom + FOOT)


def _place_keys(view: ForecastView, width: float) -> list[tuple[str, float, float]]:
    """Return the legend's entries that mean something here, with their places, row by row."""
    known = any((~np.isnan(series.happened)).any() for series in view.panels.values())
    shown = [key for key in KEYS if (key != "happened" or known) and (key != "night" or view.night.any())]
    placed: list[tuple[str, float, float]] = []
    x, y = 0.0, 14.0
    for key in shown:
        wide = 24 + len(TEXTS[view.numbers.language][key]) * LETTER
        if x and x + wide > width:
            x, y = 0.0, y + ROW
        placed.append((key, x, y))
        x += wide + 14
    return placed


def _draw_legend(view: ForecastView, layout: ForecastLayout) -> Markup:
    words = TEXTS[view.numbers.language]
    return join(_draw_key(key, x, y) + text((x + 24, y), words[key], "key-words") for key, x, y in layout.keys)


def _draw_key(key: str, x: float, y: float) -> Markup:
    middle = number(y - 4)
    if key in ("expected", "happened", "usual_key"):
        return path(f"M{number(x)} {middle}h18", f"line {key.removesuffix('_key')} load")
    box = (x, y - 10, 18.0, 11.0)
    if key == "median":
        return rectangle(box, "fan load half") + path(f"M{number(x)} {middle}h18", "line median")
    return rectangle(box, "night" if key == "night" else f"fan load {key}")


def _draw_nights(view: ForecastView, layout: ForecastLayout) -> Markup:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], view.night, [False]]))).reshape(-1, 2)
    frame = layout.frame
    return join(
        rectangle((frame.x(first), axis.top, frame.x(end) - frame.x(first), axis.height), "night")
        for first, end in edges.tolist()
        for axis in layout.axes.values()
    )


def _draw_panel(layout: ForecastLayout, name: str, series: SeriesView, view: ForecastView) -> Markup:
    frame, axis = layout.frame, layout.axes[name]
    quantiles = series.forecast
    fans = [_draw_fan(frame, axis, (getattr(quantiles, low), getattr(quantiles, high)), f"fan {name}") for low, high in FANS]
    title = Markup('<tspan class="title">{}</tspan><tspan dx="7">kW</tspan>').format(TEXTS[view.numbers.language][name])
    heading = Markup('<text x="0" y="{}" class="heading">{}</text>').format(number(axis.top - 11), title)
    lines = [
        _draw_line(frame, axis, quantiles.p50, "line median"),
        _draw_line(frame, axis, series.usual, f"line usual {name}"),
        _draw_line(frame, axis, quantiles.expected, f"line expected {name}"),
        _draw_line(frame, axis, series.happened, f"line happened {name}"),
    ]
    return join([draw_ruler(frame, axis), *fans, *lines, heading])


def _draw_fan(frame: ChartFrame, axis: Axis, edges: tuple[FloatArray, FloatArray], css: str) -> Markup:
    low, high = (_points(frame, axis, edge) for edge in edges)
    return path(polyline([*low, *reversed(high)]) + "Z", css)


def _draw_line(frame: ChartFrame, axis: Axis, values: FloatArray, css: str) -> Markup:
    """Return a line through the slots' middles, broken where nothing is known."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~np.isnan(values), [False]]))).reshape(-1, 2)
    points = _points(frame, axis, values)
    # A slot between two gaps becomes a dot.
    drawn = "".join(polyline(points[first:end]) + ("h0" if end - first == 1 else "") for first, end in edges.tolist())
    return path(drawn, css) if drawn else Markup("")


def _points(frame: ChartFrame, axis: Axis, values: FloatArray) -> list[tuple[float, float]]:
    return [(frame.x(slot + 0.5), axis.y(value)) for slot, value in enumerate(values.tolist())]


def _draw_targets(view: ForecastView, layout: ForecastLayout) -> Markup:
    """Return the invisible areas that are pointed at, each with the words of its slot, so that the chart speaks without a script."""
    frame = layout.frame
    template = Markup('<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
    drawn = []
    for name, series in view.panels.items():
        axis = layout.axes[name]
        for slot in range(view.count):
            box = (number(frame.x(slot)), number(axis.top), f"{frame.slot_width:.2f}", number(axis.height))
            drawn.append(template.format(*box, _say_slot(view, series, slot)))
    return Markup('<g class="targets">') + join(drawn) + Markup("</g>")


def _say_slot(view: ForecastView, series: SeriesView, slot: int) -> str:
    numbers, words, start = view.numbers, TEXTS[view.numbers.language], view.instant(slot)
    low, high, was = (numbers.power(float(part[slot]), decimals=2) for part in (series.forecast.p10, series.forecast.p90, series.happened))
    happened = "" if np.isnan(series.happened[slot]) else f" {words['it_was'].format(power=was)}"
    return f"{numbers.weekday(start)} {numbers.clock(start)} · {series.reasons[slot]} {words['between'].format(low=low, high=high)}{happened}"


PACKAGE = "services.cli.forecast_chart"
MARGIN = 24.0
HEAD = 56.0  # of the headline and the line below
NOTE = 18.0
NOTE_LETTERS = 150  # in a line of notes


def render_svg(view: ForecastView) -> str:
    """Return the picture as one SVG document with its headline and notes."""
    chart, height = draw_forecast(view, narrow=False)
    words = TEXTS[view.numbers.language]
    notes = [line for note in say_notes(view) for line in textwrap.wrap(note, NOTE_LETTERS, break_long_words=False, break_on_hyphens=False)]
    whole = HEAD + height + 14 + NOTE * len(notes)
    head = text((0, 16), say_headline(view), "headline") + text((0, 38), say_usual(view), "lead")
    foot = join(text((0, HEAD + height + 14 + NOTE * row), note, "note") for row, note in enumerate(notes))
    body = Markup('<g transform="translate({0} {0})">{1}<g transform="translate(0 {2})">{3}</g>{4}</g>').format(number(MARGIN), head, number(HEAD), chart, foot)
    size = (number(976 + 2 * MARGIN), number(whole + 2 * MARGIN))
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">').format(
        *size, words["label"]
    )
    return str(
        opening
        + Markup("<style>{}</style>").format(_asset("picture.css"))
        + Markup('<rect width="100%" height="100%" class="surface"/>')
        + body
        + Markup("</svg>\n")
    )


def render_html(view: ForecastView) -> str:
    """Return the picture as one HTML page for wide and narrow screens."""
    words = TEXTS[view.numbers.language]
    environment = Environment(loader=PackageLoader("services.cli", "forecast_chart"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("picture.html.j2").render(
        language=view.numbers.language,
        title=words["title"].format(site=view.site),
        headline=say_headline(view),
        lead=say_usual(view),
        label=words["label"],
        css=_asset("picture.css") + _asset("page.css"),
        charts=[_inline(view, narrow=narrow) for narrow in (False, True)],
        notes=say_notes(view),
    )


def say_headline(view: ForecastView) -> str:
    """Return what the forecast comes to."""
    numbers, first = view.numbers, view.instant(0)
    figures = {name: numbers.energy(_sum(view, series.forecast.expected)) for name, series in view.panels.items()}
    key = "headline" if view.pv is not None else "headline_load"
    time = f"{numbers.weekday(first)} {numbers.clock(first)}"
    return TEXTS[numbers.language][key].format(hours=numbers.number(view.count * _hours(view)), time=time, **figures)


def say_usual(view: ForecastView) -> str:
    """Return what would be usual for the same hours."""
    figures = {name: view.numbers.energy(_sum(view, series.usual)) for name, series in view.panels.items()}
    return TEXTS[view.numbers.language]["usual" if view.pv is not None else "usual_load"].format(**figures)


def say_notes(view: ForecastView) -> list[str]:
    """Return what the forecast rests on, why it is as wide as it is, and how it did where that is known."""
    numbers, words = view.numbers, TEXTS[view.numbers.language]
    made = words["made"].format(version=view.version, day=numbers.day(view.issued_at), time=numbers.clock(view.issued_at))
    stage = STAGES[view.stage][numbers.language] if view.stage else ""
    kept = [_say_kept(name, series, view) for name, series in view.panels.items() if series.within[1]]
    return [f"{made} {stage}".strip(), *view.conditions, *kept]


def _say_kept(name: str, series: SeriesView, view: ForecastView) -> str:
    inside, count = series.within
    numbers = view.numbers
    return TEXTS[numbers.language][f"within_{name}"].format(count=numbers.number(count), share=numbers.share(inside / count))


def _hours(view: ForecastView) -> float:
    return view.step / timedelta(hours=1)


def _sum(view: ForecastView, power_kw: FloatArray) -> float:
    return float(power_kw.sum()) * _hours(view)


def _inline(view: ForecastView, *, narrow: bool) -> Markup:
    chart, height = draw_forecast(view, narrow=narrow)
    size = ("narrow" if narrow else "wide", 358 if narrow else 976, number(height))
    return Markup('<svg class="{}" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>').format(*size, chart)


@cache
def _asset(name: str) -> Markup:
    # Ours, and nothing in it comes from outside.
    return Markup(files(PACKAGE).joinpath(name).read_text(encoding="utf-8"))  # noqa: S704
