"""Store the limits that a grid operator sets through the sites' sensors."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.operator_limits import NewLimit
from luna.energy.errors import LunaError, NotFoundError
from luna.energy.sensed_limits import (
    KEPT_WITHOUT_VALUE,
    LimitReading,
    SensedLimit,
    list_limit_sensors,
    name_source,
    read_sensed_limits,
)
from luna.energy.site import Site
from luna.platform.clock import Clock
from luna.platform.database import operator_limits
from luna.platform.database.engine import unit_of_work
from services.ingest.listening.recording_state import StateFile
from services.ingest.source_readings import Reading

_NOTES = "operator_limits"

log = structlog.get_logger("luna.ingest.live")


class LimitSensors:
    """Keeps the table of limits as the sensors say.

    What is stored is noted on disk, so that a restart releases what a sensor no longer asks for.

    Args:
        engine: of the database; while it is away the next turn tries again.
        notes: keeps what is stored across restarts.
        clock: source of each turn's instant.
    """

    def __init__(self, engine: Engine, notes: StateFile, *, clock: Clock) -> None:
        self._engine = engine
        self._notes = notes
        self._clock = clock
        self._began_at = clock.now()
        # Of every sensor: which of them limit a site is known only once the sites are read.
        self._readings: dict[str, LimitReading] = {}
        # By site and sensor: the id of the stored limit, and the limit.
        self._stored: dict[str, dict[str, tuple[str, SensedLimit]]] = {}
        for site_id, limits in (notes.read(_NOTES) or {}).items():
            by_sensor = {}
            for sensor, (limit_id, limit) in limits.items():
                by_sensor[sensor] = (limit_id, SensedLimit(*limit))
            self._stored[site_id] = by_sensor
        self._is_away = False

    def note(self, source: str, readings: Sequence[Reading], *, changes_only: bool) -> None:
        """Take what sensors report, whichever way it comes."""
        now = self._clock.now()
        for reading in readings:
            before = self._readings.get(reading.sensor, LimitReading())
            self._readings[reading.sensor] = before.follow(reading.value, reading.unit, now)

    def turn(self, sites: Sequence[Site]) -> None:
        """Store and release limits of the sites as their sensors say now."""
        now = self._clock.now()
        for site in sites:
            stored = self._stored.get(site.name, {})
            wanted = self._find_wanted(site, stored, now)
            unchanged = {sensor: limit for sensor, (_, limit) in stored.items()}
            if wanted == unchanged:
                continue
            try:
                with unit_of_work(self._engine) as connection:
                    following = _follow(connection, site, stored, wanted, now=now)
            except LunaError as error:
                self._note_fault(site, error)
                continue
            self._is_away = False
            self._stored[site.name] = following
            notes = {name: dict(limits) for name, limits in self._stored.items() if limits}
            self._notes.write({_NOTES: notes})

    def _find_wanted(
        self, site: Site, stored: Mapping[str, tuple[str, SensedLimit]], now: datetime
    ) -> dict[str, SensedLimit]:
        """Return the limits by sensor; one that has not spoken since the start keeps its last."""
        wanted = read_sensed_limits(site, self._readings, now)
        if now - self._began_at >= KEPT_WITHOUT_VALUE:
            return wanted
        for sensor in list_limit_sensors(site) & stored.keys():
            if sensor not in self._readings:
                wanted[sensor] = stored[sensor][1]
        return wanted

    def _note_fault(self, site: Site, error: LunaError) -> None:
        if not self._is_away:
            log.warning("a limit cannot be stored yet", site_id=site.name, error=str(error))
        self._is_away = True


def _follow(
    connection: Connection,
    site: Site,
    stored: Mapping[str, tuple[str, SensedLimit]],
    wanted: Mapping[str, SensedLimit],
    *,
    now: datetime,
) -> dict[str, tuple[str, SensedLimit]]:
    """Release and store the changed limits, and return the stored ones."""
    following: dict[str, tuple[str, SensedLimit]] = {}
    for sensor, (limit_id, limit) in stored.items():
        if wanted.get(sensor) == limit:
            following[sensor] = (limit_id, limit)
            continue
        _release(connection, site, limit_id, now=now)
        log.info("a limit of the grid operator ends", site_id=site.name, sensor=sensor)
    for sensor, limit in wanted.items():
        if sensor in following:
            continue
        new = NewLimit(import_kw=limit.import_kw, export_kw=limit.export_kw, scope=limit.scope)
        source = name_source(site, sensor)
        kept = operator_limits.store(connection, site.name, new, source=source, now=now)
        following[sensor] = (kept.limit_id, limit)
        log.info(
            "the grid operator limits the site",
            site_id=site.name,
            sensor=sensor,
            import_kw=limit.import_kw,
            export_kw=limit.export_kw,
        )
    return following


def _release(connection: Connection, site: Site, limit_id: str, *, now: datetime) -> None:
    """Release a limit that may have been deleted meanwhile, with the history of its site."""
    try:
        operator_limits.release(connection, site.name, limit_id, now=now)
    except NotFoundError as error:
        log.info("a limit is gone already", site_id=site.name, error=str(error))
