"""Where the sun stands and what the site's arrays would yield under a clear sky. Known ahead, without any weather."""

from dataclasses import dataclass

import numpy as np

from luna.site import Location, PvArray, Site
from luna.timeline import FloatArray, InstantArray

SLOT_HOURS = 0.25
SYSTEM_EFFICIENCY = 0.9  # wiring, inverter and warm modules; the fit to recent output corrects the rest
GROUND_REFLECTANCE = 0.2
HORIZON_COS_ZENITH = np.cos(np.radians(90.83))  # the upper limb, with refraction


@dataclass(frozen=True, slots=True)
class SunPosition:
    """Direction of the sun, each of shape ``(instants,)``: cosine of the zenith angle, azimuth in radians clockwise from north."""

    cos_zenith: FloatArray
    azimuth_rad: FloatArray


def locate_sun(instants: InstantArray, location: Location) -> SunPosition:
    """Return where the sun stands at each instant (``datetime64`` UTC), to about 0.3 degrees.

    Source: Spencer (1971), Fourier series for declination and equation of time.
    """
    seconds = instants.astype("datetime64[s]").astype(np.int64)
    year_start = instants.astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    day_angle = 2 * np.pi * (seconds - year_start) / 86_400 / 365.25
    declination = (
        0.006918 - 0.399912 * np.cos(day_angle) + 0.070257 * np.sin(day_angle) - 0.006758 * np.cos(2 * day_angle)
        + 0.000907 * np.sin(2 * day_angle) - 0.002697 * np.cos(3 * day_angle) + 0.00148 * np.sin(3 * day_angle)
    )  # fmt: skip
    equation_minutes = 229.18 * (
        0.000075 + 0.001868 * np.cos(day_angle) - 0.032077 * np.sin(day_angle) - 0.014615 * np.cos(2 * day_angle) - 0.04089 * np.sin(2 * day_angle)
    )
    solar_minutes = seconds % 86_400 / 60 + equation_minutes + 4 * location.longitude
    hour_angle = np.radians(solar_minutes / 4 - 180)
    latitude = np.radians(location.latitude)
    cos_zenith = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    azimuth = np.arctan2(np.sin(hour_angle), np.cos(hour_angle) * np.sin(latitude) - np.tan(declination) * np.cos(latitude)) + np.pi
    return SunPosition(cos_zenith, azimuth)


def estimate_irradiance(sun: SunPosition, array: PvArray) -> FloatArray:
    """Return clear-sky irradiance on the plane of an array, W/m², shape ``(instants,)``; zero while the sun is down.

    Source: Meinel (1976) for direct, a tenth of it as diffuse light (Masters 2013, § 4.9), Kasten and Young (1989) for the air mass.
    """
    up = np.clip(sun.cos_zenith, 0.0, 1.0)
    elevation_deg = 90 - np.degrees(np.arccos(up))
    air_mass = 1 / (up + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    direct = 1353 * 0.7 ** (air_mass**0.678)
    tilt, azimuth = np.radians(array.tilt_deg), np.radians(array.azimuth_deg)
    incidence = np.cos(tilt) * up + np.sin(tilt) * np.sqrt(1 - up**2) * np.cos(sun.azimuth_rad - azimuth)
    diffuse = 0.1 * direct * (1 + np.cos(tilt)) / 2
    reflected = GROUND_REFLECTANCE * direct * (up + 0.1) * (1 - np.cos(tilt)) / 2
    irradiance: FloatArray = np.where(sun.cos_zenith > HORIZON_COS_ZENITH, direct * np.clip(incidence, 0, None) + diffuse + reflected, 0.0)
    return irradiance


def estimate_clear_sky(starts: InstantArray, site: Site) -> FloatArray:
    """Return what the site's arrays yield per quarter-hour under a clear sky, kWh, shape ``(slots,)``; never above their peak.

    Positive from the slot in which the sun rises to the one in which it sets. Without a location or arrays the sky is flat: one everywhere, so that only the
    ratio to recent output speaks.
    """
    if site.location is None or not site.pv:
        return np.ones(starts.size)
    edges = [locate_sun(starts + np.timedelta64(minutes, "m"), site.location) for minutes in (1, 7, 14)]
    total = np.zeros(starts.size)
    for array in site.pv:
        power_kw = np.mean([estimate_irradiance(sun, array) for sun in edges], axis=0) / 1000 * array.peak_kw * SYSTEM_EFFICIENCY
        total += np.minimum(power_kw, array.peak_kw) * SLOT_HOURS
    return total


def limit_output(site: Site) -> float:
    """Return the most the arrays yield in a quarter-hour, kWh; infinite where the site names none."""
    return sum(array.peak_kw for array in site.pv) * SLOT_HOURS if site.pv else np.inf
