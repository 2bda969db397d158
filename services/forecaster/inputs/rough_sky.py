"""The clear sky of a site without a location: that of its time zone's place, blurred.

It is used only where nothing was measured: measured days know a site's sun better.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from luna.energy.site import Location, Site
from luna.energy.timeline import FloatArray, InstantArray, parse_zone
from services.forecaster.inputs.solar import look_up

# Most zones extend at most an hour of sun to either side of the place that they are named after.
BLUR_SLOTS = 4
# For zones that are named after no place: the latitudes where most people of either hemisphere
# live, as precisely as matters for a roof.
NORTHERN_LATITUDE = 40.0
SOUTHERN_LATITUDE = -30.0
DEGREES_PER_HOUR = 15.0
# ISO 6709: degrees, minutes and, in some rows, seconds.
COORDINATES = re.compile(r"^(?P<latitude>[+-]\d{4}(?:\d{2})?)(?P<longitude>[+-]\d{5}(?:\d{2})?)$")


@dataclass(frozen=True, slots=True)
class RoughSky:
    """The arrays' yield under a clear sky, kWh per slot, shape ``(slots,)``.

    ``mean_kwh`` is the average over the blur, ``most_kwh`` the highest within it.
    """

    mean_kwh: FloatArray
    most_kwh: FloatArray

    @classmethod
    def of(cls, starts: InstantArray, site: Site) -> "RoughSky | None":
        """Return the rough sky over consecutive quarter-hours.

        None if the site has a location or no arrays.
        """
        if site.location is not None or not site.pv:
            return None
        edge = np.arange(1, BLUR_SLOTS + 1) * np.timedelta64(900, "s")
        around = np.concatenate([(starts[0] - edge)[::-1], starts, starts[-1] + edge])
        placed = site.model_copy(update={"location": find_place(site.timezone)})
        sky = look_up(around, placed)
        if sky is None:
            return None
        near = sliding_window_view(sky.clear_sky_kwh, 2 * BLUR_SLOTS + 1)
        return cls(near.mean(axis=1), near.max(axis=1))


@lru_cache
def find_place(timezone: str) -> Location:
    """Return the place a time zone is named after, else one on its meridian.

    Source: zone.tab of the IANA time zone database; its links, for old names.
    """
    names = {timezone}
    for line in _read_database("tzdata.zi"):
        if line.startswith("L "):
            _, target, alias = line.split()
            if alias == timezone:
                names.add(target)
    for line in _read_database("zone.tab"):
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        if columns[2] in names:
            coordinates = COORDINATES.match(columns[1])
            if coordinates is None:
                break
            return Location(
                latitude=_read_degrees(coordinates["latitude"], digits=2),
                longitude=_read_degrees(coordinates["longitude"], digits=3),
            )
    return _place_on_meridian(parse_zone(timezone))


def _read_database(name: str) -> list[str]:
    path = resources.files("tzdata").joinpath("zoneinfo").joinpath(name)
    return path.read_text(encoding="utf-8").splitlines()


def _read_degrees(text: str, *, digits: int) -> float:
    """Return the degrees of a sign, ``digits`` of degrees, minutes and perhaps seconds."""
    sign = -1 if text[0] == "-" else 1
    degrees = int(text[1 : 1 + digits])
    minutes = int(text[1 + digits : 3 + digits])
    seconds = int(text[3 + digits :] or 0)
    return round(sign * (degrees + minutes / 60 + seconds / 3600), 4)


def _place_on_meridian(zone: ZoneInfo) -> Location:
    """Return a place on the meridian of a zone's standard time, in its hemisphere."""
    january = _offset(zone, month=1)
    july = _offset(zone, month=7)
    hours = min(january, july) / timedelta(hours=1)
    longitude = (hours * DEGREES_PER_HOUR + 180) % 360 - 180
    # Clocks are put forward in summer.
    is_southern = january > july
    latitude = SOUTHERN_LATITUDE if is_southern else NORTHERN_LATITUDE
    return Location(latitude=latitude, longitude=longitude)


def _offset(zone: ZoneInfo, *, month: int) -> timedelta:
    instant = datetime(2024, month, 1, tzinfo=UTC).astimezone(zone)
    return instant.utcoffset() or timedelta(0)
