"""Assignment of a site's sensors to the columns of ``slot_observations``.

Each sensor has a sign and a period of validity.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luna.energy.refusals import refuse
from luna.energy.site import LEVELS, SENSOR_ROLES, SUBMETERED, Site, SiteSensor, measured_series
from luna.energy.timeline import InstantArray

_NAMES = {role.series: name for name, role in SENSOR_ROLES.items() if role.series}
# Column → role: the house's energies, its submetered loads, then levels.
ROLES = {
    series: _NAMES[series]
    for series in (*measured_series("consumption", "source", "sink"), *SUBMETERED, *LEVELS)
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its sensors, each with sign and period of validity.

    A minus subtracts. If every sensor has one, the column is instead their flow in the other
    direction, such as the feed-in of a signed power.
    """

    name: str
    sensors: tuple[SiteSensor, ...]

    @property
    def is_level(self) -> bool:
        """Whether the values are levels at the slots' ends, not energies."""
        return SENSOR_ROLES[ROLES[self.name]].kind == "level"

    @property
    def subtracted(self) -> "Column | None":
        """The column of the subtracted sensors, or None if there are none."""
        sensors = tuple(replace(sensor, sign=1) for sensor in self.sensors if sensor.sign < 0)
        return Column(self.name, sensors) if sensors and not self.reversed else None

    @property
    def reversed(self) -> bool:
        """Whether the column is its sensors' flow in the other direction."""
        return all(sensor.sign < 0 for sensor in self.sensors)

    def in_turn(self, edges: InstantArray) -> "Iterator[tuple[Column, NDArray[np.bool_]]]":
        """Yield the column for each set of sensors valid together, and the slots of that set.

        A slot within which a sensor's validity begins or ends belongs to no set, nor does one
        without a sensor.

        Args:
            edges: of the slots, ``datetime64``, UTC.
        """
        shares = np.array([_active_share(sensor, edges) for sensor in self.sensors])
        whole = ~np.any((shares > 0) & (shares < 1), axis=0)
        for pattern in np.unique(shares[:, whole], axis=1).T:
            is_valid = zip(self.sensors, pattern, strict=True)
            sensors = tuple(sensor for sensor, share in is_valid if share)
            if sensors:
                slots = whole & (shares == pattern[:, None]).all(axis=0)
                yield Column(self.name, sensors), slots

    def is_named(self, edges: InstantArray) -> NDArray[np.bool_]:
        """Return a mask of the slots in which any sensor is valid."""
        is_active = [_active_share(sensor, edges) > 0 for sensor in self.sensors]
        return np.asarray(np.any(is_active, axis=0))


def _active_share(sensor: SiteSensor, edges: InstantArray) -> NDArray[np.float64]:
    """Return a sensor's validity per slot: 0 never, 0.5 in part, 1 always."""
    instants = edges.astype("datetime64[us]")
    slots = instants.size - 1
    begun = np.ones(slots)
    ended = np.zeros(slots)
    if sensor.start is not None:
        begun = _elapsed_share(instants, sensor.start)
    if sensor.end is not None:
        ended = _elapsed_share(instants, sensor.end)
    return np.minimum(begun, 1 - ended)


def _elapsed_share(edges: InstantArray, instant: datetime) -> NDArray[np.float64]:
    """Return each slot's position to an instant: 0 before, 0.5 around, 1 after it."""
    at = np.datetime64(instant.replace(tzinfo=None), "us")
    return 0.5 * (edges[:-1] >= at) + 0.5 * (edges[1:] > at)


# Instants of a sensor's first and last known value.
Heard = Mapping[str, tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class SensorPresence:
    """The reporting of a site's sensors.

    Args:
        absent: sensors that never reported and are not waited for any more.
        heard: instants of the first and the last report, to recognise meters that replaced each
            other.
        awaited: sensors that never reported and may still come, and the instant from which they are
            missed beside others.
    """

    absent: Collection[str] = ()
    heard: Heard = field(default_factory=dict)
    awaited: Mapping[str, datetime] = field(default_factory=dict)


def date_successors(sensors: tuple[SiteSensor, ...], heard: Heard) -> tuple[SiteSensor, ...]:
    """Return sensors that replaced each other, each with its period of validity.

    After a meter is renamed or exchanged both names stand beside each other, and one begins to
    report after the other has ended. Other sensors stay as they are.
    """
    undated = [sensor for sensor in sensors if sensor.start is None and sensor.end is None]
    reporting = [sensor for sensor in undated if sensor.name in heard]
    names = sorted((sensor.name for sensor in reporting), key=heard.__getitem__)
    signs = {sensor.sign for sensor in sensors}
    if len(names) < max(2, len(sensors)) or len(signs) > 1:
        return sensors
    begins: dict[str, datetime] = {}
    ends: dict[str, datetime] = {}
    for old, new in pairwise(names):
        first_of_new, _ = heard[new]
        _, last_of_old = heard[old]
        if first_of_new < last_of_old:
            return sensors
        begins[new] = first_of_new
        ends[old] = first_of_new
    return tuple(
        replace(sensor, start=begins.get(sensor.name), end=ends.get(sensor.name))
        for sensor in sensors
    )


def measured_columns(
    site: Site,
    presence: SensorPresence | None = None,
) -> list[Column]:
    """Return the columns for which the site names sensors.

    Args:
        site: with its sensors.
        presence: of these sensors. Absent ones are left out where others of their role remain,
            unless the column is a level or would change direction.

    Raises:
        InvalidInputError: a state of charge has a minus.
    """
    presence = presence or SensorPresence()
    columns = []
    named = site.sensor_roles
    for name, role in ROLES.items():
        if role not in named:
            continue
        column = Column(name, named[role])
        if column.is_level:
            if any(sensor.sign < 0 for sensor in column.sensors):
                raise refuse("level-with-minus", field=f"site.input_sensors.{role}")
            columns.append(Column(name, date_successors(column.sensors, presence.heard)))
            continue
        present = _without_absent(column, presence.absent)
        sensors = date_successors(present.sensors, presence.heard)
        if any(sensor.name not in presence.awaited for sensor in sensors):
            sensors = tuple(_await(sensor, presence.awaited) for sensor in sensors)
        columns.append(Column(name, sensors))
    return columns


def _without_absent(column: Column, absent: Collection[str]) -> Column:
    remaining = tuple(sensor for sensor in column.sensors if sensor.name not in absent)
    others = Column(column.name, remaining)
    if not remaining or others.reversed != column.reversed:
        return column
    return others


def _await(sensor: SiteSensor, awaited: Mapping[str, datetime]) -> SiteSensor:
    """Return a sensor with the start from which it is missed, if it may still come."""
    since = awaited.get(sensor.name)
    if since is None or (sensor.start is not None and sensor.start > since):
        return sensor
    return replace(sensor, start=since)


def outside_columns(site: Site) -> list[Column]:
    """Return the submetered devices' columns, restricted to sensors outside the house's meter."""
    outside = set(site.input_sensors.outside_house_meter)
    columns = []
    for column in measured_columns(site):
        sensors = tuple(sensor for sensor in column.sensors if sensor.name in outside)
        if column.name in SUBMETERED and sensors:
            columns.append(Column(column.name, sensors))
    return columns


def sensor_names(site: Site) -> set[str]:
    """Return the sensors of all columns."""
    return {sensor.name for column in measured_columns(site) for sensor in column.sensors}
