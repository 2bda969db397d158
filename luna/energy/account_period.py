"""Periods of an account: a local day, week, month or year, and their parts."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from luna.energy.timeline import SLOT, Timeline, local_days, local_midnight

PeriodUnit = Literal["day", "week", "month", "year"]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LAST_MONTH = 12


@dataclass(frozen=True, slots=True)
class AccountPeriod:
    """Local days from ``first`` to ``last``, both included.

    It is a day, a week from Monday on, a calendar month or a calendar year.
    """

    unit: PeriodUnit
    first: date
    last: date

    @classmethod
    def of(cls, unit: PeriodUnit, day: date) -> Self:
        """Return the period that holds a local day."""
        if unit == "day":
            return cls(unit, day, day)
        if unit == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(unit, monday, monday + timedelta(days=6))
        if unit == "month":
            return cls(unit, day.replace(day=1), _end_of_month(day))
        return cls(unit, date(day.year, 1, 1), date(day.year, LAST_MONTH, 31))

    @property
    def has_months(self) -> bool:
        """Whether the period is made of whole months.

        A capacity tariff is billed by these.
        """
        return self.unit in ("month", "year")

    def previous(self) -> Self:
        """Return the period before this one."""
        return self.of(self.unit, self.first - DAY)

    def following(self) -> Self:
        """Return the period after this one."""
        return self.of(self.unit, self.last + DAY)

    def year_before(self) -> Self:
        """Return the same period of the year before.

        A day or a week moves by 52 weeks, so that weekdays stay.
        """
        if self.unit in ("day", "week"):
            return self.of(self.unit, self.first - timedelta(weeks=52))
        return self.of(self.unit, self.first.replace(year=self.first.year - 1))

    def timeline(self, zone: ZoneInfo) -> Timeline:
        """Return the period's quarter-hours."""
        return local_days(self.first, self.last, zone)

    def part_starts(self, zone: ZoneInfo) -> list[datetime]:
        """Return the starts of the period's parts.

        These are hours of a day, days of a week or month, months of a year.
        """
        if self.unit == "day":
            timeline = self.timeline(zone)
            hours = timeline.count * SLOT // HOUR
            return [timeline.start + number * HOUR for number in range(hours)]
        if self.unit == "year":
            months = range(1, LAST_MONTH + 1)
            return [local_midnight(date(self.first.year, month, 1), zone) for month in months]
        days = (self.last - self.first).days + 1
        return [local_midnight(self.first + number * DAY, zone) for number in range(days)]


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
