"""State of live recording: state file, sites with their sensors, and age of each sensor's value."""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

import structlog
from prometheus_client import Gauge
from sqlalchemy import Engine

from luna.drivers.plausibility import rate_readings
from luna.drivers.readings import ReadingName
from luna.drivers.sensor_name import SENSOR_PREFIX
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site
from luna.platform.clock import Clock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.private_folders import make_private
from services.ingest.source_readings import Reading

log = structlog.get_logger("luna.ingest.live")


class StateFile:
    """Persistent values by name, in one JSON file per process.

    Thread-safe. An unreadable file counts as empty.

    The values only save work after a restart, so later failures to write are logged and ignored.

    Raises:
        MachineError: the folder cannot be written at the start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        document = None
        with suppress(OSError, ValueError):
            document = json.loads(path.read_text(encoding="utf-8"))
        self._values: dict[str, Any] = document if isinstance(document, dict) else {}
        self._save()

    def read(self, name: str) -> Any:
        """Return the value of a name, or None."""
        return self._values.get(name)

    def instant(self, name: str) -> datetime | None:
        """Return a stored instant, or None."""
        noted = self.read(name)
        return datetime.fromisoformat(noted) if isinstance(noted, str) else None

    def write(self, values: dict[str, Any]) -> None:
        """Set JSON values by name, the others stay.

        After a failure they stay in memory until a later call writes them.
        """
        with self._lock:
            self._values |= values
            try:
                self._save()
            except MachineError as error:
                log.warning("notes stay in memory", error=str(error))

    def _save(self) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            make_private(self._path.parent)
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(self._values, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as exc:
            raise refuse(
                "listening-notes-unwritable",
                field="data_folder",
                value=str(self._path),
                why=exc.strerror,
            ) from exc


@dataclass(frozen=True, slots=True)
class SensedSite:
    """A site's name with its current and future sensors by role, without signs."""

    name: str
    roles: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, site: Site, *, now: datetime) -> Self:
        """Return a site's sensors, except those whose validity has ended."""
        roles = []
        for role, sensors in site.sensor_roles.items():
            names = tuple(sensor.name for sensor in sensors if not sensor.has_ended(now))
            if names:
                roles.append((role, names))
        return cls(site.name, tuple(roles))

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor once."""
        names: dict[str, None] = {}
        for _, sensors in self.roles:
            names.update(dict.fromkeys(sensors))
        return tuple(names)


def rate_sensors(stored: Iterable[Site]) -> dict[str, dict[ReadingName, float]]:
    """Return the largest plausible readings, W, by sensor of a device that Luna reads itself.

    If several sites have the sensor, the larger value counts.
    """
    rated: dict[str, dict[ReadingName, float]] = {}
    for site in stored:
        own = [sensor for sensor in site.sensor_names if sensor.startswith(SENSOR_PREFIX)]
        ratings = rate_readings(site) if own else {}
        for sensor in own:
            largest = rated.setdefault(sensor, {})
            for name, most_w in ratings.items():
                largest[name] = max(most_w, largest.get(name, 0.0))
    return rated


class SiteReader:
    """Reader of the stored sites with sensors.

    The last sites are kept in ``notes``, for a start without the database: devices of steered ones
    follow their meters also then.
    """

    def __init__(self, engine: Engine, notes: StateFile, *, clock: Clock) -> None:
        self._engine = engine
        self._notes = notes
        self._clock = clock
        self._unreadable: set[str] = set()
        # Connections of the sites' controlled devices.
        self.vias: tuple[Via, ...] = ()
        # By sensor of a device that Luna reads itself: the largest plausible readings.
        self._ratings: dict[str, dict[ReadingName, float]] = {}
        # The readable sites, for their live flows.
        self.sites: tuple[Site, ...] = ()
        self._last = _recall_sites(notes)
        self._take(self._last)

    def rate(self, sensors: Collection[str]) -> dict[ReadingName, float]:
        """Return the largest plausible readings of these sensors, W."""
        rated: dict[ReadingName, float] = {}
        for sensor in sensors:
            for name, most_w in self._ratings.get(sensor, {}).items():
                rated[name] = max(most_w, rated.get(name, 0.0))
        return rated

    def read(self) -> tuple[SensedSite, ...]:
        """Return the sites with sensors, or the last result while the database is away."""
        try:
            with unit_of_work(self._engine) as connection:
                stored = sites.load_all(connection)
        except UnavailableError as error:
            log.warning(
                "sites cannot be read, they are those last seen",
                error=str(error),
                sites=[site.name for site in self._last],
            )
            return self._sense(self._last)
        self._take(tuple(stored.sites))
        # An unreadable site is recorded by its last readable version.
        unreadable = {site.name for site in stored.unreadable}
        if unreadable != self._unreadable:
            self._unreadable = unreadable
            for unreadable_site in stored.unreadable:
                log.warning(
                    "the site cannot be read, its sensors are those last seen",
                    site_id=unreadable_site.name,
                    error=str(unreadable_site.error),
                )
        known = {site.name: site for site in stored.sites}
        for last in self._last:
            if last.name in unreadable:
                known[last.name] = last
        readable = tuple(known[name] for name in sorted(known))
        if readable != self._last:
            self._last = readable
            documents = [json.loads(site.model_dump_json(by_alias=True)) for site in readable]
            self._notes.write({"sites": documents})
        return self._sense(readable)

    def _take(self, readable: tuple[Site, ...]) -> None:
        self.sites = readable
        self._ratings = rate_sensors(readable)
        vias: list[Via] = []
        for site in readable:
            if site.control is not None:
                vias += site.control.vias_by_place.values()
        self.vias = tuple(vias)

    def _sense(self, readable: tuple[Site, ...]) -> tuple[SensedSite, ...]:
        now = self._clock.now()
        sensed = [SensedSite.of(site, now=now) for site in readable]
        return tuple(site for site in sensed if site.roles)


def _recall_sites(notes: StateFile) -> tuple[Site, ...]:
    """Return the sites in notes; one that this version cannot read is left out."""
    recalled = []
    for document in notes.read("sites") or []:
        try:
            recalled.append(parse_site(document))
        except LunaError as error:
            log.warning("a site last seen cannot be read", error=str(error))
    return tuple(recalled)


AGE = Gauge(
    "luna_ingest_telemetry_age_seconds",
    "How long ago the oldest sensor of a role last had a known value.",
    ["site_id", "role"],
)


@dataclass(slots=True)
class _Last:
    """Instant of a sensor's last known value, and the source by which it still holds."""

    valid_at: float
    holds_at: str | None = None


