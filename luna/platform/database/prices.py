"""Store market prices with all revisions, and sites' own price series.

A revision is known by its time of publication; a site's own series is named after the site.

A market may be stored in several currencies; a reader names the currency, and prices in another one
are unknown to it. The primary key has no currency, so a market's second currency is stored under
its own name, ``SE3 in EUR``.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from psycopg import sql
from sqlalchemy import Connection, delete, select

from luna.energy.local_times import mean_by_interval
from luna.energy.market_publication import (
    PriceVersion,
    find_publication,
    less_certain,
    name_versions,
)
from luna.energy.part import PER_EURO
from luna.energy.refusals import refuse
from luna.energy.resolution import from_quarter_hours, quarter_hours
from luna.energy.site import OWN, Site
from luna.energy.tariffs.component import billed_name
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    InstantArray,
    Timeline,
    align,
    parse_zone,
    to_instant,
)
from luna.platform.database import copy, plan_causes
from luna.platform.database.schema.series import market_prices

USUAL_CURRENCY = str(Site.model_fields["currency"].default)
_STORED = sql.SQL(
    "unnest({}::text[], {}::text[], {}::text[]) WITH ORDINALITY AS requested (name, apart, "
    "currency, number)"
    " JOIN market_prices AS stored ON stored.market IN (requested.name, requested.apart) "
    "AND stored.currency = requested.currency"
    " AND slot_start >= {} AND slot_start < {}"
)
# Of sources whose prices are forecasts until delivery, what was published after it alone.
_AFTER_DELIVERY = sql.SQL(
    " AND (requested.name <> ALL ({}::text[]) OR published_at >= slot_start + {})"
)


class StoredSeries(NamedTuple):
    """Name and currency of stored prices: a market's, or a site's own series."""

    name: str
    currency: str

    @property
    def apart(self) -> str:
        """The name of the series where another currency has the plain one.

        A site's own series has one currency, which replaces the earlier one.
        """
        return self.name if self.name.startswith("site:") else f"{self.name} in {self.currency}"


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
        InvalidInputError: a price is not finite.
    """
    if not np.isfinite(price).all():
        raise refuse(
            "price-no-number", field=f"price[{int(np.flatnonzero(~np.isfinite(price))[0])}]"
        )
    series = StoredSeries(market, currency)
    table = market_prices.c
    foreign = connection.scalar(
        select(table.market).where(table.market == market, table.currency != currency).limit(1)
    )
    if not isinstance(published_at, datetime | np.ndarray):
        published_at = np.array(
            [instant.astimezone(UTC).replace(tzinfo=None) for instant in published_at],
            dtype="datetime64[us]",
        )
    columns = {
        "market": market if foreign is None else series.apart,
        "slot_start": starts,
        "published_at": published_at,
        "price": price,
        "currency": currency,
    }
    written = copy.upsert(connection, market_prices, columns)
    if written.inserted or written.updated:
        plan_causes.note_market(connection, market)
    return written


def read(
    connection: Connection,
    market: str,
    timeline: Timeline,
    *,
    currency: str = USUAL_CURRENCY,
    known_at: datetime | None = None,
    settled: bool = False,
) -> FloatArray:
    """Return the last published price per slot, NaN where it is unknown in ``currency``.

    Published at or before ``known_at`` (None: ever).

    Slots longer than a quarter-hour hold the mean, unknown where any part is.

    Args:
        connection: to the database.
        market: its stored name.
        timeline: the slots.
        currency: of the prices.
        known_at: the instant of the question.
        settled: without the forecasts of sources that publish again after delivery.
    """
    series = StoredSeries(market, currency)
    prices = read_each(
        connection, [series], quarter_hours(timeline), known_at=known_at, settled=settled
    )
    return from_quarter_hours(prices[series], timeline, "price")


