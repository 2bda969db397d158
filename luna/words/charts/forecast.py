"""The forecast chart as inline SVG.

It shows quantile fans of load and PV, usual and measured values over one time axis.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from luna.energy.outlook import Quantiles
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import Axis, ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import (
    draw_band,
    draw_heading,
    draw_line,
    draw_targets,
    find_runs,
    place_keys,
    shade_runs,
)
from luna.words.charts.style import draw_document, read_asset, style
from luna.words.charts.svg import join, number, path, rectangle, text
from luna.words.phrases import read_texts, say_text


@dataclass(frozen=True, slots=True)
class SeriesView:
    """Load or PV, mean power in kW, arrays of shape ``(slots,)``.

    ``happened`` is measured, NaN where unknown, ``reasons`` are the texts of each slot.
    """

    forecast: Quantiles
    usual: FloatArray
    happened: FloatArray
    reasons: Sequence[str]

    @property
    def highest(self) -> float:
        """The highest power of the panel, kW."""
        measured = np.nan_to_num(self.happened)
        rows = [self.forecast.p95, self.forecast.expected, self.usual, measured]
        return float(np.nanmax(rows))

    @property
    def within(self) -> tuple[int, int]:
        """Number of measured slots between p10 and p90, and of measured slots.

        Those with p95 = 0 are left out.
        """
        comparable = ~np.isnan(self.happened) & (self.forecast.p95 > 0)
        inside = (self.happened >= self.forecast.p10) & (self.happened <= self.forecast.p90)
        return int(inside[comparable].sum()), int(comparable.sum())


@dataclass(frozen=True, slots=True)
class ForecastView:
    """The data of a forecast chart: load, PV if any, and the slots at night.

    Args:
        stage: amount of history behind the forecast, if recorded: cold, profile, young or full.
        conditions: sentences about what widens it.
    """

    site: str
    version: str
    issued_at: datetime
    start: datetime
    step: timedelta
    load: SeriesView
    pv: SeriesView | None
    night: NDArray[np.bool_]
    numbers: Numbers
    stage: str | None
    conditions: Sequence[str]

    @property
    def count(self) -> int:
        """Number of slots."""
        return self.night.size

    @property
    def panels(self) -> dict[str, SeriesView]:
        """The series by name, from top to bottom."""
        panels = {"load": self.load}
        if self.pv is not None:
            panels["pv"] = self.pv
        return panels

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge, 0 to ``count``."""
        return self.start + edge * self.step


WIDE = {"width": 976.0, "left": 34.0, "right": 10.0, "load": 220.0, "pv": 170.0}
NARROW = {"width": 358.0, "left": 28.0, "right": 6.0, "load": 170.0, "pv": 130.0}
LETTER = 6.3  # mean width of a letter in the legend's 11 px
ROW = 20.0
HEADING = 34.0
FOOT = 24.0
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # kW between two lines
FANS = (("p05", "p95"), ("p10", "p90"), ("p25", "p75"))
KEYS = ("expected", "happened", "usual_key", "median", "half", "most", "nearly", "night")


def draw_forecast(view: ForecastView, *, narrow: bool) -> tuple[Markup, float]:
    """Return the elements of the chart and its height, px.

    Its width is 976, narrow 358.
    """
    sizes = NARROW if narrow else WIDE
    words = read_texts("forecast_chart", view.numbers.language)
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.count, narrow)
    # Only the legend entries that this chart uses.
    shown = list(KEYS)
    if all(np.isnan(series.happened).all() for series in view.panels.values()):
        shown.remove("happened")
    if not view.night.any():
        shown.remove("night")
    widths = [24 + len(words[key]) * LETTER for key in shown]
    places = place_keys(widths, frame.width, first_y=14.0, row=ROW, gap=14)
    legend = []
    for key, (x, y) in zip(shown, places, strict=True):
        legend.append(_draw_key(key, x, y) + text((x + 24, y), words[key], "key-words"))
    bottom = places[-1][1]
    axes: dict[str, Axis] = {}
    for name, series in view.panels.items():
        step = choose_step(series.highest, STEPS, 5)
        top = bottom + HEADING
        ends = (top + sizes[name], top)
        axes[name] = fit_axis([series.highest], ends, step=step, least=(0, step))
        bottom = axes[name].bottom
    first_top = next(iter(axes.values())).top
    clock = ClockAxis(frame, view.instant, view.numbers, first_top, bottom, bottom + 17)
    nights: list[Markup] = []
    for run in find_runs(view.night):
        nights += [shade_runs(frame, axis, [run], "night") for axis in axes.values()]
    panels = [_draw_panel(frame, axes[name], name, view) for name in view.panels]
    parts = [*nights, clock.draw(), *panels, *legend]
    if not narrow:
        areas = []
        for name, series in view.panels.items():
            areas.append((axes[name].top, axes[name].height, _say_slots(view, series)))
        parts.append(draw_targets(frame, areas))
    return join(parts), bottom + FOOT


def _draw_key(key: str, x: float, y: float) -> Markup:
    middle = number(y - 4)
    if key in ("expected", "happened", "usual_key"):
        return path(f"M{number(x)} {middle}h18", f"line {key.removesuffix('_key')} load")
    box = (x, y - 10, 18.0, 11.0)
    if key == "median":
        return rectangle(box, "fan load half") + path(f"M{number(x)} {middle}h18", "line median")
    return rectangle(box, "night" if key == "night" else f"fan load {key}")


