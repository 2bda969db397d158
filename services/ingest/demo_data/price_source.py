"""Dutch day-ahead prices out of ev2gym: hourly, EUR/MWh, with the file's peculiarities named and handled."""

import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from luna.timeline import FloatArray, InstantArray, Timeline, align

ZONE = ZoneInfo("Europe/Amsterdam")
MEMBER = "ev2gym/data/Netherlands_day-ahead-2015-2024.csv"
_INSTANT, _PRICE = "Datetime (UTC)", "Price (EUR/MWhe)"


def read_prices(wheel: Path, hours: Timeline) -> tuple[FloatArray, int]:
    """Return the hourly prices, EUR/kWh, shape ``(hours,)``, and how many were missing and filled.

    The file writes ISO dates until September 2023, then one blank row, then day/month/year dates from January 2023 on: the
    months that stand twice agree, and the later writing counts. A missing hour becomes the mean of its neighbours.
    """
    with zipfile.ZipFile(wheel) as archive:
        table = pl.read_csv(archive.read(MEMBER), columns=[_INSTANT, _PRICE], schema_overrides={_INSTANT: pl.String, _PRICE: pl.Float64})
    starts, price = parse_prices(table)
    price = align(starts, price, hours)
    missing = np.isnan(price)
    slots = np.arange(price.size)
    return np.interp(slots, slots[~missing], price[~missing]), int(missing.sum())


def parse_prices(table: pl.DataFrame) -> tuple[InstantArray, FloatArray]:
    """Return instants, strictly ascending, and prices in EUR/kWh of the file's rows."""
    written = pl.col(_INSTANT)
    iso, german = (written.str.to_datetime(pattern, strict=False) for pattern in ("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"))
    rows = table.select(instant=pl.coalesce(iso, german), price=pl.col(_PRICE) / 1000).drop_nulls()
    rows = rows.unique("instant", keep="last").sort("instant")
    return rows["instant"].to_numpy().astype("datetime64[s]"), rows["price"].to_numpy().astype(np.float64)
