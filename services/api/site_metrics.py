"""Prometheus metrics of sites: power, state of charge, prices and cost.

Freshness and quality of data, forecast errors, savings.

Every site is a label, hence a time series of its own; to bound their number only ``MOST_SITES``
sites have one: for freshness those with the oldest data, for the rest the first by name.
"""

import math
import time
from datetime import datetime, timedelta

from prometheus_client import Gauge
from sqlalchemy import Connection

from luna.energy.site import Site
from luna.house.site_present import read_present
from luna.platform.database import site_figures, sites
from luna.platform.database.sites import StoredSite

MOST_SITES = 100
# These change once a day, and reading a month of scores takes a while.
JUDGED_EVERY = timedelta(minutes=15)
# These change with each quarter-hour, which is built some time after its end.
PRESENT_EVERY = timedelta(minutes=1)

NEWEST_OBSERVATION = Gauge(
    "luna_ingest_newest_observation_seconds",
    "When a site's newest quarter-hour began of which anything was measured, Unix time; 0 "
    "without any.",
    ["site"],
)
RESIDUAL = Gauge(
    "luna_ingest_balance_residual_ratio",
    "What a site's meters leave unexplained of the last day's load, share of it.",
    ["site"],
)
EXCLUDED_DAYS = Gauge(
    "luna_ingest_excluded_days", "Days of the last thirty whose data are not trusted.", ["site"]
)
FORECAST_ERROR = Gauge(
    "luna_forecaster_pinball_kwh",
    "Mean pinball loss on the last day scored of the version that drives the planner.",
    ["site", "series"],
)
USUAL_ERROR = Gauge(
    "luna_forecaster_usual_pinball_kwh",
    "Median of the same over the thirty days before.",
    ["site", "series"],
)
SAVED = Gauge(
    "luna_savings_money",
    "What Luna saved over the inverter alone on those of the last thirty days that it controlled.",
    ["site", "currency"],
)
UNREADABLE = Gauge(
    "luna_site_unreadable_bool",
    "Whether a stored site cannot be read by this release: 1; other sites have none.",
    ["site"],
)
SAVED_DAYS = Gauge(
    "luna_savings_days",
    "Days of the last thirty that count for savings and on which Luna was in control.",
    ["site"],
)

POWER = Gauge(
    "luna_site_power_kw",
    "Mean power of a flow in the last quarter-hour that is known, as the account has it.",
    ["site", "flow"],
)
SOC = Gauge(
    "luna_site_battery_soc_ratio", "State of charge of all batteries together, 0 to 1.", ["site"]
)
PRICE = Gauge(
    "luna_site_price_per_kwh",
    "Price of the running quarter-hour, bought (import) or sold (export).",
    ["site", "direction", "currency"],
)
COST_TODAY = Gauge(
    "luna_site_cost_today_money",
    "Cost of energy since local midnight, as the account has it.",
    ["site", "currency"],
)


class SiteMetrics:
    """Sets the gauges of sites at each scrape.

    Present figures every ``PRESENT_EVERY``, daily figures every ``JUDGED_EVERY``.
    """

    def __init__(self) -> None:
        self._judged_at = -math.inf
        self._present_at = -math.inf

    def look(self, connection: Connection, *, now: datetime) -> None:
        """Refresh the gauges that are due."""
        NEWEST_OBSERVATION.clear()
        for site, at in site_figures.newest_observations(connection, most=MOST_SITES).items():
            NEWEST_OBSERVATION.labels(site).set(at.timestamp() if at else 0.0)
        UNREADABLE.clear()
        for unreadable in sites.list_unreadable(connection)[:MOST_SITES]:
            UNREADABLE.labels(unreadable.name).set(1)
        if time.monotonic() - self._present_at >= PRESENT_EVERY.total_seconds():
            self._set_present(connection, now)
        if time.monotonic() - self._judged_at >= JUDGED_EVERY.total_seconds():
            self._set_judged(connection, now)

    def _set_judged(self, connection: Connection, now: datetime) -> None:
        figures = site_figures.read(connection, _list_readable(connection), now=now)
        # Drops deleted sites.
        for gauge in _JUDGED:
            gauge.clear()
        for figure in figures:
            EXCLUDED_DAYS.labels(figure.site).set(figure.excluded_days)
            SAVED_DAYS.labels(figure.site).set(figure.saved_days)
            if figure.residual_ratio is not None:
                RESIDUAL.labels(figure.site).set(figure.residual_ratio)
            if figure.saved is not None:
                SAVED.labels(figure.site, figure.currency).set(figure.saved)
            for series, error in figure.forecast_errors.items():
                FORECAST_ERROR.labels(figure.site, series).set(error.last)
                if error.usual is not None:
                    USUAL_ERROR.labels(figure.site, series).set(error.usual)
        self._judged_at = time.monotonic()

    def _set_present(self, connection: Connection, now: datetime) -> None:
        readable = _list_readable(connection)
        presents = [read_present(connection, site, now=now) for site in readable]
        for gauge in _PRESENT:
            gauge.clear()
        for present in presents:
            for flow, power_kw in present.power_kw.items():
                POWER.labels(present.site, flow).set(power_kw)
            if present.soc is not None:
                SOC.labels(present.site).set(present.soc)
            prices = {"import": present.import_price, "export": present.export_price}
            for direction, price in prices.items():
                if price is not None:
                    PRICE.labels(present.site, direction, present.currency).set(price)
            if present.cost_today is not None:
                COST_TODAY.labels(present.site, present.currency).set(present.cost_today)
        self._present_at = time.monotonic()

    def forget(self) -> None:
        """Clear all gauges while the database is away.

        Old values would pass for current ones.
        """
        for gauge in (NEWEST_OBSERVATION, UNREADABLE, *_PRESENT, *_JUDGED):
            gauge.clear()
        self._judged_at = -math.inf
        self._present_at = -math.inf


def _list_readable(connection: Connection) -> list[Site]:
    """Return the first ``MOST_SITES`` sites by name, without those that cannot be read."""
    stored_sites = sites.list_page(connection, limit=MOST_SITES)
    return [stored.site for stored in stored_sites if isinstance(stored, StoredSite)]


_PRESENT = (POWER, SOC, PRICE, COST_TODAY)
_JUDGED = (RESIDUAL, EXCLUDED_DAYS, FORECAST_ERROR, USUAL_ERROR, SAVED, SAVED_DAYS)
