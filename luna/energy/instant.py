"""How an instant is written: with its offset; within a site's clock also as its owner says it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from luna.energy.errors import InvalidInputError
from luna.energy.refusals import invalid_part, part_of
from luna.energy.timeline import parse_instant, require_year

# What is validated within one call of a command or of the gateway is about one site, and a model's validators are given nothing else to know its clock by.
_CLOCK: ContextVar[ZoneInfo | Callable[[], ZoneInfo] | None] = ContextVar("site_clock", default=None)


@contextmanager
def site_clock(zone: ZoneInfo | Callable[[], ZoneInfo] | None) -> Iterator[None]:
    """Let what is validated within read local days and clock times by a zone, given or found when first needed; None: only those with an offset are read."""
    token = _CLOCK.set(zone)
    try:
        yield
    finally:
        _CLOCK.reset(token)


# In an address a plus sign that nobody escaped arrives as a blank.
_LOST_PLUS = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.,]+ \d{2}:?\d{2}")


def _read_instant(value: Any) -> Any:
    clock = _CLOCK.get()
    # YAML makes days and times of what is written like one.
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and _LOST_PLUS.fullmatch(text):
        raise invalid_part("lost-plus")
    if clock is None or not isinstance(text, str):
        return value
    try:
        has_offset = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return value
    if has_offset:
        return value
    zone = clock if isinstance(clock, ZoneInfo) else clock()
    try:
        return parse_instant(text, field="", zone=zone)
    except InvalidInputError as error:
        raise part_of(error) from error


_Day = TypeVar("_Day", bound=date)


def _within_calendar(day: _Day) -> _Day:
    try:
        require_year(day, field="")
    except InvalidInputError as error:
        raise part_of(error) from error
    return day


# With an offset; within ``site_clock`` also a local day (its beginning) or a time of the site's clock.
Instant = Annotated[AwareDatetime, BeforeValidator(_read_instant), AfterValidator(_within_calendar)]
# A local day of the site.
Day = Annotated[date, AfterValidator(_within_calendar)]
