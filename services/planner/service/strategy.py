"""Read the surroundings of a stored site that its rules need from the database."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.contracts.owner import OutageWarning, Surroundings
from luna.energy.sensor_roles import Sensors
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import readings, weather_carbon
from services.planner.problem.knowledge import DAY, SitePrices
from services.planner.problem.strategy import split_days

PAST_DAYS = 30


def look_back(site: Site) -> timedelta:
    """Return the length of the past prices that the site's rules need."""
    if site.strategy is None or site.strategy.price_extremes is None:
        return timedelta(0)
    return PAST_DAYS * DAY


def read_surroundings(
    connection: Connection,
    site: Site,
    timeline: Timeline,
    *,
    prices: SitePrices,
    stated: Surroundings,
) -> Surroundings:
    """Return the surroundings at the timeline's start.

    Values of the caller take precedence over stored ones.

    Args:
        connection: to the database.
        site: a stored one.
        timeline: of the plan.
        prices: from ``look_back`` before the timeline on.
        stated: what the caller says.
    """
    strategy = site.strategy
    start = timeline.start
    if strategy is None:
        return stated
    stored: dict[str, Any] = {}
    if strategy.vacation is not None:
        stored["vacation"] = _is_on(connection, site, site.input_sensors.vacation_switches, start)
    if strategy.outage is not None and _is_on(
        connection, site, site.input_sensors.outage_warning, start
    ):
        # A switch says that a warning holds and not how long: as long as the plan looks ahead.
        stored["warnings"] = [OutageWarning(from_=start, to=timeline.end)]
    if strategy.s_index is not None:
        # The mean temperature ahead as forecast by the start; None where nothing was.
        weather = weather_carbon.read_weather(
            connection, site.name, timeline, known_at=timeline.start
        )
        temperature = weather["temperature_c"]
        stored["temperature_c"] = None
        if np.isfinite(temperature).any():
            stored["temperature_c"] = float(np.nanmean(temperature))
    if strategy.price_extremes is not None:
        # Level and spread of the import price of the last days, those without gaps; nothing where
        # too little was published.
        past = prices.import_prices_before(start, days=PAST_DAYS)
        days = [day for day in split_days(past, SLOT) if day.size and np.isfinite(day).all()]
        stored["past_levels"] = [float(day.mean()) for day in days]
        stored["past_spreads"] = [float(np.ptp(day)) for day in days]
    missing = {name: stored[name] for name in stored if name not in stated.model_fields_set}
    return stated.model_copy(update=missing)


def _is_on(connection: Connection, site: Site, entries: Sensors, at: datetime) -> bool:
    """Return whether one of a role's switches that are valid then is on.

    One with a leading minus counts as on while it is off.
    """
    sensors = site.present_sensors(entries, at)
    stored = readings.read_units(connection, site.name) if sensors else {}
    for sensor in sensors:
        if sensor.name not in stored:
            continue
        _, values = readings.read_with_previous(
            connection, site.name, sensor.name, first=at, end=at
        )
        if values.size and np.isfinite(values[0]):
            is_positive = bool(values[0] > 0)
            is_inverted = sensor.sign < 0
            if is_positive != is_inverted:
                return True
    return False
