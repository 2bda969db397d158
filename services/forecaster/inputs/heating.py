"""The electricity of what heats a household of which nothing was measured: a year's kWh, laid out by how cold it is. Pure.

Heat follows the degrees below the heating limit, hot water is the same all year; a heat pump takes more for the same heat the colder it is. Of the
temperature the forecast speaks where there is one, else the season at the site's latitude.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from luna.energy.physics import heat_per_kwh
from luna.energy.site import Location
from luna.energy.site.household import COP, HeatedBy
from luna.energy.timeline import FloatArray

HEATING_LIMIT_C = 15.0  # Source: VDI 3807, the outdoor temperature below which houses are heated
HOT_WATER_SHARE = 0.15  # of the heat. Source: Destatis, households' energy by use: one part hot water to five of space heating
YEAR_SLOTS = 35_064  # with a quarter of a leap day
_DAY_SLOTS = 96
# Rounded from climate normals 1991 to 2020 between 35 and 65 degrees: the year's mean, its swing, and the coldest and the warmest hour of the sun's day.
EQUATOR_C, MEAN_PER_DEGREE, SWING_PER_DEGREE, DAY_SWING_C = 27.0, 0.35, 0.19, 3.5
COLDEST_DAY, WARMEST_HOUR = 20.0, 15.0


@dataclass(frozen=True, slots=True)
class HeatingLoad:
    """What heats takes ``yearly_kwh`` in a usual year at ``place``.

    Invariants: the colder, the more; over a year of usual temperatures the slots sum to ``yearly_kwh``.
    """

    yearly_kwh: float
    heated_by: HeatedBy
    place: Location

    def look_up(self, slots: NDArray[np.int64], temperature_c: FloatArray | None = None) -> FloatArray:
        """Return what each slot (quarter-hours since 1970) takes, kWh; where ``temperature_c`` (same shape) is NaN, the season speaks."""
        usual = season_c(slots, self.place)
        outdoor_c = usual if temperature_c is None else np.where(np.isnan(temperature_c), usual, temperature_c)
        degrees, electricity = _usual_means(self.heated_by, self.place)
        return self.yearly_kwh / YEAR_SLOTS * _electricity(outdoor_c, self.heated_by, degrees) / electricity


def season_c(slots: NDArray[np.int64], place: Location) -> FloatArray:
    """Return the usual outdoor temperature at a place in each slot, °C."""
    day = (slots / _DAY_SLOTS + place.longitude / 360) % 365.25
    swing = SWING_PER_DEGREE * place.latitude * np.cos(2 * np.pi * (day - COLDEST_DAY) / 365.25)
    by_hour = DAY_SWING_C * np.cos(2 * np.pi * (day % 1 - WARMEST_HOUR / 24))
    season: FloatArray = EQUATOR_C - MEAN_PER_DEGREE * abs(place.latitude) - swing + by_hour
    return season


def _electricity(outdoor_c: FloatArray, heated_by: HeatedBy, mean_degrees: float) -> FloatArray:
    """Return the electricity for heat of which a usual slot has 1."""
    below = np.maximum(HEATING_LIMIT_C - outdoor_c, 0.0)
    heat = HOT_WATER_SHARE + (1 - HOT_WATER_SHARE) * below / mean_degrees
    return np.asarray(heat / heat_per_kwh(COP[heated_by], outdoor_c))


@lru_cache(maxsize=64)
def _usual_means(heated_by: HeatedBy, place: Location) -> tuple[float, float]:
    """Return the mean of a usual year's degrees below the limit (where it is never cold a tenth of one), and of the electricity for its heat."""
    usual = season_c(np.arange(YEAR_SLOTS, dtype=np.int64), place)
    degrees = max(float(np.maximum(HEATING_LIMIT_C - usual, 0.0).mean()), 0.1)
    return degrees, float(_electricity(usual, heated_by, degrees).mean())
