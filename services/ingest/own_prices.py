"""A site's own prices: kept as those of a market are, so that a tariff of kind ``series`` and every backtest read what was known when."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.energy.economics.prices import publication_times
from luna.energy.site import OWN, SeriesPrice, Site
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to, parse_zone
from luna.platform.database import prices

# Prices are written in ten thousandths at the finest: what differs by less was rounded.
ROUNDING_PRICE = 5e-6
SIDES = {"import_price": "import", "export_price": "export"}


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """A site's own prices of quarter-hours, as they were handed over.

    Args:
        starts: slot starts; each once, or once for each publication.
        series: ``import_price`` and ``export_price``, currency/kWh, NaN where unknown.
        published_at: as the file says, shape of ``starts``; None: as ``date_prices`` says.
        received_at: when the file came; None: long after its prices were published.
    """

    starts: InstantArray
    series: Mapping[str, FloatArray]
    published_at: InstantArray | None = None
    received_at: datetime | None = None


def store_own_prices(connection: Connection, site: Site, own: OwnPrices) -> None:
    """Keep a site's own prices with the instant at which each became known."""
    zone = parse_zone(site.timezone)
    for column, price in own.series.items():
        stored = prices.stored_name(site.name, f"{OWN}{column}")
        if own.published_at is None:
            stored_price = read_at(connection, prices.StoredSeries(stored, site.currency), own.starts)
            chosen, published_at = date_prices(own.starts, price, stored_price, zone=zone, received_at=own.received_at)
        else:
            chosen, published_at = np.isfinite(price), own.published_at
        prices.upsert(connection, stored, starts=own.starts[chosen], price=price[chosen], currency=site.currency, published_at=published_at[chosen])


def read_at(connection: Connection, stored: prices.StoredSeries, starts: InstantArray) -> FloatArray:
    """Return the price of each slot as last published, NaN where none is stored."""
    first, last = (edge.astype("datetime64[s]").astype(datetime).replace(tzinfo=UTC) for edge in (starts.min(), starts.max()))
    timeline = Timeline(first, SLOT, (last - first) // SLOT + 1)
    place = ((starts.astype("datetime64[s]") - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    stored_price: FloatArray = prices.read(connection, stored.name, timeline, currency=stored.currency)[place]
    return stored_price


def date_prices(
    starts: InstantArray, price: FloatArray, stored: FloatArray, *, zone: ZoneInfo, received_at: datetime | None
) -> tuple[NDArray[np.bool_], InstantArray]:
    """Return which prices say something new, and when each of them became known.

    A price of a slot of which none is stored became known when day-ahead prices are published, or when it came where that was earlier; another one than the
    stored one when it came. Plans begin with a slot, so what comes within one counts as known at its start.

    Args:
        starts: slot starts, each once, shape ``(slots,)``.
        price: currency/kWh, NaN where unknown, shape ``(slots,)``.
        stored: what is stored, NaN where nothing is, shape ``(slots,)``.
        zone: of the site.
        received_at: when the prices came; None: long after they were published.

    Invariants: what is equal to the stored price, but for rounding, is not new; nothing is dated after ``received_at``.
    """
    usual = publication_times(starts, zone)
    is_new = np.isfinite(price) & np.isnan(stored)
    is_revision = np.isfinite(price) & np.isfinite(stored) & (np.abs(price - stored) > ROUNDING_PRICE)
    if received_at is None:
        return is_new | is_revision, usual
    came = np.datetime64(floor_to(received_at, SLOT).replace(tzinfo=None), "us")
    return is_new | is_revision, np.where(is_revision, came, np.minimum(usual, came))


def last_published(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each slot's row once, that of its last publication."""
    return rows.sort("instant", "published_at").unique("instant", keep="last", maintain_order=True) if "published_at" in rows.columns else rows


def tell_unused(site: Site, columns: Collection[str]) -> list[str]:
    """Return notes on loaded prices that the site's tariff leaves unused."""
    rules = {"import_price": site.tariff.import_, "export_price": site.tariff.export}
    unused = [name for name in SIDES if name in columns and not isinstance(rules[name], SeriesPrice)]
    if not unused:
        return []
    kinds = f"{site.tariff.import_.kind} for what is bought, {site.tariff.export.kind} for what is sold"
    change = ", ".join(f"tariff.{SIDES[name]}: {{kind: series}}" for name in unused)
    return [f"Plans do not use {' and '.join(unused)}: the site's tariff is {kinds}. To plan by them, write {change} in the site's file."]
