"""What the weather makes of the sun: light on the plane of each array, and what the arrays yield of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.site import PvArray
from luna.timeline import FloatArray
from luna.weather import WeatherBook
from services.forecaster.inputs.solar import Sky, import_pvlib, yield_kwh

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