def read_each(
    connection: Connection,
    series: Sequence[StoredSeries],
    timeline: Timeline,
    *,
    known_at: datetime | None = None,
    settled: bool = False,
) -> dict[StoredSeries, FloatArray]:
    """Return ``read`` of many series on quarter-hours."""
    revised = [name for name, _ in series if find_publication(name) == "forecast"]
    is_counted: sql.Composable = sql.SQL("")
    if settled and revised:
        is_counted = _AFTER_DELIVERY.format(revised, SLOT)
    query = sql.SQL(
        "SELECT DISTINCT ON (requested.number, slot_start) requested.number, slot_start, "
        "price FROM {} AND published_at <= {}{}"
        " ORDER BY requested.number, slot_start, published_at DESC"
    ).format(_stored_of(series, timeline), known_at or sql.SQL("'infinity'"), is_counted)
    types = {"number": "i8", "slot_start": "M8[s]", "price": "f8"}
    rows = copy.split(copy.read(connection, query, types))
    unknown = np.full(timeline.count, np.nan)
    prices = {}
    for number, name in enumerate(series, start=1):
        prices[name] = unknown
        if number in rows:
            stored = rows[number]
            prices[name] = align(stored["slot_start"], stored["price"], timeline)
    return prices


def _stored_of(series: Sequence[StoredSeries], timeline: Timeline) -> sql.Composed:
    return _STORED.format(
        [stored.name for stored in series],
        [stored.apart for stored in series],
        [stored.currency for stored in series],
        timeline.start,
        timeline.end,
    )


def stored_series(site: Site, series: str) -> StoredSeries:
    """Return the stored series of a price in a site's tariff, in the site's currency."""
    return StoredSeries(stored_name(site.name, series), site.currency)


def stored_name(site_id: str, series: str) -> str:
    """Return the stored name of a price series in a site's tariff.

    A market's own name, or ``site:…`` for the site's own series.
    """
    return f"site:{site_id}:{series.removeprefix(OWN)}" if series.startswith(OWN) else series


def read_tariff(
    connection: Connection,
    site: Site,
    timeline: Timeline,
    *,
    known_at: datetime | None = None,
    settled: bool = False,
) -> dict[str, FloatArray]:
    """Return the prices of a site's tariff by ``tariff.price_series``.

    They are for ``economics.prices.price_slots``; see ``read``. Markets that are billed by longer
    intervals stand beside them by ``billed_name``, whole intervals read.
    """

    def read_series(name: str, slots: Timeline) -> FloatArray:
        stored = stored_name(site.name, name)
        return read(
            connection,
            stored,
            slots,
            currency=site.currency,
            known_at=known_at,
            settled=settled,
        )

    spot = {name: read_series(name, timeline) for name in site.tariff.price_series}
    for market, minutes in site.tariff.billed_intervals:
        around = around_intervals(timeline, minutes)
        price = read_series(market, around)
        mean = mean_by_interval(price, around, parse_zone(site.timezone), minutes=minutes)
        first = (timeline.start - around.start) // timeline.step
        spot[billed_name(market, minutes)] = mean[first : first + timeline.count]
    return spot


