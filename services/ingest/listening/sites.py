"""The sites with sensors: as stored, and as last seen where the database is away."""

from dataclasses import dataclass
from typing import Self

import structlog
from sqlalchemy import Engine

from luna.database import sites
from luna.database.engine import unit_of_work
from luna.errors import InvalidInputError, UnavailableError
from luna.site import Site
from services.ingest.listening.notes import Notes

log = structlog.get_logger("luna.ingest.live")


@dataclass(frozen=True, slots=True)
class SensedSite:
    """A site's name, and the sensors of each role as the site names them, without the sign by which they count."""

    name: str
    roles: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return a site's sensors."""
        roles = ((role, tuple(sensor.removeprefix("-").strip() for sensor in sensors)) for role, sensors in site.input_sensors)
        return cls(site.name, tuple((role, sensors) for role, sensors in roles if sensors))

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor once."""
        return tuple(dict.fromkeys(sensor for _, sensors in self.roles for sensor in sensors))


class SiteReader:
    """Reads the stored sites that name sensors. What it saw last is noted, for a start without a database."""

    def __init__(self, engine: Engine, notes: Notes) -> None:
        self._engine = engine
        self._notes = notes
        self._last = _from_notes(notes.read("sites"))

    def read(self) -> tuple[SensedSite, ...]:
        """Return the sites with sensors; those last seen where they cannot be read."""
        try:
            with unit_of_work(self._engine) as connection:
                found = tuple(site for site in map(SensedSite.of, sites.load_all(connection)) if site.roles)
        except (UnavailableError, InvalidInputError) as error:
            log.warning("sites cannot be read, they are those last seen", error=str(error), sites=[site.name for site in self._last])
            return self._last
        if found != self._last:
            self._last = found
            self._notes.write({"sites": [[site.name, site.roles] for site in found]})
        return found


def _from_notes(noted: list[tuple[str, list[tuple[str, list[str]]]]] | None) -> tuple[SensedSite, ...]:
    return tuple(SensedSite(name, tuple((role, tuple(sensors)) for role, sensors in roles)) for name, roles in noted or [])
