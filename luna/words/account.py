"""Names of an account's flows, of the lines of a bill, and of periods."""

from datetime import date, datetime, time
from typing import Protocol

from luna.energy.account_period import PeriodUnit
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers, say_month
from luna.words.phrases import Phrases
from luna.words.published_names import format_published_name

_FLOWS = Phrases("flows", "flow_")
_LINES = Phrases("flows", "line_")
_DAYS = Phrases("flows", "days_")


class PricedLine(Protocol):
    """A line of a bill, such as ``luna.contracts.account.CostLineReply``."""

    @property
    def direction(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def price(self) -> float | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def beyond_kwh(self) -> float | None: ...
    @property
    def beyond_hours(self) -> float | None: ...
    @property
    def first_day(self) -> date | None: ...
    @property
    def last_day(self) -> date | None: ...


def say_flow(name: str, language: Language) -> str:
    """Return the name of a flow of the account, its unexplained rest or a sum."""
    return _FLOWS.say(name, language)


def say_cost_line(line: PricedLine, numbers: Numbers) -> str:
    """Return the name of a line of the bill, with its days and its price if any."""
    published = format_published_name(line.name or "", numbers.language)
    if line.beyond_kwh is not None:
        decimals = 0 if line.beyond_kwh.is_integer() else 1
        kwh = numbers.number(line.beyond_kwh, decimals)
        return _LINES.say(line.code, numbers.language, name=published, kwh=kwh)
    if line.beyond_hours is not None:
        hours = numbers.hours(line.beyond_hours)
        return _LINES.say("beyond_hours", numbers.language, name=published, hours=hours)
    name = format_price_part(line.code, line.name, numbers.language)
    if line.direction == "export":
        name = _say_sold(line, name, numbers.language)
    if line.first_day is not None and line.last_day is not None:
        name = f"{name}, {_say_days(line.first_day, line.last_day, numbers.language)}"
    return name if line.price is None else f"{name} · {numbers.price_per_kwh(line.price)}"


def format_price_part(code: str, name: str | None, language: Language) -> str:
    """Return the name of a part of a price: the owner's, or that of its code."""
    return format_published_name(name, language) if name else _LINES.say(code, language)


def _say_sold(line: PricedLine, name: str, language: Language) -> str:
    sold = _LINES.say("sold", language)
    # A single price for all that is fed in needs no name of its own.
    return sold if line.code == "energy" else f"{sold}: {name}"


def _say_days(first: date, last: date, language: Language) -> str:
    """Return a span of days within a month or over several: "1–14 Nov", "15 Nov – 3 Dec"."""
    months = language_forms(language).months
    figures = {"first": first.day, "last": last.day, "month": months[last.month - 1]}
    if first == last:
        return _DAYS.say("one", language, **figures)
    if (first.year, first.month) == (last.year, last.month):
        return _DAYS.say("within_month", language, **figures)
    return _DAYS.say("over_months", language, first_month=months[first.month - 1], **figures)


def say_period(unit: PeriodUnit, first: date, last: date, numbers: Numbers) -> str:
    """Return a period's name: "Thu 21 May 2026", "November 2026", "2026".

    A week has two days: "Mon 16 Nov – Sun 22 Nov 2026".
    """
    if unit == "year":
        return str(first.year)
    if unit == "month":
        return say_month(first, numbers.language)
    noon = time(12)
    begins = datetime.combine(first, noon, numbers.zone)
    ends = datetime.combine(last, noon, numbers.zone)
    if unit == "day":
        return f"{numbers.day(begins)} {last.year}"
    return f"{numbers.day(begins)} – {numbers.day(ends)} {last.year}"
