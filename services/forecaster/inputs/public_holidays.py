"""Public holidays of a site's country and region, without asking anybody."""

import datetime as dt
from functools import lru_cache

EPOCH = dt.date(1970, 1, 1)


def load_holidays() -> None:
    """Load the library: whichever country is asked for, it loads all of them, some 250 modules."""
    import holidays.countries  # noqa: F401 - a quarter of a second, so only who needs holidays pays


@lru_cache(maxsize=1024)
def list_holidays(country: str | None, region: str | None, year: int) -> tuple[int, ...]:
    """Return the public holidays of a year as days since 1970.

    Those of the whole country where the region is unknown, none where the country is.
    """
    import holidays

    if country is None:
        return ()
    try:
        calendar = holidays.country_holidays(country, subdiv=region, years=year)
    except NotImplementedError:
        return () if region is None else list_holidays(country, None, year)
    return tuple(sorted((day - EPOCH).days for day in calendar))
