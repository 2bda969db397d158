"""Prices of markets, every revision kept with the instant it was published; a site's own series stands among them under a name of its own."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, delete, select

from luna.database import copy, plan_causes
from luna.database.schema.series import market_prices
from luna.errors import InvalidInputError, NotFoundError
from luna.resolution import from_quarter_hours, quarter_hours
from luna.site import OWN, SeriesPrice, Site
from luna.timeline import FloatArray, InstantArray, Timeline, align


def upsert(
    connection: Connection,
    market: str,
    *,
    starts: InstantArray,
    price: FloatArray,
    currency: str,
    published_at: datetime | Sequence[datetime] | InstantArray,
) -> copy.Written:
    """Store the prices of quarter-hours, in currency per kWh.

    Args:
        published_at: one instant for all, or one per slot.

    Raises:
        InvalidInputError: a price is no finite number.
    """
    if not np.isfinite(price).all():
        raise InvalidInputError("a price is no finite number", field=f"price[{int(np.flatnonzero(~np.isfinite(price))[0])}]", remedy="Leave the slot out.")
    columns = {"market": market, "slot_start": starts, "published_at": _instants(published_at), "price": price, "currency": currency}
    written = copy.upsert(connection, market_prices, columns)
    if written.inserted or written.updated:
        plan_causes.note_market(connection, market)
    return written


def read(connection: Connection, market: str, timeline: Timeline, *, known_at: datetime | None = None) -> FloatArray:
    """Return the price of every slot as last published at or before ``known_at`` (default: ever), NaN where none.

    Slots longer than a quarter-hour hold the mean, unknown where any part is.
    """
    return from_quarter_hours(read_each(connection, [market], quarter_hours(timeline), known_at=known_at)[market], timeline, "price")


def read_each(connection: Connection, names: Sequence[str], timeline: Timeline, *, known_at: datetime | None = None) -> dict[str, FloatArray]:
    """Return the same of many markets and series on quarter-hours, by the names under which they are stored."""
    query = sql.SQL(
        "SELECT DISTINCT ON (wanted.number, slot_start) wanted.number, slot_start, price FROM unnest({}::text[]) WITH ORDINALITY AS wanted (name, number)"
        " JOIN market_prices AS stored ON stored.market = wanted.name AND slot_start >= {} AND slot_start < {} AND published_at <= {}"
        " ORDER BY wanted.number, slot_start, published_at DESC"
    ).format(list(names), timeline.start, timeline.end, known_at or sql.SQL("'infinity'"))
    rows = copy.split(copy.read(connection, query, {"number": "i8", "slot_start": "M8[s]", "price": "f8"}))
    unknown = np.full(timeline.count, np.nan)
    return {
        name: align(rows[number]["slot_start"], rows[number]["price"], timeline) if number in rows else unknown for number, name in enumerate(names, start=1)
    }


def stored_name(site_id: str, series: str) -> str:
    """Return under which name the prices of what a tariff names are stored: a market's under its own, a site's own series under the site's."""
    return f"site:{site_id}:{series.removeprefix(OWN)}" if series.startswith(OWN) else series


def read_tariff(connection: Connection, site: Site, timeline: Timeline, *, known_at: datetime | None = None) -> dict[str, FloatArray]:
    """Return the prices that a site's tariff is made from, by ``tariff.price_series``, as ``luna.economics.price_slots`` takes them; see ``read``."""
    return {name: read(connection, stored_name(site.name, name), timeline, known_at=known_at) for name in site.tariff.price_series}


def find_known(connection: Connection, names: Collection[str], timeline: Timeline) -> set[str]:
    """Return of which names, as stored, any price of a timeline's slots is known."""
    table = market_prices.c
    inside = table.market.in_(names), table.slot_start >= timeline.start, table.slot_start < timeline.end
    return set(connection.scalars(select(table.market).where(*inside).distinct()))


def find_unused_each(connection: Connection, found: Collection[Site], timeline: Timeline) -> dict[str, list[str]]:
    """Return which of a site's own series hold prices on the timeline although its tariff does not name them, as stored, by the sites' names."""
    own = {site.name: [stored_name(site.name, name) for name, rule in site.tariff.own_rules.items() if not isinstance(rule, SeriesPrice)] for site in found}
    asked = [name for names in own.values() for name in names]
    known = find_known(connection, asked, timeline) if asked else set()
    return {site: [name for name in names if name in known] for site, names in own.items()}


def require_market(connection: Connection, market: str) -> None:
    """Check that prices of a market are stored.

    Raises:
        NotFoundError: none is.
    """
    if connection.scalar(select(market_prices.c.market).where(market_prices.c.market == market).limit(1)) is None:
        raise NotFoundError("no prices of this market", field="series", value=market, remedy="Load some, or name the market that the site's tariff names.")


def forget_market(connection: Connection, market: str) -> None:
    """Delete every price of a market."""
    connection.execute(delete(market_prices).where(market_prices.c.market == market))


def _instants(published_at: datetime | Sequence[datetime] | InstantArray) -> datetime | InstantArray:
    if isinstance(published_at, datetime | np.ndarray):
        return published_at
    return np.array([instant.astimezone(UTC).replace(tzinfo=None) for instant in published_at], dtype="datetime64[us]")


# Slot start, when it was published, price; in order of slot and publication.
Revisions = tuple[InstantArray, InstantArray, FloatArray]


def read_revisions(connection: Connection, market: str, timeline: Timeline) -> Revisions:
    """Return every revision of the quarter-hours of ``timeline``."""
    return read_revisions_each(connection, [market], timeline)[market]


def read_revisions_each(connection: Connection, names: Sequence[str], timeline: Timeline) -> dict[str, Revisions]:
    """Return the same of many markets and series, by the names under which they are stored."""
    query = sql.SQL(
        "SELECT wanted.number, slot_start, published_at, price FROM unnest({}::text[]) WITH ORDINALITY AS wanted (name, number)"
        " JOIN market_prices AS stored ON stored.market = wanted.name AND slot_start >= {} AND slot_start < {} ORDER BY wanted.number, slot_start, published_at"
    ).format(list(names), timeline.start, timeline.end)
    types = {"number": "i8", "slot_start": "M8[s]", "published_at": "M8[us]", "price": "f8"}
    rows = copy.split(copy.read(connection, query, types))
    nothing = {name: np.empty(0, dtype=kind) for name, kind in types.items()}
    parts = {name: rows.get(number, nothing) for number, name in enumerate(names, start=1)}
    return {name: (part["slot_start"], part["published_at"], part["price"]) for name, part in parts.items()}
