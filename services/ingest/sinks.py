"""Where the rows of each kind go."""

from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.database import environment, history_changes, observations, prices, quality, readings
from luna.database.copy import Written
from luna.database.history_changes import Rule
from luna.economics import publication_times
from luna.errors import InvalidInputError
from luna.observations import SERIES
from luna.site import Site, SpotPrice
from luna.timeline import FloatArray, InstantArray, parse_zone
from services.ingest.kinds import Kind
from services.ingest.own_prices import OwnPrices, last_published, store_own_prices

LOADED = Rule("loaded from a file", fills=False)


def store(connection: Connection, site: Site, kind: Kind, rows: pl.DataFrame, *, received_at: datetime | None = None) -> Written:
    """Store accepted rows: quarter-hours, or instants where the kind is sampled.

    Args:
        connection: to the database.
        site: whose rows they are.
        kind: of the rows.
        rows: accepted.
        received_at: when they came; None: long after what they say was known.

    Raises:
        InvalidInputError: market prices for a site whose tariff names no market.
    """
    if kind.name == "readings":
        return _store_readings(connection, site, rows)
    starts, values = columns_of(kind, rows)
    if kind.name == "prices" and "spot_price" in values:
        return _store_spot_prices(connection, site, rows, starts=starts, price=values["spot_price"])
    if kind.name == "prices":
        published_at = _instants(rows["published_at"]) if "published_at" in rows.columns else None
        store_own_prices(connection, site, OwnPrices(starts, values, published_at, received_at))
        starts, values = columns_of(kind, last_published(rows))
    if kind.name in {"observations", "prices"}:
        return _store_slots(connection, site, starts, values)
    table = "weather" if kind.name == "weather" else "carbon_intensity"
    issued_at = _instants(rows["issued_at"]) if "issued_at" in rows.columns else None
    return environment.upsert(connection, table, site.name, starts, values=values, issued_at=issued_at)


def _store_slots(connection: Connection, site: Site, starts: InstantArray, values: dict[str, FloatArray]) -> Written:
    """Store a site's slots, tell what changed of the past, and let what is measured now no longer count as repaired."""
    history_changes.tell_observations(connection, site.name, starts, values, rule=LOADED)
    written = observations.write(connection, site.name, starts, values)
    for name in set(values) & set(SERIES) if written.updated else ():
        quality.mark_repaired(connection, site.name, name, starts[np.isfinite(values[name])], repaired=False)
    return written


def columns_of(kind: Kind, rows: pl.DataFrame) -> tuple[InstantArray, dict[str, FloatArray]]:
    """Return the instants of accepted rows, and their series, NaN where unknown."""
    return _instants(rows["instant"]), {name: _floats(rows[name]) for name in kind.series if name in rows.columns}


def find_market(site: Site) -> str:
    """Return the market whose prices the site pays or earns.

    Raises:
        InvalidInputError: its tariff names none.
    """
    market = next((rule.market for rule in (site.tariff.import_, site.tariff.export) if isinstance(rule, SpotPrice)), None)
    if market is None:
        raise InvalidInputError(
            "the site's tariff names no market", field="spot_price", value=site.name, remedy="Give import_price instead, or a tariff of kind spot."
        )
    return market


def _store_spot_prices(connection: Connection, site: Site, rows: pl.DataFrame, *, starts: InstantArray, price: FloatArray) -> Written:
    published_at = _instants(rows["published_at"]) if "published_at" in rows.columns else publication_times(starts, parse_zone(site.timezone))
    return prices.upsert(connection, find_market(site), starts=starts, price=price, currency=site.currency, published_at=published_at)


def _store_readings(connection: Connection, site: Site, rows: pl.DataFrame) -> Written:
    units = rows.group_by("sensor").agg(pl.col("unit").drop_nulls().first()) if "unit" in rows.columns else rows.select(pl.col("sensor").unique(), unit=None)
    numbers = readings.register(connection, site.name, dict(units.iter_rows()))
    keys: NDArray[np.int32] = rows["sensor"].replace_strict(numbers, return_dtype=pl.Int32).to_numpy()
    return readings.upsert(connection, keys, _instants(rows["instant"]), _floats(rows["value"]))


def _instants(column: pl.Series) -> InstantArray:
    return column.dt.replace_time_zone(None).to_numpy()


def _floats(column: pl.Series) -> FloatArray:
    return column.fill_null(np.nan).to_numpy()
