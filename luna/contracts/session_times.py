"""Reading and writing of a session's times and weekdays.

Clock times alone are those of the session that goes on or comes next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from luna.contracts.charging_sessions import WEEKDAYS, Weekday
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_instant

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def read_days(text: str) -> list[Weekday]:
    """Return the weekdays of ``mon-fri`` or ``sat,sun``; none of an empty text.

    Raises:
        InvalidInputError: something else stands there.
    """
    days: list[Weekday] = []
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        first, _, last = part.partition("-")
        if not {first, last or first} <= set(WEEKDAYS):
            remedy = f"Write it like mon-fri or sat,sun; there are {', '.join(WEEKDAYS)}."
            raise InvalidInputError(
                "these are no weekdays", field="--days", value=text, remedy=remedy
            )
        begin = WEEKDAYS.index(cast("Weekday", first))
        end = WEEKDAYS.index(cast("Weekday", last or first))
        if end < begin:
            end += len(WEEKDAYS)
        days += [WEEKDAYS[place % len(WEEKDAYS)] for place in range(begin, end + 1)]
    return days


@dataclass(frozen=True, slots=True)
class SessionClock:
    """The clock by which the times of a session are read.

    It is the site's zone, and the instant before which the session is not over.
    """

    zone: ZoneInfo
    now: datetime

    def read(self, first: str, end: str, *, fields: tuple[str, str]) -> tuple[datetime, datetime]:
        """Return when a session begins and ends.

        Each is an instant with its offset, a local day, a day and time of the site's clock, or a
        time alone. Times alone are those of the session that goes on or comes next: the end is the
        first such time after now, or after a beginning with its day, and the beginning the last one
        before the end. An empty beginning is now.

        Args:
            first: the beginning.
            end: the end.
            fields: what they are called, for refusals.

        Raises:
            InvalidInputError: no time, one that the clock skips or shows twice, or the session ends
                before it begins.
        """
        begin: datetime | None = None
        if not first:
            begin = self.now
        elif not _CLOCK.fullmatch(first):
            begin = parse_instant(first, field=fields[0], zone=self.zone)
        if _CLOCK.fullmatch(end):
            until = self._next(end, begin or self.now, field=fields[1])
        else:
            until = parse_instant(end, field=fields[1], zone=self.zone)
        if begin is None:
            times = self._times(first, until, range(0, -3, -1), field=fields[0])
            begin = next(instant for instant in times if instant < until)
        if until <= begin:
            raise InvalidInputError(
                "the session ends before it begins",
                field=fields[1],
                value=end,
                remedy="Name a later end, or an earlier beginning.",
            )
        return begin, until

    def _next(self, clock: str, after: datetime, *, field: str) -> datetime:
        return next(
            instant
            for instant in self._times(clock, after, range(3), field=field)
            if instant > after
        )

    def _times(
        self, clock: str, around: datetime, days: range, *, field: str
    ) -> Iterator[datetime]:
        """Yield a time of the clock on the days around an instant."""
        day = around.astimezone(self.zone).date()
        for number in days:
            yield parse_instant(
                f"{day + timedelta(days=number)} {clock.zfill(5)}", field=field, zone=self.zone
            )
