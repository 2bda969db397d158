"""Assignment of a site's sensors to the columns of ``slot_observations``, with signs and periods of
validity.
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

    Where every sensor has a minus, the column is their flow in the other direction, such as the
    feed-in of a signed power. Otherwise a minus subtracts.
    """

    name: str
    sensors: tuple[SiteSensor, ...]

    @property
    def is_level(self) -> bool:
        """Whether its values are levels at the slots' ends, not energies."""
        return SENSOR_ROLES[ROLES[self.name]].kind == "level"

    @property
    def subtracted(self) -> "Column | None":
        """A column of the sensors that are subtracted; None where there are none."""
        sensors = tuple(replace(sensor, sign=1) for sensor in self.sensors if sensor.sign < 0)
        return Column(self.name, sensors) if sensors and not self.reversed else None

    @property
    def reversed(self) -> bool:
        """Whether the column is its sensors' flow in the other direction."""
        return all(sensor.sign < 0 for sensor in self.sensors)

    def in_turn(self, edges: InstantArray) -> "Iterator[tuple[Column, NDArray[np.bool_]]]":
        """Yield the column restricted to each set of sensors valid together, with the slots that
        exactly these cover completely.

        A slot within which a sensor's validity begins or ends belongs to none, nor does one without
        a sensor.

        Args:
            edges: of the slots, ``datetime64``, UTC.
        """
        shares = np.array([_active_share(sensor, edges) for sensor in self.sensors])
        whole = ~np.any((shares > 0) & (shares < 1), axis=0)
        for pattern in np.unique(shares[:, whole], axis=1).T:
            sensors = tuple(
                sensor for sensor, holds in zip(self.sensors, pattern, strict=True) if holds
            )
            if sensors:
                yield Column(self.name, sensors), whole & (shares == pattern[:, None]).all(axis=0)

    def is_named(self, edges: InstantArray) -> NDArray[np.bool_]:
        """Return the slots in any part of which a sensor is valid."""
        return np.asarray(
            np.any([_active_share(sensor, edges) > 0 for sensor in self.sensors], axis=0)
        )


def _active_share(sensor: SiteSensor, edges: InstantArray) -> NDArray[np.float64]:
    """Return by slot whether a sensor is valid: 0 not at all, 0.5 in a part of it, 1 all the
    time.
    """
    instants = edges.astype("datetime64[us]")
    first, last = (
        np.datetime64(at.replace(tzinfo=None), "us") if at else None
        for at in (sensor.start, sensor.end)
    )
    begun = (
        np.ones(instants.size - 1)
        if first is None
        else 0.5 * (instants[:-1] >= first) + 0.5 * (instants[1:] > first)
    )
    over = (
        np.zeros(instants.size - 1)
        if last is None
        else 0.5 * (instants[:-1] >= last) + 0.5 * (instants[1:] > last)
    )
    return np.minimum(begun, 1 - over)


# Instants of a sensor's first and last known value.
Heard = Mapping[str, tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class SensorPresence:
    """Which of a site's sensors speak.

    Args:
        absent: sensors that never reported and are not waited for any more.
        heard: when sensors first and last spoke, to tell meters that took each other's place.
        awaited: sensors that never reported and may be on their way, and from when on they are
            missed beside others.
    """

    absent: Collection[str] = ()
    heard: Heard = field(default_factory=dict)
    awaited: Mapping[str, datetime] = field(default_factory=dict)


def date_successors(sensors: tuple[SiteSensor, ...], heard: Heard) -> tuple[SiteSensor, ...]:
    """Return sensors of which one took the place of the other, each with the time for which it
    counts.

    A renamed or exchanged meter's names stand beside each other, and one begins to speak after the
    other has ended. Others stay as they are.
    """
    undated = [
        sensor
        for sensor in sensors
        if sensor.start is None and sensor.end is None and sensor.name in heard
    ]
    in_order = sorted(undated, key=lambda sensor: heard[sensor.name])
    if len(in_order) < max(2, len(sensors)) or len({sensor.sign for sensor in sensors}) > 1:
        return sensors
    pairs = list(pairwise(in_order))
    if any(heard[new.name][0] < heard[old.name][1] for old, new in pairs):
        return sensors
    begins = {new.name: heard[new.name][0] for _, new in pairs}
    ends = {old.name: heard[new.name][0] for old, new in pairs}
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
        presence: which of them speak. Absent ones are left out where others of their role remain,
            unless the column is a level or would change direction.

    Raises:
        InvalidInputError: a state of charge has a minus.
    """
    presence = presence or SensorPresence()
    columns = []
    named = site.sensor_roles
    for column in (Column(name, named[role]) for name, role in ROLES.items() if role in named):
        if column.is_level and any(sensor.sign < 0 for sensor in column.sensors):
            raise refuse("level-with-minus", field=f"site.input_sensors.{ROLES[column.name]}")
        others = Column(
            column.name,
            tuple(sensor for sensor in column.sensors if sensor.name not in presence.absent),
        )
        counted = (
            others
            if others.sensors and others.reversed == column.reversed and not column.is_level
            else column
        )
        sensors = date_successors(counted.sensors, presence.heard)
        if not column.is_level and any(sensor.name not in presence.awaited for sensor in sensors):
            sensors = tuple(_await(sensor, presence.awaited) for sensor in sensors)
        columns.append(replace(counted, sensors=sensors))
    return columns


def _await(sensor: SiteSensor, awaited: Mapping[str, datetime]) -> SiteSensor:
    """Return a sensor that counts from when it is missed, where it may be on its way."""
    since = awaited.get(sensor.name)
    if since is None or (sensor.start is not None and sensor.start > since):
        return sensor
    return replace(sensor, start=since)


def outside_columns(site: Site) -> list[Column]:
    """Return the submetered devices' columns, restricted to sensors outside the house's meter."""
    outside = set(site.input_sensors.outside_house_meter)
    devices = [column for column in measured_columns(site) if column.name in SUBMETERED]
    columns = [
        Column(column.name, tuple(sensor for sensor in column.sensors if sensor.name in outside))
        for column in devices
    ]
    return [column for column in columns if column.sensors]


def sensor_names(site: Site) -> set[str]:
    """Return the sensors of all columns."""
    return {sensor.name for column in measured_columns(site) for sensor in column.sensors}
