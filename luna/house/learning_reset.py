"""Exclude today's measurements up to an instant from today's forecasts, but not from later ones."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.site import Site
from luna.energy.timeline import local_midnight, parse_zone, to_instant
from luna.platform.database import readings, sites

# A reading of Luna's own; its instant is the end of the excluded part of the day.
OWN_RESET = "luna:forget_today"
Span = tuple[datetime, datetime]


def reset_today(connection: Connection, site_id: str, *, now: datetime) -> None:
    """Exclude today's measurements before ``now`` from today's forecasts.

    Raises:
        NotFoundError: no such site.
    """
    key = readings.register(connection, site_id, {OWN_RESET: None})[OWN_RESET]
    readings.upsert(
        connection,
        np.array([key], dtype=np.int32),
        np.array([to_instant(now).astype("datetime64[us]")]),
        np.array([1.0]),
    )


def find_forgotten(connection: Connection, site: Site, at: datetime) -> Span | None:
    """Return the span of measurements that a forecast issued at ``at`` excludes.

    None where there is none.
    """
    key = sites.key_of(connection, site.name)
    return find_forgotten_each(connection, {key: site}, at).get(key)


def find_forgotten_each(
    connection: Connection, sites_by_key: Mapping[int, Site], at: datetime
) -> dict[int, Span]:
    """Return ``find_forgotten`` of many sites by their keys, without sites that have none."""
    resets = readings.read_with_previous_each(
        connection, [(key, OWN_RESET) for key in sites_by_key], first=at, end=at
    )
    forgotten: dict[int, Span] = {}
    for (key, site), (instants, _) in zip(sites_by_key.items(), resets, strict=True):
        zone = parse_zone(site.timezone)
        begin = local_midnight(at.astimezone(zone).date(), zone)
        reset = datetime.fromisoformat(f"{instants[0]}+00:00") if instants.size else begin
        forgotten |= {key: (begin, reset)} if reset > begin else {}
    return forgotten
