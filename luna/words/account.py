"""Names of an account's flows and of the lines of a bill."""

from typing import Protocol

from luna.words.language import Language
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

_FLOWS = Phrases("energy", "flow_")
_LINES = Phrases("energy", "line_")


class PricedLine(Protocol):
    """A line of a bill, such as ``luna.contracts.account.CostLineReply``."""

    @property
    def direction(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def price(self) -> float | None: ...


def say_flow(name: str, language: Language) -> str:
    """Return the name of a flow of the account, of what it leaves open, or of a sum."""
    return _FLOWS.say(name, language)


def say_cost_line(line: PricedLine, numbers: Numbers) -> str:
    """Return the name of a line of the bill, with its price where it has one."""
    name = _LINES.say("sold" if line.direction == "export" else line.code, numbers.language)
    return name if line.price is None else f"{name} · {numbers.price_per_kwh(line.price)}"
