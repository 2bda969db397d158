"""Guess of a file's contents, as its pages show it and ask about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup

from luna.contracts.file_guess import (
    ColumnGuess,
    FileGuess,
    FileQuestion,
    GuessFileRequest,
    GuessReason,
)
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.axes import ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import draw_heading, find_runs, trace_stairs
from luna.words.charts.svg import join, number, path
from luna.words.numbers import say_day, say_month
from luna.words.pages import PageWords
from luna.words.quality import say_series
from services.api.gateway import Gateway

# Of the preview, in units of its view box.
WIDE = {"width": 976.0, "left": 40.0, "right": 8.0, "height": 96.0}
NARROW = {"width": 358.0, "left": 36.0, "right": 4.0, "height": 84.0}
TOP = 28.0
FOOT = 22.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
# With more days there is room for labels only at midnights.
MOST_DAYS_WITH_HOURS = 2
HOURS_APART = 24
# The names of fields that are choices; a column's name stands behind the colon.
SINGLE = ("zone", "label", "day_order", "decimal")
OF_COLUMNS = ("column", "unit", "measure", "sign")
# In the order of the list.
STORED_AS = (
    "nothing",
    "import_kwh",
    "export_kwh",
    "grid",
    "load_kwh",
    "pv_kwh",
    "charge_kwh",
    "discharge_kwh",
    "battery",
    "soc",
    "import_price",
    "export_price",
    "spot_price",
)
UNITS = ("Wh", "kWh", "MWh", "W", "kW")
MEASURES = ("interval", "counter", "power")
MOST_CHOICES = 400
# What the guess calls a column without a name.
_NAMELESS = re.compile(r"column (\d+)")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET = re.compile(r"Z$|[+-]\d\d:?\d\d$")
LONGEST = 300


class Option(NamedTuple):
    """An option of a list."""

    value: str
    words: str
    chosen: bool


def read_choices(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the choices among a form's fields or an address's parameters.

    An empty field is no choice.
    """
    chosen = {name: value[:100] for name, value in fields if value and _is_choice(name)}
    return {name[:200]: value for name, value in list(chosen.items())[:MOST_CHOICES]}


def _is_choice(name: str) -> bool:
    if len(name) >= LONGEST:
        return False
    kind, _, column = name.partition(":")
    return name in SINGLE or (kind in OF_COLUMNS and bool(column))


def link_of(path: str, figures: Mapping[str, str]) -> str:
    """Return an address with parameters."""
    return f"{path}?{urlencode(figures)}"


async def ask_guess(
    gateway: Gateway, *, key: str, name: str, zone: str, choices: Mapping[str, str]
) -> FileGuess:
    """Have the service that reads files guess the contents of one.

    Raises:
        LunaError: the file has no times and figures, is no longer there, or nobody answers.
    """
    answer = await gateway.ask(
        GuessFileRequest(
            object_key=key, file_name=name[:200] or "file", timezone=zone, choices=choices
        )
    )
    return FileGuess.model_validate_json(bytes(answer.body))


