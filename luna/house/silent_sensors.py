"""Find sensors that are silent while others of their role report: the role's total is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.energy.site import SENSOR_ROLES, Site, SiteSensor
from luna.platform.database import readings, sites

# An idle meter, of a wallbox or a heat pump in summer, sends nothing for days where its source
# reports changes only.
SILENT_FOR_GOOD = timedelta(days=14)
# A working sensor reports within a day: the meter of a PV system is idle at night.
SPEAKS_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SilentSensor:
    """A sensor that is silent while another one of its role reports.

    ``since`` its last known value, None where it never had one.
    """

    sensor: SiteSensor
    role: str
    since: datetime | None

    @property
    def series(self) -> str:
        """The column of ``slot_observations`` that is unknown without it."""
        return SENSOR_ROLES[self.role].series or ""


def list_beside_others(site: Site, *, at: datetime) -> dict[str, list[SiteSensor]]:
    """Return by role the sensors that are summed at an instant, for roles with several sensors."""
    several = {}
    for role, sensors in site.sensor_roles.items():
        holding = [sensor for sensor in sensors if sensor.holds_at(at)]
        if SENSOR_ROLES[role].series and len(holding) > 1:
            several[role] = holding
    return several


def list_several(site: Site) -> set[str]:
    """Return the sensors that have others of their role beside them, at whatever time."""
    names = set[str]()
    for role, sensors in site.sensor_roles.items():
        if SENSOR_ROLES[role].series and len(sensors) > 1:
            names.update(sensor.name for sensor in sensors)
    return names


def find_unreported(
    site: Site, spans: Mapping[str, tuple[datetime, datetime]], first: datetime, end: datetime
) -> frozenset[str]:
    """Return the sensors without a value in ``first`` ≤ instant < ``end`` while others reported."""
    unreported: set[str] = set()
    for role, sensors in site.sensor_roles.items():
        if not SENSOR_ROLES[role].series:
            continue
        spoke = [spans[sensor.name] for sensor in sensors if sensor.name in spans]
        if any(begin < end and last >= first for begin, last in spoke):
            unreported |= {sensor.name for sensor in sensors if sensor.name not in spans}
    return frozenset(unreported)


def find_silent(
    site: Site,
    spans: Mapping[str, tuple[datetime, datetime]],
    *,
    at: datetime,
    after: timedelta = SILENT_FOR_GOOD,
) -> list[SilentSensor]:
    """Return the sensors silent for longer than ``after`` while another of their role reports.

    Args:
        site: with its sensors.
        spans: instants of the first and last known value per sensor, without sensors that never had
            any.
        at: the instant of the check.
        after: shortest silence that counts.
    """
    silent = []
    for role, sensors in list_beside_others(site, at=at).items():
        known_spans = [spans[sensor.name] for sensor in sensors if sensor.name in spans]
        reporting_from = [first for first, last in known_spans if at - last <= SPEAKS_WITHIN]
        if not reporting_from:
            continue
        for sensor in sensors:
            since = spans[sensor.name][1] if sensor.name in spans else None
            silent_from = since or min(reporting_from)
            if sensor.start is not None:
                silent_from = max(silent_from, sensor.start)
            if at - silent_from > after:
                silent.append(SilentSensor(sensor, role, since))
    return silent


def read_silent(connection: Connection, site: Site, *, now: datetime) -> list[SilentSensor]:
    """Return ``find_silent`` of a stored site.

    A sensor without any value counts only if it has been configured for as long.

    Raises:
        NotFoundError: no such site.
    """
    names = set[str]()
    for sensors in list_beside_others(site, at=now).values():
        names.update(sensor.name for sensor in sensors)
    if not names:
        return []
    spans = readings.read_spans(connection, site.name, names, now=now)
    silent = find_silent(site, spans, at=now)
    unreported = {
        silent_sensor.sensor.name for silent_sensor in silent if silent_sensor.since is None
    }
    named_since = sites.read_named_since(connection, site.name, unreported) if unreported else {}
    counting = []
    for silent_sensor in silent:
        configured_for = now - named_since.get(silent_sensor.sensor.name, now)
        if silent_sensor.since is not None or configured_for > SILENT_FOR_GOOD:
            counting.append(silent_sensor)
    return counting
