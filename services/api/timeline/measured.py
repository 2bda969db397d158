"""Measured flows, published prices and past forecasts: the parts of a timeline that do not come
from plans.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import price_slots
from luna.energy.observations import ESTIMABLE
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import forecast_activations, forecasts, observations, prices, quality
from services.api.timeline.window import Window

PER_HOUR = 4.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Mean powers in kW and the state of charge at each slot's end, for all slots of a window.

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
        return (
            timeline.start + (int(measured_slots[-1]) + 1) * SLOT if measured_slots.size else None
        )


def power_column(series: str) -> str:
    """Return the name of the timeline's power column for a series of energies."""
    return f"{series.removesuffix('_kwh')}_kw"


def read_measured(connection: Connection, window: Window) -> Measured:
    """Return the measured flows and state of charge of past slots, and which flows are
    estimated.
    """
    names = observations.MEASURED
    past = window.past
    unknown = np.full(window.timeline.count - past, np.nan)
    measured = (
        observations.read_series(
            connection, window.site.name, window.timeline.window(0, past), names
        )
        if past
        else dict.fromkeys(names, np.zeros(0))
    )
    series = {name: np.concatenate([values, unknown]) for name, values in measured.items()}
    flows = {name: power_column(name) for name in names if name != "soc"}
    marks = (
        quality.read_estimated(
            connection, window.site.name, window.timeline.window(0, past)
        ).tolist()
        if past
        else []
    )
    estimated = [
        [flow for name, flow in flows.items() if mark >> ESTIMABLE.index(name) & 1] or None
        for mark in marks
    ]
    return Measured(
        {flow: series[name] * PER_HOUR for name, flow in flows.items()},
        series["soc"],
        [*estimated, *[None] * unknown.size],
    )


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
    published = price_slots(site.tariff, timeline, zone=window.numbers.zone, spot=spot)
    there = np.flatnonzero(np.isfinite(published[0]))
    imported, exported = (
        np.where(np.isfinite(price), price, plan)
        for price, plan in zip(published, expected, strict=True)
    )
    return MeasuredPrices(imported, exported, int(there[-1]) + 1 if there.size else 0)


def read_expected(connection: Connection, window: Window) -> dict[str, FloatArray]:
    """Return the load and PV in kW that the forecast in force at the start of each past slot
    expected; NaN where there was none.
    """
    version = forecast_activations.find_active(connection, window.site).forecast_version
    past = window.timeline.window(0, max(window.past, 1))
    issued = (past.start - forecasts.REACH, window.now)
    read_column = partial(
        forecasts.read_latest, connection, window.site.name, past, version=version, issued=issued
    )
    spans = {name: read_column(column=f"{name}_kwh") for name in ("load", "pv")}
    ahead = np.full(window.timeline.count - past.count, np.nan)
    return {
        f"{name}_kw": np.concatenate([values * PER_HOUR, ahead]) for name, values in spans.items()
    }
