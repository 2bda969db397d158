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
    """Return the mean of the last reading of each sensor in ``since`` ≤ instant < ``until``, by the
    sites' keys.

    Weighed by the batteries' capacities where each has a sensor of its own; sites without a sensor,
    or with one that is silent, are left out.
    """
    reported: dict[int, SocReading] = {}
    for key, said in read_sensors_each(connection, sites_by_key, since=since, until=until).items():
        reported.update(_average(key, sites_by_key[key], said))
    return reported


def read_sensors_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, since: datetime, until: datetime
) -> dict[int, list[SocReading]]:
    """Return the last reading of each sensor in ``since`` ≤ instant < ``until``, in the order of
    the site, by the sites' keys.

    Sites without a sensor, or with one that is silent, are left out.
    """
    sensors = {key: _list_sensors(site, until) for key, site in sites_by_key.items()}
    named = list(dict.fromkeys((key, name) for key, names in sensors.items() for name in names))
    series = dict(
        zip(
            named,
            readings.read_with_previous_each(connection, named, first=since, end=until),
            strict=True,
        )
    )
    units = sensor_units.read_named(connection, named)
    reported: dict[int, list[SocReading]] = {}
    for key, names in sensors.items():
        last = [
            _find_last(series[key, name], units.get((key, name), UnitHistory()), since=since)
            for name in names
        ]
        said = [each for each in last if each is not None]
        if said and len(said) == len(names):
            reported[key] = said
    return reported


def _list_sensors(site: Site, at: datetime) -> list[str]:
    return [
        sensor.name for sensor in site.sensor_roles.get("battery_soc", ()) if sensor.holds_at(at)
    ]


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


def _average(key: int, site: Site, said: list[SocReading]) -> Iterator[tuple[int, SocReading]]:
    """Yield the site's level, unless it is none: a mean outside of 0 to 1."""
    capacities = [battery.capacity_kwh for battery in site.batteries]
    mean = float(
        np.average(
            [each.soc for each in said],
            weights=capacities if len(capacities) == len(said) else None,
        )
    )
    if 0.0 <= mean <= 1.0:
        yield key, SocReading(mean, min(each.at for each in said))
