"""The clock of the installation's pages: that of all sites where they share one, else UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from luna.energy.errors import LunaError
from luna.energy.timeline import share_zone
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from services.api.gateway import Gateway


@dataclass(frozen=True, slots=True)
class PageClock:
    """Says instants in one time zone, which the page names once."""

    zone: tzinfo = UTC

    def say(self, instant: datetime | None) -> str:
        """Return an instant: "2024-02-01 14:00:00".

        In the hour repeated in autumn with the time zone's abbreviation.
        """
        if instant is None:
            return "–"
        local = instant.astimezone(self.zone)
        is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:%Y-%m-%d %H:%M:%S %Z}" if is_repeated else f"{local:%Y-%m-%d %H:%M:%S}"


def read_clock(gateway: Gateway) -> PageClock:
    """Return the clock by the stored sites; UTC while the database is away."""
    try:
        with unit_of_work(gateway.database) as connection:
            return PageClock(share_zone(sites.time_zones(connection)))
    except LunaError:
        return PageClock()
