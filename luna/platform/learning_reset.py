"""A fresh start for today: what was measured between midnight and an instant moves no forecast of the day any more; tomorrow it counts like any other."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.site import Site
from luna.energy.timeline import local_midnight, parse_zone, to_instant
from luna.platform.database import readings, sites

# A reading of Luna's own, whose instant says until when today is forgotten.
OWN_RESET = "luna:forget_today"
Span = tuple[datetime, datetime]


def reset_today(connection: Connection, site_id: str, *, now: datetime) -> None:
    """Let forecasts of today start afresh: what was measured before ``now`` today does not count for them.

    Raises:
        NotFoundError: no such site.
    """
    key = readings.register(connection, site_id, {OWN_RESET: None})[OWN_RESET]
    readings.upsert(connection, np.array([key], dtype=np.int32), np.array([to_instant(now).astype("datetime64[us]")]), np.array([1.0]))


def find_forgotten(connection: Connection, site: Site, at: datetime) -> Span | None:
    """Return from when until when what was measured does not count for a forecast issued at ``at``; None where all of it does."""
    key = sites.key_of(connection, site.name)
    return find_forgotten_each(connection, {key: site}, at).get(key)


def find_forgotten_each(connection: Connection, sites_by_key: Mapping[int, Site], at: datetime) -> dict[int, Span]:
    """Return the same of many sites by their keys; those of which all counts are left out."""
    resets = readings.read_with_previous_each(connection, [(key, OWN_RESET) for key in sites_by_key], first=at, end=at)
    forgotten: dict[int, Span] = {}
    for (key, site), (instants, _) in zip(sites_by_key.items(), resets, strict=True):
        zone = parse_zone(site.timezone)
        begin = local_midnight(at.astimezone(zone).date(), zone)
        reset = datetime.fromisoformat(f"{instants[0]}+00:00") if instants.size else begin
        forgotten |= {key: (begin, reset)} if reset > begin else {}
    return forgotten