@dataclass(slots=True)
class SensorAges:
    """Age of every sensor's value.

    With a source that reports only changes a value stays valid while the source reports anything.

    Args:
        now: monotonic clock, seconds.
    """

    now: Callable[[], float] = time.monotonic
    _sensors: dict[str, _Last] = field(default_factory=dict)
    _spoke: dict[str, float] = field(default_factory=dict)
    _labels: set[tuple[str, str]] = field(default_factory=set)

    def show(self, sensed: Iterable[SensedSite]) -> None:
        """Export the age of each role of these sites, and of no others, as metric."""
        roles = {}
        for site in sensed:
            for role, sensors in site.roles:
                roles[site.name, role] = sensors
        for obsolete in self._labels - set(roles):
            AGE.remove(*obsolete)
        for (site_name, role), sensors in roles.items():
            for sensor in sensors:
                self._sensors.setdefault(sensor, _Last(self.now()))
            AGE.labels(site_name, role).set_function(partial(self.age, sensors))
        self._labels = set(roles)

    def note(self, source: str, readings: Sequence[Reading], *, changes_only: bool) -> None:
        """Update the ages by a source's readings."""
        now = self.now()
        for reading in readings:
            last = self._sensors.setdefault(reading.sensor, _Last(now))
            has_value = not math.isnan(reading.value)
            last.valid_at = now if has_value else self._valid_until(last)
            last.holds_at = source if has_value and changes_only else None
        self._spoke[source] = now

    def age(self, sensors: Sequence[str]) -> float:
        """Return the age of the oldest value of ``sensors``, seconds."""
        return max(self.now() - self._valid_until(self._sensors[sensor]) for sensor in sensors)

    def silence(self, source: str) -> float | None:
        """Return the seconds since a source's last reading; None before its first."""
        return self.now() - self._spoke[source] if source in self._spoke else None

    def _valid_until(self, last: _Last) -> float:
        return max(last.valid_at, self._spoke.get(last.holds_at or "", last.valid_at))
