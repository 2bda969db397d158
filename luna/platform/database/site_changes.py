"""Prepare and store another configuration of a site.

Changed sensors are dated, and a clock by which the past has other days has to be accepted.

Whoever stores what an owner wrote of a site that is there goes this way: the route, the command,
set-up and the site's pages.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.sensor_changes import ChangedSensors, SensorChange, date_changes
from luna.energy.timeline import SLOT, floor_to, parse_zone
from luna.platform.database import recorded_span, sites
from luna.platform.database.sites import StoredSite

# Tariffs and plans look ahead by less.
AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)


class ClockChange(NamedTuple):
    """A site's clock until now, and the first instant recorded by its days."""

    before: ZoneInfo
    since: datetime


class SiteChange(NamedTuple):
    """A configuration as it is to be stored.

    Its changed sensors are dated; with their names, and a change of clock that is not accepted yet.
    """

    site: Site
    sensors: list[SensorChange]
    clock: ClockChange | None

    def require_same_clock(self) -> None:
        """Refuse a clock that would cut recorded days differently, unless that was accepted.

        Raises:
            ConflictError: it would.
        """
        if self.clock is not None:
            raise refuse(
                "site-clock-changes",
                field="timezone",
                value=self.site.timezone,
                zone=self.clock.before.key,
                since=self.clock.since,
            )


def prepare(
    connection: Connection,
    site: Site,
    *,
    now: datetime,
    changed_sensors: ChangedSensors = "from-now",
    accept_time_zone: bool = False,
) -> SiteChange:
    """Return the effect of storing a configuration over that of the same name.

    A new site is as it stands.

    Args:
        connection: to the database.
        site: as it was written.
        now: when it is stored.
        changed_sensors: since when a sensor counts whose sign, role or unit it changes, as
            ``luna.energy.site.sensor_changes`` has it.
        accept_time_zone: what is recorded may have other days.
    """
    clock = None if accept_time_zone else find_change(connection, site, now=now)
    if changed_sensors == "always":
        return SiteChange(site, [], clock)
    try:
        stored = sites.find(connection, site.name)
    except NotFoundError:
        return SiteChange(site, [], clock)
    # The roles of sensors in an unreadable configuration are unknown.
    if not isinstance(stored, StoredSite):
        return SiteChange(site, [], clock)
    dated, changed = date_changes(stored.site, site, at=floor_to(now, SLOT))
    return SiteChange(dated, changed, clock)


def store(connection: Connection, change: SiteChange, *, version: int | None = None) -> int:
    """Store a prepared configuration and return its version.

    ``version``: the one that its caller changes, None: whatever is stored, also nothing.

    Raises:
        ConflictError: what is recorded would have other days, or the name of another site differs
            only in small and capital letters.
        NotFoundError: a version is changed of a site that is not there.
        OutdatedError: the site has another version.
    """
    change.require_same_clock()
    if version is None:
        return sites.save(connection, change.site)
    return sites.change(connection, change.site, version=version)


def find_change(connection: Connection, site: Site, *, now: datetime) -> ClockChange | None:
    """Return the clock that a configuration replaces, if recorded days would be cut differently.

    None where they stay the same.

    They do for a new site, and where the same clock has another name.
    """
    before = _find_stored(connection, site.name)
    span = None if before is None else recorded_span.of_site(connection, site.name)
    if (
        before is None
        or span is None
        or is_same_clock(before, parse_zone(site.timezone), first=span[0], end=now + AHEAD)
    ):
        return None
    return ClockChange(before, span[0])


def is_same_clock(one: ZoneInfo, other: ZoneInfo, *, first: datetime, end: datetime) -> bool:
    """Return whether two zones show the same time on each day from ``first`` to ``end``."""
    for number in range((end - first) // _DAY + 1):
        at = first + number * _DAY
        if at.astimezone(one).utcoffset() != at.astimezone(other).utcoffset():
            return False
    return True


def _find_stored(connection: Connection, name: str) -> ZoneInfo | None:
    """Return the zone of the latest configuration, also of one that this release cannot read.

    None where there is none.
    """
    try:
        stored = sites.find(connection, name)
        if isinstance(stored, StoredSite):
            return parse_zone(stored.site.timezone)
        return parse_zone(str(stored.configuration["timezone"]))
    except (NotFoundError, InvalidInputError, LookupError, TypeError):
        return None
