"""Names of an account's flows, of the lines of a bill, and of periods."""

from datetime import date, datetime, time
from typing import Protocol

from luna.energy.account_period import PeriodUnit
from luna.words.language import Language
from luna.words.numbers import Numbers, say_month
from luna.words.phrases import Phrases

_FLOWS = Phrases("flows", "flow_")
_LINES = Phrases("flows", "line_")


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


def say_flow(name: str, language: Language) -> str:
    """Return the name of a flow of the account, its unexplained rest or a sum."""
    return _FLOWS.say(name, language)


def say_cost_line(line: PricedLine, numbers: Numbers) -> str:
    """Return the name of a line of the bill, with its price if any."""
    sells = line.direction == "export"
    name = say_line_name(line.code, line.name, numbers.language, sells=sells)
    return name if line.price is None else f"{name} · {numbers.price_per_kwh(line.price)}"


def say_line_name(code: str, name: str | None, language: Language, *, sells: bool) -> str:
    """Return the name of a part of a price: the owner's own, else that of its code."""
    return name or _LINES.say("sold" if sells else code, language)


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
