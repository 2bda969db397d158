"""The market of a simulated home: the real one's day-ahead prices where they are known, else those of the recorded year, a local day from one of them."""

from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import publication_times
from luna.energy.timeline import SLOT, Timeline, floor_to, local_day, local_midnight, local_offsets, to_instant
from luna.platform.database import prices
from luna.platform.simulated_home.recorded_year import RecordedYear
from luna.platform.simulated_home.site import MARKET, REAL_MARKET, ZONE

PriceOrigin = Literal["market", "recorded"]
# The real market's prices are out at 13:00; who has not reached anybody by then takes the recorded year's for tomorrow.
AWAITED = timedelta(hours=1)
# The day after tomorrow is never known.
_AHEAD = timedelta(days=3)


def publish_prices(connection: Connection, year: RecordedYear, *, since: datetime, now: datetime, awaited: timedelta = timedelta(0)) -> int:
    """Store what is published at ``now`` of the local days from that of ``since`` on; return how many quarter-hours are new. What was published stays.

    Args:
        connection: to the database, where the real market's prices are looked for.
        year: has the prices of days that are not known of it.
        since: of the first day.
        now: the instant.
        awaited: how long after the auction the real market's prices are waited for.
    """
    start = local_midnight(floor_to(since, SLOT).astimezone(year.zone).date(), year.zone)
    timeline = Timeline(start, SLOT, (now + _AHEAD - start) // SLOT)
    stored, real = (prices.read(connection, market, timeline) for market in (MARKET, REAL_MARKET))
    moment, auction = to_instant(now), publication_times(timeline.starts, year.zone)
    # The slots of local days all of whose slots are known; of a day that the timeline cuts, its part counts.
    days = (timeline.starts + local_offsets(timeline.starts, ZONE)).astype("datetime64[D]")
    is_real = ~np.isin(days, days[~np.isfinite(real)])
    # What is still to come was not known before it was stored.
    published = np.where(is_real, np.where(timeline.starts > moment, np.maximum(auction, moment), auction), auction + np.timedelta64(awaited))
    new = np.isnan(stored) & (published <= moment)
    if not new.any():
        return 0
    price = np.where(is_real, real, year.price[year.rows_of(timeline.starts)])
    written = prices.upsert(connection, MARKET, starts=timeline.starts[new], price=price[new], currency="EUR", published_at=published[new])
    return written.inserted + written.updated


def find_price_origin(connection: Connection, *, now: datetime) -> PriceOrigin:
    """Return whose prices those of today are."""
    today = local_day(now.astimezone(ZONE).date(), ZONE)
    published, real = (prices.read(connection, market, today) for market in (MARKET, REAL_MARKET))
    # One that was revised since stays what it was published as.
    return "market" if np.mean(published == real) > 0.5 else "recorded"
