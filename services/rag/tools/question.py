"""A question as the rules see that find its tools, and what they make of it."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from luna.energy.site import Site
from services.rag.tools.declaration import DayPeriod
from services.rag.tools.periods import find_days, find_periods


@dataclass(frozen=True, slots=True)
class MatchedCall:
    """A tool that a question asks for, with its arguments as JSON."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """A question made plain, with the periods that it names."""

    text: str
    today: date
    site: Site

    def periods(self, *, forward: bool = False) -> list[DayPeriod]:
        """Return the periods it names."""
        return find_periods(self.text, self.today, forward=forward)

    def days(self) -> list[DayPeriod]:
        """Return the periods by which it names a time."""
        return find_days(self.text, self.today)

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Return whether one of the words stands in it."""
        return pattern.search(self.text) is not None
