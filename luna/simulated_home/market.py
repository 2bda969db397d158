"""The prices of the recorded year, each published on the day before it holds, as a market's are."""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.database import prices
from luna.economics import publication_times
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import MARKET
from luna.timeline import SLOT, Timeline, floor_to, to_instant

# The day after tomorrow is never known.
_AHEAD = timedelta(days=3)


def publish_prices(connection: Connection, year: RecordedYear, *, since: datetime, now: datetime) -> int:
    """Store what is published at ``now`` of the quarter-hours from ``since`` on; return how many are new."""
    start = floor_to(since, SLOT)
    timeline = Timeline(start, SLOT, (now + _AHEAD - start) // SLOT)
    known, published = prices.read(connection, MARKET, timeline), publication_times(timeline.starts, year.zone)
    new = np.isnan(known) & (published <= to_instant(now))
    if not new.any():
        return 0
    price = year.price[year.rows_of(timeline.starts)]
    written = prices.upsert(connection, MARKET, starts=timeline.starts[new], price=price[new], currency="EUR", published_at=published[new])
    return written.inserted + written.updated
