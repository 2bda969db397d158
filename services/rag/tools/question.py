"""A normalised question with its periods and cues: the input of the rules that choose tools."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from luna.energy.site import Site
from services.rag.tools import cues
from services.rag.tools.clock_phrases import find_instant
from services.rag.tools.declaration import DayPeriod
from services.rag.tools.periods import find_days, find_periods


@dataclass(frozen=True, slots=True)
class MatchedCall:
    """A tool call matched to a question, with its arguments as JSON."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """A normalised question about a site, asked on the local day ``today``."""

    text: str
    today: date
    site: Site

    def periods(self, *, forward: bool = False) -> list[DayPeriod]:
        """Return the named periods."""
        return find_periods(self.text, self.today, forward=forward)

    def past_periods(self) -> list[DayPeriod]:
        """Return the named periods up to today, without those that begin later."""
        parts = [period.past(self.today) for period in self.periods()]
        return [part for part in parts if part is not None]

    def periods_ahead(self, *, forward: bool = True) -> list[DayPeriod]:
        """Return the named periods from today on, without those that are over."""
        parts = [period.ahead(self.today) for period in self.periods(forward=forward)]
        return [part for part in parts if part is not None]

    def days(self) -> list[DayPeriod]:
        """Return the named days that a clock time may belong to."""
        return find_days(self.text, self.today)

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Return whether the pattern occurs in it."""
        return pattern.search(self.text) is not None

    def is_definition(self) -> bool:
        """Return whether it asks for a definition: no period, nothing of the asker's own."""
        return (
            cues.DEFINITION.match(self.text) is not None
            and not self.periods()
            and not self.has(cues.OWN)
        )

    def is_generic(self) -> bool:
        """Return whether it is about batteries in general, not the asker's."""
        return self.has(cues.ANY_BATTERY) and not self.has(cues.OWN)

    def instant(self) -> str | None:
        """Return the named clock time, else noon of a day other than today; None without either."""
        clock = find_instant(self.text)
        periods = self.days()
        day = periods[0].first if periods else self.today
        if clock is None and periods and not periods[0].whole_days:
            clock = periods[0].from_clock
        if clock is None and day != self.today:
            clock = "12:00"
        return None if clock is None else f"{day.isoformat()} {clock}"
