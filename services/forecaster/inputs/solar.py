"""Where the sun stands and what the site's arrays would yield under a clear sky. Known ahead, without any weather.

Computed by pvlib, a month of quarter-hours at a time, and kept: forecasts of a site ask for the same months again and again.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from types import ModuleType
from typing import Self

import numpy as np

from luna.site import Location, PvArray, Site
from luna.timeline import FloatArray, IndexArray, InstantArray
from luna.weather import WeatherVintages

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
        total += _yield_kwh(_average(np.nan_to_num(plane["poa_global"]), seconds), array)
    zenith, azimuth, extra = (values.reshape(seconds.shape)[:, MIDDLE] for values in (zenith, azimuth, extra))
    return Sky(zenith, azimuth, extra, _average(clear["ghi"], seconds), total)


def _average(values: FloatArray, seconds: IndexArray) -> FloatArray:
    average: FloatArray = values.reshape(seconds.shape).mean(axis=1)
    return average


def _yield_kwh(plane_w_m2: FloatArray, array: PvArray) -> FloatArray:
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


LOW_SUN = np.cos(np.radians(87))  # below, a division by it makes much of nothing


WARM_LOSS = 0.004  # of crystalline silicon's power per degree above 25 °C of the cell


REFERENCE_C = 25.0


USUAL_WIND_M_S = 1.5


USUAL_LEAD_SLOTS = 48  # of the forecasts by which the arrays are judged: half a day


@dataclass(frozen=True, slots=True)
class Light:
    """Global, direct normal and diffuse horizontal irradiance, W/m², each of shape ``(rows,)``; NaN where the weather does not tell."""

    ghi: FloatArray
    dni: FloatArray
    dhi: FloatArray

    @classmethod
    def of(cls, weather: Mapping[str, FloatArray], sky: Sky) -> Self:
        """Return the light that a weather (by row, names of ``luna.weather``) tells of under a sky (by row).

        Two of the three give the third; global radiation alone, or else cloud cover, is split by how clear it is.

        Source: Kasten and Czeplak (1980) for cloud cover; Erbs, Klein and Duffie (1982) in the form of Driesse et al. (2024) for the split.
        """
        dni, dhi = weather["dni_w_m2"], weather["dhi_w_m2"]
        covered = sky.clear_ghi_w_m2 * (1 - 0.75 * np.clip(weather["cloud_fraction"], 0, 1) ** 3.4)
        ghi = _first_known(weather["ghi_w_m2"], dni * sky.up + dhi, covered)
        split = import_pvlib().irradiance.erbs_driesse(ghi, sky.zenith_deg, dni_extra=sky.extra_w_m2)
        beam = np.divide(ghi - dhi, sky.up, out=np.zeros(ghi.size), where=sky.up > LOW_SUN)
        dni = _first_known(dni, np.where(np.isnan(dhi), np.nan, np.clip(beam, 0, sky.extra_w_m2)), split["dni"])
        dhi = _first_known(dhi, np.clip(ghi - dni * sky.up, 0, None))
        return cls(ghi, dni, dhi)

    def on_plane(self, sky: Sky, array: PvArray) -> FloatArray:
        """Return the irradiance on the plane of an array, W/m². Source: Hay and Davies (1980), as in pvlib."""
        plane = import_pvlib().irradiance.get_total_irradiance(
            array.tilt_deg,
            array.azimuth_deg,
            sky.zenith_deg,
            sky.azimuth_deg,
            self.dni,
            self.ghi,
            self.dhi,
            dni_extra=sky.extra_w_m2,
            model="haydavies",
        )
        return np.asarray(plane["poa_global"], dtype=np.float64)


def estimate_output(weather: Mapping[str, FloatArray], light: Light, sky: Sky, arrays: Sequence[PvArray]) -> FloatArray:
    """Return what the arrays yield per quarter-hour in a weather, kWh, by row; NaN where it does not tell of the light.

    Cells that are warmer than 25 °C yield less; where the temperature is unknown, they are not.

    Source: Faiman (2008) for the cells' temperature.
    """
    wind = _first_known(weather["wind_m_s"], np.full(light.ghi.size, USUAL_WIND_M_S))
    total = np.zeros(light.ghi.size)
    for array in arrays:
        plane = light.on_plane(sky, array)
        cell = _first_known(import_pvlib().temperature.faiman(plane, weather["temperature_c"], wind), np.full(plane.size, REFERENCE_C))
        total += _yield_kwh(plane * (1 - WARM_LOSS * (cell - REFERENCE_C)), array)
    return np.where(sky.clear_sky_kwh > 0, total, np.where(np.isnan(total), np.nan, 0.0))


def expected_output(book: WeatherVintages, sky: Sky, arrays: Sequence[PvArray], *, first: int) -> FloatArray:
    """Return what the weather promised the arrays for each of the consecutive slots from number ``first`` on, kWh; NaN where unknown.

    It is the weather as forecast half a day before, else as known when the slot had ended.

    Invariants: a revision issued after a slot's end changes nothing of it.
    """
    slots = first + np.arange(sky.zenith_deg.size)
    if not len(book):
        return np.full(slots.size, np.nan)
    early, late = book.at(slots, slots - USUAL_LEAD_SLOTS), book.at(slots, slots + 1)
    weather = {name: _first_known(early[name], late[name]) for name in early}
    return estimate_output(weather, Light.of(weather, sky), sky, arrays)


def _first_known(*candidates: FloatArray) -> FloatArray:
    known = candidates[0]
    for candidate in candidates[1:]:
        known = np.where(np.isnan(known), candidate, known)
    return known
