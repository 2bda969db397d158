"""An answer as its page shows it: text with citations, figures with charts, and sources."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from markupsafe import Markup

from luna.contracts.answers import Answer, AnswerSentence, Citation, Feedback, ToolCall
from luna.contracts.search import Passage
from luna.contracts.site_tools import Chart, ChartSeries, ToolSource
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import (
    LEAST_PRICE_SPAN,
    Axis,
    ChartFrame,
    choose_step,
    draw_ruler,
    fit_axis,
    fit_prices,
    minute_of_hours,
)
from luna.words.charts.marks import draw_key, draw_line, find_runs, place_keys, trace_stairs
from luna.words.charts.svg import LETTER, join, number, path, rectangle, rule, text
from luna.words.numbers import EN_DASH, say_day
from luna.words.pages import PageWords

# Of a chart, in units of its view box.
WIDE = {"width": 960.0, "left": 48.0, "right": 8.0, "height": 150.0}
NARROW = {"width": 358.0, "left": 40.0, "right": 4.0, "height": 120.0}
HEAD = 20.0
ROW = 20.0
KEY = 30.0
FOOT = 24.0
GAP = 0.12
BETWEEN = 16.0
STEPS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    1000.0,
)
# Candidate distances of labels under the plot, hours; the first one that leaves room is used.
HOURS = (1, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1344, 2688, 5376)
# Number of colours in the style sheet; further series repeat them.
COLOURS = 5
_UNITS: dict[str, str] = {
    "kwh": "kWh",
    "kw": "kW",
    "soc": "%",
    "share": "%",
    "g_per_kwh": "g/kWh",
    "hours": "h",
    "celsius": "°C",
}
_MARK = re.compile(r"\[(\d{1,3})\]")
# A chart's table tells at most so many rows; the address beside it gives all.
MOST_ROWS = 200
MOST_EXCERPT = 280
# Of a day in ISO 8601, characters.
_LENGTH_OF_DAY = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: words, or the number of a passage.

    ``sentence``: the place of the sentence that the passage supports.
    """

    text: str
    citation: Citation | None = None
    sentence: int | None = None


@dataclass(frozen=True, slots=True)
class CitedAnswerView:
    """An answer for its reader; ``base`` is the address of the page Documents of the site."""

    answer: Answer
    base: str
    numbers: Numbers
    words: PageWords
    feedback: Feedback | None = None

    @property
    def lines(self) -> list[list[Piece]]:
        """The answer's lines, each in pieces.

        Where it has no numbers, those of its sentences stand behind each.
        """
        answer = self.answer
        text = answer.answer
        if answer.sentences and not (answer.citations and _MARK.search(text)):
            text = " ".join(map(_with_numbers, answer.sentences))
        return [self._split(line) for line in text.splitlines() if line.strip()]

    def _split(self, line: str) -> list[Piece]:
        citations = {citation.number: citation for citation in self.answer.citations}
        pieces: list[Piece] = []
        end = 0
        for mark in _MARK.finditer(line):
            citation = citations.get(int(mark[1]))
            if citation is None:
                continue
            if mark.start() > end:
                pieces.append(Piece(line[end : mark.start()]))
            sentence = self._find_sentence(citation, line[: mark.start()])
            pieces.append(Piece(mark[1], citation, sentence))
            end = mark.end()
        if end < len(line):
            pieces.append(Piece(line[end:]))
        return pieces

    def _find_sentence(self, citation: Citation, before: str) -> int | None:
        """Return the place of the sentence that cites a passage and ends last in ``before``."""
        cited = None
        cited_end = -1
        for place, sentence in enumerate(self.answer.sentences):
            if citation.number not in sentence.citations:
                continue
            words = plain_words(sentence)
            begin = before.rfind(words)
            if begin >= 0 and begin + len(words) > cited_end:
                cited = place
                cited_end = begin + len(words)
        return cited

    @property
    def tools(self) -> "list[ToolView]":
        """The results of the tools that it used."""
        return [ToolView(call, self.numbers) for call in self.answer.tool_calls if call.found]

    @property
    def notes(self) -> list[str]:
        """The notes on how it was made."""
        notes = []
        for code in self.answer.notes:
            # The caption names the templates where there is no model.
            if self.answer.model is None and code == "answered_from_templates":
                continue
            if self.words.knows("note_" + code):
                notes.append(self.words("note_" + code))
        return notes

    @property
    def caption(self) -> str:
        """Time and maker of the answer."""
        at = self.answer.answered_at
        model = self.answer.model or self.words("no_model")
        return self.words(
            "answered_by", day=self.numbers.day(at), time=self.numbers.clock(at), model=model
        )

    def address(self, source: Citation | Passage, sentence: int | None = None) -> str:
        """Return the address of a passage in its document.

        The words of a citation, or those of the sentence it carries, are marked there.
        """
        query: dict[str, Any] = {}
        if source.page is not None:
            query["page"] = source.page
        query["chunk"] = source.chunk_id
        if isinstance(source, Citation):
            query |= {"answer": self.answer.answer_id, "source": source.number}
        if sentence is not None:
            query["sentence"] = sentence
        return f"{self.document_address(source.document_id)}?{urlencode(query)}#cited"

    def document_address(self, document_id: str) -> str:
        """Return the address of a document."""
        return f"{self.base}/documents/{quote(document_id, safe='')}"

    def place(self, source: Citation | Passage) -> str:
        """Return where in its document a passage stands."""
        parts = []
        if source.page is not None:
            parts.append(self.words("page_of", page=source.page))
        # A heading that repeats the document's title is left out.
        headings = [heading for heading in source.headings if heading != source.title]
        parts.append(" › ".join(headings))
        return " · ".join(filter(None, parts))


