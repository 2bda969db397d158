"""Storing of a file's accepted rows, sorted by time spans on disk."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.energy.economics.prices import publication_times
from luna.energy.market_publication import find_publication
from luna.energy.observations import SERIES
from luna.energy.refusals import refuse
from luna.energy.site import Site
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
from luna.energy.units import NOT_SAID, StatedUnits
from luna.platform.database import (
    history_changes,
    observations,
    prices,
    quality,
    readings,
    weather_carbon,
)
from luna.platform.database.copy import Written
from luna.platform.database.history_changes import Revision, Rule
from services.ingest.file_schema import FileSchema
from services.ingest.own_prices import OwnPrices, last_published, store_own_prices


class Spill:
    """External sort of rows by time span.

    A span fits into memory and holds whole days, so that no slot is in two.
    """

    def __init__(self, folder: Path, span: timedelta) -> None:
        self.folder = folder
        self.span = span
        self._rows: defaultdict[int, list[Path]] = defaultdict(list)
        self._instants: defaultdict[int, list[Path]] = defaultdict(list)
        self._written = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Write rows with a column ``instant`` to their spans."""
        for span, path in self._write(rows):
            self._rows[span].append(path)
            self._instants[span].append(path)

    def add_instants(self, instants: pl.Series) -> None:
        """Record instants of unusable rows, which count for the file's step."""
        for span, path in self._write(pl.DataFrame(instants.alias("instant").drop_nulls())):
            self._instants[span].append(path)

    @property
    def spans(self) -> list[int]:
        """The spans with rows, in order of time."""
        return sorted(self._rows)

    def read(self, span: int) -> pl.DataFrame:
        """Return the rows of a span in order of arrival."""
        return pl.concat([pl.read_ipc(path) for path in self._rows[span]], how="diagonal")

    def read_instants(self, span: int) -> pl.Series:
        """Return the distinct instants of a span, ascending, including those of unusable rows."""
        return (
            pl.concat([pl.read_ipc(path, columns=["instant"]) for path in self._instants[span]])[
                "instant"
            ]
            .unique()
            .sort()
        )

    def _write(self, rows: pl.DataFrame) -> Iterator[tuple[int, Path]]:
        span = (pl.col("instant").dt.epoch("s") // int(self.span.total_seconds())).alias("span")
        for part in rows.with_columns(span).partition_by("span"):
            path = self.folder / f"{self._written}.arrow"
            try:
                part.drop("span").write_ipc(path)
            except OSError as exc:
                raise refuse(
                    "temporary-files-unwritable",
                    field="TMPDIR",
                    value=str(self.folder.parent),
                    why=exc,
                ) from exc
            self._written += 1
            yield part["span"][0], path


LOADED = Rule("loaded from a file", fills=False)


def store(
    connection: Connection,
    site: Site,
    kind: FileSchema,
    rows: pl.DataFrame,
    *,
    received_at: datetime | None = None,
) -> Written:
    """Store accepted rows: slots, or instants where the kind is sampled.

    Args:
        connection: to the database.
        site: of the rows.
        kind: of the rows.
        rows: accepted.
        received_at: when they came; None: long after their values were known.

    Raises:
        InvalidInputError: market prices for a site whose tariff names no market.
    """
    if kind.name == "readings":
        numbers = readings.register(connection, site.name, dict.fromkeys(rows["sensor"].unique()))
        keys: NDArray[np.int32] = (
            rows["sensor"].replace_strict(numbers, return_dtype=pl.Int32).to_numpy()
        )
        stated = None
        if "unit" in rows.columns:
            names = tuple(rows["unit"].drop_nulls().unique().sort())
            codes = rows["unit"].replace_strict(
                {name: code for code, name in enumerate(names)},
                default=NOT_SAID,
                return_dtype=pl.Int64,
            )
            stated = StatedUnits(names, codes.to_numpy())
        return readings.upsert(
            connection, keys, _instants(rows["instant"]), _floats(rows["value"]), units=stated
        )
    starts, values = columns_of(kind, rows)
    if kind.name == "prices" and "spot_price" in values:
        return store_spot_prices(
            connection, site, rows, rule=LOADED, received_at=received_at
        ).written
    if kind.name == "prices":
        published_at = _instants(rows["published_at"]) if "published_at" in rows.columns else None
        store_own_prices(connection, site, OwnPrices(starts, values, published_at, received_at))
        starts, values = columns_of(kind, last_published(rows))
    if kind.name in {"observations", "prices"}:
        history_changes.record_observations(connection, site.name, starts, values, rule=LOADED)
        written = observations.write(connection, site.name, starts, values)
        # Measured values clear the repaired mark.
        for name in set(values) & set(SERIES) if written.updated else ():
            quality.mark_repaired(
                connection, site.name, name, starts[np.isfinite(values[name])], repaired=False
            )
        return written
    table = "weather" if kind.name == "weather" else "carbon_intensity"
    issued_at = _instants(rows["issued_at"]) if "issued_at" in rows.columns else None
    return weather_carbon.upsert(
        connection, table, site.name, starts, values=values, issued_at=issued_at
    )


class StoredSpotPrices(NamedTuple):
    """Written prices of a market, and the number of changes recorded."""

    written: Written
    changed: int


def store_spot_prices(
    connection: Connection,
    site: Site,
    rows: pl.DataFrame,
    *,
    rule: Rule,
    received_at: datetime | None = None,
) -> StoredSpotPrices:
    """Store accepted prices of the market of a site's tariff, and record what they change.

    Without ``published_at`` a price is known since its usual publication, or since it was received
    if that was earlier.

    Args:
        connection: to the database.
        site: of the rows.
        rows: accepted, with ``spot_price``.
        rule: which changes them.
        received_at: when they came; None: long after their publication.

    Raises:
        InvalidInputError: the site's tariff names no market.
    """
    market = find_market(site)
    starts = _instants(rows["instant"])
    if "published_at" in rows.columns:
        published_at = _instants(rows["published_at"])
    elif find_publication(market) == "day_ahead":
        published_at = publication_times(starts, parse_zone(site.timezone))
    else:
        # What was paid is known once the quarter-hour is over.
        published_at = starts + np.timedelta64(SLOT)
    if received_at is not None and "published_at" not in rows.columns:
        published_at = np.minimum(published_at, to_instant(floor_to(received_at, SLOT)))
    first = to_utc(starts.min())
    last = to_utc(starts.max())
    slots = Timeline(first, SLOT, (last - first) // SLOT + 1)
    before = prices.read(connection, market, slots, currency=site.currency)
    written = prices.upsert(
        connection,
        market,
        starts=starts,
        price=_floats(rows["spot_price"]),
        currency=site.currency,
        published_at=published_at,
    )
    changed = 0
    if written.inserted or written.updated:
        after = prices.read(connection, market, slots, currency=site.currency)
        revision = Revision(history_changes.name_market(market), slots.starts, before, after)
        changed = history_changes.record(connection, site.name, revision, rule=rule)
    return StoredSpotPrices(written, changed)


def columns_of(kind: FileSchema, rows: pl.DataFrame) -> tuple[InstantArray, dict[str, FloatArray]]:
    """Return instants and series of accepted rows, NaN where unknown."""
    return _instants(rows["instant"]), {
        name: _floats(rows[name]) for name in kind.series if name in rows.columns
    }


def find_market(site: Site) -> str:
    """Return the market of the site's tariff.

    Raises:
        InvalidInputError: the tariff names none.
    """
    markets = [*site.tariff.import_.markets, *site.tariff.export.markets]
    if not markets:
        raise refuse("tariff-without-market", field="spot_price", value=site.name)
    return markets[0]


def _instants(column: pl.Series) -> InstantArray:
    return column.dt.replace_time_zone(None).to_numpy()


def _floats(column: pl.Series) -> FloatArray:
    return column.fill_null(np.nan).to_numpy()
