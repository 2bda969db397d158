"""What the weather makes of the sun: light on the plane of each array, and what the arrays yield of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

import numpy as np

from luna.observations import Observations
from luna.site import PvArray, Site
from luna.timeline import FloatArray, InstantArray
from luna.weather import WeatherBook
from services.forecaster.inputs.frame import DAY_SLOTS
from services.forecaster.inputs.solar import SLOT_HOURS, Sky, estimate_clear_sky, import_pvlib, limit_output, yield_kwh

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
        total += yield_kwh(plane * (1 - WARM_LOSS * (cell - REFERENCE_C)), array)
    return np.where(sky.clear_sky_kwh > 0, total, np.where(np.isnan(total), np.nan, 0.0))


def promise_output(book: WeatherBook, sky: Sky, arrays: Sequence[PvArray], *, first: int) -> FloatArray:
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


# Clear-sky shares of the brightest days differ by a tenth or two over a season; the smallest array worth adding is a third of the old ones.
LEAST_GROWTH = 1.3
# Without four weeks before it a bright day proves nothing; one day may be a wrong reading, two within a week are not.
LEAST_DAYS_BEFORE, WEEK = 28, 7
HIGH_SUN = 0.2  # of the brightest slot: below, shadows and rounding speak
LEAST_SLOTS = 8
MOST_GROWTH = 10.0
DARK = 0.02  # of the clear sky: a roof that never reached it had no array


@dataclass(frozen=True, slots=True)
class Growth:
    """From the slot at ``since`` on, the arrays yield ``factor`` times what they yielded before; ``top_kwh`` is the most seen in a quarter-hour since.

    ``factor`` is NaN where there was next to nothing before: what the arrays would have yielded is unknown.
    """

    since: np.datetime64
    factor: float
    top_kwh: float

    def scale(self, history: Observations) -> Observations:
        """Return the history with PV from before ``since`` as the arrays would yield it now."""
        return replace(history, pv_kwh=np.where(history.starts < self.since, history.pv_kwh * self.factor, history.pv_kwh))

    def enlarge(self, site: Site) -> Site:
        """Return the site with arrays that can yield what was seen; the same where they can already."""
        limit = limit_output(site)
        if not np.isfinite(limit) or self.top_kwh <= limit:
            return site
        arrays = [array.model_copy(update={"peak_kw": array.peak_kw * self.top_kwh / limit}) for array in site.pv]
        return site.model_copy(update={"pv": arrays})


def find_growth(history: Observations, site: Site, *, before: datetime) -> Growth | None:
    """Return the last growth of the arrays within what a gapless history knows ``before`` an instant, None where there was none.

    On the second bright day of a week that exceeds all before it by a third, the arrays have grown since the first.
    """
    known = history.starts < np.datetime64(before.astimezone(UTC).replace(tzinfo=None), "s")
    starts, pv = history.starts[known], history.pv_kwh[known]
    if starts.size < DAY_SLOTS:
        return None
    brightness = measure_brightness(starts, pv, estimate_clear_sky(starts, site))
    day = _find_day(brightness)
    if day is None:
        return None
    level = _average_bright(brightness[:day])
    factor = min(_average_bright(brightness[day:]) / level, MOST_GROWTH) if level > DARK else float("nan")
    return Growth(starts[day * DAY_SLOTS], factor, float(np.nanquantile(pv[day * DAY_SLOTS :], 0.999)))


def measure_brightness(starts: InstantArray, pv_kwh: FloatArray, clear_sky_kwh: FloatArray) -> FloatArray:
    """Return the share of the clear sky that each whole run of 96 slots reached at its brightest (its 90 % quantile), NaN where too little is known."""
    days = starts.size // DAY_SLOTS
    high = clear_sky_kwh > HIGH_SUN * clear_sky_kwh.max()
    share = np.where(high, pv_kwh / np.maximum(clear_sky_kwh, SLOT_HOURS * 1e-6), np.nan)[: days * DAY_SLOTS].reshape(days, DAY_SLOTS)
    known = np.count_nonzero(~np.isnan(share), axis=1)
    ordered = np.sort(share, axis=1)  # NaN last
    place = np.maximum(np.floor(0.9 * (known - 1)).astype(np.int64), 0)
    brightness: FloatArray = np.where(known >= LEAST_SLOTS, ordered[np.arange(days), place], np.nan)
    return brightness


def _find_day(brightness: FloatArray) -> int | None:
    """Return the day since which the arrays yield more, the last such."""
    found = None
    begin = 0
    for day in range(brightness.size):
        before = brightness[begin:day]
        if np.count_nonzero(~np.isnan(before)) < LEAST_DAYS_BEFORE:
            continue
        exceeding = brightness[day : day + WEEK] > LEAST_GROWTH * max(_second_largest(before), DARK)
        if exceeding[0] and exceeding.sum() >= 2:
            found = begin = day
    return found


def _average_bright(brightness: FloatArray) -> float:
    """Return the mean of the brighter half of the known days."""
    known = np.sort(brightness[~np.isnan(brightness)])
    return float(known[known.size // 2 :].mean())


def _second_largest(brightness: FloatArray) -> float:
    """Return the second largest known value, for the largest may be a wrong reading."""
    known = np.sort(brightness[~np.isnan(brightness)])
    return float(known[-2]) if known.size > 1 else 0.0
