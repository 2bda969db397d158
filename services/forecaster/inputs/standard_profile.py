"""The load of a household without measurements, by the standard load profile. Pure.

It is scaled to the use of a year.

Source: BDEW, household profile H25 of 2025, with its dynamisation; days by month and kind (working
day, Saturday, Sunday and public holiday). Measured in Germany; elsewhere the same shape follows the
country's holidays, the site's clock and the household's yearly consumption; south of the equator
with its seasons half a year later. The library does not make Saturdays of the 24th and 31st of
December.

What heats, and a car at a plain socket, are no part of that profile: the one follows the cold, the
other comes home in the evening.

Heat follows the degrees below the heating limit, hot water is the same all year; a heat pump takes
more for the same heat the colder it is. Of the temperature the forecast speaks where there is one,
else the season at the site's latitude.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.physics.heat import heat_per_kwh
from luna.energy.public_holidays import EPOCH, list_holidays
from luna.energy.site import Location, Site
from luna.energy.site.household import COP, HeatedBy
from luna.energy.timeline import SLOT_SECONDS, SLOTS_PER_DAY, FloatArray, local_offsets, parse_zone
from luna.platform.site_country import country_of
from services.forecaster.inputs.rough_sky import find_place

HEATING_LIMIT_C = 15.0  # Source: VDI 3807, the outdoor temperature below which houses are heated
# Of the heat. Source: Destatis, households' energy by use: one part hot water to five of space
# heating
HOT_WATER_SHARE = 0.15
YEAR_SLOTS = 35_064  # with a quarter of a leap day
# Rounded from climate normals 1991 to 2020 between 35 and 65 degrees: the year's mean, its swing,
# and the coldest and the warmest hour of the sun's day.
EQUATOR_C = 27.0
MEAN_PER_DEGREE = 0.35
SWING_PER_DEGREE = 0.19
DAY_SWING_C = 3.5
COLDEST_DAY = 20.0
WARMEST_HOUR = 15.0


@dataclass(frozen=True, slots=True)
class HeatingLoad:
    """Heating that takes ``yearly_kwh`` in a usual year at ``place``.

    Invariants: the colder, the more; over a year of usual temperatures the slots sum to
    ``yearly_kwh``.
    """

    yearly_kwh: float
    heated_by: HeatedBy
    place: Location

    def look_up(
        self, slots: NDArray[np.int64], temperature_c: FloatArray | None = None
    ) -> FloatArray:
        """Return what each slot (quarter-hours since 1970) takes, kWh.

        Where ``temperature_c`` (same shape) is NaN, the season speaks.
        """
        usual = season_c(slots, self.place)
        outdoor_c = usual
        if temperature_c is not None:
            outdoor_c = np.where(np.isnan(temperature_c), usual, temperature_c)
        degrees, electricity = _usual_means(self.heated_by, self.place)
        return (
            self.yearly_kwh
            / YEAR_SLOTS
            * _electricity(outdoor_c, self.heated_by, degrees)
            / electricity
        )


def season_c(slots: NDArray[np.int64], place: Location) -> FloatArray:
    """Return the usual outdoor temperature at a place in each slot, °C."""
    day = (slots / SLOTS_PER_DAY + place.longitude / 360) % 365.25
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
    """Return a usual year's mean degrees below the limit, and mean electricity for heat.

    Where it is never cold the degrees are a tenth of one.
    """
    usual = season_c(np.arange(YEAR_SLOTS, dtype=np.int64), place)
    degrees = max(float(np.maximum(HEATING_LIMIT_C - usual, 0.0).mean()), 0.1)
    return degrees, float(_electricity(usual, heated_by, degrees).mean())


YEAR_HOURS = 8766.0  # with a quarter of a leap day
# In whole weeks, so that weekdays stay.
_HALF_YEAR = dt.timedelta(weeks=26)
# Local hours in which a car at a socket charges. Source: Mobilität in Deutschland 2017, most ways
# home end from 16 to 20; three hours at 2.3 kW are 40 km.
CAR_FROM_HOUR = 17
CAR_TO_HOUR = 23


@dataclass(frozen=True, slots=True)
class StandardProfile:
    """Use of a household by the standard load profile, with heating and a car beside it.

    ``country`` and ``region`` are those whose holidays it has. ``is_southern``: the household lives
    south of the equator.

    Invariants: without heating and car the slots of a local calendar year sum to ``yearly_kwh``.
    """

    yearly_kwh: float
    timezone: str
    country: str | None
    region: str | None
    heating: HeatingLoad | None = None
    car_kwh: float = 0.0
    is_southern: bool = False

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the profile of a site's household.

        Devices of the site that heat or drive are none of it.
        """
        year = site.yearly_load
        heated_by = site.household.heated_by
        place = site.location or find_place(site.timezone)
        heating = None
        if year.heating_kwh and heated_by is not None:
            heating = HeatingLoad(year.heating_kwh, heated_by, place)
        return cls(
            yearly_kwh=year.household_kwh,
            timezone=site.timezone,
            country=country_of(site),
            region=site.region,
            heating=heating,
            car_kwh=year.car_kwh,
            is_southern=place.is_southern,
        )

    @property
    def mean_kwh(self) -> float:
        """The mean of a slot."""
        yearly_kwh = (
            self.yearly_kwh + self.car_kwh + (self.heating.yearly_kwh if self.heating else 0.0)
        )
        return yearly_kwh / (YEAR_HOURS * 3600 / SLOT_SECONDS)

    def look_up(
        self, slots: NDArray[np.int64], temperature_c: FloatArray | None = None
    ) -> FloatArray:
        """Return the load of each slot (quarter-hours since 1970), kWh.

        ``temperature_c`` (same shape) is the outdoor temperature, NaN where unknown.
        """
        load = np.full(slots.shape, np.nan)
        # The local year may begin half a day before and after that of UTC.
        first_year = _year_of(int(slots.min()) - SLOTS_PER_DAY)
        last_year = _year_of(int(slots.max()) + SLOTS_PER_DAY)
        for year in range(first_year, last_year + 1):
            first, shares = share_year(
                year, self.timezone, self.country, self.region, is_southern=self.is_southern
            )
            within = (slots >= first) & (slots < first + shares.size)
            load[within] = self.yearly_kwh * shares[slots[within] - first]
        if self.heating is not None:
            load += self.heating.look_up(slots, temperature_c)
        if self.car_kwh:
            # A car takes the same at its socket each day, in the hours after ways home.
            instants = (slots * SLOT_SECONDS).astype("datetime64[s]")
            offset_seconds = local_offsets(instants, parse_zone(self.timezone)).astype(np.int64)
            local_slot = slots + offset_seconds // SLOT_SECONDS
            hour = local_slot % SLOTS_PER_DAY * 24 / SLOTS_PER_DAY
            is_charging = (hour >= CAR_FROM_HOUR) & (hour < CAR_TO_HOUR)
            day_kwh = self.car_kwh * 24 / YEAR_HOURS
            slot_kwh = day_kwh / (4 * (CAR_TO_HOUR - CAR_FROM_HOUR))
            load += np.where(is_charging, slot_kwh, 0.0)
        return load