def plain_words(sentence: AnswerSentence) -> str:
    """Return a sentence without the numbers behind it."""
    return _MARK.sub("", sentence.text).strip(" .")


def _with_numbers(sentence: AnswerSentence) -> str:
    return sentence.text + "".join(f" [{number}]" for number in sentence.citations)


@dataclass(frozen=True, slots=True)
class ToolView:
    """The result of a tool, as it is shown."""

    call: ToolCall
    numbers: Numbers

    @property
    def chart(self) -> Chart | None:
        """Its chart, None where it has nothing to draw."""
        chart = self.call.chart
        return chart if chart is not None and chart.starts and chart.series else None

    def draw(self) -> list[Markup]:
        """Return the chart for wide and for narrow screens."""
        if self.chart is None:
            return []
        return [
            draw_answer_chart(self.chart, self.numbers, narrow=False),
            draw_answer_chart(self.chart, self.numbers, narrow=True),
        ]

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The chart's values as a table."""
        chart = self.chart
        if chart is None:
            return []
        rows = []
        for place, start in enumerate(chart.starts[:MOST_ROWS]):
            cells = []
            for series in chart.series:
                # A series shorter than the chart is unknown at its end.
                value = series.values[place] if place < len(series.values) else None
                cells.append(say_value(value, series.unit, self.numbers))
            rows.append((say_start(start, chart, self.numbers), cells))
        return rows

    @property
    def arguments(self) -> str:
        """The tool's arguments, in one line."""
        pairs = []
        for name, value in self.call.arguments.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            pairs.append(f"{name} = {text}")
        return ", ".join(pairs)

    def say_period(self, source: ToolSource) -> str:
        """Return the period of a source, from its first day or instant to its last."""
        ends = (source.period or "").split("/")
        return f" {EN_DASH} ".join(self._say_end(end) for end in ends if end)

    def _say_end(self, end: str) -> str:
        try:
            if len(end) == _LENGTH_OF_DAY:
                return say_day(date.fromisoformat(end), self.numbers.language)
            instant = datetime.fromisoformat(end)
        except ValueError:
            # A tool of another program names its periods in its own way.
            return end
        return f"{self.numbers.day_with_year(instant)}, {self.numbers.clock(instant)}"

    def own_address(self, source: ToolSource) -> str | None:
        """Return the gateway's address of a source; None where it would lead elsewhere."""
        if source.path and re.fullmatch(r"/v1/[^\s\\]*", source.path):
            return source.path
        return None


def cut_excerpt(text: str, most: int = MOST_EXCERPT) -> str:
    """Return the beginning of a passage, whole words of it."""
    plain = " ".join(text.split())
    if len(plain) <= most:
        return plain
    return plain[:most].rsplit(" ", 1)[0] + " …"