def around_intervals(timeline: Timeline, minutes: int) -> Timeline:
    """Return a timeline that is longer by an interval at both ends, to average over whole ones."""
    more = -(-timedelta(minutes=minutes) // timeline.step)
    return Timeline(timeline.start - more * timeline.step, timeline.step, timeline.count + 2 * more)


def find_priced(connection: Connection, names: Collection[str], timeline: Timeline) -> set[str]:
    """Return the stored names that have any price on a timeline's slots."""
    table = market_prices.c
    inside = (
        table.market.in_(names),
        table.slot_start >= timeline.start,
        table.slot_start < timeline.end,
    )
    return set(connection.scalars(select(table.market).where(*inside).distinct()))


def find_foreign(
    connection: Connection, series: Collection[StoredSeries], timeline: Timeline
) -> dict[StoredSeries, tuple[str, ...]]:
    """Return the other currencies in which each series has prices on a timeline's slots."""
    names = {requested.name for requested in series}
    if not names:
        return {}
    table = market_prices.c
    apart = {StoredSeries(name, currency).apart for name in names for currency in PER_EURO}
    inside = (
        table.market.in_(names | apart),
        table.slot_start >= timeline.start,
        table.slot_start < timeline.end,
    )
    rows = connection.execute(select(table.market, table.currency).where(*inside).distinct())
    stored = {
        StoredSeries(row.market.removesuffix(f" in {row.currency}"), row.currency) for row in rows
    }
    foreign = {}
    for requested in series:
        currencies = {other.currency for other in stored if other.name == requested.name}
        foreign[requested] = tuple(sorted(currencies - {requested.currency}))
    return foreign


def _list_unused(site: Site) -> list[str]:
    rules = site.tariff.own_rules
    unused = [name for name, rule in rules.items() if not rule.reads_own_series]
    return [stored_name(site.name, name) for name in unused]


def find_unused_each(
    connection: Connection, stored_sites: Collection[Site], timeline: Timeline
) -> dict[str, list[str]]:
    """Return, by site, the stored names of its own price series that its tariff does not use.

    Series without prices on the timeline are left out.
    """
    unused_names = {site.name: _list_unused(site) for site in stored_sites}
    listed_names = [name for names in unused_names.values() for name in names]
    with_prices = find_priced(connection, listed_names, timeline) if listed_names else set()
    return {
        site: [name for name in names if name in with_prices]
        for site, names in unused_names.items()
    }


def require_market(connection: Connection, market: str) -> None:
    """Check that prices of a market are stored.

    Raises:
        NotFoundError: there are none.
    """
    if (
        connection.scalar(
            select(market_prices.c.market).where(market_prices.c.market == market).limit(1)
        )
        is None
    ):
        raise refuse("no-market-prices", field="series", value=market)


def forget_market(connection: Connection, market: str) -> None:
    """Delete all prices of a market."""
    connection.execute(delete(market_prices).where(market_prices.c.market == market))


def find_versions(
    connection: Connection,
    site: Site,
    timeline: Timeline,
    *,
    known_at: datetime | None,
    now: datetime,
) -> list[PriceVersion | None]:
    """Return the version at ``now`` of a site's price in each quarter-hour.

    It is that of the last price published at or before ``known_at`` (None: ever). Of several
    markets the least certain one counts; None where a price is missing, and where the tariff
    follows none.
    """
    least_certain: list[PriceVersion | None] | None = None
    for name in site.tariff.price_series:
        last = read_last_published(
            connection,
            stored_name(site.name, name),
            timeline,
            currency=site.currency,
            known_at=known_at,
        )
        versions = name_versions(find_publication(name), timeline.starts, last.published_at, now)
        if least_certain is None:
            least_certain = versions
        else:
            least_certain = list(map(less_certain, least_certain, versions))
    return least_certain or [None] * timeline.count


# Slot start, time of publication, price; sorted by slot and publication.
Revisions = tuple[InstantArray, InstantArray, FloatArray]


def read_revisions(
    connection: Connection, market: str, timeline: Timeline, *, currency: str = USUAL_CURRENCY
) -> Revisions:
    """Return all revisions of the prices of ``timeline`` in ``currency``."""
    series = StoredSeries(market, currency)
    return read_revisions_each(connection, [series], timeline)[series]


class LastPublished(NamedTuple):
    """The last published price per slot, and when it was; NaN and NaT where there is none."""

    price: FloatArray
    published_at: InstantArray


def read_last_published(
    connection: Connection,
    market: str,
    timeline: Timeline,
    *,
    currency: str,
    known_at: datetime | None = None,
) -> LastPublished:
    """Return the last published price of each quarter-hour in ``currency``.

    Published at or before ``known_at`` (None: ever).
    """
    starts, published_at, price = read_revisions(connection, market, timeline, currency=currency)
    if known_at is not None:
        moment = to_instant(known_at)
        is_known = published_at <= moment
        starts = starts[is_known]
        published_at = published_at[is_known]
        price = price[is_known]
    place = (starts - timeline.starts[0]) // np.timedelta64(SLOT)
    last = LastPublished(
        np.full(timeline.count, np.nan),
        np.full(timeline.count, np.datetime64("NaT", "us")),
    )
    # Of a slot's revisions, which are in order, the last one stays.
    last.price[place] = price
    last.published_at[place] = published_at
    return last


def read_revisions_each(
    connection: Connection, series: Sequence[StoredSeries], timeline: Timeline
) -> dict[StoredSeries, Revisions]:
    """Return ``read_revisions`` of many series."""
    query = sql.SQL(
        "SELECT requested.number, slot_start, published_at, price FROM {} ORDER BY "
        "requested.number, slot_start, published_at"
    ).format(_stored_of(series, timeline))
    types = {"number": "i8", "slot_start": "M8[s]", "published_at": "M8[us]", "price": "f8"}
    rows = copy.split(copy.read(connection, query, types))
    nothing = {name: np.empty(0, dtype=kind) for name, kind in types.items()}
    parts = {name: rows.get(number, nothing) for number, name in enumerate(series, start=1)}
    return {
        name: (part["slot_start"], part["published_at"], part["price"])
        for name, part in parts.items()
    }
