"""What is known of a site, as its page says it."""

from calendar import Calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from luna.contracts.data import DayQuality, LoadReply, QuarantinedRow
from luna.contracts.job import Job
from luna.energy.judgement import may_use
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database.recorded_span import Span
from luna.platform.database.stored_rows import read_each
from luna.words import Numbers
from luna.words.numbers import read_number, say_month
from luna.words.pages import PageWords
from luna.words.quality import say_day_fault, say_series
from luna.words.refusals import say_problem

# A source that was silent for longer has lost more than a slot.
STALE_AFTER = timedelta(hours=2)
GLYPHS = {"clean": "✓", "mask_battery": "◐", "exclude": "✕", "none": "·", "estimated": "≈"}


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    first: date

    @classmethod
    def of(cls, text: str | None, site: Site, now: datetime) -> "Month":
        """Return the month of a text such as 2026-11; of none that of the site's yesterday."""
        if text is not None:
            return cls(date(int(text[:4]), int(text[5:]), 1))
        yesterday = now.astimezone(parse_zone(site.timezone)).date() - timedelta(days=1)
        return cls(yesterday.replace(day=1))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.after.first - timedelta(days=1)

    @property
    def after(self) -> "Month":
        """The next one."""
        return Month(date(self.first.year + self.first.month // 12, self.first.month % 12 + 1, 1))

    @property
    def before(self) -> "Month":
        """The one before."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def name(self) -> str:
        """As an address has it."""
        return f"{self.first:%Y-%m}"

    @property
    def weeks(self) -> list[list[date | None]]:
        """Its weeks from Monday to Sunday; None for days of other months."""
        days = [day if day.month == self.first.month else None for day in Calendar().itermonthdates(self.first.year, self.first.month)]
        return [days[begin : begin + 7] for begin in range(0, len(days), 7)]


@dataclass(frozen=True)
class DataView:
    """What is stored of a site, as the page says it."""

    site: Site
    now: datetime
    month: Month
    verdicts: Mapping[date, DayQuality]
    span: Span | None
    rows: Sequence[QuarantinedRow]
    loads: Sequence[Job]
    numbers: Numbers
    words: PageWords

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        judged, good = len(self.verdicts), sum(may_use(day.verdict) for day in self.verdicts.values())
        if not judged:
            return self.words("headline_empty")
        return self.words("headline_clean", judged=judged) if good == judged else self.words("headline_some", good=good, judged=judged)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many days have which verdict, those without any last."""
        found = Counter(day.verdict for day in self.verdicts.values())
        days = (self.month.last - self.month.first).days + 1
        return [(name, found[name]) for name in ("clean", "mask_battery", "exclude")] + [("none", days - len(self.verdicts))]

    @property
    def estimated_days(self) -> set[date]:
        """The days of which a series is in part filled to a meter's total."""
        return {day.day for day in self.verdicts.values() if any(fault.code == "estimated" for fault in day.faults)}

    @property
    def silent_hours(self) -> int | None:
        """For how many hours nothing was recorded, where that is too long."""
        if self.span is None or self.now - self.span[1] <= STALE_AFTER:
            return None
        return int((self.now - self.span[1]) / timedelta(hours=1))

    @property
    def weekdays(self) -> list[str]:
        """The names of the days of a week."""
        # A Monday, and the six days after it.
        return [self.numbers.weekday(datetime(2024, 1, 1 + place, 12, tzinfo=self.numbers.zone)) for place in range(7)]

    @property
    def month_name(self) -> str:
        """The month and its year."""
        return say_month(self.month.first, self.numbers.language)

    def verdict(self, day: date) -> str:
        """Return the verdict on a day, ``none`` where there is none."""
        return self.verdicts[day].verdict if day in self.verdicts else "none"

    def reasons(self) -> list[tuple[str, str, list[str]]]:
        """The days against which something speaks: day, verdict, what."""
        return [(self.say_day(day.day), day.verdict, self.say_faults(day)) for day in self.verdicts.values() if day.faults]

    def say_faults(self, day: DayQuality) -> list[str]:
        """Return what speaks against a day."""
        return [say_day_fault(fault, self.numbers.language) for fault in day.faults]

    def say_cell(self, day: date) -> str:
        """Return what a day of the calendar says to those who do not see it, and when pointed at."""
        faults = self.say_faults(self.verdicts[day]) if day in self.verdicts else []
        said = f"{self.say_day(day)}: {self.words('verdict_' + self.verdict(day))}"
        return said + (f" ({'; '.join(faults)})" if faults else "")

    def glyph(self, verdict: str) -> str:
        """Return the sign of a verdict."""
        return GLYPHS[verdict]

    def say_day(self, day: date) -> str:
        """Return a local day."""
        return self.numbers.day(datetime.combine(day, time(12), self.numbers.zone))

    def say_instant(self, instant: datetime) -> str:
        """Return a local day and clock time."""
        return f"{self.numbers.day(instant)}, {self.numbers.clock(instant)}"

    def say_series(self, name: str) -> str:
        """Return what a series is called."""
        return say_series(name, language=self.numbers.language)

    def say_load(self, job: Job) -> str:
        """Return what became of a file."""
        for counts in read_each([job.reply] if job.status == "done" and job.reply is not None else [], LoadReply.model_validate):
            figures = {
                name: self.numbers.number(getattr(counts, name)) for name in ("rows", "accepted", "accepted_in_part", "repaired", "quarantined", "duplicated")
            }
            return self.words("load_counts", **figures)
        detail = f": {say_problem(job.error, self.numbers.language)}" if job.error else ""
        return self.words("load_" + job.status) + detail


def read_corrections(form: Mapping[str, str], received: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a form that differ from those of the refused row: numbers, as people type them, or text.

    Raises:
        InvalidInputError: none does.
    """
    said = {name.removeprefix("value:"): text for name, text in form.items() if name.startswith("value:")}
    typed = {name: _as_received(text) if (number := read_number(text)) is None else number for name, text in said.items() if name in received}
    changed = {name: value for name, value in typed.items() if value != _as_received(received[name])}
    if not changed:
        raise refuse("no-value-changed", field="values")
    return changed


def _as_received(cell: Any) -> Any:
    """Return a cell as a file means it: nothing, a number or text; with a comma a number is text, and refused."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell if str(cell or "").strip() else None
