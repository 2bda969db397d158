"""When tomorrow's prices of a market are usually out."""

from collections.abc import Mapping
from datetime import time

from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED

# By the begin of a market's name, local time of the day before; None where prices are forecasts, or
# known only afterwards.
_EXCEPTIONS: Mapping[str, time | None] = {
    "GB-AGILE-": time(16),
    "ES-PVPC": time(20, 20),
    "US-COMED": None,
    "AU-AMBER": None,
}


def usual_publication(market: str) -> time | None:
    """Return the local time at which a market's prices of tomorrow are usually out.

    None where they are never all known the day before.
    """
    for prefix, published in _EXCEPTIONS.items():
        if market.startswith(prefix):
            return published
    return DAY_AHEAD_PUBLISHED
