"""The sun of a site that does not say where it is: that of its time zone's place, blurred by what
that place may be away.

Only where nothing was measured does it speak: a site's own days know its sun better.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from luna.energy.site import Location, Site
from luna.energy.timeline import FloatArray, InstantArray, parse_zone
from services.forecaster.inputs.solar import look_up

# Most zones span no more than an hour of sun on either side of the place that they are named after.
BLUR_SLOTS = 4
# Of zones that are named after no place: where most people of either hemisphere live, rounded to
# what a roof notices.
NORTHERN_LATITUDE = 40.0
SOUTHERN_LATITUDE = -30.0
DEGREES_PER_HOUR = 15.0
COORDINATES = re.compile(r"^([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?$")


@dataclass(frozen=True, slots=True)
class RoughSky:
    """What the arrays may yield under a clear sky, kWh per slot, shape ``(slots,)``: on average
    over the blur, and at most within it.
    """

    mean_kwh: FloatArray
    most_kwh: FloatArray

    @classmethod
    def of(cls, starts: InstantArray, site: Site) -> "RoughSky | None":
        """Return the rough sky over consecutive quarter-hours.

        None where the site says where it is, or has no arrays.
        """
        if site.location is not None or not site.pv:
            return None
        edge = np.arange(1, BLUR_SLOTS + 1) * np.timedelta64(900, "s")
        around = np.concatenate([(starts[0] - edge)[::-1], starts, starts[-1] + edge])
        sky = look_up(around, site.model_copy(update={"location": find_place(site.timezone)}))
        if sky is None:
            return None
        near = sliding_window_view(sky.clear_sky_kwh, 2 * BLUR_SLOTS + 1)
        return cls(near.mean(axis=1), near.max(axis=1))


@lru_cache
def find_place(timezone: str) -> Location:
    """Return a place whose clocks show a time zone: the one it is named after, else one on the
    meridian of its standard time.

    Source: zone.tab of the IANA time zone database; its links, for names of old.
    """
    folder = resources.files("tzdata").joinpath("zoneinfo")
    links = (
        line.split()
        for line in folder.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()
        if line.startswith("L ")
    )
    names = {timezone, *(target for _, target, alias in links if alias == timezone)}
    rows = (
        line.split("\t")
        for line in folder.joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    coordinates = next((COORDINATES.match(row[1]) for row in rows if row[2] in names), None)
    if coordinates is not None:
        parts = coordinates.groups()
        latitude, longitude = (
            round(
                (-1 if sign == "-" else 1)
                * (int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600),
                4,
            )
            for sign, degrees, minutes, seconds in (parts[:4], parts[4:])
        )
        return Location(latitude=latitude, longitude=longitude)
    zone = parse_zone(timezone)
    january, july = (
        datetime(2024, month, 1, tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)
        for month in (1, 7)
    )
    hours = min(january, july) / timedelta(hours=1)
    longitude = (hours * DEGREES_PER_HOUR + 180) % 360 - 180
    # Where clocks are put forward in January, it is summer then.
    return Location(
        latitude=SOUTHERN_LATITUDE if january > july else NORTHERN_LATITUDE, longitude=longitude
    )
