"""Stores joint scenarios of load, PV and prices, one document per forecast issue."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from luna.energy.outlook import Scenarios
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.platform.database import copy, sites
from luna.platform.database.schema.forecasting import forecast_scenarios

# Tenths of a watt-hour, and hundredths of the currency per MWh: finer than any forecast.
ENERGY_DIGITS = 4
PRICE_DIGITS = 5
PROBABILITY_DIGITS = 6
# Longest horizon of an issue.
REACH = timedelta(days=15)
# PostgreSQL type of each column for COPY.
_COPIED = {
    "site_key": "int4",
    "forecast_version": "text",
    "issued_at": "timestamptz",
    "paths": "jsonb",
}


def save(connection: Connection, site_id: str, scenarios: Scenarios) -> None:
    """Store the scenarios of a forecast issue; those of the same issue are replaced."""
    save_each(connection, {sites.key_of(connection, site_id): [scenarios]})


def save_each(connection: Connection, scenarios: Mapping[int, Sequence[Scenarios]]) -> None:
    """Store the scenarios of many sites by their keys; see ``save``."""
    rows = []
    for key, issued in scenarios.items():
        for issue in issued:
            row = {
                "site_key": key,
                "forecast_version": issue.version,
                "issued_at": issue.issued_at,
                "paths": describe(issue),
            }
            rows.append(row)
    copy.upsert_rows(connection, forecast_scenarios, _COPIED, rows, on_conflict="replace")


def read(
    connection: Connection, site_id: str, timeline: Timeline, *, version: str, known_at: datetime
) -> Scenarios | None:
    """Return the last scenarios issued at or before ``known_at`` on ``timeline``.

    ``timeline`` has quarter-hours; beyond the scenarios' horizon they are NaN.

    None where they do not cover the first slot.
    """
    table = forecast_scenarios.c
    query = select(table.issued_at, table.paths).where(
        table.site_key == sites.key_of(connection, site_id),
        table.forecast_version == version,
        table.issued_at <= known_at,
        table.issued_at > timeline.start - REACH,
    )
    row = connection.execute(query.order_by(table.issued_at.desc()).limit(1)).first()
    if row is None:
        return None
    scenarios = parse(row.paths, row.issued_at.astimezone(UTC), version)
    first = (timeline.start - scenarios.timeline.start) // SLOT
    return _cut(scenarios, timeline, first) if 0 <= first < scenarios.timeline.count else None


def describe(scenarios: Scenarios) -> dict[str, Any]:
    """Return the stored document.

    Energies to 0.1 Wh, prices to 0.01 per MWh, null where unknown.
    """
    return {
        "probability": np.round(scenarios.probability, PROBABILITY_DIGITS).tolist(),
        "load_kwh": _round(scenarios.load_kwh, ENERGY_DIGITS),
        "pv_kwh": _round(scenarios.pv_kwh, ENERGY_DIGITS),
        "spot_price": {
            market: _round(paths, PRICE_DIGITS) for market, paths in scenarios.spot_price.items()
        },
        "reasons": list(scenarios.reasons),
    }


def parse(paths: Mapping[str, Any], issued_at: datetime, version: str) -> Scenarios:
    """Parse the scenarios of a stored document."""
    probability = np.array(paths["probability"], dtype=np.float64)
    load = np.array(paths["load_kwh"], dtype=np.float64)
    spot = {
        market: np.array(values, dtype=np.float64) for market, values in paths["spot_price"].items()
    }
    return Scenarios(
        Timeline(floor_to(issued_at, SLOT), SLOT, load.shape[1]),
        issued_at,
        version,
        probability / probability.sum(),
        load,
        np.array(paths["pv_kwh"], dtype=np.float64),
        spot,
        tuple(paths["reasons"]),
    )


def _round(paths: FloatArray, digits: int) -> list[list[float | None]]:
    rounded = np.round(paths, digits).astype(object)
    rounded[np.isnan(paths)] = None
    listed: list[list[float | None]] = rounded.tolist()
    return listed


def _cut(scenarios: Scenarios, timeline: Timeline, first: int) -> Scenarios:
    def cut(paths: FloatArray) -> FloatArray:
        slots = np.full((paths.shape[0], timeline.count), np.nan)
        covered = paths[:, first : first + timeline.count]
        slots[:, : covered.shape[1]] = covered
        return slots

    spot = {market: cut(paths) for market, paths in scenarios.spot_price.items()}
    load = cut(scenarios.load_kwh)
    pv = cut(scenarios.pv_kwh)
    return Scenarios(
        timeline.whole(),
        scenarios.issued_at,
        scenarios.version,
        scenarios.probability,
        load,
        pv,
        spot,
        scenarios.reasons,
    )
