"""The country of a site, as stated or after its time zone."""

from functools import lru_cache
from importlib import resources

from luna.energy.site import Site


def country_of(site: Site) -> str | None:
    """Return the country (ISO 3166) of a site, None where nobody knows it."""
    return site.country or find_country(site.timezone)


@lru_cache
def find_country(timezone: str) -> str | None:
    """Return the country (ISO 3166) that a time zone is named after.

    None for zones of no country, such as UTC.
    """
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == timezone), None)