@dataclass(frozen=True)
class FileGuessView:
    """A guess for one reader, with what they chose so far."""

    guess: FileGuess
    numbers: Numbers
    words: PageWords
    choices: Mapping[str, str]

    @property
    def headline(self) -> str:
        """The first sentence."""
        name = "headline"
        if self.guess.preview is None:
            name = "headline_nothing"
        elif self.guess.reading is None:
            name = "headline_open"
        return self.words(name, file=self.guess.file_name)

    def say(self, reason: GuessReason) -> str:
        """Return a reason in words."""
        figures = {name: self._say_figure(name, text) for name, text in reason.figures.items()}
        return self.words("reason_" + reason.code, **figures)

    def _say_figure(self, name: str, text: str) -> str:
        if name == "column":
            return self.say_column(text)
        if name == "separator" and text == "tab":
            return self.words("separator_tab")
        if name == "day" and _ISO_DAY.fullmatch(text):
            return say_day(date.fromisoformat(text), self.numbers.language)
        if name == "example":
            # The offset alone: the time before it is in no reader's own form.
            offset = _OFFSET.search(text)
            return offset[0] if offset else text
        return text

    def say_column(self, name: str) -> str:
        """Return a column's name; one without a name in the file is called by its place."""
        nameless = _NAMELESS.fullmatch(name)
        return self.words("column_number", number=nameless[1]) if nameless else name

    def say_question(self, question: FileQuestion) -> str:
        """Return a question in words."""
        column = self.say_column(question.column or "")
        return self.words("question_" + question.code, column=column)

    def options(self, question: FileQuestion) -> list[Option]:
        """Return the answers to a question."""
        options = []
        for choice in question.choices:
            label = self._say_choice(question.code, choice)
            options.append(Option(choice, label, choice == question.likely))
        return options

    def _say_choice(self, code: str, choice: str) -> str:
        if code == "zone":
            kind = "local"
            if choice == "UTC":
                kind = "utc"
            elif choice.startswith("Etc/"):
                kind = "standard"
            return self.words("zone_" + kind, zone=choice)
        if code in {"meaning", "consumption"}:
            return self._say_stored_as(choice)
        key = "choice_" + choice
        return self.words(key) if self.words.knows(key) else choice

    def _say_stored_as(self, name: str) -> str:
        if self.words.knows("as_" + name):
            return self.words("as_" + name)
        return say_series(name, language=self.numbers.language)

    @property
    def question_keys(self) -> set[str]:
        """The fields of the questions, which no other form repeats."""
        return {question.key for question in self.guess.questions}

    def meanings(self, column: ColumnGuess) -> list[Option]:
        """Return the quantities that a column can be stored as."""
        return [
            Option(name, self._say_stored_as(name), name == column.stored_as) for name in STORED_AS
        ]

    def units(self, column: ColumnGuess) -> list[Option]:
        """Return the possible units of a column; none if it is no energy."""
        if column.measure == "level" or column.stored_as == "nothing":
            return []
        own_units = [column.unit] if column.unit and column.unit not in UNITS else []
        return [Option(unit, unit, unit == column.unit) for unit in (*own_units, *UNITS)]

    def measures(self, column: ColumnGuess) -> list[Option]:
        """Return the possible measures of a column; none without a choice."""
        if column.measure == "level" or column.stored_as == "nothing":
            return []
        return [
            Option(name, self.words("measure_" + name), name == column.measure) for name in MEASURES
        ]

    @property
    def span(self) -> str:
        """The number of rows, and their first and last time."""
        preview = self.guess.preview
        reading = self.guess.reading
        if preview is None or preview.first is None or preview.last is None:
            return ""
        seconds = preview.step_seconds if reading is None else reading.step_seconds
        if seconds is None:
            step = self.words("step_none")
        else:
            minutes = self.numbers.number(seconds / 60, 0 if seconds % 60 == 0 else 1)
            step = self.words("step_minutes", minutes=minutes)
        return self.words(
            "span",
            rows=self.numbers.number(preview.rows),
            first=self.numbers.moment_with_year(preview.first),
            last=self.numbers.moment_with_year(preview.last),
            step=step,
        )

    @property
    def charts(self) -> list[tuple[Markup, Markup]]:
        """The last days of each series, wide and narrow."""
        preview = self.guess.preview
        if preview is None or preview.start is None:
            return []
        drawn = []
        for series in preview.series:
            values = np.array([np.nan if value is None else value for value in series.values])
            unit = "kW"
            scale = 3600 / preview.step_seconds
            if series.name == "soc":
                unit = "%"
                scale = 100.0
            elif series.name.endswith("_price"):
                unit = f"{self.numbers.currency_sign}/kWh"
                scale = 1.0
            view = PreviewView(
                values=values * scale,
                start=preview.start,
                step=timedelta(seconds=preview.step_seconds),
                heading=(self._say_stored_as(series.name), unit),
                numbers=self.numbers,
            )
            drawn.append((draw_preview(view, narrow=False), draw_preview(view, narrow=True)))
        return drawn

    @property
    def names(self) -> list[str]:
        """The series of the table of months."""
        if self.guess.preview is None:
            return []
        return [series.name for series in self.guess.preview.series]

    @property
    def headings(self) -> list[str]:
        """The names of these series."""
        return [self._say_stored_as(name) for name in self.names]

    @property
    def months(self) -> Sequence[tuple[str, list[str]]]:
        """The total of each month, and of each year of several months."""
        if self.guess.preview is None:
            return []
        totals = {(total.month, total.name): total.value for total in self.guess.preview.totals}
        months = sorted({month for month, _ in totals})
        rows = []
        for month in months:
            first_day = date.fromisoformat(f"{month}-01")
            cells = [self._say_total(name, totals.get((month, name))) for name in self.names]
            rows.append((say_month(first_day, self.numbers.language), cells))
        for year in sorted({month[:4] for month in months}):
            own_months = [month for month in months if month.startswith(year)]
            if len(own_months) < 2:
                continue
            cells = []
            for name in self.names:
                values = [totals[month, name] for month in own_months if (month, name) in totals]
                # Energies are added up, other values averaged.
                count = 1 if name.endswith("_kwh") else len(values)
                cells.append(self._say_total(name, sum(values) / count if values else None))
            rows.append((self.words("year", year=year), cells))
        return rows

    def _say_total(self, name: str, value: float | None) -> str:
        if name == "soc":
            return self.numbers.share(value)
        if name.endswith("_price"):
            return self.numbers.price_per_kwh(value)
        if value is None:
            return self.numbers.number(None)
        return f"{self.numbers.number(value, 1)}\u00a0kWh"


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A series from ``start`` on, NaN where unknown, with its name and unit."""

    values: FloatArray
    start: datetime
    step: timedelta
    heading: tuple[str, str]
    numbers: Numbers

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge."""
        return self.start + edge * self.step


def draw_preview(view: PreviewView, *, narrow: bool) -> Markup:
    """Draw a series as a step line, broken at NaN."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(
        width=sizes["width"],
        left=sizes["left"],
        right=sizes["right"],
        count=view.values.size,
        narrow=narrow,
    )
    is_finite = np.isfinite(view.values)
    finite = view.values[is_finite]
    most = float(np.abs(finite).max()) if finite.size else 1.0
    step = choose_step(most, STEPS, 4)
    ends = (TOP + sizes["height"], TOP)
    axis = fit_axis(view.values.tolist(), ends, step=step, least=(0.0, step))
    is_long = view.values.size * view.step > timedelta(days=MOST_DAYS_WITH_HOURS)
    clock = ClockAxis(
        frame=frame,
        instant=view.instant,
        numbers=view.numbers,
        top=TOP,
        bottom=axis.bottom,
        words_y=axis.bottom + 17,
        every=HOURS_APART if is_long else None,
    )
    stairs = [
        trace_stairs(frame, axis, view.values[first:end], first)
        for first, end in find_runs(is_finite)
    ]
    parts = [
        clock.draw(),
        draw_ruler(frame, axis, view.numbers),
        path("".join(stairs), "line preview-line"),
        draw_heading(axis, *view.heading),
    ]
    size = ("narrow" if narrow else "wide", number(frame.width), number(axis.bottom + FOOT))
    opening = Markup(
        '<svg class="chart file-preview {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    ).format(*size, ", ".join(view.heading))
    return opening + join(parts) + Markup("</svg>")
