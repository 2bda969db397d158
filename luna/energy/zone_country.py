"""Countries and hemispheres of the places that time zones are named after.

Source: zone.tab of the IANA time zone database.
"""

from functools import lru_cache
from importlib import resources
from typing import NamedTuple


class _ZonePlace(NamedTuple):
    """A row of the table: country (ISO 3166), and coordinates (ISO 6709), latitude first."""

    country: str
    coordinates: str


def find_country(timezone: str) -> str | None:
    """Return the country (ISO 3166) that a time zone is named after.

    None for zones of no country, such as UTC.
    """
    place = _find_place(timezone)
    return None if place is None else place.country


def is_southern_zone(timezone: str) -> bool:
    """Return whether a time zone's place lies south of the equator; one of no place does not."""
    place = _find_place(timezone)
    return place is not None and place.coordinates.startswith("-")


@lru_cache
def _find_place(timezone: str) -> _ZonePlace | None:
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        row = line.split("\t")
        if not line.startswith("#") and row[2] == timezone:
            return _ZonePlace(row[0], row[1])
    return None
