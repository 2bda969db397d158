"""Composition of a tool's text: sentences in the reader's language with recorded figures."""

from collections.abc import Callable
from datetime import date, datetime
from math import isfinite

from luna.contracts.site_tools import Chart, Figure, ToolSource, Unit
from luna.energy.timeline import local_midnight
from luna.house.statements import HouseStatement
from luna.words.devices import say_device
from luna.words.house import answer_phrase
from luna.words.numbers import NBSP
from luna.words.price_reasons import ReasonSentence
from services.rag.tools.declaration import DayPeriod, Findings, ToolContext

# An answer begins with so many sentences; the others follow as details on a line of their own.
LEAD = 2
# A share from here on is shown as 100%.
ROUNDS_TO_ALL = 0.995


class Teller:
    """Collects sentences in the reader's language, and their figures.

    Invariants: every digit of the text is part of a figure's text.
    """

    def __init__(self, context: ToolContext) -> None:
        self.numbers = context.numbers
        self._figures: dict[str, Figure] = {}
        self._sentences: list[str] = []
        # Places of details that begin a line.
        self._lines: set[int] = set()
        self._written: dict[Unit, Callable[[float], str]] = {
            "kwh": self.numbers.amount,
            "kw": self.numbers.power,
            "price": self.numbers.price_per_kwh,
            "cost": self.numbers.money,
            "soc": self.numbers.share,
            "share": self.numbers.share,
            "hours": self.numbers.hours,
            "count": self.numbers.number,
            "celsius": self.numbers.temperature,
            "g_per_kwh": self.numbers.number,
        }

    def figure(self, name: str, value: float, unit: Unit) -> str:
        """Record a number, unrounded, and return its text."""
        return self._note(name, value, unit, self._written[unit](value))

    def hours(self, name: str, value_hours: float) -> str:
        """Record a duration and return it in whole minutes: "5:15 h"."""
        hours, minutes = divmod(round(value_hours * 60), 60)
        return self._note(name, value_hours, "hours", f"{hours}:{minutes:02d}{NBSP}h")

    def name(self, name: str, value: str, *, shown: str = "") -> str:
        """Record a name, which may contain digits, and return it as it is shown."""
        return self._note(name, value, "name", shown or value)

    def device(self, name: str, key: str) -> str:
        """Record a device's key and return the device's name."""
        return self.name(name, key, shown=say_device(key, language=self.numbers.language))

    def moment(self, name: str, instant: datetime, *, day: bool) -> str:
        """Record an instant and return its local clock time, with ``day`` also its day."""
        local = instant.astimezone(self.numbers.zone)
        text = self.numbers.clock(instant)
        if day:
            text = f"{self.numbers.day(instant)}, {text}"
        return self._note(name, local.isoformat(), "instant", text)

    def end(self, name: str, end: datetime, *, begin: datetime) -> str:
        """Record the end of a span and return it, with its day if that is not the begin's."""
        zone = self.numbers.zone
        is_same_day = begin.astimezone(zone).date() == end.astimezone(zone).date()
        return self.moment(name, end, day=not is_same_day)

    def day(self, name: str, day: date) -> str:
        """Record a local day and return it with its year."""
        text = self.numbers.day_with_year(local_midnight(day, self.numbers.zone))
        return self._note(name, day.isoformat(), "instant", text)

    def clock(self, name: str, clock: str) -> str:
        """Record a clock time and return it."""
        return self._note(name, clock, "instant", clock)

    def period(self, period: DayPeriod, prefix: str = "") -> str:
        """Record a period and return it as the beginning of a sentence."""
        first = self.day(f"{prefix}first_day", period.first)
        phrase = "one_day"
        figures = {"first": first}
        if period.days > 1:
            phrase = "days"
            figures = figures | {"last": self.day(f"{prefix}last_day", period.last)}
        if not period.whole_days:
            clocks = {
                "from_clock": self.clock(f"{prefix}from_clock", period.from_clock),
                "to_clock": self.clock(f"{prefix}to_clock", period.to_clock),
            }
            phrase = f"{phrase}_hours"
            figures = figures | clocks
        return self.phrase(phrase, **figures)

    def phrase(self, code: str, **figures: str) -> str:
        """Return the phrase of a code in the reader's language, with these figures."""
        return answer_phrase(code, self.numbers.language, **figures)

    def say(self, code: str, **figures: str) -> None:
        """Add a sentence."""
        self._sentences.append(self.phrase(code, **figures).rstrip())

    def write(self, sentence: ReasonSentence) -> None:
        """Add a sentence that is written already, and record its figures."""
        for figure in sentence.figures:
            self._note(figure.name, figure.value, figure.unit, figure.text)
        self._sentences.append(sentence.text)

    def begin_line(self) -> None:
        """Begin a line of details with the next sentence."""
        self._lines.add(len(self._sentences))

    def say_partly(self, code: str, name: str, share: float) -> None:
        """Add the sentence that only a share of the time is known, unless it shows as all."""
        if share < ROUNDS_TO_ALL:
            self.say(code, share=self.figure(name, share, "share"))

    def state(self, statement: HouseStatement, number: int, prefix: str = "") -> None:
        """Add a statement about the house; its figures are named ``{prefix}{name}_{number}``."""
        figures = {}
        for name, figure in statement.figures.items():
            value = figure.value
            own_name = f"{prefix}{name}_{number}"
            if isinstance(value, datetime):
                figures[name] = self.moment(own_name, value, day=True)
            elif isinstance(value, str):
                figures[name] = self.name(own_name, value)
            elif figure.kind == "kwh":
                figures[name] = self.figure(own_name, value, "kwh")
            elif figure.kind == "cost":
                figures[name] = self.figure(own_name, value, "cost")
            else:
                figures[name] = self.figure(own_name, value, "soc")
        self.say(statement.code, **figures)

    def finish(
        self, *, chart: Chart | None = None, sources: tuple[ToolSource, ...] = ()
    ) -> Findings:
        """Return the findings."""
        return Findings(
            found=True,
            text=self._text,
            figures=[*self._figures.values()],
            chart=chart,
            sources=sources,
        )

    def miss(self, code: str, sources: tuple[ToolSource, ...] = (), **figures: str) -> Findings:
        """Return findings without data, with the reason as last sentence."""
        self.say(code, **figures)
        return self.finish_without_data(sources=sources)

    def finish_without_data(self, *, sources: tuple[ToolSource, ...] = ()) -> Findings:
        """Return findings without data, whose sentences say so already."""
        return Findings(
            found=False,
            text=self._text,
            figures=[*self._figures.values()],
            sources=sources,
        )

    @property
    def _text(self) -> str:
        text = ""
        for place, sentence in enumerate(self._sentences):
            if place:
                text += "\n" if place == LEAD or place in self._lines else " "
            text += sentence
        return text

    def _note(self, name: str, value: float | str, unit: Unit, text: str) -> str:
        # What is unknown is left out by who asks.
        assert isinstance(value, str) or isfinite(value), name  # noqa: S101
        self._figures[name] = Figure(name=name, value=value, unit=unit, text=text)
        return text
