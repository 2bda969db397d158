"""A fresh start for today: what was measured between midnight and an instant moves no forecast of the day any more; tomorrow it counts like any other."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.database import readings
from luna.site import Site
from luna.timeline import local_midnight, parse_zone, to_instant

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
    if OWN_RESET not in readings.read_units(connection, site.name):
        return None
    instants = readings.read_held(connection, site.name, OWN_RESET, first=at, end=at)[0]
    if not instants.size:
        return None
    zone = parse_zone(site.timezone)
    reset = datetime.fromisoformat(f"{instants[0]}+00:00")
    begin = local_midnight(at.astimezone(zone).date(), zone)
    return (begin, reset) if reset > begin else None
