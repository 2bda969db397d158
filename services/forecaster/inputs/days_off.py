"""Days on which a household does not live by its weekday: public holidays, and working days between days off."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luna.site import Site

BoolArray = NDArray[np.bool_]
SATURDAY = 5
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Which slots lie on a public holiday, and which on a bridge day: a working day with a day off before and after it, of which at least one is a holiday."""

    holiday: BoolArray
    bridge: BoolArray

    @classmethod
    def of(cls, day: NDArray[np.int64], site: Site) -> Self:
        """Return the days off of a site's country and region, by the local day of each slot (since 1970, ascending)."""
        first, last = int(day[0]), int(day[-1])
        days = np.arange(first - 1, last + 2)
        years = range((EPOCH + dt.timedelta(first - 1)).year, (EPOCH + dt.timedelta(last + 1)).year + 1)
        country = site.country or find_country(site.timezone)
        found = [number for year in years for number in list_holidays(country, site.region, year)]
        holiday = np.isin(days, found)
        off = holiday | ((days + 3) % 7 >= SATURDAY)  # 1970 began on a Thursday
        between = off[:-2] & off[2:] & (holiday[:-2] | holiday[2:]) & ~off[1:-1]
        return cls(holiday[day - first + 1], between[day - first])


@lru_cache
def find_country(timezone: str) -> str | None:
    """Return the country (ISO 3166) that a time zone is named after; None for zones of no country, such as UTC."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == timezone), None)


@lru_cache(maxsize=1024)
def list_holidays(country: str | None, region: str | None, year: int) -> tuple[int, ...]:
    """Return the public holidays of a year as days since 1970; those of the whole country where the region is unknown, none where the country is."""
    import holidays

    if country is None:
        return ()
    try:
        found = holidays.country_holidays(country, subdiv=region, years=year)
    except NotImplementedError:
        return () if region is None else list_holidays(country, None, year)
    return tuple(sorted((day - EPOCH).days for day in found))
