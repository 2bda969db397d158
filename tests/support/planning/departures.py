"""Write what a plug and a charger recorded of a car that leaves on the same weekdays."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import observations, readings, sites

BERLIN = ZoneInfo("Europe/Berlin")
SENSORS = {"vehicle_consumption": "sensor.wallbox", "vehicle_connected": "binary_sensor.car"}


def at(day: date, hour: float) -> datetime:
    """Return an hour of a local day."""
    return (datetime.combine(day, time(), tzinfo=BERLIN) + timedelta(hours=hour)).astimezone(UTC)


def record_departures(
    connection: Connection,
    leaves: Callable[[date], float | None],
    days: list[date],
    **changes: Any,
) -> None:
    """Store a site whose car leaves at these hours, comes at 18 and takes 10 kWh.

    Args:
        connection: to the database.
        leaves: returns the hour of a day, None without a departure.
        days: in order.
        changes: other fields of the site.
    """
    fields = {
        "name": "driving",
        "timezone": "Europe/Berlin",
        "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
        "input_sensors": SENSORS,
        "tariff": {"import": {"kind": "fixed", "price": 0.3}},
    }
    site = parse_site(fields | changes)
    sites.save(connection, site)
    instants = [at(days[0] - timedelta(days=1), 18)]
    plugged = [1.0]
    start = at(days[0], 0)
    timeline = Timeline(start, SLOT, (at(days[-1], 24) - start) // SLOT)
    counted_kwh = np.zeros(timeline.count)
    for day in days:
        hour = leaves(day)
        if hour is None:
            continue
        instants += [at(day, hour), at(day, 18)]
        plugged += [0.0, 1.0]
        evening = timeline.index_of(at(day, 18))
        counted_kwh[evening : evening + 4] = 2.5
    sensor = "binary_sensor.car"
    key = readings.register(connection, site.name, {sensor: None})[sensor]
    naive = np.array([instant.replace(tzinfo=None) for instant in instants], dtype="M8[us]")
    keys = np.full(len(instants), key, dtype=np.int32)
    readings.upsert(connection, keys, naive, np.array(plugged))
    observations.write(connection, site.name, timeline.starts, {"vehicle_kwh": counted_kwh})
