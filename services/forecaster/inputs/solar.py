"""Where the sun stands and what the site's arrays would yield under a clear sky. Known ahead, without any weather.

Computed by pvlib, a month of quarter-hours at a time, and kept: forecasts of a site ask for the same months again and again.
"""

import warnings
from dataclasses import dataclass, fields
from functools import lru_cache
from types import ModuleType

import numpy as np

from luna.site import Location, PvArray, Site
from luna.timeline import FloatArray, IndexArray, InstantArray

SLOT_HOURS = 0.25
SLOT_SECONDS = 900
SYSTEM_EFFICIENCY = 0.9  # wiring, inverter and warm modules; the fit to recent output corrects the rest
WITHIN_SLOT = np.array([60, 450, 840])  # seconds: the sun may be up in a part of a slot only
MIDDLE = 1  # of them
BLOCK_SLOTS = 32 * 96
KEPT_BLOCKS = 256  # of 150 kB each


@dataclass(frozen=True, slots=True)
class Sky:
    """The sun in the middle of each slot and the clear sky over it, each of shape ``(slots,)``.

    Angles in degrees, the zenith's with refraction, the azimuth clockwise from north; irradiance in W/m², zero while the sun is down. ``extra_w_m2`` is what
    reaches the atmosphere; ``clear_sky_kwh`` what the arrays yield of a clear sky, never above their peak.
    """

    zenith_deg: FloatArray
    azimuth_deg: FloatArray
    extra_w_m2: FloatArray
    clear_ghi_w_m2: FloatArray
    clear_sky_kwh: FloatArray

    @property
    def up(self) -> FloatArray:
        """The cosine of the zenith angle, zero while the sun is down."""
        up: FloatArray = np.clip(np.cos(np.radians(self.zenith_deg)), 0, None)
        return up

    def at(self, slots: IndexArray) -> "Sky":
        """Return the chosen slots."""
        return Sky(*(getattr(self, field.name)[slots] for field in fields(self)))


def import_pvlib() -> ModuleType:
    """Return the library. Loading it takes seconds, for it brings pandas, so only who needs the sun pays."""
    import pvlib

    module: ModuleType = pvlib
    return module


def look_up(starts: InstantArray, site: Site) -> Sky | None:
    """Return the sky over each slot (``datetime64`` UTC, any order); None for a site without location or arrays."""
    if site.location is None or not site.pv:
        return None
    numbers = starts.astype("datetime64[s]").astype(np.int64) // SLOT_SECONDS
    blocks, where = np.unique(numbers // BLOCK_SLOTS, return_inverse=True)
    skies = [_compute_block(site.location, tuple(site.pv), int(block)) for block in blocks]
    place = where.reshape(numbers.shape) * BLOCK_SLOTS + numbers % BLOCK_SLOTS
    return Sky(*(np.concatenate([getattr(sky, field.name) for sky in skies])[place] for field in fields(Sky)))


@lru_cache(maxsize=KEPT_BLOCKS)
def _compute_block(location: Location, arrays: tuple[PvArray, ...], block: int) -> Sky:
    first = block * BLOCK_SLOTS * SLOT_SECONDS
    seconds = first + SLOT_SECONDS * np.arange(BLOCK_SLOTS)[:, None] + WITHIN_SLOT
    with warnings.catch_warnings():
        # A sun below the horizon divides by zero, which gives zero; and pvlib still asks pandas in ways it is weaning its users off.
        warnings.simplefilter("ignore")
        return _compute(location, arrays, seconds)


def _compute(location: Location, arrays: tuple[PvArray, ...], seconds: IndexArray) -> Sky:
    """Return the sky of slots that are looked at in a few instants each, shape ``(slots, instants)``, seconds since 1970.

    Source: Astronomical Almanac as in pvlib's ``ephemeris`` (0.01 degrees); Ineichen and Perez (2002) with monthly turbidity for the clear sky.
    """
    import pandas as pd

    pvlib = import_pvlib()
    instants = pd.DatetimeIndex(seconds.ravel().astype("datetime64[s]"), tz="UTC")
    sun = pvlib.solarposition.ephemeris(instants, location.latitude, location.longitude)
    zenith, azimuth = sun["apparent_zenith"].to_numpy(), sun["azimuth"].to_numpy()
    extra = pvlib.irradiance.get_extra_radiation(instants).to_numpy()
    turbidity = pvlib.clearsky.lookup_linke_turbidity(instants, location.latitude, location.longitude).to_numpy()
    air_mass = pvlib.atmosphere.get_absolute_airmass(pvlib.atmosphere.get_relative_airmass(zenith))
    clear = {name: np.nan_to_num(light) for name, light in pvlib.clearsky.ineichen(zenith, air_mass, turbidity, dni_extra=extra).items()}
    total = np.zeros(seconds.shape[0])
    for array in arrays:
        plane = pvlib.irradiance.get_total_irradiance(
            array.tilt_deg, array.azimuth_deg, zenith, azimuth, clear["dni"], clear["ghi"], clear["dhi"], dni_extra=extra, model="haydavies"
        )
        total += yield_kwh(_average(np.nan_to_num(plane["poa_global"]), seconds), array)
    zenith, azimuth, extra = (values.reshape(seconds.shape)[:, MIDDLE] for values in (zenith, azimuth, extra))
    return Sky(zenith, azimuth, extra, _average(clear["ghi"], seconds), total)


def _average(values: FloatArray, seconds: IndexArray) -> FloatArray:
    average: FloatArray = values.reshape(seconds.shape).mean(axis=1)
    return average


def yield_kwh(plane_w_m2: FloatArray, array: PvArray) -> FloatArray:
    """Return what an array yields in a quarter-hour of irradiance on its plane, never above its peak."""
    power: FloatArray = np.clip(plane_w_m2 / 1000 * SYSTEM_EFFICIENCY, 0, 1) * array.peak_kw * SLOT_HOURS
    return power


def estimate_clear_sky(starts: InstantArray, site: Site) -> FloatArray:
    """Return what the site's arrays yield per quarter-hour under a clear sky, kWh, shape ``(slots,)``; never above their peak.

    Positive from the slot in which the sun rises to the one in which it sets. Without a location or arrays the sky is flat: one everywhere, so that only the
    ratio to recent output speaks.
    """
    sky = look_up(starts, site)
    return np.ones(starts.size) if sky is None else sky.clear_sky_kwh


def limit_output(site: Site) -> float:
    """Return the most the arrays yield in a quarter-hour, kWh; infinite where the site names none."""
    return sum(array.peak_kw for array in site.pv) * SLOT_HOURS if site.pv else np.inf
