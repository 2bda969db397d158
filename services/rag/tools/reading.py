"""A site's stored series over a period, and charts of them."""

from datetime import UTC, datetime, timedelta
from math import fsum
from typing import Literal, get_args

import numpy as np

from luna.contracts.site_tools import Chart, ChartSeries, Quantity, ToolSource, Unit
from luna.energy.buckets import RESOLUTIONS, find_buckets, reduce_buckets
from luna.energy.economics.prices import price_slots
from luna.energy.series_query import write_instants
from luna.energy.timeline import FloatArray, Timeline
from luna.platform.database import observations, prices
from services.rag.tools.declaration import ToolContext
from services.rag.tools.telling import Teller

MOST_POINTS = 400
PriceKind = Literal["import", "export", "spot", "grid"]
# As the gateway writes a price.
PRICE_DECIMALS = 6
Kind = Literal["line", "step", "bar"]
# Prices are of one quantity whatever they are made of; what is paid for feed-in is another.
PRICES = {"import_price": "price", "spot_price": "price", "export_price": "sell-price"}
Column = tuple[str, Unit, Kind, FloatArray, str]


def read_energies(
    context: ToolContext, timeline: Timeline, names: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return energies per quarter-hour, NaN where unknown.

    Values filled to a meter's total are included.
    """
    return observations.read_series(context.connection, context.site.name, timeline, names)


def read_prices(
    context: ToolContext, timeline: Timeline, kind: PriceKind, market: str | None = None
) -> FloatArray:
    """Return a market's prices, or the tariff's as the gateway rounds them.

    Per quarter-hour, NaN where unknown.
    """
    if market is not None:
        return prices.read(context.connection, market, timeline, currency=context.site.currency)
    spot = prices.read_tariff(context.connection, context.site, timeline)
    imported, exported = price_slots(context.site.tariff, timeline, zone=context.zone, spot=spot)
    values = imported if kind == "import" else exported
    return np.array([round(value, PRICE_DECIMALS) for value in values.tolist()])


def sum_finite(values: FloatArray) -> float:
    """Return the exact sum of the known values."""
    return fsum(values[np.isfinite(values)].tolist())


def mean_finite(values: FloatArray) -> float:
    """Return the mean of the known values; at least one must be known."""
    finite = values[np.isfinite(values)].tolist()
    return fsum(finite) / len(finite)


def share_finite(values: FloatArray) -> float:
    """Return the share of slots with a known value."""
    return float(np.isfinite(values).mean())


def slot_start(timeline: Timeline, place: int) -> datetime:
    """Return the start of a slot."""
    return timeline.start + place * timeline.step


def choose_resolution(timeline: Timeline) -> timedelta:
    """Return the finest resolution with fewer than ``MOST_POINTS`` points, at most a day."""
    lengths = {length for length in RESOLUTIONS.values() if length >= timeline.step}
    for length in sorted(lengths | {timeline.step}):
        points = -(-timeline.count * timeline.step // length)
        if points < MOST_POINTS:
            return length
    return RESOLUTIONS["1d"]


def name_quantity(column: str) -> Quantity | None:
    """Return the quantity of a column; None where charts have no colour for it."""
    name = PRICES.get(column, column)
    quantities: tuple[Quantity, ...] = get_args(Quantity)
    for quantity in quantities:
        if quantity == name:
            return quantity
    return None


def draw(teller: Teller, code: str, timeline: Timeline, columns: list[Column]) -> Chart:
    """Return a chart of columns (name, unit, kind, values per slot, aggregate).

    A sum with an unknown part is unknown.
    """
    length = choose_resolution(timeline)
    is_reduced = length != timeline.step
    begins = np.arange(timeline.count)
    if is_reduced:
        begins = find_buckets(timeline.starts, length, teller.numbers.zone)
    series = []
    for name, unit, kind, values, aggregate in columns:
        shown = reduce_buckets(values, begins, aggregate)[0] if is_reduced else values
        known = [None if np.isnan(value) else value for value in shown.tolist()]
        series.append(
            ChartSeries(
                name=teller.phrase(f"series_{name}"),
                unit=unit,
                kind=kind,
                values=known,
                quantity=name_quantity(name),
            )
        )
    return Chart(
        title=teller.phrase(code), starts=write_instants(timeline.starts[begins]), series=series
    )


def series_source(context: ToolContext, series: str, timeline: Timeline) -> ToolSource:
    """Return the source of a stored series: its route of the API."""
    what = f"series {series} of site {context.site.name}"
    return _source(context, what, f"series/{series}", timeline)


def price_source(context: ToolContext, timeline: Timeline) -> ToolSource:
    """Return the source of the site's tariff prices: their route of the API."""
    return _source(context, f"prices by the tariff of site {context.site.name}", "prices", timeline)


def _source(context: ToolContext, what: str, path: str, timeline: Timeline) -> ToolSource:
    first = f"{timeline.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    end = f"{timeline.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return ToolSource(
        what=what,
        period=f"{first}/{end}",
        path=f"/v1/sites/{context.site.name}/{path}?from={first}&to={end}",
    )
