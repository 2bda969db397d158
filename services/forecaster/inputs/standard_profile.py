"""The load of a household of which nothing was measured: the standard load profile, scaled to what it uses in a year. Pure.

Source: BDEW, household profile H25 of 2025, with its dynamisation; days by month and kind (working day, Saturday, Sunday and public holiday). Measured in
Germany; elsewhere the same shape follows the country's holidays, the site's clock and the household's yearly consumption. The library does not make Saturdays
of the 24th and 31st of December.

What heats, and a car at a plain socket, are no part of it: the one follows the cold, the other comes home in the evening.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.site import Site
from luna.energy.timeline import FloatArray, local_offsets, parse_zone
from services.forecaster.inputs.heating import HeatingLoad
from services.forecaster.inputs.public_holidays import EPOCH, country_of, list_holidays
from services.forecaster.inputs.rough_sky import find_place

YEAR_HOURS = 8766.0  # with a quarter of a leap day
_SLOT_SECONDS = 900
_DAY_SLOTS = 96
# Local hours in which a car at a socket charges. Source: Mobilität in Deutschland 2017, most ways home end from 16 to 20; three hours at 2.3 kW are 40 km.
CAR_FROM_HOUR, CAR_TO_HOUR = 17, 23


@dataclass(frozen=True, slots=True)
class StandardProfile:
    """What a household takes by the standard load profile, beside it what heats and a car; ``country`` and ``region`` are those whose holidays it has.

    Invariants: without heating and car the slots of a local calendar year sum to ``yearly_kwh``.
    """

    yearly_kwh: float
    timezone: str
    country: str | None
    region: str | None
    heating: HeatingLoad | None = None
    car_kwh: float = 0.0

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the profile of a site's household; devices of the site that heat or drive are none of it."""
        year, heated_by = site.yearly_load, site.household.heated_by
        heating = None
        if year.heating_kwh and heated_by is not None:
            heating = HeatingLoad(year.heating_kwh, heated_by, site.location or find_place(site.timezone))
        return cls(year.household_kwh, site.timezone, country_of(site), site.region, heating, year.car_kwh)

    @property
    def mean_kwh(self) -> float:
        """The mean of a slot."""
        yearly_kwh = self.yearly_kwh + self.car_kwh + (self.heating.yearly_kwh if self.heating else 0.0)
        return yearly_kwh / (YEAR_HOURS * 3600 / _SLOT_SECONDS)

    def look_up(self, slots: NDArray[np.int64], temperature_c: FloatArray | None = None) -> FloatArray:
        """Return the load of each slot (quarter-hours since 1970), kWh; ``temperature_c`` (same shape) is the outdoor temperature, NaN where unknown."""
        load = np.full(slots.shape, np.nan)
        # The local year may begin half a day before and after that of UTC.
        first_year, last_year = (dt.datetime.fromtimestamp(int(edge) * _SLOT_SECONDS, dt.UTC).year for edge in (slots.min() - 96, slots.max() + 96))
        for year in range(first_year, last_year + 1):
            first, shares = share_year(year, self.timezone, self.country, self.region)
            within = (slots >= first) & (slots < first + shares.size)
            load[within] = self.yearly_kwh * shares[slots[within] - first]
        if self.heating is not None:
            load += self.heating.look_up(slots, temperature_c)
        if self.car_kwh:
            # A car takes the same at its socket each day, in the hours after ways home.
            offsets = local_offsets((slots * _SLOT_SECONDS).astype("datetime64[s]"), parse_zone(self.timezone)).astype(np.int64) // _SLOT_SECONDS
            hour = (slots + offsets) % _DAY_SLOTS * 24 / _DAY_SLOTS
            day_kwh = self.car_kwh * 24 / YEAR_HOURS
            load += np.where((hour >= CAR_FROM_HOUR) & (hour < CAR_TO_HOUR), day_kwh / (4 * (CAR_TO_HOUR - CAR_FROM_HOUR)), 0.0)
        return load


@lru_cache(maxsize=64)
def share_year(year: int, timezone: str, country: str | None, region: str | None) -> tuple[int, FloatArray]:
    """Return the first slot of a local calendar year, and the share of the year's load that each of its slots has."""
    # Loads pandas: only who has measured nothing pays for it.
    import pandas as pd
    from demandlib.bdew import H25

    index = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="15min", tz=timezone, inclusive="left")
    holidays = [EPOCH + dt.timedelta(day) for day in list_holidays(country, region, year)]
    power = H25(index, holidays=holidays).to_numpy(dtype=np.float64)
    return int(index[0].timestamp()) // _SLOT_SECONDS, power / power.sum()
