"""Publish prices of the simulated home's market.

Per local day the real day-ahead prices where all are known, else those of the recorded year.
"""

from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import publication_times
from luna.energy.timeline import (
    SLOT,
    Timeline,
    floor_to,
    local_day,
    local_midnight,
    local_offsets,
    to_instant,
)
from luna.platform.database import prices
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import MARKET, REAL_MARKET, ZONE

PriceOrigin = Literal["market", "recorded"]
# Real prices are published at 13:00; if they are missing this long after, the recorded year's are
# used for tomorrow.
AWAITED = timedelta(hours=1)
# Covers tomorrow; later days are never published.
_AHEAD = timedelta(days=3)


def publish_prices(
    connection: Connection,
    year: RecordedYear,
    *,
    since: datetime,
    now: datetime,
    awaited: timedelta = timedelta(0),
) -> int:
    """Store the prices published at ``now`` for the local days since ``since``.

    Return how many are new. Published prices never change.

    Args:
        connection: to the database, with the real market's prices.
        year: its prices serve days without real ones.
        since: an instant of the first day.
        now: the instant.
        awaited: how long after the auction to wait for real prices.
    """
    start = local_midnight(floor_to(since, SLOT).astimezone(year.zone).date(), year.zone)
    timeline = Timeline(start, SLOT, (now + _AHEAD - start) // SLOT)
    stored, real = (prices.read(connection, market, timeline) for market in (MARKET, REAL_MARKET))
    moment = to_instant(now)
    auction = publication_times(timeline.starts, year.zone)
    # Slots of local days with real prices for all slots; of a partial day its part counts.
    days = (timeline.starts + local_offsets(timeline.starts, ZONE)).astype("datetime64[D]")
    is_real = ~np.isin(days, days[~np.isfinite(real)])
    # Real prices of the future were not known before now.
    published = np.where(
        is_real,
        np.where(timeline.starts > moment, np.maximum(auction, moment), auction),
        auction + np.timedelta64(awaited),
    )
    new = np.isnan(stored) & (published <= moment)
    if not new.any():
        return 0
    price = np.where(is_real, real, year.price[year.rows_of(timeline.starts)])
    written = prices.upsert(
        connection,
        MARKET,
        starts=timeline.starts[new],
        price=price[new],
        currency="EUR",
        published_at=published[new],
    )
    return written.inserted + written.updated


def find_price_origin(connection: Connection, *, now: datetime) -> PriceOrigin:
    """Return the origin of today's prices."""
    today = local_day(now.astimezone(ZONE).date(), ZONE)
    published, real = (prices.read(connection, market, today) for market in (MARKET, REAL_MARKET))
    # A revised real price differs from the published one.
    return "market" if np.mean(published == real) > 0.5 else "recorded"
