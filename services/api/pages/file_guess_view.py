"""What a file would be stored as, as its pages ask for it and say it."""

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
from luna.words.numbers import say_month
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
    *(
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
    ),
    *("import_price", "export_price", "spot_price"),
)
UNITS = ("Wh", "kWh", "MWh", "W", "kW")
MEASURES = ("interval", "counter", "power")
MOST_CHOICES = 400
LONGEST = 300


class Option(NamedTuple):
    """One of a list: its value, its words, whether it is chosen."""

    value: str
    words: str
    chosen: bool


def read_choices(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what was chosen of a form's fields or an address's parameters.

    What is empty is no choice.
    """
    chosen = {
        name: value[:100]
        for name, value in fields
        if value
        and len(name) < LONGEST
        and (name in SINGLE or (name.partition(":")[0] in OF_COLUMNS and name.partition(":")[2]))
    }
    return {name[:200]: value for name, value in list(chosen.items())[:MOST_CHOICES]}


def link_of(path: str, figures: Mapping[str, str]) -> str:
    """Return an address with parameters."""
    return f"{path}?{urlencode(figures)}"


async def ask_guess(
    gateway: Gateway, *, key: str, name: str, zone: str, choices: Mapping[str, str]
) -> FileGuess:
    """Return what the service that reads files makes of one.

    Raises:
        LunaError: the file is none of times and figures, is no longer there, or nobody answers.
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
        name = (
            "headline_nothing"
            if self.guess.preview is None
            else "headline_open"
            if self.guess.reading is None
            else "headline"
        )
        return self.words(name, file=self.guess.file_name)

    def say(self, reason: GuessReason) -> str:
        """Return a reason as a phrase."""
        return self.words("reason_" + reason.code, **reason.figures)

    def say_question(self, question: FileQuestion) -> str:
        """Return a question."""
        return self.words("question_" + question.code, column=question.column or "")

    def options(self, question: FileQuestion) -> list[Option]:
        """Return the answers to a question."""
        options = []
        for choice in question.choices:
            if question.code == "zone":
                kind = (
                    "utc"
                    if choice == "UTC"
                    else "standard"
                    if choice.startswith("Etc/")
                    else "local"
                )
                label = self.words("zone_" + kind, zone=choice)
            elif question.code in {"meaning", "consumption"}:
                label = self._say_stored_as(choice)
            else:
                label = (
                    self.words("choice_" + choice)
                    if self.words.knows("choice_" + choice)
                    else choice
                )
            options.append(Option(choice, label, choice == question.likely))
        return options

    def _say_stored_as(self, name: str) -> str:
        return (
            self.words("as_" + name)
            if self.words.knows("as_" + name)
            else say_series(name, language=self.numbers.language)
        )

    @property
    def question_keys(self) -> set[str]:
        """The fields that stand among the questions, so that no other asks the same."""
        return {question.key for question in self.guess.questions}

    def meanings(self, column: ColumnGuess) -> list[Option]:
        """Return what a column can be stored as."""
        return [
            Option(name, self._say_stored_as(name), name == column.stored_as) for name in STORED_AS
        ]

    def units(self, column: ColumnGuess) -> list[Option]:
        """Return in which units a column's figures can be; none where it is no energy."""
        if column.measure == "level" or column.stored_as == "nothing":
            return []
        own_units = [column.unit] if column.unit and column.unit not in UNITS else []
        return [Option(unit, unit, unit == column.unit) for unit in (*own_units, *UNITS)]

    def measures(self, column: ColumnGuess) -> list[Option]:
        """Return what a column's figures can be; none where there is no choice."""
        if column.measure == "level" or column.stored_as == "nothing":
            return []
        return [
            Option(name, self.words("measure_" + name), name == column.measure) for name in MEASURES
        ]

    @property
    def span(self) -> str:
        """How many rows there are, from when until when."""
        preview = self.guess.preview
        reading = self.guess.reading
        if preview is None or preview.first is None or preview.last is None:
            return ""
        seconds = preview.step_seconds if reading is None else reading.step_seconds
        step = (
            self.words("step_none")
            if seconds is None
            else self.words(
                "step_minutes",
                minutes=self.numbers.number(seconds / 60, 0 if seconds % 60 == 0 else 1),
            )
        )
        first, last = (
            f"{self.numbers.day_with_year(instant)}, {self.numbers.clock(instant)}"
            for instant in (preview.first, preview.last)
        )
        return self.words(
            "span", rows=self.numbers.number(preview.rows), first=first, last=last, step=step
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
                values * scale,
                preview.start,
                timedelta(seconds=preview.step_seconds),
                (self._say_stored_as(series.name), unit),
                self.numbers,
            )
            drawn.append((draw_preview(view, narrow=False), draw_preview(view, narrow=True)))
        return drawn

    @property
    def names(self) -> list[str]:
        """The series of the table of months."""
        return (
            []
            if self.guess.preview is None
            else [series.name for series in self.guess.preview.series]
        )

    @property
    def headings(self) -> list[str]:
        """What they are called."""
        return [self._say_stored_as(name) for name in self.names]

    @property
    def months(self) -> Sequence[tuple[str, list[str]]]:
        """What each month comes to, and each year of several months."""
        if self.guess.preview is None:
            return []
        totals = {(total.month, total.name): total.value for total in self.guess.preview.totals}
        months = sorted({month for month, _ in totals})
        rows = [
            (
                say_month(date.fromisoformat(f"{month}-01"), self.numbers.language),
                [self._say_total(name, totals.get((month, name))) for name in self.names],
            )
            for month in months
        ]
        for year in sorted({month[:4] for month in months}):
            own = [month for month in months if month.startswith(year)]
            if len(own) > 1:
                sums = []
                for name in self.names:
                    values = [totals[month, name] for month in own if (month, name) in totals]
                    counted = 1 if name.endswith("_kwh") else len(values)
                    sums.append(self._say_total(name, sum(values) / counted if values else None))
                rows.append((self.words("year", year=year), sums))
        return rows

    def _say_total(self, name: str, value: float | None) -> str:
        if name == "soc":
            return self.numbers.share(value)
        if name.endswith("_price"):
            return self.numbers.price_per_kwh(value)
        return (
            f"{self.numbers.number(value, 1)}\u00a0kWh"
            if value is not None
            else self.numbers.number(None)
        )


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A series from ``start`` on, NaN where unknown, with its name and unit."""

    values: FloatArray
    start: datetime
    step: timedelta
    heading: tuple[str, str]
    numbers: Numbers


def draw_preview(view: PreviewView, *, narrow: bool) -> Markup:
    """Draw a series as a step line, broken at NaN."""
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(sizes["width"], sizes["left"], sizes["right"], view.values.size, narrow)
    finite = view.values[np.isfinite(view.values)]
    mark = choose_step(float(np.abs(finite).max()) if finite.size else 1.0, STEPS, 4)
    axis = fit_axis(
        view.values.tolist(), (TOP + sizes["height"], TOP), step=mark, least=(0.0, mark)
    )
    long = view.values.size * view.step > timedelta(days=MOST_DAYS_WITH_HOURS)
    clock = ClockAxis(
        frame,
        lambda edge: view.start + edge * view.step,
        view.numbers,
        TOP,
        axis.bottom,
        axis.bottom + 17,
        HOURS_APART if long else None,
    )
    line = path(
        "".join(
            trace_stairs(frame, axis, view.values[first:end], first)
            for first, end in find_runs(np.isfinite(view.values))
        ),
        "line preview-line",
    )
    parts = [
        clock.draw(),
        draw_ruler(frame, axis, view.numbers),
        line,
        draw_heading(axis, *view.heading),
    ]
    size = (
        "narrow" if narrow else "wide",
        number(frame.width),
        number(axis.bottom + FOOT),
        ", ".join(view.heading),
    )
    return (
        Markup(
            '<svg class="chart file-preview {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        ).format(*size)
        + join(parts)
        + Markup("</svg>")
    )
