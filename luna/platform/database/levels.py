"""The present state of charge: the last readings of the sensors, judged by earlier ones."""

from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection

from luna.energy.levels import judge_levels, pace_of_batteries
from luna.energy.observations import SocReading
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.energy.units import level_factor
from luna.platform.database import observations, readings, sites

# What was recorded of the last hours says whether what is said now can be.
_JUDGED_SLOTS = 12


def read_last(connection: Connection, site: Site, *, now: datetime) -> SocReading | None:
    """Return the last state of charge of a site's batteries and its instant: by readings within two quarter-hours, else by the last quarter-hour.

    None where neither is known. A quarter-hour is known once it is over: a battery moves by an eighth meanwhile.

    Raises:
        NotFoundError: no such site.
    """
    running = floor_to(now, SLOT)
    key = sites.key_of(connection, site.name)
    recorded = observations.find_socs_each(connection, [key], since=running - _JUDGED_SLOTS * SLOT, until=running).get(key, [])
    reported = _read_reported(connection, site, since=running - SLOT, now=now)
    if reported is None or (recorded and reported.at <= recorded[-1].at):
        # The quarter-hour that has just ended is built a moment later: until then the one before it stands.
        return recorded[-1] if recorded and recorded[-1].at >= running - SLOT else None
    judged = judge_levels([*recorded, reported], pace_of_batteries(site.batteries))
    return None if judged is None else SocReading(judged.soc, judged.at)


def _read_reported(connection: Connection, site: Site, *, since: datetime, now: datetime) -> SocReading | None:
    """Return the mean of the last reading of each sensor of the charge, by the batteries' capacities where each has its own; None where one is silent."""
    names = [sensor.name for sensor in site.sensor_roles.get("battery_soc", ()) if sensor.holds_at(now)]
    sensor_series = readings.read_each(connection, site.name, names, first=since, end=now)
    if not names or len(sensor_series) < len(names):
        return None
    units = readings.read_units(connection, site.name)
    instants, shares = [], []
    for name in names:
        at, values = sensor_series[name]
        last = int(at.argmax())
        instants.append(at[last])
        shares.append(float(values[last]) * level_factor(units[name].names[units[name].places(at[last : last + 1])[0]]))
    capacities = [battery.capacity_kwh for battery in site.batteries]
    mean = float(np.average(shares, weights=capacities if len(capacities) == len(shares) else None))
    return SocReading(mean, min(instants).item().replace(tzinfo=UTC)) if 0.0 <= mean <= 1.0 else None
