"""An answer as its page shows it: plain text with numbers that lead to passages, figures with their
charts, and where they come from.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
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
)
from luna.words.charts.marks import draw_key, draw_line, find_runs, place_keys, trace_stairs
from luna.words.charts.svg import LETTER, join, number, path, rectangle, rule, text
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: words, or the number of a passage, with the place of the sentence that it
    carries.
    """

    text: str
    citation: Citation | None = None
    sentence: int | None = None


@dataclass(frozen=True, slots=True)
class CitedAnswerView:
    """An answer for its reader; ``base`` is the address of the page Knowledge of the site."""

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
        if answer.sentences and not any(_MARK.search(text) for _ in answer.citations[:1]):
            text = " ".join(
                each.text + "".join(f" [{number}]" for number in each.citations)
                for each in answer.sentences
            )
        citations = {citation.number: citation for citation in answer.citations}
        lines: list[list[Piece]] = []
        for line in filter(str.strip, text.splitlines()):
            pieces = list[Piece]()
            end = 0
            for mark in _MARK.finditer(line):
                citation = citations.get(int(mark[1]))
                if citation is None:
                    continue
                # The sentence that the number stands behind: of those that cite it the one that
                # ends last before it.
                plain = {
                    place: plain_words(each)
                    for place, each in enumerate(answer.sentences)
                    if citation.number in each.citations
                }
                ends = {
                    place: begin + len(words)
                    for place, words in plain.items()
                    if (begin := line[: mark.start()].rfind(words)) >= 0
                }
                sentence = max(ends, key=lambda place: ends[place], default=None)
                pieces += [
                    *([Piece(line[end : mark.start()])] if mark.start() > end else []),
                    Piece(mark[1], citation, sentence),
                ]
                end = mark.end()
            lines.append([*pieces, *([Piece(line[end:])] if end < len(line) else [])])
        return lines

    @property
    def tools(self) -> "list[ToolView]":
        """What was counted for it."""
        return [ToolView(call, self.numbers) for call in self.answer.tool_calls if call.found]

    @property
    def notes(self) -> list[str]:
        """What its reader should know of how it was made."""
        # Without a model anyway, what made it stands beside its time.
        usual = "answered_from_templates" if self.answer.model is None else None
        return [
            self.words("note_" + code)
            for code in self.answer.notes
            if self.words.knows("note_" + code) and code != usual
        ]

    @property
    def caption(self) -> str:
        """When it was made, and by what."""
        at = self.answer.answered_at
        model = self.answer.model or self.words("no_model")
        return self.words(
            "answered_by", day=self.numbers.day(at), time=self.numbers.clock(at), model=model
        )

    def address(self, source: Citation | Passage, sentence: int | None = None) -> str:
        """Return where a passage is read in its document.

        The words of a citation, or those of the sentence it carries, are marked there.
        """
        query: dict[str, Any] = {"page": source.page} if source.page is not None else {}
        query |= {"chunk": source.chunk_id}
        if isinstance(source, Citation):
            query |= {"answer": self.answer.answer_id, "source": source.number}
        if sentence is not None:
            query["sentence"] = sentence
        return f"{self.document_address(source.document_id)}?{urlencode(query)}#cited"

    def document_address(self, document_id: str) -> str:
        """Return where a document is read."""
        return f"{self.base}/documents/{quote(document_id, safe='')}"

    def place(self, source: Citation | Passage) -> str:
        """Return where in its document a passage stands."""
        page = [self.words("page_of", page=source.page)] if source.page is not None else []
        # One that is called as the document is said once.
        path = " › ".join(heading for heading in source.headings if heading != source.title)
        return " · ".join([*page, *([path] if path else [])])


def plain_words(sentence: AnswerSentence) -> str:
    """Return a sentence without the numbers behind it."""
    return _MARK.sub("", sentence.text).strip(" .")


@dataclass(frozen=True, slots=True)
class ToolView:
    """What a tool counted, as it is shown."""

    call: ToolCall
    numbers: Numbers

    @property
    def chart(self) -> Chart | None:
        """Its chart, None where it has nothing to draw."""
        chart = self.call.chart
        return chart if chart is not None and chart.starts and chart.series else None

    def draw(self) -> list[Markup]:
        """Return the chart for wide and for narrow screens."""
        return (
            [draw_answer_chart(self.chart, self.numbers, narrow=narrow) for narrow in (False, True)]
            if self.chart
            else []
        )

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The chart's values as a table."""
        chart = self.chart
        if chart is None:
            return []
        columns = [[*series.values, *[None] * len(chart.starts)] for series in chart.series]
        units = [series.unit for series in chart.series]

        def cells(row: int) -> list[str]:
            return [
                say_value(column[row], unit, self.numbers)
                for column, unit in zip(columns, units, strict=True)
            ]

        return [
            (say_start(start, chart, self.numbers), cells(row))
            for row, start in enumerate(chart.starts[:MOST_ROWS])
        ]

    @property
    def arguments(self) -> str:
        """What it was asked, in one line."""
        pairs = (
            f"{name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in self.call.arguments.items()
        )
        return ", ".join(pairs)

    def own_address(self, source: ToolSource) -> str | None:
        """Return the gateway's address of a source; None where it would lead elsewhere."""
        return source.path if source.path and re.fullmatch(r"/v1/[^\s\\]*", source.path) else None


