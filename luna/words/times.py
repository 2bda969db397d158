"""Instants and spans relative to now, with the day if it is not today."""

from datetime import datetime

from luna.words.numbers import EN_DASH, Numbers
from luna.words.phrases import Phrases

_TIMES = Phrases("times")
# A weekday alone is ambiguous for a day further away.
WEEK_DAYS = 7


def say_when(instant: datetime, *, now: datetime, numbers: Numbers) -> str:
    """Return an instant: "05:30", "tomorrow 05:30", "Fri 05:30", "Fri 29 May, 05:30".

    The date is left out within a week.
    """
    clock = numbers.clock(instant)
    days = _count_days(now, instant, numbers)
    if days == 0:
        return clock
    if days == 1:
        return f"{_TIMES.say('tomorrow', numbers.language)} {clock}"
    if abs(days) < WEEK_DAYS:
        return f"{numbers.weekday(instant)} {clock}"
    return f"{numbers.day(instant)}, {clock}"


def say_edges(
    first: datetime, end: datetime, *, now: datetime, numbers: Numbers
) -> tuple[str, str]:
    """Return begin and end of a span.

    A running one begins "now". The end has its day where that is not the day of the begin, or of
    now.
    """
    runs = first <= now < end
    if runs:
        begin = _TIMES.say("now", numbers.language)
    else:
        begin = say_when(first, now=now, numbers=numbers)
    if _count_days(now if runs else first, end, numbers) == 0:
        return begin, numbers.clock(end)
    return begin, say_when(end, now=now, numbers=numbers)


def say_span(first: datetime, end: datetime, *, now: datetime, numbers: Numbers) -> str:
    """Return a span: "now – Fri 05:30", "tomorrow 07:00 – 09:15"."""
    return f" {EN_DASH} ".join(say_edges(first, end, now=now, numbers=numbers))


def _count_days(one: datetime, other: datetime, numbers: Numbers) -> int:
    """Return how many local midnights lie between two instants."""
    first = one.astimezone(numbers.zone).date()
    last = other.astimezone(numbers.zone).date()
    return (last - first).days
