"""Measured flows, published prices and past forecasts of a timeline."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import price_slots
from luna.energy.observations import ESTIMABLE
from luna.energy.timeline import SLOT, SLOTS_PER_HOUR, FloatArray, Timeline
from luna.platform.database import forecast_activations, forecasts, observations, prices, quality
from services.api.timeline.window import Window


@dataclass(frozen=True, slots=True)
class Measured:
    """Mean powers in kW and states of charge at the ends of a window's slots.

    NaN where nothing was measured.

    ``estimated`` names the flows of each slot that are estimated from a meter's total, None where
    none is.
    """

    flows: dict[str, FloatArray]
    soc: FloatArray
    estimated: list[list[str] | None]

    def end(self, timeline: Timeline) -> datetime | None:
        """Return the end of the last slot with a measured load, None without one."""
        measured_slots = np.flatnonzero(np.isfinite(self.flows["load_kw"]))
        if not measured_slots.size:
            return None
        return timeline.start + (int(measured_slots[-1]) + 1) * SLOT


def power_column(series: str) -> str:
    """Return the name of the timeline's power column for a series of energies."""
    return f"{series.removesuffix('_kwh')}_kw"


def read_measured(connection: Connection, window: Window) -> Measured:
    """Return the measured flows, states of charge and estimated flows of past slots."""
    site_id = window.site.name
    names = observations.MEASURED
    columns = {name: power_column(name) for name in names if name != "soc"}
    measured = dict.fromkeys(names, np.zeros(0))
    estimated: list[list[str] | None] = []
    if window.past:
        past = window.timeline.window(0, window.past)
        measured = observations.read_series(connection, site_id, past, names)
        for mark in quality.read_estimated(connection, site_id, past).tolist():
            estimated_columns = []
            for name, column in columns.items():
                # A mark has a bit for each series that is estimated.
                bit = 1 << ESTIMABLE.index(name)
                if mark & bit:
                    estimated_columns.append(column)
            estimated.append(estimated_columns or None)
    ahead = window.timeline.count - window.past
    unknown = np.full(ahead, np.nan)
    series = {name: np.concatenate([values, unknown]) for name, values in measured.items()}
    flows = {column: series[name] * SLOTS_PER_HOUR for name, column in columns.items()}
    return Measured(flows, series["soc"], [*estimated, *[None] * ahead])


@dataclass(frozen=True, slots=True)
class MeasuredPrices:
    """Import and export price of each slot in currency/kWh.

    From ``published_slots`` on the prices are those that the plan expects.
    """

    import_price: FloatArray
    export_price: FloatArray
    published_slots: int


def read_prices(
    connection: Connection, window: Window, expected: tuple[FloatArray, FloatArray]
) -> MeasuredPrices:
    """Return the published prices, and the ``expected`` ones where none is published."""
    site = window.site
    timeline = window.timeline
    spot = prices.read_tariff(connection, site, timeline, known_at=window.now)
    import_price, export_price = price_slots(
        site.tariff, timeline, zone=window.numbers.zone, spot=spot
    )
    expected_import, expected_export = expected
    published = np.flatnonzero(np.isfinite(import_price))
    published_slots = int(published[-1]) + 1 if published.size else 0
    return MeasuredPrices(
        np.where(np.isfinite(import_price), import_price, expected_import),
        np.where(np.isfinite(export_price), export_price, expected_export),
        published_slots,
    )


def read_expected(connection: Connection, window: Window) -> dict[str, FloatArray]:
    """Return the load and PV in kW that forecasts expected of each past slot.

    A slot's forecast is the one in force at its start; NaN where there was none.
    """
    version = forecast_activations.find_active(connection, window.site).forecast_version
    past = window.timeline.window(0, max(window.past, 1))
    issued = (past.start - forecasts.REACH, window.now)
    ahead = np.full(window.timeline.count - past.count, np.nan)
    expected = {}
    for name in ("load", "pv"):
        energies = forecasts.read_latest(
            connection,
            window.site.name,
            past,
            version=version,
            issued=issued,
            column=f"{name}_kwh",
        )
        expected[f"{name}_kw"] = np.concatenate([energies * SLOTS_PER_HOUR, ahead])
    return expected
