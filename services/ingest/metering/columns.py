"""Which sensors hold which column of ``slot_observations``, and when."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from luna.energy.refusals import refuse
from luna.energy.site import LEVELS, SENSOR_ROLES, SUBMETERED, Site, SiteSensor, measured_series
from luna.energy.timeline import InstantArray

_NAMES = {role.series: name for name, role in SENSOR_ROLES.items() if role.series}
# Column → role: the house's energies, its submetered loads, then levels.
ROLES = {series: _NAMES[series] for series in (*measured_series("consumption", "source", "sink"), *SUBMETERED, *LEVELS)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its sensors, each with +1 or −1 and the time for which it holds.

    Where every sensor has a minus, what it counts in the other direction is meant: the feed-in of a power with a sign. Otherwise a minus takes off.
    """

    name: str
    sensors: tuple[SiteSensor, ...]

    @property
    def is_level(self) -> bool:
        """Whether it is a level at the end of each slot, no energy."""
        return SENSOR_ROLES[ROLES[self.name]].kind == "level"

    @property
    def subtracted(self) -> "Column | None":
        """What its sensors with a minus take off, as a column; None where none does."""
        sensors = tuple(replace(sensor, sign=1) for sensor in self.sensors if sensor.sign < 0)
        return Column(self.name, sensors) if sensors and not self.reversed else None

    @property
    def reversed(self) -> bool:
        """Whether the column is what its sensors count in the other direction."""
        return all(sensor.sign < 0 for sensor in self.sensors)

    def in_turn(self, edges: InstantArray) -> "Iterator[tuple[Column, NDArray[np.bool_]]]":
        """Yield the column with each set of sensors that are active together, with the slots that exactly these cover from beginning to end.

        A slot in which a sensor begins or ends to hold is in none, and one for which no sensor is named neither.

        Args:
            edges: of the slots, ``datetime64``, UTC.
        """
        shares = np.array([_active_share(sensor, edges) for sensor in self.sensors])
        whole = ~np.any((shares > 0) & (shares < 1), axis=0)
        for pattern in np.unique(shares[:, whole], axis=1).T:
            sensors = tuple(sensor for sensor, holds in zip(self.sensors, pattern, strict=True) if holds)
            if sensors:
                yield Column(self.name, sensors), whole & (shares == pattern[:, None]).all(axis=0)

    def is_named(self, edges: InstantArray) -> NDArray[np.bool_]:
        """Return the slots in any part of which a sensor holds."""
        return np.asarray(np.any([_active_share(sensor, edges) > 0 for sensor in self.sensors], axis=0))


def _active_share(sensor: SiteSensor, edges: InstantArray) -> NDArray[np.float64]:
    """Return the share of each slot in which a sensor is active: 0, 0.5 for a part of it, 1."""
    instants = edges.astype("datetime64[us]")
    first, last = (np.datetime64(at.replace(tzinfo=None), "us") if at else None for at in (sensor.start, sensor.end))
    begun = np.ones(instants.size - 1) if first is None else 0.5 * (instants[:-1] >= first) + 0.5 * (instants[1:] > first)
    over = np.zeros(instants.size - 1) if last is None else 0.5 * (instants[:-1] >= last) + 0.5 * (instants[1:] > last)
    return np.minimum(begun, 1 - over)


def measured_columns(site: Site, *, absent: Collection[str] = ()) -> list[Column]:
    """Return the columns for which the site names sensors.

    Args:
        site: with its sensors.
        absent: sensors that there are none of: what the others of their role say is all there is, where it stays an energy of the same direction.

    Raises:
        InvalidInputError: a state of charge is to be taken off.
    """
    columns, named = [], site.sensor_roles
    for column in (Column(name, named[role]) for name, role in ROLES.items() if role in named):
        if column.is_level and any(sensor.sign < 0 for sensor in column.sensors):
            raise refuse("level-with-minus", field=f"site.input_sensors.{ROLES[column.name]}")
        others = Column(column.name, tuple(sensor for sensor in column.sensors if sensor.name not in absent))
        columns.append(others if others.sensors and others.reversed == column.reversed and not column.is_level else column)
    return columns


def outside_columns(site: Site) -> list[Column]:
    """Return the devices' columns with those of their sensors that the house's meter does not count."""
    outside = set(site.input_sensors.outside_house_meter)
    devices = [column for column in measured_columns(site) if column.name in SUBMETERED]
    columns = [Column(column.name, tuple(sensor for sensor in column.sensors if sensor.name in outside)) for column in devices]
    return [column for column in columns if column.sensors]


def sensor_names(site: Site) -> set[str]:
    """Return the sensors that any column needs."""
    return {sensor.name for column in measured_columns(site) for sensor in column.sensors}
