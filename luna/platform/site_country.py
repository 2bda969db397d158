"""The country that a site lies in."""

from luna.energy.site import Site
from luna.energy.zone_country import find_country


def country_of(site: Site) -> str | None:
    """Return the country (ISO 3166) of a site, or of its time zone; None where nobody knows it."""
    return site.country or find_country(site.timezone)
