"""The clock of the installation's pages: that of all sites where they share one, else UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from fastapi import Request

from luna.energy.errors import LunaError
from luna.energy.timeline import share_zone
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.words import Language
from luna.words.catalogue import ENGLISH
from luna.words.numbers import UNKNOWN, say_date
from services.api.gateway import Gateway
from services.api.pages.layout import Reader


@dataclass(frozen=True, slots=True)
class PageClock:
    """Formats instants in one time zone, which the page names once, for one reader."""

    zone: tzinfo = UTC
    language: Language = ENGLISH

    def say(self, instant: datetime | None) -> str:
        """Return an instant: "2024-02-01 14:00:00", "1.2.2024 14:00:00".

        In the hour repeated in autumn with the time zone's abbreviation.
        """
        if instant is None:
            return UNKNOWN
        local = instant.astimezone(self.zone)
        is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        clock = f"{local:%H:%M:%S %Z}" if is_repeated else f"{local:%H:%M:%S}"
        return f"{say_date(local, self.language)} {clock}"


def read_clock(gateway: Gateway, request: Request) -> PageClock:
    """Return the clock by the stored sites; UTC while the database is away."""
    language = Reader.of(request).language
    try:
        with unit_of_work(gateway.database) as connection:
            return PageClock(share_zone(sites.time_zones(connection)), language)
    except LunaError:
        return PageClock(language=language)
