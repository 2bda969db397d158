"""Which source is asked for which sensor."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Self

import structlog
from sqlalchemy import Engine

from luna.database import sites
from luna.database.engine import unit_of_work
from luna.errors import InvalidInputError, UnavailableError
from luna.site import Site
from services.ingest.listening.state import Notes

# What Home Assistant calls an entity: its domain, a dot, its object.
ENTITY = re.compile(r"[a-z_]+\.[a-z0-9_]+")
MQTT_TOPIC = "mqtt:"
HOME_ASSISTANT, MQTT = "home_assistant", "mqtt"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Source → sensor → the sites that use it; ``unserved`` are sensors that no source here knows."""

    sources: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    unserved: tuple[str, ...] = ()


def wire(sensed: Iterable[tuple[str, Iterable[str]]], sources: Collection[str]) -> Wiring:
    """Return which of ``sources`` is asked for which sensor of ``sensed``, pairs of site and its sensors.

    A topic of MQTT goes there. Where both listen, the name of an entity goes to Home Assistant, which knows when it was said; any other to MQTT.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    unserved: list[str] = []
    for site, sensors in sensed:
        for sensor in sensors:
            source = _source_of(sensor, sources)
            if source is None:
                unserved.append(sensor)
                continue
            users = found.setdefault(source, {})
            users[sensor] = (*users.get(sensor, ()), site)
    return Wiring(found, tuple(unserved))


def _source_of(sensor: str, sources: Collection[str]) -> str | None:
    if sensor.startswith(MQTT_TOPIC):
        return MQTT if MQTT in sources else None
    preferred = (HOME_ASSISTANT, MQTT) if ENTITY.fullmatch(sensor) else (MQTT,)
    return next((source for source in preferred if source in sources), None)


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
