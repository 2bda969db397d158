"""Find the hours of sun that are left at a site."""

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from luna.energy.site import Location, Site
from luna.energy.sun import find_last_light


class SunLeft:
    """Hours of sun left at one site; its last light is computed once a day."""

    def __init__(self) -> None:
        self._known: tuple[date, Location] | None = None
        self._last_light: datetime | None = None

    def find_hours_left(self, site: Site, day: date, now: datetime) -> float:
        """Return the hours of sun left on a local day, NaN where the site has no location."""
        if site.location is None:
            return math.nan
        if self._known != (day, site.location):
            self._known = (day, site.location)
            self._last_light = find_last_light(day, ZoneInfo(site.timezone), site.location)
        if self._last_light is None:
            return 0.0
        return max((self._last_light - now).total_seconds() / 3600, 0.0)
