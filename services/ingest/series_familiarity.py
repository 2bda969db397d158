"""A file's prices and energies beside what is stored of the same series: another unit shows there, also on a day whose numbers look like any other's."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sqlalchemy import Connection

from luna.energy.errors import LunaError
from luna.energy.observations import SERIES
from luna.energy.plausibility import UnitDoubt, doubt_energies, doubt_prices, find_usual
from luna.energy.refusals import refuse
from luna.energy.resolution import kind_of
from luna.energy.site import OWN, Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.platform.database import observations, prices
from services.ingest.row_store import find_market

LOOKED_BACK = timedelta(weeks=4)
PRICES = ("spot_price", "import_price", "export_price")
_SHARES = {0.5: "half", 0.1: "a tenth"}


def require_familiar(connection: Connection, site: Site, rows: pl.DataFrame, step: timedelta) -> None:
    """Refuse rows whose values are hardly in the unit in which they were read.

    Args:
        connection: to what is stored.
        site: whose rows they are.
        rows: ``instant`` and the series to judge, not those whose unit a person said.
        step: how long a slot of the rows is.

    Raises:
        InvalidInputError: they are far from anything known; names both numbers, the units suspected, and how to say which is right.
    """
    if not rows.height:
        return
    for name in (name for name in rows.columns if name in PRICES or (name in SERIES and kind_of(name) == "energy")):
        values = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        # The weeks before the instants; those after them where too little is stored, as when older files follow.
        instants = rows["instant"]
        first, last = (floor_to(instant, SLOT) for instant in (instants.min(), instants.max()) if isinstance(instant, datetime))
        before = _read(connection, site, name, first.astimezone(UTC) - LOOKED_BACK)
        stored = before if find_usual(before) is not None else _read(connection, site, name, last.astimezone(UTC) + SLOT)
        is_price = name in PRICES
        # What is stored is by the quarter-hour: an hour of the same power is four times as much.
        doubt = doubt_prices(values, stored, site.currency) if is_price else doubt_energies(values, stored * (step / SLOT), hours=step / timedelta(hours=1))
        if doubt is not None:
            raise describe_doubt(name, doubt, f"{site.currency}/kWh" if is_price else "kWh")


def _read(connection: Connection, site: Site, name: str, start: datetime) -> FloatArray:
    weeks = Timeline(start, SLOT, LOOKED_BACK // SLOT)
    if name not in PRICES:
        return observations.read_series(connection, site.name, weeks, (name,))[name]
    stored = find_market(site) if name == "spot_price" else prices.stored_name(site.name, f"{OWN}{name}")
    return prices.read(connection, stored, weeks, currency=site.currency)


def describe_doubt(name: str, doubt: UnitDoubt, unit: str) -> LunaError:
    """Return the refusal of a series that is hardly in ``unit``."""
    figures = {
        "share": _SHARES[doubt.share],
        "reached": _short(doubt.value),
        "times": round(doubt.times),
        "known": _short(doubt.known),
        "name": name,
        "unit": unit,
    }
    reason = "unit-unlike-before" if doubt.basis == "stored" else "unit-unlike-markets"
    suspected = " or ".join(doubt.units)
    return refuse(reason, field=name, value=f"{doubt.value:.4g}", **figures, suspected=suspected, other=doubt.units[0])


def _short(value: float) -> float:
    return float(f"{value:.4g}")
