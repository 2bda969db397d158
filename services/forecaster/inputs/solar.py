"""Position of the sun, and yield of a site's arrays under a clear sky.

Known ahead, without any weather.

Computed by pvlib, a month of quarter-hours at a time, and cached: forecasts of a site need the same
months again and again. A fleet has more roofs than the cache, so values that all places share are
computed once, and light only while the sun is up.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Self

import numpy as np

from luna.energy.devices.pv import PvArray
from luna.energy.site import Location, Site
from luna.energy.timeline import SLOT_HOURS, SLOT_SECONDS, FloatArray, IndexArray, InstantArray
from luna.energy.weather import WeatherVintages
from services.forecaster.inputs.gaps import fill_gaps

# Wiring, inverter and warm modules; the fit to recent output corrects the rest
SYSTEM_EFFICIENCY = 0.9
WITHIN_SLOT = np.array([60, 450, 840])  # seconds: the sun may be up in a part of a slot only
MIDDLE = 1  # of them
BLOCK_SLOTS = 32 * 96
CACHED_BLOCKS = 256  # of 120 kB each
# of 300 and 6 kB each
CACHED_COURSES = 32
CACHED_PLACES = 4096
COMMON_DAYS = 365
USUAL_AIR = 283 / 285  # refraction at 12 °C


@dataclass(frozen=True, slots=True)
class Sky:
    """The sun and the clear sky in the middle of each slot, shape ``(slots,)``.

    Angles in degrees, the zenith's with refraction, the azimuth clockwise from north; irradiance in
    W/m², zero while the sun is down. ``extra_w_m2`` is what reaches the atmosphere;
    ``clear_sky_kwh`` what the arrays yield of a clear sky, never above their peak.
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
        return Sky(
            zenith_deg=self.zenith_deg[slots],
            azimuth_deg=self.azimuth_deg[slots],
            extra_w_m2=self.extra_w_m2[slots],
            clear_ghi_w_m2=self.clear_ghi_w_m2[slots],
            clear_sky_kwh=self.clear_sky_kwh[slots],
        )


def import_pvlib() -> ModuleType:
    """Import the library late: it brings pandas and takes seconds."""
    import pvlib

    module: ModuleType = pvlib
    return module


