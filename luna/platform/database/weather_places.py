"""Name the weather of a site: that of its first place has the site's name.

Each place that it moved to has one of its own.
"""

from collections.abc import Collection, Iterator, Sequence
from math import isfinite

from sqlalchemy import ColumnElement, Connection, select

from luna.platform.database.schema.sites import site_versions
from luna.platform.database.schema.sites import sites as site_table

# Degrees within which a place is the same: weather models know no finer ones, and who corrects a
# digit has not moved.
NEAR_DEG = 0.1
# No site's name has it.
_MARK = "@"

Place = tuple[float, float]


def place_of(connection: Connection, site_id: str) -> str:
    """Return the name of the place where a site is.

    Of one that never says where it is, or is not stored, its own.
    """
    return places_of(connection, [site_id])[site_id]


def places_of(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Return the same of many sites."""
    location = site_versions.c.configuration["location"]
    query = (
        select(
            site_table.c.name,
            location["latitude"].astext.label("latitude"),
            location["longitude"].astext.label("longitude"),
        )
        .join(site_versions, site_versions.c.site_key == site_table.c.site_key)
        .where(site_table.c.name.in_(names))
        .order_by(site_versions.c.version)
    )
    places: dict[str, list[Place]] = {}
    for row in connection.execute(query):
        places.setdefault(row.name, []).extend(_read_place(row.latitude, row.longitude))
    return {name: name_place(name, places.get(name, ())) for name in names}


def name_place(site_id: str, places: Sequence[Place]) -> str:
    """Return the name of the last one of a site's places, given in order.

    Invariants: a site that goes back to where it was finds the weather that it left; no place has
    another's name.
    """
    named: list[Place] = []
    place_number = 0
    for place in places:
        place_number = next(
            (number for number, other in enumerate(named) if _is_near(place, other)), len(named)
        )
        if place_number == len(named):
            named.append(place)
    if place_number == 0:
        return site_id
    latitude, longitude = named[place_number]
    return f"{site_id}{_MARK}{latitude:g},{longitude:g}"


def is_of(place: ColumnElement[str], site_id: str) -> ColumnElement[bool]:
    """Return the condition that a site is or was at a place."""
    return (place == site_id) | place.startswith(f"{site_id}{_MARK}", autoescape=True)


def _is_near(one: Place, other: Place) -> bool:
    east = abs(one[1] - other[1])
    return abs(one[0] - other[0]) <= NEAR_DEG and min(east, 360 - east) <= NEAR_DEG


def _read_place(latitude: str | None, longitude: str | None) -> Iterator[Place]:
    """Yield a place; what another release stored in its own form is none."""
    try:
        place = (float(latitude or "nan"), float(longitude or "nan"))
    except ValueError:
        return
    if all(map(isfinite, place)):
        yield place
