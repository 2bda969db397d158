"""Data tools of the assistant: declaration, context, findings, and periods as arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from sqlalchemy import Connection

from luna.contracts.message import Message
from luna.contracts.site_tools import Chart, Figure, ToolSource
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Day, Timeline, local_instant
from luna.platform.queue.client import Client
from luna.words import Numbers

MOST_DAYS = 366
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):(00|15|30|45)$")]
ClockEnd = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):(00|15|30|45)|24:00)$")]


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The inputs of a tool, and formatting in the reader's language.

    ``client`` calls other services; None: none is available.
    """

    connection: Connection
    site: Site
    now: datetime
    numbers: Numbers
    client: Client | None = None
    patience: timedelta = timedelta(seconds=20)

    @property
    def zone(self) -> ZoneInfo:
        return self.numbers.zone

    @property
    def today(self) -> date:
        """The site's local day at ``now``."""
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Findings:
    """A tool's findings: the parts of ``ToolResult`` that differ by tool."""

    found: bool
    text: str
    figures: list[Figure]
    chart: Chart | None = None
    sources: tuple[ToolSource, ...] = ()


class NoArguments(Message):
    """A tool that takes none."""


@dataclass(frozen=True, slots=True)
class DayPeriod:
    """Local days, both included, from a clock time of the first to one of the last."""

    first: date
    last: date
    from_clock: str = "00:00"
    to_clock: str = "24:00"

    @property
    def whole_days(self) -> bool:
        return (self.from_clock, self.to_clock) == ("00:00", "24:00")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def shift(self, days: int) -> "DayPeriod":
        """Return the same clock times so many days later."""
        move = timedelta(days=days)
        return DayPeriod(self.first + move, self.last + move, self.from_clock, self.to_clock)

    def past(self, today: date) -> "DayPeriod | None":
        """Return the part until today; None if all of it is later."""
        if self.first > today:
            return None
        return DayPeriod(self.first, min(self.last, today), self.from_clock, self.to_clock)

    def ahead(self, today: date) -> "DayPeriod | None":
        """Return the part from today on; None if all of it is past."""
        if self.last < today:
            return None
        return DayPeriod(max(self.first, today), self.last, self.from_clock, self.to_clock)

    def as_arguments(self) -> dict[str, Any]:
        """Return the period as a tool's arguments in JSON."""
        arguments = {"first_day": self.first.isoformat(), "last_day": self.last.isoformat()}
        if not self.whole_days:
            arguments |= {"from_clock": self.from_clock, "to_clock": self.to_clock}
        return arguments

    def timeline(self, zone: ZoneInfo) -> Timeline:
        """Return its quarter-hours.

        A clock time skipped by a daylight-saving change counts an hour later.

        Raises:
            InvalidInputError: the daylight-saving change skips all of it, or its days begin between
                quarter-hours.
        """
        begin = local_instant(self.first, self.from_clock, zone)
        end = local_instant(self.last, self.to_clock, zone)
        if end <= begin:
            raise refuse("clock-skips-window", field="from_clock", value=self.from_clock)
        return Timeline(begin, SLOT, (end - begin) // SLOT)


class PeriodArguments(Message):
    """Local days of the site.

    Without them what ``usual_days`` says, one day where only the first is given.
    """

    usual_days: ClassVar[tuple[int, int]] = (0, 0)

    first_day: Annotated[
        Day | None, Field(description="first local day of the site, as 2026-05-21; default: today")
    ] = None
    last_day: Annotated[
        Day | None,
        Field(
            description=(
                f"last local day, included, at most {MOST_DAYS} days in all; default: the first"
            )
        ),
    ] = None
    from_clock: Annotated[
        Clock, Field(description="clock time of the first day at which it begins, in quarter-hours")
    ] = "00:00"
    to_clock: Annotated[
        ClockEnd,
        Field(description="clock time of the last day at which it ends, 24:00 for its end"),
    ] = "24:00"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_day is not None and self.first_day is None:
            raise ValueError("last_day needs first_day")
        require_order(self.first_day, self.last_day or self.first_day)
        if self.from_clock >= self.to_clock and (self.last_day or self.first_day) == self.first_day:
            raise ValueError("to_clock must be later than from_clock")
        return self

    def period(self, today: date) -> DayPeriod:
        """Return the requested period, where ``today`` is the local day."""
        if self.first_day is not None:
            first = self.first_day
            last = self.last_day or first
        else:
            first = today + timedelta(days=self.usual_days[0])
            last = today + timedelta(days=self.usual_days[1])
        return DayPeriod(first, last, self.from_clock, self.to_clock)


def require_order(first: date | None, last: date | None) -> None:
    """Check that days are in order, at most ``MOST_DAYS``, and within 2000 to 2099.

    Raises:
        ValueError: they are not.
    """
    if first is None or last is None:
        return
    if last < first:
        raise ValueError("last_day must not be before first_day")
    if (last - first).days >= MOST_DAYS:
        raise ValueError(f"at most {MOST_DAYS} days")
    if not 2000 <= first.year <= last.year < 2100:
        raise ValueError("give days of the years 2000 to 2099")


@dataclass(frozen=True, slots=True)
class Tool:
    """A read-only tool: its description for assistants, its arguments and its function."""

    name: str
    description: str
    arguments: type[Message]
    function: Callable[[ToolContext, Any], Findings]