def look_up(starts: InstantArray, site: Site) -> Sky | None:
    """Return the sky over each slot (``datetime64`` UTC, any order).

    None for a site without location or arrays.
    """
    if site.location is None or not site.pv:
        return None
    numbers = starts.astype("datetime64[s]").astype(np.int64) // SLOT_SECONDS
    blocks, block_of = np.unique(numbers // BLOCK_SLOTS, return_inverse=True)
    skies = [compute_block(site.location, tuple(site.pv), int(block)) for block in blocks]
    place = block_of.reshape(numbers.shape) * BLOCK_SLOTS + numbers % BLOCK_SLOTS
    return Sky(
        zenith_deg=np.concatenate([sky.zenith_deg for sky in skies])[place],
        azimuth_deg=np.concatenate([sky.azimuth_deg for sky in skies])[place],
        extra_w_m2=np.concatenate([sky.extra_w_m2 for sky in skies])[place],
        clear_ghi_w_m2=np.concatenate([sky.clear_ghi_w_m2 for sky in skies])[place],
        clear_sky_kwh=np.concatenate([sky.clear_sky_kwh for sky in skies])[place],
    )


@lru_cache(maxsize=CACHED_BLOCKS)
def compute_block(location: Location, arrays: tuple[PvArray, ...], block: int) -> Sky:
    """Return the sky of a block of slots.

    Source: Ineichen and Perez (2002) with monthly turbidity for the clear sky, as in pvlib.
    """
    pvlib = import_pvlib()
    course = _compute_course(block)
    zenith, azimuth = course.look_from(location)
    up = zenith < 90
    zenith_up = zenith[up]
    azimuth_up = azimuth[up]
    extra_up = course.extra_w_m2[up]
    turbidity_up = _read_turbidity(location)[course.turbidity_day[up]]
    relative_air_mass = pvlib.atmosphere.get_relative_airmass(zenith_up)
    air_mass = pvlib.atmosphere.get_absolute_airmass(relative_air_mass)
    clear = pvlib.clearsky.ineichen(zenith_up, air_mass, turbidity_up, dni_extra=extra_up)

    def average(light: FloatArray) -> FloatArray:
        whole = np.zeros(up.size)
        whole[up] = np.nan_to_num(light)
        mean: FloatArray = whole.reshape(-1, WITHIN_SLOT.size).mean(axis=1)
        return mean

    total = np.zeros(BLOCK_SLOTS)
    for array in arrays:
        plane = pvlib.irradiance.get_total_irradiance(
            array.tilt_deg,
            array.azimuth_deg,
            zenith_up,
            azimuth_up,
            clear["dni"],
            clear["ghi"],
            clear["dhi"],
            dni_extra=extra_up,
            model="haydavies",
        )
        total += _yield_kwh(average(plane["poa_global"]), array)
    middles = slice(MIDDLE, None, WITHIN_SLOT.size)
    return Sky(
        zenith_deg=zenith[middles].copy(),
        azimuth_deg=azimuth[middles].copy(),
        extra_w_m2=course.extra_w_m2[middles].copy(),
        clear_ghi_w_m2=average(clear["ghi"]),
        clear_sky_kwh=total,
    )


@dataclass(frozen=True, slots=True)
class _SunCourse:
    """The sun over a block as all places share it, shape ``(slots · instants,)``.

    The instants are ``WITHIN_SLOT`` of each slot. ``sine`` and ``cosine`` are of the declination,
    the hour angle is at longitude zero, ``extra_w_m2`` reaches the atmosphere, ``turbidity_day`` is
    an index into ``_read_turbidity``.
    """

    sine: FloatArray
    cosine: FloatArray
    hour_angle_deg: FloatArray
    extra_w_m2: FloatArray
    turbidity_day: IndexArray

    def look_from(self, location: Location) -> tuple[FloatArray, FloatArray]:
        """Return zenith angle, with refraction, and azimuth of the sun from a place, degrees.

        Source: as in pvlib's ``ephemeris``.
        """
        north = np.cos(np.radians(location.latitude))
        up = np.sin(np.radians(location.latitude))
        hour_angle = np.radians(self.hour_angle_deg + location.longitude)
        across = np.cos(hour_angle)
        to_north = north * self.sine / self.cosine - up * across
        azimuth = np.degrees(np.arctan2(-np.sin(hour_angle), to_north)) % 360
        sine = np.clip(north * self.cosine * across + up * self.sine, -1, 1)
        height = np.degrees(np.arcsin(sine))
        with np.errstate(divide="ignore", invalid="ignore"):
            # A sun exactly on the horizon; what it gives there is not chosen.
            slope = np.sqrt(1 - sine * sine) / sine
            high = slope * (58.1 + slope * slope * (-0.07 + 8.6e-05 * slope * slope))
        low = height * (-518.2 + height * (103.4 + height * (-12.79 + height * 0.711))) + 1735
        seconds = np.select(
            [height > 85, height > 5, height > -0.575, height > -1],
            [0.0, high, low, -20.774 * slope],
            0.0,
        )
        return 90 - (height + seconds * USUAL_AIR / 3600), azimuth


@lru_cache(maxsize=CACHED_COURSES)
def _compute_course(block: int) -> _SunCourse:
    """Return the course of the sun: seen from the pole its height is its declination.

    Source: Astronomical Almanac as in pvlib's ``ephemeris`` (0.01°).
    """
    import pandas as pd

    pvlib = import_pvlib()
    seconds = (block * BLOCK_SLOTS + np.arange(BLOCK_SLOTS)[:, None]) * SLOT_SECONDS + WITHIN_SLOT
    instants = pd.DatetimeIndex(seconds.ravel().astype("datetime64[s]"), tz="UTC")
    with _quietly():
        sun = pvlib.solarposition.ephemeris(instants, 90.0, 0.0)
        extra = pvlib.irradiance.get_extra_radiation(instants).to_numpy()
    turbidity_day = instants.day_of_year.to_numpy() - 1 + COMMON_DAYS * instants.is_leap_year
    declination = np.radians(sun["elevation"].to_numpy())
    return _SunCourse(
        sine=np.sin(declination),
        cosine=np.cos(declination),
        hour_angle_deg=15 * sun["solar_time"].to_numpy() - 180,
        extra_w_m2=extra,
        turbidity_day=turbidity_day.astype(np.int64),
    )


@lru_cache(maxsize=CACHED_PLACES)
def _read_turbidity(location: Location) -> FloatArray:
    """Return the Linke turbidity over a place on each day of a common year.

    Behind them stand those of a leap year.
    """
    import pandas as pd

    days = pd.date_range("2015-01-01", "2016-12-31", tz="UTC")
    look_up_turbidity = import_pvlib().clearsky.lookup_linke_turbidity
    with _quietly():
        by_day = look_up_turbidity(days, location.latitude, location.longitude)
    turbidity: FloatArray = by_day.to_numpy()
    return turbidity


@contextmanager
def _quietly() -> Iterator[None]:
    """Ignore warnings: pvlib still calls deprecated functions of pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _yield_kwh(plane_w_m2: FloatArray, array: PvArray) -> FloatArray:
    """Return an array's yield in a quarter-hour of irradiance, at most that of its peak."""
    share_of_peak = np.clip(plane_w_m2 / 1000 * SYSTEM_EFFICIENCY, 0, 1)
    energy_kwh: FloatArray = share_of_peak * array.peak_kw * SLOT_HOURS
    return energy_kwh


def estimate_clear_sky(starts: InstantArray, site: Site) -> FloatArray:
    """Return the arrays' yield per quarter-hour under a clear sky, kWh, shape ``(slots,)``.

    Never above their peak; positive from the slot in which the sun rises to the one in which it
    sets. Without a location or arrays it is one everywhere, so that only the ratio to recent output
    counts.
    """
    sky = look_up(starts, site)
    return np.ones(starts.size) if sky is None else sky.clear_sky_kwh


def sum_peaks(site: Site) -> float:
    """Return the arrays' peak per quarter-hour, kWh; infinite where the site names none."""
    return site.peak_kw * SLOT_HOURS if site.pv else np.inf


def limit_output(site: Site) -> float:
    """Return the most the arrays yield in a quarter-hour, kWh; infinite where the site names none.

    An inverter passes no more than its limit; before a hybrid one the battery takes the rest.
    """
    peak_kw = {array.name: array.peak_kw for array in site.pv}
    clipped_kw = 0.0
    for inverter in site.inverters:
        if inverter.batteries:
            continue
        behind_kw = sum(peak_kw[name] for name in inverter.pv)
        clipped_kw += max(behind_kw - inverter.ac_limit_kw, 0.0)
    return sum_peaks(site) - clipped_kw * SLOT_HOURS


LOW_SUN = np.cos(np.radians(87))  # a division by less makes much of nothing
WARM_LOSS = 0.004  # of crystalline silicon's power per degree above 25 °C of the cell
REFERENCE_C = 25.0
USUAL_WIND_M_S = 1.5
USUAL_LEAD_SLOTS = 48  # of the forecasts by which the arrays are judged: half a day


@dataclass(frozen=True, slots=True)
class Light:
    """Global, direct normal and diffuse horizontal irradiance, W/m², each of shape ``(rows,)``.

    NaN where the weather does not tell.
    """

    ghi: FloatArray
    dni: FloatArray
    dhi: FloatArray

    @classmethod
    def of(cls, weather: Mapping[str, FloatArray], sky: Sky) -> Self:
        """Return the light of a weather under a sky, both by row.

        The weather has names of ``luna.energy.weather``.

        Two of the three give the third; global radiation alone, or else cloud cover, is split by
        how clear it is.

        Source: Kasten and Czeplak (1980) for cloud cover; Erbs, Klein and Duffie (1982) in the form
        of Driesse et al. (2024) for the split.
        """
        dni = weather["dni_w_m2"]
        dhi = weather["dhi_w_m2"]
        cloud_fraction = np.clip(weather["cloud_fraction"], 0, 1)
        covered = sky.clear_ghi_w_m2 * (1 - 0.75 * cloud_fraction**3.4)
        ghi = fill_gaps(weather["ghi_w_m2"], dni * sky.up + dhi, covered)
        split = import_pvlib().irradiance.erbs_driesse(
            ghi, sky.zenith_deg, dni_extra=sky.extra_w_m2
        )
        beam = np.divide(ghi - dhi, sky.up, out=np.zeros(ghi.size), where=sky.up > LOW_SUN)
        bounded_beam = np.where(np.isnan(dhi), np.nan, np.clip(beam, 0, sky.extra_w_m2))
        dni = fill_gaps(dni, bounded_beam, split["dni"])
        dhi = fill_gaps(dhi, np.clip(ghi - dni * sky.up, 0, None))
        return cls(ghi, dni, dhi)

    def on_plane(self, sky: Sky, array: PvArray) -> FloatArray:
        """Return the irradiance on the plane of an array, W/m².

        Source: Hay and Davies (1980), as in pvlib.
        """
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


def estimate_output(
    weather: Mapping[str, FloatArray], light: Light, sky: Sky, arrays: Sequence[PvArray]
) -> FloatArray:
    """Return the arrays' yield per quarter-hour in a weather, kWh, by row.

    NaN where the light is unknown. Cells that are warmer than 25 °C yield less; where the
    temperature is unknown, they are not.

    Source: Faiman (2008) for the cells' temperature.
    """
    wind = fill_gaps(weather["wind_m_s"], np.full(light.ghi.size, USUAL_WIND_M_S))
    total = np.zeros(light.ghi.size)
    for array in arrays:
        plane = light.on_plane(sky, array)
        by_weather_c = import_pvlib().temperature.faiman(plane, weather["temperature_c"], wind)
        cell_c = fill_gaps(by_weather_c, np.full(plane.size, REFERENCE_C))
        efficiency = 1 - WARM_LOSS * (cell_c - REFERENCE_C)
        total += _yield_kwh(plane * efficiency, array)
    at_night = np.where(np.isnan(total), np.nan, 0.0)
    return np.where(sky.clear_sky_kwh > 0, total, at_night)


def expected_output(
    vintages: WeatherVintages, sky: Sky, arrays: Sequence[PvArray], *, first: int
) -> FloatArray:
    """Return the arrays' expected output of consecutive slots, kWh; NaN where unknown.

    It follows from the weather forecast half a day before, or else from the weather known when the
    slot had ended. ``first`` is the first slot's number.

    Invariants: a revision issued after a slot's end changes nothing of it.
    """
    slots = first + np.arange(sky.zenith_deg.size)
    if not len(vintages):
        return np.full(slots.size, np.nan)
    early = vintages.at(slots, slots - USUAL_LEAD_SLOTS)
    late = vintages.at(slots, slots + 1)
    weather = {name: fill_gaps(early[name], late[name]) for name in early}
    return estimate_output(weather, Light.of(weather, sky), sky, arrays)
