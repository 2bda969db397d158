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
    @property
    def beyond_kwh(self) -> float | None: ...


def say_flow(name: str, language: Language) -> str:
    """Return the name of a flow of the account, its unexplained rest or a sum."""
    return _FLOWS.say(name, language)


def say_cost_line(line: PricedLine, numbers: Numbers) -> str:
    """Return the name of a line of the bill, with its price if any."""
    code = "sold" if line.direction == "export" else line.code
    if line.beyond_kwh is not None:
        decimals = 0 if line.beyond_kwh.is_integer() else 1
        kwh = numbers.number(line.beyond_kwh, decimals)
        return _LINES.say(code, numbers.language, name=line.name, kwh=kwh)
    name = line.name or _LINES.say(code, numbers.language)
    return name if line.price is None else f"{name} · {numbers.price_per_kwh(line.price)}"


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
