"""When and how often a market's prices are published, and which version of a price is stored.

A forecast may change until its slot is over. A day-ahead price is fixed before delivery. A settled
price is what is paid: what a source publishes after delivery, or a day-ahead price of a past slot
where nothing is published after it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.timeline import SLOT, InstantArray, to_instant

PriceVersion = Literal["forecast", "day_ahead", "settled"]
# How a source publishes: fixed the day before; or as a forecast until its slot is over, and settled
# afterwards.
PricePublication = Literal["day_ahead", "forecast"]

# From the least certain one on.
_CERTAINTY: Sequence[PriceVersion] = ("forecast", "day_ahead", "settled")

# By the begin of a market's name; any other market is published a day ahead.
_PUBLICATIONS: Mapping[str, PricePublication] = {
    "US-COMED": "forecast",
    "AU-AMBER": "forecast",
    "GB-INTELLIGENT": "forecast",
}
# By the begin of a market's name, local time of the day before.
_TIMES: Mapping[str, time] = {"GB-AGILE-": time(16), "ES-PVPC": time(20, 20)}


def find_publication(market: str) -> PricePublication:
    """Return how the prices of a market, or of a site's own series, are published."""
    for prefix, publication in _PUBLICATIONS.items():
        if market.startswith(prefix):
            return publication
    return "day_ahead"


def usual_publication(market: str) -> time | None:
    """Return the local time at which a market's prices of tomorrow are usually out.

    None where they are never all known the day before.
    """
    if find_publication(market) != "day_ahead":
        return None
    for prefix, published in _TIMES.items():
        if market.startswith(prefix):
            return published
    return DAY_AHEAD_PUBLISHED


def find_settled(
    publication: PricePublication, starts: InstantArray, published_at: InstantArray, now: datetime
) -> NDArray[np.bool_]:
    """Return which prices of quarter-hours are settled at ``now``.

    Args:
        publication: of their source.
        starts: of the quarter-hours, UTC.
        published_at: of each price, NaT where there is none.
        now: the instant of the question.
    """
    ends = starts + np.timedelta64(SLOT)
    moment = to_instant(now)
    is_settled: NDArray[np.bool_] = ~np.isnat(published_at) & (ends <= moment)
    if publication == "forecast":
        # What was published before delivery is still a forecast, however long ago that is.
        is_settled &= published_at >= ends
    return is_settled


def name_versions(
    publication: PricePublication, starts: InstantArray, published_at: InstantArray, now: datetime
) -> list[PriceVersion | None]:
    """Return the version of each quarter-hour's price at ``now``, None where there is no price.

    The arguments are those of ``find_settled``.
    """
    before: PriceVersion = "day_ahead" if publication == "day_ahead" else "forecast"
    is_settled = find_settled(publication, starts, published_at, now)
    versions: list[PriceVersion | None] = []
    for settled, missing in zip(is_settled.tolist(), np.isnat(published_at).tolist(), strict=True):
        if missing:
            versions.append(None)
        else:
            versions.append("settled" if settled else before)
    return versions


def less_certain(one: PriceVersion | None, other: PriceVersion | None) -> PriceVersion | None:
    """Return the version of a price that is made of two; None where one is missing."""
    if one is None or other is None:
        return None
    return min(one, other, key=_CERTAINTY.index)