def cut_excerpt(text: str, most: int = MOST_EXCERPT) -> str:
    """Return the beginning of a passage, whole words of it."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[:most].rsplit(" ", 1)[0] + " …"


def draw_answer_chart(chart: Chart, numbers: Numbers, *, narrow: bool) -> Markup:
    """Draw the chart for a page, which brings the style sheets; unknown values are gaps."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(
        sizes["width"], sizes["left"], sizes["right"], max(len(chart.starts), 1), narrow
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
    return (
        f"{numbers.number(value, 0 if unit == 'count' else 1)}\u00a0{_UNITS.get(unit, '')}".rstrip(
            "\u00a0"
        )
    )


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
    """Return the panel of one unit's series (``numbered`` by index in the chart) with legend, and
    the y of the next panel.
    """
    frame, height = scale
    unit = numbered[0][1].unit
    if unit == "price":
        factor = float(numbers.price_unit[0])
        name = f"{numbers.price_unit[1]}/kWh"
    else:
        factor, name = (
            (100.0, "%")
            if unit in {"soc", "share"}
            else (1.0, numbers.currency_sign if unit == "cost" else _UNITS.get(unit, ""))
        )
    labels = [f"{series.name}, {name}" if name else series.name for _, series in numbered]
    places = place_keys(
        [KEY + LETTER * len(label) for label in labels], frame.width, first_y=top + 2, row=ROW
    )
    keys = join(
        draw_key(place, label, f"fill-{name_colour(index, series)}")
        for (index, series), label, place in zip(numbered, labels, places, strict=True)
    )
    begins = places[-1][1] + HEAD + 8
    # A series shorter than the chart is unknown at its end.
    drawable = [(index, series, np.full(frame.count, math.nan)) for index, series in numbered]
    for _, series, drawn_values in drawable:
        known = [
            math.nan if value is None else value * factor for value in series.values[: frame.count]
        ]
        drawn_values[: len(known)] = known
    values = np.concatenate([each for *_, each in drawable])
    most = float(np.nanmax(np.abs(values), initial=0.0, where=np.isfinite(values))) or 1.0
    step = choose_step(most, STEPS, 4)
    ends = (begins + height, begins)
    has_bars = any(series.kind == "bar" for _, series, _ in drawable)
    # Bars stand on zero.
    is_price = unit == "price" and not has_bars
    axis = (
        fit_prices(values, ends, least_span=LEAST_PRICE_SPAN * factor)
        if is_price
        else fit_axis(values, ends, step=step, least=(0.0, step))
    )
    bars = [index for index, series, _ in drawable if series.kind == "bar"]
    drawn = join(
        _draw_series(series, (frame, axis), each, (index, bars)) for index, series, each in drawable
    )
    return keys + draw_ruler(frame, axis, numbers) + drawn, axis.bottom + BETWEEN


def _draw_series(
    series: ChartSeries,
    scale: tuple[ChartFrame, Axis],
    values: FloatArray,
    place: tuple[int, Sequence[int]],
) -> Markup:
    frame, axis = scale
    index, bars = place
    if series.kind == "bar":
        width = frame.slot_width * (1 - 2 * GAP) / len(bars)
        drawn = []
        for slot in np.flatnonzero(~np.isnan(values)).tolist():
            low, high = sorted((axis.place(0.0), axis.place(float(values[slot]))))
            x = frame.x(slot + GAP) + bars.index(index) * width
            drawn.append(
                rectangle(
                    (x, low, max(width - 1, 0.5), max(high - low, 0.5)),
                    f"fill-{name_colour(index, series)}",
                )
            )
        return join(drawn)
    css = f"line line-{name_colour(index, series)} dash-{index % COLOURS}"
    if series.kind == "line" and frame.count > 1:
        return draw_line(frame, axis, values, css)
    return path(
        "".join(
            trace_stairs(frame, axis, values[first:end], first)
            for first, end in find_runs(~np.isnan(values))
        ),
        css,
    )


def _draw_words(chart: Chart, frame: ChartFrame, numbers: Numbers, y: float) -> Markup:
    """Return the labels under the plot: those that fit, or hours and days in local time."""
    if chart.by == "label":
        longest = max((len(label) for label in chart.starts), default=1) * LETTER + 8
        every = max(math.ceil(longest / frame.slot_width), 1)
        most = max(int(frame.slot_width * every / LETTER), 6)
        labels = [
            label if len(label) <= most else f"{label[: most - 1]}…" for label in chart.starts
        ]
        return join(
            text((frame.x(slot + 0.5), y + 14), labels[slot], "tick", anchor="middle")
            for slot in range(0, len(labels), every)
        )
    shown = [datetime.fromisoformat(start).astimezone(numbers.zone) for start in chart.starts]
    room = 4 if frame.narrow else 8
    full = [(slot, local) for slot, local in enumerate(shown) if local.minute == 0]
    chosen: list[tuple[int, datetime]] = []
    for every in HOURS:
        days = max(every // 24, 1)
        chosen = [
            (slot, local)
            for slot, local in full
            if local.hour % min(every, 24) == 0
            and (local.date() - shown[0].date()).days % days == 0
        ]
        if len(chosen) <= room:
            break
    drawn = []
    for slot, local in chosen:
        words = numbers.day(local) if local.hour == 0 else numbers.clock(local)
        half = len(words) * LETTER / 2
        x = frame.x(slot)
        drawn.append(rule((x, y - 4), (x, y), "zero"))
        if x - half >= 0 and x + half <= frame.width:
            drawn.append(
                text((x, y + 14), words, "day" if local.hour == 0 else "tick", anchor="middle")
            )
    return join(drawn)