def draw_answer_chart(chart: Chart, numbers: Numbers, *, narrow: bool) -> Markup:
    """Draw the chart for a page, which brings the style sheets; unknown values are gaps."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(
        width=sizes["width"],
        left=sizes["left"],
        right=sizes["right"],
        count=max(len(chart.starts), 1),
        narrow=narrow,
    )
    body = Markup("")
    y = 0.0
    panels: dict[str, list[tuple[int, ChartSeries]]] = {}
    for index, series in enumerate(chart.series):
        panels.setdefault(series.unit, []).append((index, series))
    for numbered in panels.values():
        drawn, y = _draw_panel(numbered, (frame, sizes["height"]), numbers, y)
        body += drawn
    y = max(y - BETWEEN, 0.0) + 4
    words = _draw_words(chart, frame, numbers, y)
    bottom = y + FOOT
    size = ("narrow" if narrow else "wide", number(frame.width), number(bottom), chart.title)
    return Markup(
        '<svg class="chart answer-chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(*size, body + words)


def say_value(value: float | None, unit: str, numbers: Numbers) -> str:
    """Return a value as the chart's table shows it."""
    if value is None:
        return numbers.number(None)
    forms: dict[str, Callable[[float], str]] = {
        "price": numbers.price_per_kwh,
        "cost": numbers.money,
        "soc": numbers.share,
        "share": numbers.share,
    }
    if unit in forms:
        return forms[unit](value)
    figure = numbers.number(value, 0 if unit == "count" else 1)
    return f"{figure}\u00a0{_UNITS.get(unit, '')}".rstrip("\u00a0")


def say_start(start: str, chart: Chart, numbers: Numbers) -> str:
    """Return the day and time, or the label, of a value."""
    if chart.by == "label":
        return start
    instant = datetime.fromisoformat(start)
    return f"{numbers.day(instant)}, {numbers.clock(instant)}"


def name_colour(index: int, series: ChartSeries) -> str:
    """Return the ending of a series' colour class: its quantity, else its number in the chart."""
    return series.quantity or str(index % COLOURS)


def _draw_panel(
    numbered: Sequence[tuple[int, ChartSeries]],
    scale: tuple[ChartFrame, float],
    numbers: Numbers,
    top: float,
) -> tuple[Markup, float]:
    """Draw the panel of one unit's series with its legend; return it and the next panel's top.

    ``numbered``: the series with their index in the chart.
    """
    frame, height = scale
    unit = numbered[0][1].unit
    factor, unit_name = _scale_unit(unit, numbers)
    keys, last_y = _draw_legend(numbered, unit_name, frame, top)
    plot_top = last_y + HEAD + 8
    values = [_scale_values(series, factor, frame.count) for _, series in numbered]
    every_value = np.concatenate(values)
    finite = np.isfinite(every_value)
    most = float(np.nanmax(np.abs(every_value), initial=0.0, where=finite)) or 1.0
    step = choose_step(most, STEPS, 4)
    ends = (plot_top + height, plot_top)
    bars = [index for index, series in numbered if series.kind == "bar"]
    # Bars stand on zero.
    if unit == "price" and not bars:
        axis = fit_prices(every_value, ends, least_span=LEAST_PRICE_SPAN * factor)
    else:
        axis = fit_axis(every_value, ends, step=step, least=(0.0, step))
    drawn = join(
        _draw_series(series, (frame, axis), series_values, (index, bars))
        for (index, series), series_values in zip(numbered, values, strict=True)
    )
    return keys + draw_ruler(frame, axis, numbers) + drawn, axis.bottom + BETWEEN


def _scale_unit(unit: str, numbers: Numbers) -> tuple[float, str]:
    """Return the factor from stored to shown values, and the name of the shown unit."""
    if unit == "price":
        return float(numbers.price_unit[0]), f"{numbers.price_unit[1]}/kWh"
    if unit in {"soc", "share"}:
        return 100.0, "%"
    return 1.0, numbers.currency_sign if unit == "cost" else _UNITS.get(unit, "")


