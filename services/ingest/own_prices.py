"""A site's own prices, stored like a market's with their instant of publication.

Tariffs of kind ``series`` and backtests without look-ahead need them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.energy.economics.prices import publication_times
from luna.energy.site import OWN, Site
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    InstantArray,
    Timeline,
    floor_to,
    parse_zone,
    to_instant,
    to_utc,
)
from luna.platform.database import prices

# Half of a hundred-thousandth: smaller differences are rounding.
ROUNDING_PRICE = 5e-6
SIDES = {"import_price": "import", "export_price": "export"}


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """A site's own prices per quarter-hour, as loaded.

    Args:
        starts: slot starts; each once, or once per publication.
        series: ``import_price`` and ``export_price``, currency/kWh, NaN where unknown.
        published_at: as stated by the file, shape of ``starts``; None: derived by ``date_prices``.
        received_at: when the file came; None: long after its prices were published.
    """

    starts: InstantArray
    series: Mapping[str, FloatArray]
    published_at: InstantArray | None = None
    received_at: datetime | None = None


def store_own_prices(connection: Connection, site: Site, own: OwnPrices) -> None:
    """Store a site's own prices with the instant at which each became known."""
    zone = parse_zone(site.timezone)
    for column, price in own.series.items():
        stored = prices.stored_name(site.name, f"{OWN}{column}")
        if own.published_at is None:
            stored_price = read_at(
                connection, prices.StoredSeries(stored, site.currency), own.starts
            )
            chosen, published_at = date_prices(
                own.starts, price, stored_price, zone=zone, received_at=own.received_at
            )
        else:
            chosen = np.isfinite(price)
            published_at = own.published_at
        prices.upsert(
            connection,
            stored,
            starts=own.starts[chosen],
            price=price[chosen],
            currency=site.currency,
            published_at=published_at[chosen],
        )


def read_at(
    connection: Connection, stored: prices.StoredSeries, starts: InstantArray
) -> FloatArray:
    """Return the price of each slot as last published, NaN where none is stored."""
    first = to_utc(starts.min())
    last = to_utc(starts.max())
    timeline = Timeline(first, SLOT, (last - first) // SLOT + 1)
    place = ((starts.astype("datetime64[s]") - timeline.starts[0]) // np.timedelta64(SLOT)).astype(
        np.int64
    )
    stored_price: FloatArray = prices.read(
        connection, stored.name, timeline, currency=stored.currency
    )[place]
    return stored_price


def date_prices(
    starts: InstantArray,
    price: FloatArray,
    stored: FloatArray,
    *,
    zone: ZoneInfo,
    received_at: datetime | None,
) -> tuple[NDArray[np.bool_], InstantArray]:
    """Return which prices are new or revised, and when each of them became known.

    A new price became known at the usual publication of day-ahead prices, or on receipt if that was
    earlier; a revised one on receipt, rounded down to the slot's start, for plans begin with a
    slot.

    Args:
        starts: slot starts, each once, shape ``(slots,)``.
        price: currency/kWh, NaN where unknown, shape ``(slots,)``.
        stored: stored prices, NaN where none, shape ``(slots,)``.
        zone: of the site.
        received_at: instant of receipt; None: long after publication, and every price counts as
            known at the usual time.

    Invariants: a price equal to the stored one up to rounding is not new; nothing is dated after
        ``received_at``.
    """
    usual = publication_times(starts, zone)
    is_new = np.isfinite(price) & np.isnan(stored)
    is_revision = (
        np.isfinite(price) & np.isfinite(stored) & (np.abs(price - stored) > ROUNDING_PRICE)
    )
    if received_at is None:
        return is_new | is_revision, usual
    came = to_instant(floor_to(received_at, SLOT))
    return is_new | is_revision, np.where(is_revision, came, np.minimum(usual, came))


def last_published(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the row of each slot's last publication."""
    if "published_at" not in rows.columns:
        return rows
    by_publication = rows.sort("instant", "published_at")
    return by_publication.unique("instant", keep="last", maintain_order=True)


def tell_unused(site: Site, columns: Collection[str]) -> list[str]:
    """Return notes on loaded prices that the site's tariff leaves unused."""
    rules = {"import_price": site.tariff.import_, "export_price": site.tariff.export}
    unused = [name for name in SIDES if name in columns and not rules[name].reads_own_series]
    if not unused:
        return []
    kinds = (
        f"{site.tariff.import_.kind} for what is bought, {site.tariff.export.kind} for what is sold"
    )
    change = ", ".join(f"tariff.{SIDES[name]}: {{kind: series}}" for name in unused)
    return [
        (
            f"Plans do not use {' and '.join(unused)}: the site's tariff is {kinds}. To plan "
            f"by them, write {change} in the site's file."
        )
    ]
