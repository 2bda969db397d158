"""Countries that time zones are named after."""

from functools import lru_cache
from importlib import resources


@lru_cache
def find_country(timezone: str) -> str | None:
    """Return the country (ISO 3166) that a time zone is named after.

    None for zones of no country, such as UTC.

    Source: zone.tab of the IANA time zone database.
    """
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == timezone), None)