def _draw_panel(frame: ChartFrame, axis: Axis, name: str, view: ForecastView) -> Markup:
    series = view.panels[name]
    quantiles = series.forecast
    fans = []
    for low, high in FANS:
        band = (getattr(quantiles, low), getattr(quantiles, high))
        fans.append(draw_band(frame, axis, band, css=f"fan {name}"))
    lines = [
        draw_line(frame, axis, quantiles.p50, "line median"),
        draw_line(frame, axis, series.usual, f"line usual {name}"),
        draw_line(frame, axis, quantiles.expected, f"line expected {name}"),
        draw_line(frame, axis, series.happened, f"line happened {name}"),
    ]
    heading = draw_heading(axis, read_texts("forecast_chart", view.numbers.language)[name], "kW")
    return join([draw_ruler(frame, axis, view.numbers), *fans, *lines, heading])


def _say_slots(view: ForecastView, series: SeriesView) -> list[str]:
    """Return the tooltip of each slot of a series."""
    numbers = view.numbers
    words = read_texts("forecast_chart", view.numbers.language)
    tooltips = []
    for slot in range(view.count):
        start = view.instant(slot)
        low = numbers.power(float(series.forecast.p10[slot]), decimals=2)
        high = numbers.power(float(series.forecast.p90[slot]), decimals=2)
        between = words["between"].format(low=low, high=high)
        happened = ""
        if not np.isnan(series.happened[slot]):
            measured = numbers.power(float(series.happened[slot]), decimals=2)
            happened = f" {words['it_was'].format(power=measured)}"
        time = f"{numbers.weekday(start)} {numbers.clock(start)}"
        tooltips.append(f"{time} · {series.reasons[slot]} {between}{happened}")
    return tooltips


HEAD = 56.0  # of the headline and the line below
NOTE = 18.0
NOTE_LETTERS = 150  # in a line of notes


def draw_forecast_picture(view: ForecastView) -> str:
    """Return the chart as an SVG document with headline and notes."""
    chart, height = draw_forecast(view, narrow=False)
    lines: list[str] = []
    for note in say_notes(view):
        lines += textwrap.wrap(note, NOTE_LETTERS, break_long_words=False, break_on_hyphens=False)
    first_line = HEAD + height + 14
    whole = first_line + NOTE * len(lines)
    head = text((0, 16), _say_headline(view), "headline") + text((0, 38), _say_usual(view), "lead")
    foot = join(text((0, first_line + NOTE * row), line, "note") for row, line in enumerate(lines))
    body = Markup('{}<g transform="translate(0 {})">{}</g>{}').format(
        head, number(HEAD), chart, foot
    )
    return draw_document(
        body,
        (WIDE["width"], whole),
        style("forecast"),
        label=read_texts("forecast_chart", view.numbers.language)["label"],
    )


def draw_forecast_page(view: ForecastView) -> str:
    """Return the chart as an HTML page for wide and narrow screens."""
    words = read_texts("forecast_chart", view.numbers.language)
    frame = Markup('<svg class="{}" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>')
    charts = []
    for css, narrow, width in (("wide", False, 976), ("narrow", True, 358)):
        chart, height = draw_forecast(view, narrow=narrow)
        charts.append(frame.format(css, width, number(height), chart))
    notes = [Markup("<p>{}</p>").format(note) for note in say_notes(view)]
    page = read_asset("forecast_page.html").removesuffix("\n")
    return page.format(
        language=view.numbers.language,
        title=words["title"].format(site=view.site),
        headline=_say_headline(view),
        lead=_say_usual(view),
        label=words["label"],
        css=style("forecast", "forecast_page"),
        charts=Markup("\n").join(charts),
        notes=Markup("\n").join(notes),
    )


def _say_headline(view: ForecastView) -> str:
    """Return the forecast's totals as text."""
    numbers = view.numbers
    first = view.instant(0)
    figures = {}
    for name, series in view.panels.items():
        figures[name] = numbers.energy(_sum(view, series.forecast.expected))
    key = "headline" if view.pv is not None else "headline_load"
    time = f"{numbers.weekday(first)} {numbers.clock(first)}"
    return read_texts("forecast_chart", numbers.language)[key].format(
        hours=numbers.number(view.count * _hours(view)), time=time, **figures
    )


def _say_usual(view: ForecastView) -> str:
    """Return the usual totals for the same hours as text."""
    figures = {}
    for name, series in view.panels.items():
        figures[name] = view.numbers.energy(_sum(view, series.usual))
    key = "usual" if view.pv is not None else "usual_load"
    return read_texts("forecast_chart", view.numbers.language)[key].format(**figures)


def say_notes(view: ForecastView) -> list[str]:
    """Return notes on the forecast's history, its width, and its accuracy where known."""
    numbers = view.numbers
    words = read_texts("forecast_chart", view.numbers.language)
    origin = words["made"].format(
        version=view.version, day=numbers.day(view.issued_at), time=numbers.clock(view.issued_at)
    )
    stage = words[f"stage_{view.stage}"] if view.stage else ""
    notes = [f"{origin} {stage}".strip(), *view.conditions]
    for name, series in view.panels.items():
        inside, count = series.within
        if count:
            notes.append(
                say_text(
                    "forecast_chart",
                    f"within_{name}",
                    numbers.language,
                    count=numbers.number(count),
                    share=numbers.share(inside / count),
                )
            )
    return notes


def _hours(view: ForecastView) -> float:
    return view.step / timedelta(hours=1)


def _sum(view: ForecastView, power_kw: FloatArray) -> float:
    return float(power_kw.sum()) * _hours(view)
