"""The load of a household of which nothing was measured: the standard load profile, scaled to what it uses in a year. Pure.

Source: BDEW, household profile H25 of 2025, with its dynamisation; days by month and kind (working day, Saturday, Sunday and public holiday). Measured in
Germany; elsewhere the same shape follows the country's holidays, the site's clock and the household's yearly consumption. The library does not make Saturdays
of the 24th and 31st of December.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.site import Site
from luna.timeline import FloatArray
from services.forecaster.inputs.public_holidays import EPOCH, country_of, list_holidays

YEAR_HOURS = 8766.0  # with a quarter of a leap day
_SLOT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class StandardProfile:
    """What a household takes by the standard load profile; ``country`` and ``region`` are those whose holidays it has.

    Invariants: the slots of a local calendar year sum to ``yearly_kwh``.
    """

    yearly_kwh: float
    timezone: str
    country: str | None
    region: str | None

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the profile of a site's household."""
        return cls(site.household.yearly_load_kwh, site.timezone, country_of(site), site.region)

    @property
    def mean_kwh(self) -> float:
        """The mean of a slot."""
        return self.yearly_kwh / (YEAR_HOURS * 3600 / _SLOT_SECONDS)

    def look_up(self, slots: NDArray[np.int64]) -> FloatArray:
        """Return the load of each slot (quarter-hours since 1970), kWh."""
        load = np.full(slots.shape, np.nan)
        # The local year may begin half a day before and after that of UTC.
        first_year, last_year = (dt.datetime.fromtimestamp(int(edge) * _SLOT_SECONDS, dt.UTC).year for edge in (slots.min() - 96, slots.max() + 96))
        for year in range(first_year, last_year + 1):
            first, shares = share_year(year, self.timezone, self.country, self.region)
            within = (slots >= first) & (slots < first + shares.size)
            load[within] = self.yearly_kwh * shares[slots[within] - first]
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
