"""The sun's height over a place, without any weather."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.site import Location
from luna.energy.timeline import FloatArray, InstantArray, to_instant

# Sunrise and sunset by their usual definition: the upper rim with refraction.
HORIZON_DEG = -0.833
_J2000 = np.datetime64("2000-01-01T12:00:00", "us")
_DAY_US = 86_400e6
_STEP = timedelta(minutes=5)


def compute_sun_height(instants: InstantArray, location: Location) -> FloatArray:
    """Return the height of the sun's centre over the horizon, degrees, without refraction.

    Source: Astronomical Almanac, low-precision formulas for the sun (0.01° until 2050).

    Args:
        instants: ``datetime64``, UTC.
    """
    days = (instants.astype("datetime64[us]") - _J2000).astype(np.int64) / _DAY_US
    anomaly = np.radians(357.528 + 0.9856003 * days)
    mean_longitude = 280.460 + 0.9856474 * days
    longitude = np.radians(mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * days)
    sine = np.sin(tilt) * np.sin(longitude)
    ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    sidereal_deg = 280.46061837 + 360.98564736629 * days
    hour_angle = np.radians(sidereal_deg + location.longitude) - ascension
    latitude = np.radians(location.latitude)
    across = np.cos(latitude) * np.sqrt(1 - sine * sine) * np.cos(hour_angle)
    height = np.degrees(np.arcsin(np.clip(np.sin(latitude) * sine + across, -1, 1)))
    return np.asarray(height, dtype=np.float64)


def is_night(instant: datetime, location: Location) -> bool:
    """Return whether the sun is below the horizon."""
    (height,) = compute_sun_height(np.array([to_instant(instant)]), location)
    return bool(height < HORIZON_DEG)


def find_last_light(day: date, zone: ZoneInfo, location: Location) -> datetime | None:
    """Return when the sun is last up on a local day, None where it does not rise."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    instants = [begin + place * _STEP for place in range(timedelta(days=1) // _STEP)]
    heights = compute_sun_height(np.array([to_instant(instant) for instant in instants]), location)
    up = np.flatnonzero(heights >= HORIZON_DEG)
    return instants[int(up[-1])] if up.size else None
