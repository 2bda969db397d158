"""From when until when something is recorded: of a site, of each of its series, of a market. Whoever asks up to when data reach, asks here.

A span is the start of the first and the end of the last quarter-hour of which something is known, in UTC. How far a source was read is another question
(``source_cursors``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, or_, select

from luna.database import sites
from luna.database.observations import MEASURED, PRICES
from luna.database.schema.series import market_prices, slot_observations
from luna.observations import SERIES
from luna.timeline import SLOT

Span = tuple[datetime, datetime]
_JUDGED = (*SERIES, *PRICES)


def of_site(connection: Connection, site_id: str) -> Span | None:
    """Return when anything was measured, None where nothing was; prices may be known of days to come."""
    start = slot_observations.c.slot_start
    measured = or_(*(slot_observations.c[name].is_not(None) for name in MEASURED))
    slots = select(start).where(slot_observations.c.site_key == sites.key_of(connection, site_id), measured).limit(1)
    return _span(*(connection.scalar(slots.order_by(order)) for order in (start.asc(), start.desc())))


def of_series(connection: Connection, site_id: str) -> dict[str, Span]:
    """Return when a site knew each of its series and prices; those it never knew are left out."""
    table = slot_observations.c
    extremes = [extreme.filter(table[name].is_not(None)) for name in _JUDGED for extreme in (func.min(table.slot_start), func.max(table.slot_start))]
    found = connection.execute(select(*extremes).where(table.site_key == sites.key_of(connection, site_id))).one()
    spans = {name: _span(first, last) for name, first, last in zip(_JUDGED, found[::2], found[1::2], strict=True)}
    return {name: span for name, span in spans.items() if span is not None}


def of_market(connection: Connection, market: str) -> Span | None:
    """Return when a market's price, or a site's own, is known, None where none is."""
    start = market_prices.c.slot_start
    return _span(*connection.execute(select(func.min(start), func.max(start)).where(market_prices.c.market == market)).one())


def of_markets(connection: Connection, markets: Sequence[str]) -> dict[str, Span]:
    """Return when the price of each market is known; those without any are left out."""
    spans = {market: of_market(connection, market) for market in dict.fromkeys(markets)}
    return {market: span for market, span in spans.items() if span is not None}


def _span(first: datetime | None, last: datetime | None) -> Span | None:
    return None if first is None or last is None else (first.astimezone(UTC), last.astimezone(UTC) + SLOT)
