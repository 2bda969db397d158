"""A site's clock: what is recorded by local days and months is kept by one, and another one reads it anew."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import recorded_span, sites
from luna.platform.database.sites import StoredSite

# Tariffs and plans look ahead by less.
AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)


class ClockChange(NamedTuple):
    """The clock that a site had, and since when something is recorded by its days."""

    before: ZoneInfo
    since: datetime


def find_change(connection: Connection, site: Site, *, now: datetime) -> ClockChange | None:
    """Return which clock goes where the days of what is recorded would be others by a configuration's own; None where they stay what they are.

    They do for a new site, and where the same clock has another name.
    """
    before = _find_stored(connection, site.name)
    span = None if before is None else recorded_span.of_site(connection, site.name)
    if before is None or span is None or is_same_clock(before, parse_zone(site.timezone), first=span[0], end=now + AHEAD):
        return None
    return ClockChange(before, span[0])


def is_same_clock(one: ZoneInfo, other: ZoneInfo, *, first: datetime, end: datetime) -> bool:
    """Return whether two zones show the same time on each day from ``first`` to ``end``."""
    days = range((end - first) // _DAY + 1)
    return all((at := first + number * _DAY).astimezone(one).utcoffset() == at.astimezone(other).utcoffset() for number in days)


def _find_stored(connection: Connection, name: str) -> ZoneInfo | None:
    """Return the zone of the latest configuration, also of one that this release cannot read; None where there is none."""
    try:
        stored = sites.find(connection, name)
        return parse_zone(stored.site.timezone if isinstance(stored, StoredSite) else str(stored.configuration["timezone"]))
    except (NotFoundError, InvalidInputError, LookupError, TypeError):
        return None