def _draw_legend(
    numbered: Sequence[tuple[int, ChartSeries]], unit_name: str, frame: ChartFrame, top: float
) -> tuple[Markup, float]:
    """Draw the keys of the series; return them and the y of the last row."""
    suffix = f", {unit_name}" if unit_name else ""
    labels = [f"{series.name}{suffix}" for _, series in numbered]
    widths = [KEY + LETTER * len(label) for label in labels]
    places = place_keys(widths, frame.width, first_y=top + 2, row=ROW)
    keys = []
    for (index, series), label, place in zip(numbered, labels, places, strict=True):
        keys.append(draw_key(place, label, f"fill-{name_colour(index, series)}"))
    return join(keys), places[-1][1]


def _scale_values(series: ChartSeries, factor: float, count: int) -> FloatArray:
    # A series shorter than the chart is unknown at its end.
    scaled = np.full(count, math.nan)
    for place, value in enumerate(series.values[:count]):
        if value is not None:
            scaled[place] = value * factor
    return scaled


def _draw_series(
    series: ChartSeries,
    scale: tuple[ChartFrame, Axis],
    values: FloatArray,
    place: tuple[int, Sequence[int]],
) -> Markup:
    frame, axis = scale
    index, bars = place
    colour = name_colour(index, series)
    if series.kind == "bar":
        width = frame.slot_width * (1 - 2 * GAP) / len(bars)
        drawn = []
        for slot in np.flatnonzero(~np.isnan(values)).tolist():
            low, high = sorted((axis.place(0.0), axis.place(float(values[slot]))))
            x = frame.x(slot + GAP) + bars.index(index) * width
            box = (x, low, max(width - 1, 0.5), max(high - low, 0.5))
            drawn.append(rectangle(box, f"fill-{colour}"))
        return join(drawn)
    css = f"line line-{colour} dash-{index % COLOURS}"
    if series.kind == "line" and frame.count > 1:
        return draw_line(frame, axis, values, css)
    stairs = ""
    for first, end in find_runs(~np.isnan(values)):
        stairs += trace_stairs(frame, axis, values[first:end], first)
    return path(stairs, css)


def _draw_words(chart: Chart, frame: ChartFrame, numbers: Numbers, y: float) -> Markup:
    """Draw the labels under the plot: those that fit, or hours and days in local time."""
    if chart.by == "label":
        return _draw_labels(chart.starts, frame, y)
    starts = [datetime.fromisoformat(start).astimezone(numbers.zone) for start in chart.starts]
    drawn = []
    for slot, local in _choose_hours(starts, most=4 if frame.narrow else 8):
        is_midnight = local.hour == 0
        words = numbers.day(local) if is_midnight else numbers.clock(local)
        half = len(words) * LETTER / 2
        x = frame.x(slot)
        drawn.append(rule((x, y - 4), (x, y), "zero"))
        if x - half >= 0 and x + half <= frame.width:
            css = "day" if is_midnight else "tick"
            drawn.append(text((x, y + 14), words, css, anchor="middle"))
    return join(drawn)


def _draw_labels(labels: Sequence[str], frame: ChartFrame, y: float) -> Markup:
    longest = max((len(label) for label in labels), default=1) * LETTER + 8
    every = max(math.ceil(longest / frame.slot_width), 1)
    most = max(int(frame.slot_width * every / LETTER), 6)
    drawn = []
    for slot in range(0, len(labels), every):
        label = labels[slot]
        if len(label) > most:
            label = f"{label[: most - 1]}…"
        drawn.append(text((frame.x(slot + 0.5), y + 14), label, "tick", anchor="middle"))
    return join(drawn)


def _choose_hours(starts: Sequence[datetime], *, most: int) -> list[tuple[int, datetime]]:
    """Return full hours at the smallest distance of ``HOURS`` that gives at most ``most``.

    Each comes with its slot; if no distance gives so few, those of the greatest are returned.
    """
    chosen: list[tuple[int, datetime]] = []
    minute = minute_of_hours(starts)
    for every in HOURS:
        days = max(every // 24, 1)
        chosen = []
        for slot, local in enumerate(starts):
            day_number = (local.date() - starts[0].date()).days
            is_full_hour = local.minute == minute and local.hour % min(every, 24) == 0
            if is_full_hour and day_number % days == 0:
                chosen.append((slot, local))
        if len(chosen) <= most:
            break
    return chosen
