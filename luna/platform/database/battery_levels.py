"""Reads what the sensors of sites' batteries last reported of their state of charge."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.observations import SocReading
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, InstantArray, to_instant
from luna.energy.units import UnitHistory, level_factor
from luna.platform.database import readings, sensor_units


def read_reported_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, since: datetime, until: datetime
) -> dict[int, SocReading]:
    """Return each site's mean of its sensors' last readings in ``since`` ≤ instant < ``until``.

    Weighed by the batteries' capacities where each has a sensor of its own; sites without a sensor,
    or with one that is silent, are left out. By the sites' keys.
    """
    reported: dict[int, SocReading] = {}
    last_each = read_sensors_each(connection, sites_by_key, since=since, until=until)
    for key, last in last_each.items():
        reported.update(_average(key, sites_by_key[key], last))
    return reported


def read_sensors_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, since: datetime, until: datetime
) -> dict[int, list[SocReading]]:
    """Return the last reading of each sensor in ``since`` ≤ instant < ``until``.

    By the sites' keys, in the order of each site. Sites without a sensor, or with one that is
    silent, are left out.
    """
    sensors = {key: _list_sensors(site, until) for key, site in sites_by_key.items()}
    named = list(dict.fromkeys((key, name) for key, names in sensors.items() for name in names))
    all_series = readings.read_with_previous_each(connection, named, first=since, end=until)
    series = dict(zip(named, all_series, strict=True))
    units = sensor_units.read_named(connection, named)
    reported: dict[int, list[SocReading]] = {}
    for key, names in sensors.items():
        last: list[SocReading] = []
        for name in names:
            unit = units.get((key, name), UnitHistory())
            reading = _find_last(series[key, name], unit, since=since)
            if reading is not None:
                last.append(reading)
        if last and len(last) == len(names):
            reported[key] = last
    return reported


def _list_sensors(site: Site, at: datetime) -> list[str]:
    return [sensor.name for sensor in site.present_sensors(site.input_sensors.battery_soc, at)]


def _find_last(
    series: tuple[InstantArray, FloatArray], units: UnitHistory, *, since: datetime
) -> SocReading | None:
    instants, values = series
    if not instants.size:
        return None
    last = int(instants.argmax())
    if instants[last] < to_instant(since):
        return None
    unit = units.names[units.places(instants[last : last + 1])[0]]
    return SocReading(
        float(values[last]) * level_factor(unit), instants[last].item().replace(tzinfo=UTC)
    )


def _average(key: int, site: Site, last: list[SocReading]) -> Iterator[tuple[int, SocReading]]:
    """Yield the site's level, unless its mean is outside of 0 to 1."""
    capacities = [battery.capacity_kwh for battery in site.batteries]
    weights = capacities if len(capacities) == len(last) else None
    mean = float(np.average([reading.soc for reading in last], weights=weights))
    if 0.0 <= mean <= 1.0:
        yield key, SocReading(mean, min(reading.at for reading in last))