def _year_of(slot: int) -> int:
    return dt.datetime.fromtimestamp(slot * SLOT_SECONDS, dt.UTC).year


@lru_cache(maxsize=64)
def share_year(
    year: int, timezone: str, country: str | None, region: str | None, *, is_southern: bool
) -> tuple[int, FloatArray]:
    """Return the first slot of a local calendar year, and each slot's share of its load.

    South of the equator each day has the load of the one half a year of whole weeks later.
    """
    # Loads pandas: only who has measured nothing pays for it.
    import pandas as pd
    from demandlib.bdew import H25

    def list_slots(first_year: int, zone: str | None) -> pd.DatetimeIndex:
        edges = f"{first_year}-01-01", f"{first_year + 1}-01-01"
        return pd.date_range(*edges, freq="15min", tz=zone, inclusive="left")

    index = list_slots(year, timezone)
    holidays = [EPOCH + dt.timedelta(day) for day in list_holidays(country, region, year)]
    if is_southern:
        later = [day + _HALF_YEAR for day in holidays]
        # The library dates its seasons from the first slot, which has to begin a year.
        years = [H25(list_slots(part, None), holidays=later) for part in (year, year + 1)]
        power = pd.concat(years).reindex(index.tz_localize(None) + _HALF_YEAR).to_numpy()
    else:
        power = H25(index, holidays=holidays).to_numpy(dtype=np.float64)
    return int(index[0].timestamp()) // SLOT_SECONDS, power / power.sum()
